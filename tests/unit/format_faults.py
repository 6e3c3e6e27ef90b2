# SPDX-License-Identifier: BSD-2-Clause
"""Faults for the judges of format_judge.py: each must be refused. A judge that takes one judges nothing."""
import copy
import struct


class Refused(Exception):
    """What is wrong with a rendering."""


def need(condition, what):
    if not condition:
        raise Refused(what)


def without(value, *path):
    value = copy.deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return value


def with_value(value, new, *path):
    value = copy.deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return value


def reversed_keys(value):
    return dict(reversed(list(value.items())))


def refuses(judge, wrong, what):
    try:
        judge(wrong)
    except (Refused, KeyError, UnicodeDecodeError, TypeError):
        return
    raise Refused(f"a planted fault is taken: {what}")


def plant_records(records, record):
    for key in ("schema", "time", "kind", "verdict", "op", "process", "audit"):
        refuses(records.judge, without(record, key), f"record without {key}")
    for new, *path in ((1, "path"), ("x", "verdict"), ("x", "process", "pid"), ("x", "nonsense"),
                       ("2023-11-14", "time"), ("explode", "op"), ("why", "reason"), (1, "audit")):
        refuses(records.judge, with_value(record, new, *path), f"record with {path}")
    refuses(records.judge, reversed_keys(record), "record in another order")


def plant_ocsf(ocsf, event):
    for path in (("class_uid",), ("time",), ("metadata",), ("metadata", "product"), ("file",), ("actor",),
                 ("file", "name"), ("file", "type_id"), ("device", "os", "name"), ("type_uid",)):
        refuses(ocsf.judge, without(event, *path), f"OCSF without {path}")
    for new, *path in ((1, "nonsense"), ("1", "activity_id"), (42, "activity_id"), (9, "severity_id"),
                       ("now", "time"), (7, "type_uid"), (4, "category_uid"), ({}, "actor"),
                       (1, "actor", "process", "name"), ("1.0.0", "metadata", "version"),
                       (1, "actor", "process", "parent_process", "argv"), (3, "action_id")):
        refuses(ocsf.judge, with_value(event, new, *path), f"OCSF with {path}")


def plant_ecs(ecs, document):
    for path in (("@timestamp",), ("ecs",), ("event", "kind"), ("event", "category"), ("event", "type")):
        refuses(ecs.judge, without(document, *path), f"ECS without {path}")
    for new, *path in ((1, "nonsense"), ("1", "process", "pid"), (1, "file", "path"), ("x", "process", "start"),
                       ("alarm", "event", "kind"), (["magic"], "event", "category"),
                       (["connection"], "event", "type"), ("file", "event", "category"),
                       ("maybe", "event", "outcome"), (7, "user", "id"), ("9.0", "ecs", "version")):
        refuses(ecs.judge, with_value(document, new, *path), f"ECS with {path}")


def plant_otlp(judge, request):
    record = ("resourceLogs", 0, "scopeLogs", 0, "logRecords", 0)
    for path in (record + ("timeUnixNano",), record + ("severityNumber",),
                 ("resourceLogs", 0, "resource", "attributes", 0)):
        refuses(judge.judge, without(request, *path), f"OTLP without {path}")
    for new, *path in ((1, *record, "timeUnixNano"), ("9", *record, "severityNumber"), ("x", *record, "traceId"),
                       ("x", *record, "time_unix_nano"), ({"stringValue": 1}, *record, "body"),
                       ({"stringValue": "a", "boolValue": True}, *record, "body"),
                       ({"key": "", "value": {}}, *record, "attributes", 0),
                       ({"intValue": 5}, *record, "body"), ({}, "resourceLogs")):
        refuses(judge.judge, with_value(request, new, *path), f"OTLP with {path}")


def plant_syslog(judge, agrees, message, record):
    for old, new in ((b"<", b""), (b">1 ", b">2 "), (b"<1", b"<9"), (b"Z ", b" "), (b' op="', b' op='),
                     (b" picket - ", b" pic ket - "), (b"] ", b" "), (b"picket@32473", b"picket"),
                     (b'op="', b'o]p="'), (b' op="', b' agent="x" op="'), (b' kind="', b' kind="\n')):
        need(old in message, f"syslog: {old}")
        refuses(judge, message.replace(old, new, 1), f"syslog with {new!r} for {old!r}")
    refuses(judge, message + "ö".encode(), "syslog in UTF-8 without its mark")
    refuses(judge, message + b"x" * 8192, "syslog over its length")
    refuses(lambda wrong: agrees(message, wrong), {**record, "path": "/other"}, "syslog of another path")


def plant_journal(judge, agrees, entry, record):
    for old, new in ((b"MESSAGE=", b"message="), (b"PRIORITY=", b"PRIORITY=1"), (b"\n", b""),
                     (b"PICKET_OP=", b"PICKET_KIND="), (b"SYSLOG_IDENTIFIER=picket", b"SYSLOG_IDENTIFIER=")):
        refuses(judge, entry.replace(old, new, 1), f"journal with {new!r} for {old!r}")
    refuses(judge, entry[:-1], "journal without its last newline")
    refuses(judge, entry + b"X\n" + struct.pack("<Q", 9) + b"a\n", "journal with a wrong length")
    refuses(lambda wrong: agrees(entry, wrong), {**record, "op": "x"}, "journal of another op")
