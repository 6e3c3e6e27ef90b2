# SPDX-License-Identifier: BSD-2-Clause
"""What an agent says of its work: notes, hooks of harnesses, exported logs; and events that carry it."""
import gzip
import json
import os
import subprocess
import threading
import time

import stage

HOOKS = os.path.abspath(f"{stage.HERE}/../../../tools/hooks")
OTLP = 4318

# A harness: does what it is told on standard input, one line of JSON each, and answers with one.
HARNESS = r"""
import array, json, os, socket, subprocess, sys, threading, time, urllib.request
CONNECT = '''
import socket, sys
try:
    socket.create_connection(("127.0.0.1", 18002), 5).close(); print("open")
except OSError as error:
    print(type(error).__name__)
'''
kept = []
def refused():
    try:
        socket.create_connection(("127.0.0.1", 18002), 5).close()
        return "open"
    except OSError as error:
        return type(error).__name__
def run(what):
    done = subprocess.run(what["words"], input=what.get("input", ""), capture_output=True, text=True)
    return {"status": done.returncode, "out": done.stdout, "err": done.stderr}
def child(_):
    return subprocess.run([sys.executable, "-c", CONNECT], capture_output=True, text=True).stdout.strip()
def keep(_):
    kept.append(subprocess.Popen([sys.executable, "-uc", CONNECT + "sys.stdin.readline()" + CONNECT],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    return kept[-1].stdout.readline().strip()
def wake(_):
    return kept.pop().communicate("go\n")[0].strip()
def flood(what):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.connect(what.get("path") or os.environ["PICKET_NOTES"])
    for _ in range(what["count"]):
        one.send(what["text"].encode())
    time.sleep(0.5)
    return "sent"
def descriptors(_):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.connect(os.environ["PICKET_NOTES"])
    one.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 200))])
    return "sent"
def post(what):
    request = urllib.request.Request("http://127.0.0.1:4318" + what.get("path", "/v1/logs"),
                                     data=bytes.fromhex(what["body"]), headers=what["headers"])
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return [answer.status, answer.headers["Content-Type"], answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.headers["Content-Type"], error.read().decode()]
ACTS = {"run": run, "child": child, "keep": keep, "wake": wake, "flood": flood, "post": post,
        "descriptors": descriptors, "refused": lambda _: refused(),
        "env": lambda what: os.environ.get(what["name"], "unset"), "pid": lambda _: os.getpid()}
print("ready", flush=True)
for line in sys.stdin:
    what = json.loads(line)
    print(json.dumps(ACTS[what["act"]](what)), flush=True)
"""


class Listener:
    """All that picketd tells, from now on."""

    def __init__(self):
        self.rpc = stage.Rpc()
        self.events = []
        answer = self.rpc.call("events.subscribe", {"all": True})
        assert "result" in answer, answer
        self.rpc.socket.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for line in self.rpc.file:
                event = json.loads(line).get("params", {}).get("event")
                if event:
                    self.events.append(event)
        except (OSError, ValueError):
            pass

    def wait(self, count, **wanted):
        """At least `count` events with these values, or those that came in time."""
        def found():
            return [event for event in list(self.events)
                    if all(event.get(key) == value for key, value in wanted.items())]
        stage.wait_until(lambda: len(found()) >= count)
        return found()


