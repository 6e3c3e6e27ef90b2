# SPDX-License-Identifier: BSD-2-Clause
"""What was refused to an agent, in a file for the agent itself."""
import json
import os
import subprocess
import time

import stage

# Connects to port 18002 so often as it is told, or tells how many microseconds half of the tries took at most;
# then shows what its feed is.
TRY = r"""
import json, os, socket, sys, time
def refused():
    try:
        socket.create_connection(("127.0.0.1", 18002), 5).close()
        return "open"
    except OSError as error:
        return type(error).__name__
def timed():
    begun = time.perf_counter()
    refused()
    return (time.perf_counter() - begun) * 1e6
print("ready", flush=True)
for line in sys.stdin:
    word, count = (line.split() + ["1"])[:2]
    if word == "try":
        print(*{refused() for _ in range(int(count))}, flush=True)
    elif word == "pace":
        print(sorted(timed() for _ in range(int(count)))[int(count) // 2], flush=True)
    elif word == "read":
        try:
            print(len(open(os.environ["PICKET_DENIALS"]).readlines()), flush=True)
        except (KeyError, OSError) as error:
            print(type(error).__name__, flush=True)
    elif word == "write":
        try:
            os.chmod(os.environ["PICKET_DENIALS"], 0o666)
            open(os.environ["PICKET_DENIALS"], "a").write("x")
            print("written", flush=True)
        except OSError as error:
            print(type(error).__name__, flush=True)
    else:
        print(os.environ.get("PICKET_DENIALS", "unset"), flush=True)
"""


