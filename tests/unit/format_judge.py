#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What others than picket say about its renderings, for test_format.c.

    format_judge.py FOLDER SCHEMAS

FOLDER has the same records in each format and the schema of records; SCHEMAS the facts of published
schemas (tests/data/schemas). Each judge must also be seen refusing: it is given renderings in each of
which one thing was made wrong.
"""
import calendar
import copy
import ipaddress
import json
import pathlib
import re
import struct
import subprocess
import sys
import time

import jsonschema

sys.dont_write_bytecode = True
from format_faults import (Refused, need, plant_journal, plant_ecs, plant_ocsf, plant_otlp, plant_records,  # noqa: E402
                           plant_syslog, refuses)

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")


def is_ip(value):
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


# --- records ---------------------------------------------------------------------------------------


class Records:
    """The JSON Schema that picket prints, and the order of its keys."""

    def __init__(self, schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        self.kinds = {kind["title"]: kind for kind in schema["oneOf"]}
        self.whole = jsonschema.Draft202012Validator(schema)
        # Objects in records are mostly the same ones: each is judged once, the keys of records always.
        self.tops, self.parts, self.seen = {}, {}, set()
        for name, kind in self.kinds.items():
            inner = {key: below for key, below in kind["properties"].items()
                     if below.get("type") in ("object", "array")}
            top = {**kind, "properties": {**kind["properties"], **{key: {"type": below["type"]}
                                                                   for key, below in inner.items()}}}
            self.tops[name] = jsonschema.Draft202012Validator(top)
            self.parts[name] = {key: jsonschema.Draft202012Validator(below) for key, below in inner.items()}

    def errors(self, kind, record):
        yield from self.tops[kind].iter_errors(record)
        for key, validator in self.parts[kind].items():
            part = (kind, key, json.dumps(record.get(key)))
            if key not in record or part in self.seen:
                continue
            found = list(validator.iter_errors(record[key]))
            yield from found
            if not found:
                self.seen.add(part)

    def in_order(self, value, schema, where):
        if isinstance(value, list):
            for element in value:
                self.in_order(element, schema.get("items", {}), where)
        if not isinstance(value, dict) or "properties" not in schema:
            return
        known = [key for key in value if key in schema["properties"]]
        wanted = [key for key in schema["properties"] if key in value]
        need(known == wanted, f"{where}: order {known}, not {wanted}")
        for key in known:
            self.in_order(value[key], schema["properties"][key], f"{where}.{key}")

    def judge(self, record, whole=False):
        kind = record.get("kind")
        need(kind in self.kinds, f"unknown kind {kind}")
        error = next(self.errors(kind, record), None)
        need(error is None, error and f"{error.json_path}: {error.message}")
        self.in_order(record, self.kinds[kind], kind)
        if whole:
            need(self.whole.is_valid(record), "not exactly one kind")


# --- OCSF ------------------------------------------------------------------------------------------


class Ocsf:
    """Events of the Open Cybersecurity Schema Framework."""

    def __init__(self, facts):
        self.facts = facts

    def scalar(self, kind, value, where):
        good = {
            "string": lambda: isinstance(value, str),
            "integer": lambda: is_integer(value) and abs(value) < 1 << 63,
            "long": lambda: is_integer(value),
            "boolean": lambda: isinstance(value, bool),
            "timestamp": lambda: is_integer(value) and value >= 0,
            "ip": lambda: isinstance(value, str) and is_ip(value),
            "port": lambda: is_integer(value) and 0 <= value <= 65535,
            "json": lambda: True,
        }[kind]()
        need(good, f"{where}: {value!r} is no {kind}")

    def value(self, kind, value, where):
        if kind.endswith("[]"):
            need(isinstance(value, list), f"{where}: no list")
            for element in value:
                self.value(kind[:-2], element, where)
        elif kind in self.facts["objects"]:
            self.attributes(self.facts["objects"][kind], value, where)
        else:
            self.scalar(kind, value, where)

    def attributes(self, known, found, where):
        need(isinstance(found, dict), f"{where}: no object")
        for name, value in found.items():
            need(name in known and name != "one_of", f"{where}.{name}: unknown")
            kind = known[name]
            if isinstance(kind, dict):
                need(is_integer(value) and value in kind["enum"], f"{where}.{name}: {value!r}")
            else:
                self.value(kind.rstrip("!"), value, f"{where}.{name}")
        for name, kind in known.items():
            if name == "one_of":
                need(any(one in found for one in kind), f"{where}: none of {kind}")
            elif kind.get("required") if isinstance(kind, dict) else kind.endswith("!"):
                need(name in found, f"{where}.{name}: missing")

    def judge(self, event):
        facts = self.facts
        need(str(event.get("class_uid")) in facts["classes"], f"class {event.get('class_uid')}")
        kind = facts["classes"][str(event["class_uid"])]
        known = dict(facts["base"])
        for profile in event.get("metadata", {}).get("profiles", []):
            need(profile in facts["profiles"], f"profile {profile}")
            known.update(facts["profiles"][profile])
        for name in kind.get("without", []):
            known.pop(name, None)
        known.update(kind["attributes"])
        self.attributes(known, event, kind["name"])
        need(event["metadata"]["version"] == facts["version"], "version")
        need(event["category_uid"] == kind["category"], "category")
        need(event["class_name"] == kind["name"], "name of the class")
        need(event["type_uid"] == event["class_uid"] * 100 + event["activity_id"], "type")

    @staticmethod
    def agrees(event, record):
        """What the record says must be found where readers of OCSF look for it."""
        need(event["time"] // 1000 == seconds(record["time"]), "time")
        if "verdict" in record:
            refused = record["verdict"] != "allow" and not record["audit"]
            need((event["action_id"] == 2) == refused, "action")
        actor = event.get("actor") or event.get("evidences", [{}])[0].get("actor", {})
        if "process" in record:
            process = actor["process"]
            need(process["pid"] == record["process"]["pid"], "pid")
            for ancestor in record.get("chain", []):
                process = process["parent_process"]
                need(process["pid"] == ancestor["pid"], "ancestor")
        where = {1001: ("file", "path"), 4003: ("query", "hostname")}.get(event["class_uid"])
        if where:
            need(event[where[0]][where[1]] == record["path" if where[0] == "file" else "host"], "object")


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


# --- ECS -------------------------------------------------------------------------------------------


class Ecs:
    """Documents of the Elastic Common Schema."""

    def __init__(self, facts):
        self.facts = facts

    def flat(self, value, path=()):
        for key, below in value.items():
            name = path + (key,)
            if name == (self.facts["own"],):
                continue
            if isinstance(below, dict):
                yield from self.flat(below, name)
            else:
                yield ".".join(name), below

    @staticmethod
    def fits(kind, value):
        if kind.endswith("[]"):
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        if kind in ("keyword", "text", "wildcard"):
            return isinstance(value, str)
        if kind == "long":
            return is_integer(value)
        if kind == "date":
            return isinstance(value, str) and bool(TIME.match(value))
        return kind == "ip" and isinstance(value, str) and is_ip(value)

    def judge(self, document):
        facts = self.facts
        found = dict(self.flat(document))
        for name, value in found.items():
            need(name in facts["fields"], f"{name}: unknown")
            need(self.fits(facts["fields"][name], value), f"{name}: {value!r}")
        for name in facts["required"]:
            need(name in found, f"{name}: missing")
        for name, allowed in facts["allowed"].items():
            need(name not in found or found[name] in allowed, f"{name}: {found.get(name)}")
        need(found["ecs.version"] == facts["version"], "version")
        types = set()
        for category in found["event.category"]:
            need(category in facts["types_of_category"], f"category {category}")
            types.update(facts["types_of_category"][category])
        for kind in found["event.type"]:
            need(kind in types, f"type {kind} of {found['event.category']}")

    @staticmethod
    def agrees(document, record):
        need(document["@timestamp"] == record["time"], "time")
        if "op" in record:
            need(document["event"]["action"] == record["op"], "action")
        if "process" in record:
            need(document["process"]["pid"] == record["process"]["pid"], "pid")
        if "path" in record:
            need(document["file"]["path"] == record["path"], "path")


# --- OTLP ------------------------------------------------------------------------------------------


class Proto:
    """The messages of a .proto file: {message: {field: (number, type, repeated)}}."""

    def __init__(self, text):
        text = re.sub(r"//.*", "", text)
        text = re.sub(r"oneof \w+ \{([^}]*)\}", r"\1", text)
        self.messages = {}
        for name, body in re.findall(r"message (\w+) \{([^}]*)\}", text):
            fields = re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
            self.messages[name] = {field: (int(number), kind, bool(many))
                                   for many, kind, field, number in fields}


def camel(name):
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


class OtlpJson:
    """The JSON form by proto3's mapping, with the ids in hexadecimal as OTLP has them."""

    def __init__(self, proto):
        self.proto = proto

    def scalar(self, kind, field, value):
        if kind == "string":
            return isinstance(value, str)
        if kind == "bool":
            return isinstance(value, bool)
        if kind == "double":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        if kind == "bytes":
            digits = {"trace_id": 32, "span_id": 16}[field]
            return isinstance(value, str) and bool(re.fullmatch(f"[0-9a-f]{{{digits}}}", value))
        if kind in ("fixed64", "int64"):
            return isinstance(value, str) and bool(re.fullmatch(r"-?\d{1,20}", value))
        return is_integer(value)

    def message(self, name, value):
        """The same with the names of the .proto, checked."""
        need(isinstance(value, dict), f"{name}: no object")
        fields = {camel(field): (field, kind, many)
                  for field, (_, kind, many) in self.proto.messages[name].items()}
        out = {}
        for key, below in value.items():
            need(key in fields, f"{name}.{key}: unknown")
            field, kind, many = fields[key]
            need(isinstance(below, list) == many, f"{name}.{key}: list or not")
            made = []
            for one in below if many else [below]:
                if kind in self.proto.messages:
                    made.append(self.message(kind, one))
                else:
                    need(self.scalar(kind, field, one), f"{name}.{key}: {one!r}")
                    made.append(int(one) if kind in ("fixed64", "int64") else one)
            out[field] = made if many else made[0]
        if name == "AnyValue":
            need(len(out) <= 1, "AnyValue: more than one")
        return out

    def judge(self, request):
        made = self.message("ExportLogsServiceRequest", request)
        for resource in made["resource_logs"]:
            names = [pair["key"] for pair in resource["resource"]["attributes"]]
            need("service.name" in names, "service.name: missing")
            for scope in resource["scope_logs"]:
                for record in scope["log_records"]:
                    need(record.get("time_unix_nano"), "time: missing")
                    need(1 <= record["severity_number"] <= 24, "severity")
                    keys = [pair["key"] for pair in record["attributes"]]
                    need(len(keys) == len(set(keys)), "attribute twice")
                    need(all(keys), "attribute without a name")
        return made