class Harness:
    """An agent that does what it is told."""

    def __init__(self, host, user="plain"):
        os.makedirs(f"{host.base}/bin", exist_ok=True)
        if not os.path.exists(f"{host.base}/bin/picket"):
            os.symlink(host.picket_path, f"{host.base}/bin/picket")
        options = host.options(user)
        options["env"]["PATH"] = f"{host.base}/bin:{options['env']['PATH']}"
        self.process = host.start(user, "run", "--quiet", "-p", "work", "--", "python3", "-c", HARNESS,
                                  stdin=subprocess.PIPE, env=options["env"])
        self.process.stdout.readline()
        self.agent = stage.wait_until(host.agents)[-1]["agent"]

    def do(self, act, **what):
        self.process.stdin.write(json.dumps({"act": act, **what}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else "no answer"

    def note(self, *words):
        return self.do("run", words=["picket", "note", *words])

    def end(self):
        self.process.stdin.close()
        self.process.wait(stage.PATIENCE)


def status(host):
    return json.loads(host.picket("root", "status", "--json").stdout)


def tool_of(event):
    return event.get("context", {}).get("tool", {})


def last_denial(listener, agent, seen):
    """The first denial of the agent after `seen` of them."""
    found = listener.wait(seen + 1, agent=agent, kind="decision")
    return found[seen] if len(found) > seen else {}


def calls(tap, host, listener):
    harness = Harness(host)
    agent = harness.agent
    tap.equal("notes: the socket is in the environment", harness.do("env", name="PICKET_NOTES"),
              f"/run/picket/notes/{agent}.sock")
    tap.equal("notes: a denial", harness.do("refused"), "PermissionError")
    tap.equal("notes: before any call, none is in events", tool_of(last_denial(listener, agent, 0)), {})
    done = harness.note("--tool", "Bash", "--call-id", "call-1", "--intent", "see\nwhat is there")
    tap.equal("notes: a call begins", (done["status"], done["out"], done["err"]), (0, "", ""))
    told = listener.wait(1, agent=agent, kind="note", op="tool-start")
    tap.check("notes: it is told, as a claim", told and told[0]["claimed"] is True and
              told[0]["tool"]["name"] == "Bash" and told[0]["tool"]["call_id"] == "call-1" and
              told[0]["tool"]["intent"] == "see what is there", told)
    tap.equal("notes: the sender is told", told and told[0].get("process", {}).get("comm"), "picket")
    tap.equal("notes: the process whose call it is, denied", harness.do("refused"), "PermissionError")
    tool = tool_of(last_denial(listener, agent, 1))
    tap.equal("notes: its event has the call", (tool.get("name"), tool.get("call_id"), tool.get("by"),
                                               tool.get("claimed")), ("Bash", "call-1", "note", True))
    tap.equal("notes: a child, denied", harness.do("child"), "PermissionError")
    tap.equal("notes: its event has it too", tool_of(last_denial(listener, agent, 2)).get("call_id"),
              "call-1")
    tap.equal("notes: a child that stays, denied", harness.do("keep"), "PermissionError")
    harness.note("--tool", "Grep", "--call-id", "call-2")
    harness.do("refused")
    tap.equal("notes: of two, the newest", tool_of(last_denial(listener, agent, 4)).get("call_id"),
              "call-2")
    harness.note("--end", "--call-id", "call-2", "--status", "1")
    told = listener.wait(1, agent=agent, kind="note", op="tool-end")
    tap.check("notes: an end is told, with what was said of the call", told and
              told[0]["tool"].get("name") == "Grep" and told[0]["tool"].get("status") == 1, told)
    harness.do("refused")
    tap.equal("notes: then the older again", tool_of(last_denial(listener, agent, 5)).get("call_id"),
              "call-1")
    harness.note("--end")
    harness.do("refused")
    tap.equal("notes: after the last end, none", tool_of(last_denial(listener, agent, 6)), {})
    tap.equal("notes: a child of then, denied now", harness.do("wake"), "PermissionError")
    tap.equal("notes: keeps the call it was started under",
              tool_of(last_denial(listener, agent, 7)).get("call_id"), "call-1")
    return harness


def strangers(tap, host, harness):
    path = harness.do("env", name="PICKET_NOTES")
    before = status(host)["notes"]
    tap.equal("notes: the owner, not confined, may send",
              host.picket("plain", "note", "--tool", "a", "--socket", path).returncode, 0)
    tap.equal("notes: and is refused", status(host)["notes"]["refused"] - before["refused"], 1)
    tap.equal("notes: another user may not even send",
              host.picket("other", "note", "--tool", "a", "--socket", path).returncode, 1)
    second = Harness(host)
    second.do("run", words=["picket", "note", "--tool", "a", "--socket", path])
    after = status(host)["notes"]
    tap.equal("notes: nothing of another agent is taken", after["taken"], before["taken"])
    done = second.note("--tool", "a")
    tap.check("notes: its own is", done["status"] == 0 and
              status(host)["notes"]["taken"] == before["taken"] + 1, done)
    second.do("flood", count=3, text="rubbish")
    tap.equal("notes: rubbish is counted", status(host)["notes"]["malformed"] - after["malformed"], 3)
    own = second.do("env", name="PICKET_NOTES")
    second.end()
    tap.check("notes: the socket goes with the agent",
              stage.wait_until(lambda: not os.path.exists(own)))
    done = host.picket("root", "note", "--tool", "a", "--socket", own)
    tap.check("notes: then nobody takes them", done.returncode == 1 and "nobody takes notes" in done.stderr,
              done)


def floods(tap, host, listener):
    harness = Harness(host)
    before = status(host)["notes"]
    text = json.dumps({"schema": "picket.note/1", "op": "tool-end"})
    start = time.monotonic()
    harness.do("flood", count=1000, text=text)
    seconds = time.monotonic() - start
    time.sleep(1.1)
    harness.note("--tool", "after")
    after = status(host)["notes"]
    gained = {key: after[key] - before[key] for key in ("taken", "dropped", "refused", "malformed")}
    tap.equal("notes: a flood: each is taken or counted", sum(gained.values()), 1001, gained)
    # A hundred in a second are taken; an emulated machine cannot send many more.
    tap.check("notes: a flood: what is too much is dropped",
              gained["dropped"] >= 1000 - 100 * (seconds + 2), (seconds, gained))
    lost = listener.wait(1, agent=harness.agent, kind="loss")
    tap.equal("notes: a flood: what was dropped is told", sum(event["count"] for event in lost),
              gained["dropped"], lost)
    tap.equal("notes: descriptors", harness.do("descriptors"), "sent")
    path = harness.do("env", name="PICKET_NOTES")
    tap.check("notes: descriptors end the socket", stage.wait_until(lambda: not os.path.exists(path)))
    tap.equal("notes: and nothing else", harness.do("refused"), "PermissionError")
    harness.end()


def restart(tap, host, harness):
    path = harness.do("env", name="PICKET_NOTES")
    host.end_daemon()
    done = harness.note("--tool", "Bash")
    tap.check("notes: no picketd, no note", done["status"] == 1 and "nobody takes notes" in done["err"], done)
    host.start_daemon()
    listener = Listener()
    tap.check("notes: the socket is there again", os.path.exists(path))
    tap.equal("notes: and takes notes", harness.note("--tool", "Bash", "--call-id", "call-9")["status"], 0)
    harness.do("refused")
    tap.equal("notes: and events have them",
              tool_of(last_denial(listener, harness.agent, 0)).get("call_id"), "call-9")
    harness.end()
    return listener


# What harnesses give their hooks, as their documentation has it.
def hook_input(event, call, more=None):
    return json.dumps({"session_id": "abc123", "transcript_path": "/home/user/.claude/abc123.jsonl",
                       "cwd": "/home/user/project", "permission_mode": "default",
                       "hook_event_name": event, "tool_name": "Bash",
                       "tool_input": {"command": "npm test", "description": "Run the tests"},
                       "tool_use_id": call, **(more or {})})


def commands_of(snippet):
    """Event to command, from a file of hooks."""
    text = stage.read(f"{HOOKS}/{snippet}")
    if snippet.endswith(".json"):
        groups = json.loads(text)["hooks"]
    else:
        import tomllib  # pylint: disable=import-outside-toplevel
        groups = tomllib.loads(text)["hooks"]
    return {event: group[0]["hooks"][0]["command"] for event, group in groups.items()}


def hooks(tap, host, listener):
    harness = Harness(host)
    # A login shell, as Codex has it, would make PATH anew: in place of its profile, the environment's.
    shells = {"claude-code.json": ["/bin/sh", "-c"], "codex.toml": ["/bin/bash", "-c"]}
    for number, (snippet, shell) in enumerate(shells.items()):
        commands, call = commands_of(snippet), f"toolu_{number}"
        done = harness.do("run", words=[*shell, commands["PreToolUse"]],
                          input=hook_input("PreToolUse", call))
        tap.equal(f"hooks: {snippet}: before a call", (done["status"], done["out"], done["err"]), (0, "", ""))
        harness.do("child")
        tool = tool_of(last_denial(listener, harness.agent, number))
        tap.equal(f"hooks: {snippet}: what the harness starts has the call",
                  (tool.get("name"), tool.get("call_id"), tool.get("intent")),
                  ("Bash", call, "Run the tests"))
        done = harness.do("run", words=[*shell, commands["PostToolUse"]],
                          input=hook_input("PostToolUse", call, {"tool_response": {"stdout": "ok"}}))
        tap.equal(f"hooks: {snippet}: after it", (done["status"], done["out"], done["err"]), (0, "", ""))
        told = [event for event in listener.wait(2 * number + 2, agent=harness.agent, kind="note")
                if event["tool"].get("call_id") == call]
        tap.equal(f"hooks: {snippet}: start and end are told", [event["op"] for event in told],
                  ["tool-start", "tool-end"])
        outside = host.run("plain", *shell, commands["PreToolUse"], input=hook_input("PreToolUse", call))
        tap.equal(f"hooks: {snippet}: outside of picket they do nothing",
                  (outside.returncode, outside.stdout, outside.stderr), (0, "", ""))
    harness.end()


def log_record(name, at, **attributes):
    pairs = [{"key": key.replace("__", "."), "value": {"stringValue": str(value)}}
             for key, value in {"event__name": name, **attributes}.items()]
    return {"timeUnixNano": str(at), "body": {"stringValue": f"claude_code.{name}"}, "attributes": pairs}


def request(*records):
    return json.dumps({"resourceLogs": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "claude-code"}}]},
        "scopeLogs": [{"scope": {"name": "events"}, "logRecords": list(records)}]}]}).encode()


