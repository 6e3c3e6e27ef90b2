# SPDX-License-Identifier: BSD-2-Clause
"""`picket tail`: each filter with a control, history, over restarts, and explanations that help."""
import json
import os
import re
import signal
import subprocess
import time

import feeds
import stage

SETTINGS = "/etc/picket/telemetry.yaml"
STORE = "/var/lib/picket/events.db"


class Tail:
    """A `picket tail` that runs."""

    def __init__(self, host, *words, user="root"):
        self.path = f"{host.base}/tail-{host.started}"
        with open(self.path, "w", encoding="utf-8") as out:
            self.process = host.start(user, "tail", *words, stdout=out)
        self.out = ""

    @property
    def err(self):
        return stage.read(self.process.err_path)

    def read(self):
        self.out = stage.read(self.path)
        return self.out

    def events(self):
        return [json.loads(line) for line in self.read().splitlines()]

    def wait(self, condition, seconds=10):
        return stage.wait_until(lambda: condition(self.read()), seconds)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.read()
        return self.out


def settle():
    time.sleep(3 if stage.GUEST else 0.4)


def filters(tap, host):
    """Each option: one that the denial has, one that it has not."""
    process, agent = feeds.start(host)
    rows = [(["--agent", agent], ["--agent", "a-1-zzzzzzzz"]),
            (["--agent", "work"], ["--agent", "other"]),
            (["--verdict", "deny"], ["--verdict", "ask"]),
            (["--kind", "decision"], ["--kind", "activity"]),
            (["--process", "python3"], ["--process", "curl"]),
            (["--host", "127.0.0.*"], ["--host", "10.*"]),
            (["--rule", "default egress"], ["--rule", "secret"]),
            (["--all"], ["--path", "/nowhere/**"]),
            ([agent], ["--kind", "life", agent])]
    tails = [(words, Tail(host, "--json", *words), wanted) for pair in rows
             for words, wanted in zip(pair, (True, False))]
    settle()
    feeds.say(process, "try", "1")
    for words, tail, wanted in tails:
        if wanted:
            tail.wait(lambda out: '"decision"' in out)
    settle()
    for words, tail, wanted in tails:
        tail.end()
        seen = [event for event in tail.events() if event["kind"] == "decision"]
        tap.equal(f"tail {words[0] if words[0][0] == '-' else 'AGENT'}: {'shows' if wanted else 'does not show'} it",
                  [(event["agent"], event["port"]) for event in seen],
                  [(agent, stage.CLOSED)] if wanted else [], tail.err)
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())


def forms(tap, host):
    process, agent = feeds.start(host)
    tails = {word: Tail(host, *word.split()) for word in ("", "--wide", "--json")}
    settle()
    feeds.say(process, "try", "1")
    lines = {word: tail.wait(lambda out: "\n" in out) and tail.end() for word, tail in tails.items()}
    process.communicate("", timeout=stage.PATIENCE)
    tap.check("tail: a line", " DENIED connect 127.0.0.1:18002" in lines[""] and
              lines[""].count("\n") == 1 and "\x1b" not in lines[""], lines)
    tap.check("tail --wide: more of it", len(lines["--wide"]) > len(lines[""]) and
              agent in lines["--wide"], lines)
    tap.equal("tail --json: the event", json.loads(lines["--json"])["port"], stage.CLOSED)
    stage.wait_until(lambda: not host.agents())


def restarts(tap, host):
    """Over a kill -9, with denials before, while nobody was there, and after."""
    process, agent = feeds.start(host)
    follower = Tail(host, "--json", "--follow", "--agent", agent)
    plain = Tail(host, "--json")
    settle()
    feeds.say(process, "try", "2")
    follower.wait(lambda out: out.count("\n") >= 2)
    host.end_daemon(signal.SIGKILL)
    feeds.say(process, "try", "3")
    plain.process.wait(10)
    plain.read()
    tap.check("tail: ends with picketd", plain.process.returncode == 1 and
              "picketd is gone" in plain.err, plain.err)
    host.start_daemon()
    stage.wait_until(lambda: follower.read() is not None and "connected again" in follower.err)
    feeds.say(process, "try", "4")
    follower.wait(lambda out: out.count("\n") >= 9, 5)
    follower.end()
    events = follower.events()
    tap.check("tail --follow: says that picketd is gone, and back",
              "picketd is gone; waiting for it" in follower.err and
              "picketd was started again" in follower.err, follower.err)
    missed = 0 if "nothing was handed out" in follower.err else 3
    tap.check("tail --follow: what is not shown was said", len(events) in (9, 9 - missed) and
              len(events) >= 6, f"{len(events)}: {follower.err}")
    tap.equal("tail --follow: nothing twice",
              len({(event["seq"], event["time"]) for event in events}), len(events))
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())