def text_format(text):
    """What protoc --decode prints, as nested lists of (name, value)."""
    stack = [[]]
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            below = []
            stack[-1].append((line[:-1].strip(), below))
            stack.append(below)
        elif line == "}":
            stack.pop()
        elif line:
            name, value = line.split(": ", 1)
            stack[-1].append((name, value))
    return stack[0]


def unquote(text):
    escapes = {"n": b"\n", "r": b"\r", "t": b"\t", '"': b'"', "'": b"'", "\\": b"\\"}
    out = b""
    for octal, letter, plain in re.findall(r"\\(?:([0-7]{3})|(.))|([^\\]+)", text[1:-1]):
        out += bytes([int(octal, 8)]) if octal else escapes[letter] if letter else plain.encode()
    return out


def from_text(proto, name, pairs):
    """The message as OtlpJson.message() gives it."""
    out = {}
    for field, value in pairs:
        need(field in proto.messages[name], f"protobuf: {name} has an unknown field {field}")
        _, kind, many = proto.messages[name][field]
        if kind in proto.messages:
            made = from_text(proto, kind, value)
        elif kind == "string":
            made = unquote(value).decode()
        elif kind == "bytes":
            made = unquote(value).hex()
        elif kind == "bool":
            made = value == "true"
        else:
            made = float(value) if kind == "double" else int(value)
        if many:
            out.setdefault(field, []).append(made)
        else:
            out[field] = made
    return out