def marked(tap, harness, listener, headers):
    """From the record that a call began to that of its end, what the kernel decides is under it."""
    begun = time.time_ns()
    body = request(log_record("tool_decision", begun, session__id="s-1", tool_name="Bash",
                              tool_use_id="toolu_76", decision="accept"))
    tap.equal("otlp: a call that begins is taken", harness.do("post", body=body.hex(), headers=headers)[0], 200)
    harness.do("child")
    tool = tool_of(last_denial(listener, harness.agent, 1))
    tap.equal("otlp: what a process of the agent does then is under the call, as it claims",
              (tool.get("name"), tool.get("call_id"), tool.get("by"), tool.get("claimed")),
              ("Bash", "toolu_76", "otlp", True))
    body = request(log_record("tool_result", time.time_ns(), session__id="s-1", tool_name="Bash",
                              tool_use_id="toolu_76", success="true", duration_ms=5))
    tap.equal("otlp: its end is taken", harness.do("post", body=body.hex(), headers=headers)[0], 200)
    told = listener.wait(2, kind="note", agent=harness.agent)
    under = [(one["op"], one["context"]["tool"]["call_id"]) for one in told[-1].get("denials", [])]
    tap.equal("otlp: one record shows the call and what was refused under it",
              (told[-1]["op"], told[-1]["tool"]["call_id"], under),
              ("tool-end", "toolu_76", [("connect", "toolu_76")]), told[-1])
    harness.do("refused")
    tap.equal("otlp: and no more after its end", tool_of(last_denial(listener, harness.agent, 2)), {})


