# SPDX-License-Identifier: BSD-2-Clause
"""A session of coding, watched by picket and by strace at once: what both saw is the same, act by act.

Audited, and so compared one to one, with process, object and outcome:

    fork     a process was made (threads are not told)     life, op fork
    program  execve succeeded: process and words           life, op program
    exit     a process ended: code or signal               life, op exit
    connect  of internet sockets, allowed and denied       activity or decision, op connect
    open     that the policy denies                        decision, op open
    exec     of programs that the policy denies            decision, op exec

Not audited by this policy, and so not compared: opens and other acts on files that are allowed.
strace runs outside of the agent, as the parent of `picket run`: an agent may not trace, and being traced by
who is not confined is not its act.
"""
import collections
import json
import re

import notes
import stage

SCRIPT = r"""
cd "$HOME" && rm -rf project
git clone -q http://127.0.0.1:18001/repo.git project || git clone -q "file://$1/www/repo.git" project
cd project
printf 'int twice(int n);\nint main(void) { return twice(2) != 4; }\n' >test.c
printf 'int twice(int n) { return n + n; }\n' >twice.c
printf 'test: test.c twice.c\n\tgcc -o test test.c twice.c\ncheck: test\n\t./test\n' >Makefile
make -s check
git add -A && git -c user.name=a -c user.email=a@example commit -q -m twice
curl -s -o file http://127.0.0.1:18001/file
curl -s -o file http://127.0.0.1:18002/file
cat "$1/secret"
cp "$1/secret" copy
"$1/denied"
sh -c 'kill -TERM $$'
(sleep 0 & wait)
exit 7
"""
CALLS = "execve,execveat,open,openat,openat2,connect,clone,clone3,fork,vfork"


class Trace:
    """What strace saw below one process, as lists of comparable tuples by kind."""

    def __init__(self, text, base):
        self.base = base
        self.threads = set()
        self.acts = collections.Counter()
        self.unfinished = {}
        for line in text.splitlines():
            found = re.fullmatch(r"(\d+) +(.*)", line)
            if found:
                self.take(int(found[1]), found[2])

    def take(self, pid, text):
        if text.endswith("<unfinished ...>"):
            self.unfinished[pid] = text[:-len("<unfinished ...>")].rstrip()
            return
        resumed = re.match(r"<\.\.\. \w+ resumed>", text)
        if resumed:
            text = self.unfinished.pop(pid, "") + text[resumed.end():]
        call = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)(?: (\w+))?", text)
        if call:
            self.call(pid, call[1], call[2], (int(call[3]), call[4] or ""))
        elif pid not in self.threads:
            self.end(pid, text)

    def end(self, pid, text):
        code = re.match(r"\+\+\+ exited with (\d+) \+\+\+", text)
        killed = re.match(r"\+\+\+ killed by (\w+)", text)
        if code:
            self.acts["exit", pid, f"code {code[1]}"] += 1
        elif killed:
            self.acts["exit", pid, f"signal {killed[1]}"] += 1

    def call(self, pid, name, words, outcome):
        result, error = outcome
        if name in ("clone", "clone3", "fork", "vfork"):
            self.made(pid, words, result)
        elif name.startswith("execve"):
            path = re.search(r'"((?:[^"\\]|\\.)*)"', words)[1]
            if result == 0:
                self.acts["program", pid, words_of(words)] += 1
            elif error == "EACCES" and path.startswith(self.base):
                self.acts["exec", pid, f"{path} {error}"] += 1
        elif name == "connect" and "AF_INET" in words:
            port = re.search(r"htons\((\d+)\)", words)[1]
            self.acts["connect", pid, f"{port} {'EPERM' if error == 'EPERM' else 'allowed'}"] += 1
        elif name.startswith("open") and error == "EACCES":
            path = re.search(r'"((?:[^"\\]|\\.)*)"', words)[1]
            self.acts["open", pid, f"{path} {error}"] += 1

    def made(self, pid, words, child):
        if child <= 0:
            return
        if "CLONE_THREAD" in words:
            self.threads.add(child)
        else:
            self.acts["fork", pid, str(child)] += 1


def words_of(text):
    """The argv of an execve as strace prints it."""
    listed = re.search(r"\[(.*?)\](?:, 0x|, \[|, NULL|$)", text, re.S)[1]
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', listed)
    return " ".join(word.encode().decode("unicode_escape") for word in words)


def act_of(event):
    """The same of an event, or None: of a kind that is not compared."""
    pid, op, kind = event["process"]["pid"], event["op"], event["kind"]
    if kind == "life" and op == "fork":
        return ("fork", event["parent"]["pid"], str(pid))
    if kind == "life" and op == "program":
        return ("program", pid, " ".join(word.encode().decode("unicode_escape")
                                         for word in event["process"]["argv"]))
    if kind == "life" and op == "exit":
        status = event["status"]
        return ("exit", pid, f"code {status['code']}" if "code" in status else f"signal {status['signal']}")
    if op == "connect" and "port" in event and event["reason"] != "unjudged":
        return ("connect", pid, f"{event['port']} {event.get('errno', 'allowed')}")
    if kind == "decision" and op in ("open", "exec"):
        return (op, pid, f"{event['path']} {event['errno']}")
    return None


def picture(difference):
    return "\n".join(f"{count} x {act}" for act, count in sorted(difference.items(), key=str)[:30])


def session(tap, host):
    if not host.kernel:
        print("# session: the kernel tells of lives where there are hooks only")
        return
    host.policy("work", extra="report: {activity: [connect]}\n")
    listener = notes.Listener()
    trace = f"{host.base}/home-plain/trace"
    done = host.run("plain", "strace", "-f", "-q", "-s", "4096", "-e", f"trace={CALLS}", "-o", trace,
                    host.picket_path, "run", "--quiet", "-p", "work", "--", "bash", "-c", SCRIPT, "session",
                    host.base)
    tap.equal("session: its own status", done.returncode, 7, done.stderr[-2000:])
    ended = listener.wait(1, kind="agent", op="end")
    if not tap.check("session: the agent's end is told", ended, done.stderr[-2000:]):
        return
    agent = ended[0]["agent"]
    events = [event for event in listener.events if event.get("agent") == agent]
    saw = collections.Counter(filter(None, (act_of(event) for event in events if "process" in event)))
    compare(tap, Trace(stage.read(trace), host.base), saw, events)
    host.policy("work")


def compare(tap, trace, saw, events):
    """From the first program of the agent on: what ran before, in the same processes, was not confined."""
    pids = {event["process"]["pid"] for event in events if "process" in event}
    pids |= {event["parent"]["pid"] for event in events if event["kind"] == "life" and event["op"] == "fork"}
    mine = collections.Counter({act: count for act, count in trace.acts.items() if act[1] in pids})
    for kind, least in (("fork", 20), ("program", 20), ("exit", 20), ("connect", 3), ("open", 2), ("exec", 1)):
        by_strace = collections.Counter({act: n for act, n in mine.items() if act[0] == kind})
        by_picket = collections.Counter({act: n for act, n in saw.items() if act[0] == kind})
        tap.check(f"session: {kind}: control: there were some", sum(by_strace.values()) >= least,
                  sum(by_strace.values()))
        tap.check(f"session: {kind}: none missing", not by_strace - by_picket, picture(by_strace - by_picket))
        tap.check(f"session: {kind}: none invented", not by_picket - by_strace, picture(by_picket - by_strace))
    print(f"# session: {json.dumps(collections.Counter(act[0] for act in saw.elements()))}")