def decode(schemas, data):
    done = subprocess.run(
        ["protoc", f"--proto_path={schemas}", "--decode=otlp.ExportLogsServiceRequest", "otlp.proto"],
        input=data, capture_output=True, check=False)
    need(done.returncode == 0, done.stderr.decode())
    return text_format(done.stdout.decode())


def without_defaults(value):
    """proto3 does not tell an empty list or text from none; protoc leaves them out."""
    if isinstance(value, dict):
        return {key: without_defaults(below) for key, below in value.items() if below != []}
    if isinstance(value, list):
        return [without_defaults(below) for below in value]
    return value


# --- syslog ----------------------------------------------------------------------------------------

NAME = rb'[!#-<>-\\^-~]{1,32}'
SYSLOG = re.compile(
    rb"<(?P<pri>0|[1-9]\d{0,2})>1 "
    rb"(?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    rb"(?P<host>-|[!-~]{1,255}) (?P<app>-|[!-~]{1,48}) (?P<proc>-|[!-~]{1,128}) (?P<id>-|[!-~]{1,32}) "
    rb"(?P<data>-|(?:\[" + NAME + rb'(?: ' + NAME + rb'="(?:[^"\\\]]|\\["\\\]])*")*\])+)'
    rb"(?: (?P<text>.*))?", re.S)