def say(process, *words):
    process.stdin.write(" ".join(words) + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def start(host, *words):
    process = host.start("plain", "run", "--quiet", "-p", "work", *words, "--", "python3", "-c", TRY,
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    return process, stage.wait_until(host.agents)[-1]["agent"]


def lines_of(path):
    return [json.loads(line) for line in stage.read(path).splitlines()]


def denials(host, user, agent, last=20):
    done = host.run(user, "python3", f"{stage.HERE}/ask.py", "agent.denials",
                    json.dumps({"agent": agent, "last": last}))
    return json.loads(done.stdout)


def contents(tap, host, process, agent):
    path = say(process, "path")
    tap.equal("feed: its path is in the environment", path, f"/run/picket/feeds/{agent}.jsonl")
    tap.equal("feed: empty at first, and readable inside", say(process, "read"), "0")
    tap.equal("feed: what is denied", say(process, "try", "3"), "PermissionError")
    stage.wait_until(lambda: len(lines_of(path)) == 3)
    lines = lines_of(path)
    tap.equal("feed: a line each", len(lines), 3)
    line = lines[0]
    tap.check("feed: the event", line["schema"].startswith("picket.event/") and
              line["port"] == stage.CLOSED and line["verdict"] == "deny", line)
    tap.check("feed: a line for people", "DENIED connect 127.0.0.1:18002" in line["text"] and
              "\n" not in line["text"] and "\x1b" not in line["text"], line)
    tap.equal("feed: the rule that would allow it", line["suggest"],
              ['- {allow: "127.0.0.1:18002", protocol: tcp}'])
    tap.equal("feed: inside, it can be read", say(process, "read"), "3")
    tap.check("feed: inside, it cannot be changed", say(process, "write") in (
        "PermissionError", "OSError"))
    return path


def rights(tap, host, agent, path):
    tap.equal("feed: the owner reads it", host.run("plain", "cat", path).returncode, 0)
    tap.equal("feed: another user does not", host.run("watcher", "cat", path).returncode, 1)
    tap.equal("feed: nor writes the owner",
              host.run("plain", "sh", "-c", f"echo x >>{path}").returncode, 2)
    tap.equal("feed: nor sees who are there", host.run("plain", "ls", os.path.dirname(path)).returncode,
              2)
    for user, what in (("plain", "its owner"), ("watcher", "an observer")):
        got = denials(host, user, agent, 2)
        tap.check(f"agent.denials: {what}", len(got["result"]["denials"]) == 2 and
                  got["result"]["dropped"] == 0, got)
        why = host.picket(user, "why", agent, "20")
        tap.check(f"why: {what} is told the line that would allow it", why.returncode == 0 and
                  '    allow  - {allow: "127.0.0.1:18002", protocol: tcp}\n' in why.stdout, why)
    for last in (0, 1001):
        tap.equal(f"agent.denials: not {last}", denials(host, "watcher", agent, last)["error"]["code"],
                  -32602)


def bounded(tap, host, process, agent, path):
    """A flood: no more lines than the rate, no more bytes than the bound, and all is counted."""
    for _ in range(3):
        tap.equal("feed: a flood is denied", say(process, "try", "1500"), "PermissionError")
    made = 3 + 3 * 1500
    stage.wait_until(lambda: host.agents()[-1]["denied"] >= made)
    time.sleep(1.1)
    say(process, "try", "1")
    got = denials(host, "watcher", agent, 1000)["result"]
    lines = lines_of(path)
    kept = sum(line.get("kind") == "decision" for line in lines)
    lost = host.agents()[-1]["lost"]
    tap.check("feed: a flood: what is missing is counted", got["dropped"] > 0 and
              kept + got["dropped"] + lost == host.agents()[-1]["denied"],
              f"{kept} + {got['dropped']} + {lost} of {host.agents()[-1]['denied']}")
    told = [line["dropped"] for line in lines if line["schema"] == "picket.feed/1"]
    tap.check("feed: a flood: it is said in the file", told and told == sorted(told) and
              told[-1] <= got["dropped"], told)


def survives(tap, host, process, agent, path):
    before = denials(host, "watcher", agent)["result"]
    host.end_daemon()
    tap.equal("feed: picketd killed, it is still read", say(process, "read").isdigit(), True)
    host.start_daemon()
    tap.equal("feed: and what is missing is remembered",
              denials(host, "watcher", agent)["result"]["dropped"] <= before["dropped"], True)
    count = len(lines_of(path))
    say(process, "try", "1")
    tap.check("feed: it goes on", stage.wait_until(lambda: len(lines_of(path)) > count))


def full(tap, host, process, agent, path):
    """No room in /run: nothing waits, the missing lines are counted, and told when there is room."""
    stage.sh("mount -o remount,size=$(($(df -k --output=used /run | tail -1) + 8))k /run")
    say(process, "try", "150")
    before = denials(host, "watcher", agent)["result"]["dropped"]
    tap.check("feed: /run full, denials are counted as missing", stage.wait_until(
        lambda: denials(host, "watcher", agent)["result"]["dropped"] > 0), before)
    tap.equal("feed: /run full, all is denied", say(process, "try", "5"), "PermissionError")
    status = json.loads(host.picket("watcher", "status", "--json").stdout)
    tap.check("feed: /run full, status says it", not status["healthy"] and
              status["feeds"]["dropped"] > 0, status)
    stage.sh("mount -o remount,size=50% /run")
    time.sleep(1.1)
    say(process, "try", "1")
    dropped = denials(host, "watcher", agent)["result"]["dropped"]
    tap.check("feed: room again, it goes on and tells", stage.wait_until(
        lambda: [line["dropped"] for line in lines_of(path)
                 if line["schema"] == "picket.feed/1"][-1:] == [dropped]), dropped)


def feeds(tap, host):
    process, agent = start(host)
    path = contents(tap, host, process, agent)
    rights(tap, host, agent, path)
    # What is no kernel's business takes long where all is emulated.
    if not stage.GUEST:
        bounded(tap, host, process, agent, path)
        survives(tap, host, process, agent, path)
        full(tap, host, process, agent, path)
    process.communicate("", timeout=stage.PATIENCE)
    tap.check("feed: it goes with the agent", stage.wait_until(lambda: not os.path.exists(path)))
    if host.kernel:
        return
    done = host.picket("root", "run", "--embedded", "--quiet", "-p", f"{stage.POLICIES}/work.yaml", "--",
                       "sh", "-c", 'echo "${PICKET_DENIALS-unset}"', env={
                           **host.options("root")["env"], "PICKET_DENIALS": "/somewhere"})
    tap.equal("feed: a run without picketd has none", done.stdout, "unset\n", done.stderr)