def history(tap, host):
    """--since: what the store has, then what comes, each once."""
    stage.write(SETTINGS, "picket: 1\nsinks:\n  - {name: store, type: store}\n", 0o644)
    host.picket("root", "reload")
    process, agent = feeds.start(host)
    feeds.say(process, "try", "5")
    tail = Tail(host, "--json", "--follow", "--since", "1h", "--agent", agent)
    feeds.say(process, "try", "5")
    tap.check("tail --since: what was", tail.wait(lambda out: out.count("\n") >= 10), tail.read() + tail.err)
    feeds.say(process, "try", "5")
    tail.wait(lambda out: out.count("\n") >= 15)
    host.end_daemon(signal.SIGKILL)
    feeds.say(process, "try", "5")
    host.start_daemon()
    tail.wait(lambda out: out.count("\n") >= 20, 15)
    tail.end()
    events = tail.events()
    tap.equal("tail --since --follow: all, over a kill", len(events), 20, tail.err)
    tap.equal("tail --since: each once", len({event["time"] for event in events}), len(events))
    tap.equal("tail --since: in order", [event["time"] for event in events],
              sorted(event["time"] for event in events))
    later = Tail(host, "--json", "--since", "2100-01-01", "--agent", agent)
    settle()
    tap.equal("tail --since later: none of it", later.end(), "")
    done = host.picket("root", "tail", "--since", "1h", "--store", "/nowhere/events.db")
    tap.check("tail --since: a store that is not there", done.returncode == 1 and
              "/nowhere/events.db" in done.stderr, done)
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())
    os.unlink(SETTINGS)
    host.picket("root", "reload")


def explains(tap, host):
    """The line that it prints, added to the policy, allows the act; before it did not."""
    process, _ = feeds.start(host)
    tail = Tail(host, "--explain")
    settle()
    tap.equal("tail --explain: denied", feeds.say(process, "try", "1"), "PermissionError")
    tail.wait(lambda out: "allow  " in out)
    lines = [line.strip()[len("allow"):].strip() for line in tail.end().splitlines()
             if line.startswith("    allow")]
    tap.equal("tail --explain: what would allow it", lines,
              ['- {allow: "127.0.0.1:18002", protocol: tcp}'], tail.out)
    host.policy("work", more_egress=f"    {lines[0] if lines else ''}\n")
    host.picket("root", "reload")
    tap.equal("tail --explain: with that line it is allowed", feeds.say(process, "try", "1"), "open")
    host.policy("work")
    host.picket("root", "reload")
    tap.equal("tail --explain: without it is not", feeds.say(process, "try", "1"), "PermissionError")
    process.communicate("", timeout=stage.PATIENCE)
    stage.wait_until(lambda: not host.agents())


def terminals(tap, host):
    """Two widths: colours, and no line longer than the terminal."""
    for columns in (80, 200):
        process, _ = feeds.start(host)
        out = f"{host.base}/typescript-{columns}"
        command = f"stty cols {columns} rows 30; exec {host.program} tail"
        script = subprocess.Popen(["script", "-qefc", command, out], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        settle()
        feeds.say(process, "try", "1")
        stage.wait_until(lambda path=out: "DENIED" in stage.read(path))
        time.sleep(0.2)
        script.terminate()
        script.wait()
        lines = [line for line in stage.read(out).splitlines() if "DENIED" in line]
        plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip("\r") for line in lines]
        tap.check(f"tail: {columns} columns: fits, in colours", lines and "\x1b[1;31mDENIED" in lines[0] and
                  len(plain[0]) <= columns and "python3[" in plain[0], lines)
        process.communicate("", timeout=stage.PATIENCE)
        stage.wait_until(lambda: not host.agents())


def tails(tap, host):
    filters(tap, host)
    forms(tap, host)
    restarts(tap, host)
    history(tap, host)
    explains(tap, host)
    terminals(tap, host)