PARAMETER = re.compile(rb'(' + NAME + rb')="((?:[^"\\\]]|\\["\\\]])*)"')


def judge_syslog(message):
    match = SYSLOG.fullmatch(message)
    need(match, f"no RFC 5424 message: {message[:200]!r}")
    need(int(match["pri"]) <= 191, "priority")
    need(len(message) <= 8192, "length")
    need(re.fullmatch(rb".*@\d+", re.match(rb"\[(" + NAME + rb")", match["data"])[1]), "number of the data")
    text = match["text"] or b""
    if not text.isascii():
        need(text.startswith(b"\xef\xbb\xbf"), "UTF-8 without its mark")
    text.decode()
    need(not re.search(rb"[\x00-\x1f\x7f]", message), "control character")
    found = {}
    for name, value in PARAMETER.findall(match["data"]):
        need(name.decode() not in found, f"parameter {name} twice")
        found[name.decode()] = re.sub(rb'\\(["\\\]])', rb"\1", value).decode()
    return match, found


def agrees_syslog(message, record):
    match, found = judge_syslog(message)
    need(match["time"].decode()[:26] == record["time"][:26], "time")
    need(found["kind"] == record["kind"], "kind")
    for key in ("op", "path", "agent", "host", "hash", "request", "address"):
        if key in record:
            need(found[key] == str(record[key]), f"{key}: {found.get(key)!r} {record[key]!r}")
    need(int(match["pri"]) // 8 == 16, "facility")


# --- journal ---------------------------------------------------------------------------------------


def judge_journal(entry):
    """The fields of an entry in the native protocol."""
    fields, at = {}, 0
    while at < len(entry):
        end = entry.find(b"\n", at)
        need(end >= 0, "no newline")
        name, sign, value = entry[at:end].partition(b"=")
        at = end + 1
        if not sign:
            need(at + 8 <= len(entry), "no length")
            length = struct.unpack("<Q", entry[at:at + 8])[0]
            value = entry[at + 8:at + 8 + length]
            need(entry[at + 8 + length:at + 9 + length] == b"\n", "length")
            at += 9 + length
        need(re.fullmatch(rb"[A-Z0-9][A-Z0-9_]{0,63}", name), f"name {name!r}")
        need(name not in fields, f"{name!r} twice")
        fields[name] = value
    need(fields.get(b"MESSAGE"), "no message")
    need(re.fullmatch(rb"[0-7]", fields.get(b"PRIORITY", b"")), "priority")
    need(fields.get(b"SYSLOG_IDENTIFIER") == b"picket", "identifier")
    return fields


def agrees_journal(entry, record):
    fields = judge_journal(entry)
    for key in ("kind", "op", "path", "agent", "time"):
        if key in record:
            need(fields[b"PICKET_" + key.upper().encode()].decode() == str(record[key]), key)
    if "process" in record:
        need(fields[b"PICKET_PROCESS_PID"].decode() == str(record["process"]["pid"]), "pid")


# --- all -------------------------------------------------------------------------------------------


def messages(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        end = data.index(b"\n", at)
        length = int(data[at:end])
        yield data[end + 1:end + 1 + length]
        at = end + 1 + length


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Bench:
    """Runs judges over lists, and keeps what they refuse."""

    def __init__(self):
        self.failures = []
        self.count = 0

    def each(self, name, judge, *lists):
        if len({len(one) for one in lists}) != 1:
            self.failures.append(f"{name}: {[len(one) for one in lists]} renderings")
        for number, row in enumerate(zip(*lists)):
            self.count += 1
            try:
                judge(*row)
            except (Refused, KeyError, UnicodeDecodeError) as error:
                self.failures.append(f"{name} {number}: {error!r}: {str(row[-1])[:300]}")

    def once(self, name, judge, *arguments):
        self.each(name, judge, *([one] for one in arguments))


def judge_otlp(bench, folder, schemas, records):
    proto = Proto((schemas / "otlp.proto").read_text())
    judge = OtlpJson(proto)
    request = json.loads((folder / "otlp-json").read_text())
    found = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    bench.once("OTLP", judge.judge, request)

    def same_count():
        need(len(found) == len(records), f"{len(found)} log records of {len(records)}")
        made = without_defaults(judge.message("ExportLogsServiceRequest", request))
        pairs = decode(schemas, (folder / "otlp-protobuf").read_bytes())
        need(without_defaults(from_text(proto, "ExportLogsServiceRequest", pairs)) == made,
             "the protobuf form says something else")

    def agrees(one, record):
        need(int(one["timeUnixNano"]) // 10**9 == seconds(record["time"]), "time")
        attributes = {pair["key"]: pair["value"] for pair in one["attributes"]}
        need(attributes["picket.kind"] == {"stringValue": record["kind"]}, "kind")
        if "path" in record:
            need(attributes["file.path"] == {"stringValue": record["path"]}, "path")
        if "context" in record:
            need(one["traceId"] == record["context"]["traceparent"][3:35], "trace")
            need(one["spanId"] == record["context"]["traceparent"][36:52], "span")
        if "process" in record:
            need(attributes["process.pid"] == {"intValue": str(record["process"]["pid"])}, "pid")

    bench.once("OTLP", lambda _: same_count(), 0)
    bench.each("OTLP", agrees, found, records)
    small = copy.deepcopy(request)
    small["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = found[:1]
    bench.once("OTLP", lambda _: plant_otlp(judge, small), 0)
    data = (folder / "otlp-protobuf").read_bytes()
    bench.once("OTLP", lambda _: refuses(lambda wrong: decode(schemas, wrong), data[:-1], "cut protobuf"), 0)


def main():
    folder, schemas = map(pathlib.Path, sys.argv[1:3])
    bench = Bench()
    records = lines(folder / "json")
    schema = Records(json.loads((folder / "schema").read_text()))
    ocsf = Ocsf(json.loads((schemas / "ocsf.json").read_text()))
    ecs = Ecs(json.loads((schemas / "ecs.json").read_text()))
    events, documents = lines(folder / "ocsf"), lines(folder / "ecs")
    syslog, journal = list(messages(folder / "syslog")), list(messages(folder / "journal"))
    # One with all that a record can have, of each format, is what faults are planted in.
    rich = next(i for i, record in enumerate(records)
                if events[i]["class_uid"] == 1001 and record["verdict"] == "deny" and "chain" in record
                and record["path"].startswith("/home/") and "path2" not in record)

    bench.each("record", schema.judge, records)
    bench.each("record", lambda record: schema.judge(record, True), records[::97] + records[-20:])
    bench.each("OCSF", ocsf.judge, events)
    bench.each("OCSF", ocsf.agrees, events, records)
    bench.each("ECS", ecs.judge, documents)
    bench.each("ECS", ecs.agrees, documents, records)
    bench.each("syslog", agrees_syslog, syslog, records)
    bench.each("journal", agrees_journal, journal, records)
    judge_otlp(bench, folder, schemas, records)
    bench.once("record", lambda _: plant_records(schema, records[rich]), 0)
    bench.once("OCSF", lambda _: plant_ocsf(ocsf, events[rich]), 0)
    bench.once("ECS", lambda _: plant_ecs(ecs, documents[rich]), 0)
    bench.once("syslog", lambda _: plant_syslog(judge_syslog, agrees_syslog, syslog[rich], records[rich]), 0)
    bench.once("journal", lambda _: plant_journal(judge_journal, agrees_journal, journal[rich], records[rich]), 0)
    classes = {event["class_uid"] for event in events}
    if classes != {0, 1001, 1007, 2004, 4001, 4003}:
        bench.failures.append(f"OCSF: only classes {classes}")
    kinds = {record["kind"] for record in records}
    if kinds != set(schema.kinds):
        bench.failures.append(f"kinds {set(schema.kinds) - kinds} are in no record")
    for failure in bench.failures[:20]:
        print(failure, file=sys.stderr)
    print(f"{bench.count} judgements, {len(bench.failures)} refused")
    return 1 if bench.failures or bench.count < 15000 else 0


if __name__ == "__main__":
    sys.exit(main())
