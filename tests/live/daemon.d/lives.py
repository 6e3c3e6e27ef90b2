# SPDX-License-Identifier: BSD-2-Clause
"""Who did it, below whom and for what: processes in records, also when they are gone, and when picketd was."""
import json
import time

import stage

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

# Connects to where it may not, and reads what it may not.
LEAF = r"""
import socket, sys, time
time.sleep(float(sys.argv[2]))
try:
    socket.create_connection(("127.0.0.1", 18002), 5).close()
except OSError:
    pass
try:
    open(sys.argv[1]).close()
except OSError:
    pass
time.sleep(float(sys.argv[3]))
"""
# Starts it with other variables, and stays as long as it is told.
MIDDLE = r"""
import os, subprocess, sys, time
os.chdir("/usr")
subprocess.Popen([sys.executable, "-c", sys.argv[1], *sys.argv[3:6], "--token=hunter2hunter2"], cwd="/tmp", env={
    **os.environ, "PICKET_SESSION": "s-forged", "PICKET_TAG_OWN": "mine", "TRACEPARENT": sys.argv[6]})
time.sleep(float(sys.argv[2]))
"""


class Watch:
    """Everything that picketd tells."""

    def __init__(self):
        self.control = stage.Rpc()
        self.answer = self.control.call("events.subscribe", {"all": True})
        self.seen = []

    def until(self, condition, seconds=stage.PATIENCE):
        """The first record, of those to come or seen before, that it is true of; or None."""
        for record in self.seen:
            if condition(record):
                return record
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                line = self.control.file.readline()
            except OSError:
                break
            if not line:
                break
            message = json.loads(line)
            if message.get("method") != "event":
                continue
            self.seen.append(message["params"]["event"])
            if condition(self.seen[-1]):
                return self.seen[-1]
        return None

    def end(self):
        self.control.__exit__()


def start(host, stays, before, after):
    """sh, below it python that stays so long, below it another one that acts."""
    return host.start("plain", "run", "--quiet", "-p", "work", "--", "sh", "-c",
                      'python3 -c "$@" & wait; sleep 600', "sh", MIDDLE, LEAF, str(stays),
                      f"{host.base}/secret", str(before), str(after), OTHER,
                      env={**host.options("plain")["env"], "TRACEPARENT": TRACE,
                           "PICKET_SESSION": "s-real", "PICKET_TAG_TEAM": "red"})


def is_denial(record, op):
    return record["kind"] == "decision" and record["op"] == op and record["verdict"] == "deny"


def names(record):
    return [one["comm"] for one in record.get("chain", [])]


def check_program(tap, what, record):
    process = record["process"]
    tap.check(f"{what}: the program", process.get("exe", "").startswith("/usr/bin/python3"), process)
    tap.check(f"{what}: its words, without the secret",
              process.get("argv", [""])[-1] == "--token=[redacted]", process)
    tap.equal(f"{what}: where it began", process.get("cwd"), "/tmp")


def end(host, process):
    process.terminate()
    process.wait()
    stage.wait_until(lambda: not host.agents())


def told(tap, host, watch):
    """Where the kernel tells of lives: the ancestors are gone, and known all the same."""
    process = start(host, 0, 3 if stage.GUEST else 1, 0)
    for op in ("connect", "open"):
        record = watch.until(lambda one, op=op: is_denial(one, op))
        tap.check(f"lives: {op} is denied", record is not None, watch.seen[-3:])
        if not record:
            return end(host, process)
        what = f"lives, {op}"
        tap.equal(f"{what}: the chain", names(record)[:3], ["python3", "sh", "picket"])
        tap.check(f"{what}: whose first is gone", record["parent"]["pid"] != record["chain"][0]["pid"],
                  record)
        tap.check(f"{what}: nothing is missing", "incomplete" not in record["process"] and
                  not any("incomplete" in one for one in record["chain"][:2]), record)
        check_program(tap, what, record)
        context = record.get("context", {})
        tap.equal(f"{what}: the trace is the program's", context.get("traceparent"), OTHER)
        tap.equal(f"{what}: the launcher's tags", context.get("tags"),
                  {"PICKET_SESSION": "s-real", "PICKET_TAG_TEAM": "red"})
        tap.equal(f"{what}: what is claimed", context.get("claimed"),
                  {"PICKET_SESSION": "s-forged", "PICKET_TAG_OWN": "mine"})
    gone = watch.until(lambda one: one["kind"] == "life" and one["op"] == "exit" and
                       one["process"]["id"] == record["process"]["id"])
    tap.equal("lives: its end", gone and gone["status"], {"code": 0})
    mine = [one for one in watch.seen if one["kind"] == "life" and
            one["process"]["id"] == record["process"]["id"]]
    tap.equal("lives: its beginning, program and end", [one["op"] for one in mine],
              ["fork", "program", "exit"])
    tap.check("lives: the program is told with its words", mine[1]["process"]["argv"] ==
              record["process"]["argv"], mine[1])
    first = [one for one in watch.seen if one["kind"] == "life" and one["op"] == "program"][0]
    tap.equal("lives: the first program has the launcher's trace", first["context"]["traceparent"], TRACE)
    return end(host, process)


def repaired(tap, host):
    """picketd is killed and comes again: what lives is found in /proc, and marked."""
    watch = Watch()
    process = start(host, 600, 10 if stage.GUEST else 4, 600)
    tap.check("lives: an agent begins", watch.until(
        lambda one: one["kind"] == "agent" and one["op"] == "start") is not None, watch.seen)
    if host.kernel:
        watch.until(lambda one: one["kind"] == "life" and one["op"] == "program" and
                    one["process"].get("cwd") == "/tmp")
    else:
        time.sleep(1)
    watch.end()
    host.end_daemon()
    host.start_daemon()
    watch = Watch()
    record = watch.until(lambda one: is_denial(one, "connect"))
    tap.check("lives, picketd anew: denied", record is not None, watch.seen[-3:])
    if record:
        what = "lives, picketd anew"
        tap.equal(f"{what}: the chain", names(record)[:3], ["python3", "sh", "picket"])
        check_program(tap, what, record)
        tap.equal(f"{what}: it is marked", record["process"].get("incomplete"), True)
        claimed = record["context"].get("claimed", {})
        # The first program is told of by hooks; where there are none, nothing is known that was kept.
        kept = {"PICKET_SESSION": "s-real", "PICKET_TAG_TEAM": "red"} if host.kernel else None
        tap.equal(f"{what}: trusted is what the launcher said, and nothing that the agent could have changed",
                  (record["context"].get("tags"), claimed.get("PICKET_SESSION")), (kept, "s-forged"))
    end(host, process)
    tap.check("lives: the agent's end is told", watch.until(
        lambda one: one["kind"] == "agent" and one["op"] == "end") is not None, watch.seen[-3:])
    numbers = [one["seq"] for one in watch.seen]
    tap.check("lives: records are numbered", len(numbers) > 1 and
              all(b == a + 1 for a, b in zip(numbers, numbers[1:])), numbers)
    watch.end()


def lives(tap, host):
    watch = Watch()
    tap.check("lives: all is subscribed to", "result" in watch.answer, watch.answer)
    if host.kernel:
        told(tap, host, watch)
    watch.end()
    repaired(tap, host)