def exported(tap, host, listener):
    harness = Harness(host)
    json_type = {"Content-Type": "application/json"}
    harness.do("refused")
    last_denial(listener, harness.agent, 0)
    marked(tap, harness, listener, json_type)
    now = time.time_ns()
    body = request(log_record("tool_result", now, session__id="s-1", tool_name="Bash",
                              tool_use_id="toolu_77", success="true", duration_ms=60000),
                   log_record("api_request", now, model="m"))
    tap.equal("otlp: JSON is taken", harness.do("post", body=body.hex(), headers=json_type),
              [200, "application/json", "{}"])
    told = listener.wait(3, kind="note", agent=harness.agent)[2:]
    tool = told[0]["tool"] if told else {}
    tap.equal("otlp: a call's end, of the agent that sent it",
              (tool.get("name"), tool.get("call_id"), tool.get("status"), tool.get("by"),
               tool.get("session")), ("Bash", "toolu_77", 0, "otlp", "s-1"), told)
    denials = told[0].get("denials", []) if told else []
    tap.equal("otlp: with what was denied under it", [(one["op"], one["port"]) for one in denials],
              [("connect", stage.CLOSED)] * 2, told)
    packed = harness.do("post", body=gzip.compress(body).hex(),
                        headers={**json_type, "Content-Encoding": "gzip"})
    tap.equal("otlp: gzip", packed[0], 200, packed)
    tap.equal("otlp: no protobuf", harness.do("post", body="ff", headers={
        "Content-Type": "application/x-protobuf"})[0], 400)
    tap.equal("otlp: another type", harness.do("post", body="00", headers={"Content-Type": "text/plain"})[0],
              415)
    tap.equal("otlp: another path", harness.do("post", body="00", headers=json_type, path="/v1/traces")[0],
              404)
    outside = host.run("plain", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H",
                       "Content-Type: application/json", "--data-binary", "@-",
                       f"http://127.0.0.1:{OTLP}/v1/logs", input=body.decode())
    tap.equal("otlp: from outside of agents", outside.stdout, "200", outside)
    strange = stage.wait_until(lambda: [event for event in listener.events if event["kind"] == "note" and
                                        "agent" not in event])
    tap.check("otlp: that is told without an agent", strange and "denials" not in strange[0], strange)
    receiver = status(host)["receiver"]
    tap.equal("otlp: counts", {key: receiver[key] for key in ("calls", "strangers", "malformed")},
              {"calls": 5, "strangers": 1, "malformed": 2}, receiver)
    harness.end()


def notes(tap, host):
    stage.write("/etc/picket/telemetry.yaml",
                f"picket: 1\nreceive: {{otlp: \"127.0.0.1:{OTLP}\"}}\n")
    host.policy("work", more_egress=f"    - allow: \"127.0.0.1:{OTLP}\"\n      id: otlp\n")
    host.end_daemon()
    host.start_daemon()
    listener = Listener()
    harness = calls(tap, host, listener)
    strangers(tap, host, harness)
    listener = restart(tap, host, harness)
    floods(tap, host, listener)
    hooks(tap, host, listener)
    exported(tap, host, listener)
    os.unlink("/etc/picket/telemetry.yaml")
    host.policy("work")
    host.end_daemon()
    host.start_daemon()
