# SPDX-License-Identifier: BSD-2-Clause
"""picketd is killed: nothing that was denied succeeds, and what was its becomes its again."""
import json
import os
import re
import subprocess
import time

import stage

TIMES = int(os.environ.get("HAMMER_TIMES", "4" if stage.GUEST else "10"))


def hammer_of(host, policy, stop, processes=8, more=()):
    kinds = ["connect", "open", "exec"] if host.kernel else ["connect"]
    return host.start("plain", "run", "-p", policy, *more, "--", "python3",
                      f"{stage.HERE}/hammer.py", host.base, str(stage.CLOSED), stop, str(processes),
                      *kinds, stdin=subprocess.PIPE)


def finish(host, process, stop):
    """Stop hammering. Returns what the processes saw and what the kernel counted."""
    stage.write(stop, "")
    found = json.loads(process.stdout.readline() or "{}")
    stage.wait_until(lambda: host.agents() is not None)
    agents = [agent for agent in host.agents() if agent["policy"] == "hammer"]
    process.communicate(timeout=stage.PATIENCE)
    os.unlink(stop)
    return found, sum(agent["denied"] for agent in agents), sum(agent["lost"] for agent in agents)


def judge(tap, name, found, denied):
    for kind, seen in found.items():
        tap.check(f"{name}: {kind}: {seen['tries']} tries, none succeeds", seen["tries"] > 0 and
                  seen["won"] == 0 and seen["odd"] == 0, seen)
    tap.check(f"{name}: somebody tried", bool(found))
    tap.equal(f"{name}: denials counted are the tries", denied,
              sum(seen["tries"] for seen in found.values()))


def control(tap, host):
    """The same acts without picket: all succeed."""
    stop = f"{host.base}/stop-control"
    kinds = ["connect", "open", "exec"] if host.kernel else ["connect"]
    with subprocess.Popen(["python3", f"{stage.HERE}/hammer.py", host.base, str(stage.CLOSED), stop,
                           "1", *kinds], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          **host.options("plain")) as process:
        time.sleep(2)
        stage.write(stop, "")
        found = json.loads(process.stdout.readline())
    os.unlink(stop)
    for kind, seen in found.items():
        tap.check(f"control: {kind} succeeds without picket", seen["won"] == seen["tries"] > 0, seen)


def killed_during_a_run(tap, host):
    host.policy("hammer")
    stop = f"{host.base}/stop"
    process = hammer_of(host, "hammer", stop, 2)
    before = stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 5])
    host.end_daemon()
    said = stage.wait_until(lambda: "connection to picketd broke" in stage.read(process.err_path))
    tap.check("killed: it is said", said, stage.read(process.err_path))
    time.sleep(1)
    tap.equal("killed: the command goes on", process.poll(), None)
    host.start_daemon()
    after = host.agents()
    tap.equal("back: the same agents", [a["agent"] for a in after], [a["agent"] for a in before])
    told = len(stage.read(process.err_path))
    tap.check("back: denials are shown again", stage.wait_until(
        lambda: " DENIED " in stage.read(process.err_path)[told:]))
    found, denied, _ = finish(host, process, stop)
    judge(tap, "killed during a run", found, denied)
    err = stage.read(process.err_path)
    tap.equal("the run ends with its status", process.returncode, 0, err)
    tap.equal("that the connection broke is said once", err.count("connection to picketd broke"), 1)
    tap.check("the run has its summary", "18002" in err.splitlines()[-1] or any(
        "18002" in line and " DENIED " not in line for line in err.splitlines()), err[-600:])
    tap.equal("the agent is gone", (host.agents(), host.cgroups_left()), ([], []))


def ends_while_away(tap, host):
    process = host.start("plain", "run", "-p", "work", "--", "sh", "-c",
                         "setsid -f sleep 12346; echo ready; read line; exit 5",
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    host.end_daemon()
    process.stdin.write("end\n")
    process.stdin.close()
    time.sleep(1)
    host.start_daemon()
    tap.equal("a command that ends while picketd is away: its status",
              process.wait(stage.PATIENCE), 5, stage.read(process.err_path))
    gone = stage.wait_until(lambda: not host.cgroups_left())
    tap.check("and nothing is left", gone and subprocess.run(
        ["pgrep", "-f", "sleep 1234[6]"], check=False).returncode == 1, host.cgroups_left())


def owner_killed(tap, host):
    for away in (False, True):
        name = "while picketd is away" if away else "while picketd runs"
        process = host.start("plain", "run", "-p", "work", "--", "sh", "-c",
                             "echo ready; exec sleep 12347")
        process.stdout.readline()
        if away:
            host.end_daemon()
        process.kill()
        process.wait()
        if away:
            tap.check(f"picket run killed {name}: its command stays confined",
                      host.cgroups_left())
            host.start_daemon()
        gone = stage.wait_until(lambda: not host.cgroups_left() and subprocess.run(
            ["pgrep", "-f", "sleep 1234[7]"], check=False).returncode == 1)
        tap.check(f"picket run killed {name}: its command ends, the agent goes", gone,
                  host.cgroups_left())


def reader_stands_still(tap, host):
    """A `picket run` that cannot write loses events and not its connection; its command goes on."""
    times = 5000 if stage.GUEST else 20000
    flood = (f"import socket\nfor _ in range({times}):\n  try: socket.create_connection(('127.0.0.1', "
             "18002))\n  except PermissionError: pass\nprint('done', flush=True)")
    process = host.start("plain", "run", "-p", "work", "--", "python3", "-c", flood,
                         stderr=subprocess.PIPE)
    tap.equal("a reader that stands still: the command ends its work", process.stdout.readline(),
              "done\n")
    err = process.communicate(timeout=stage.PATIENCE)[1]
    tap.equal("a reader that stands still: the run has its status", process.returncode, 0,
              err[-600:])
    tap.check("a reader that stands still: what it missed is said", "events were not told" in
              err or err.count(" DENIED ") >= times, err[-600:])
    tap.check("a reader that stands still: it keeps its connection", "connection to picketd broke" not in
              err, err[-600:])
    told = [int(number) for number in re.findall(
        r"^picket: (\d+) (?:denials$|decisions took effect but are not shown)", err, re.M)]
    tap.equal("a reader that stands still: the summary counts all", sum(told), times, err[-600:])


def damaged_state(tap, host):
    """Names and owners are lost, enforcement is not."""
    host.policy("hammer")
    stop = f"{host.base}/stop"
    process = hammer_of(host, "hammer", stop, 1)
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 5])
    host.end_daemon()
    with open("/run/picket/state.json", "w", encoding="utf-8") as file:
        file.write("{broken")
    host.start_daemon()
    agents = host.agents()
    tap.check("damaged state: the agent is there", len(agents) == 1, agents)
    stage.write(stop, "")
    found = json.loads(process.stdout.readline() or "{}")
    for kind, seen in found.items():
        tap.check(f"damaged state: {kind}: none succeeds", seen["won"] == 0 < seen["tries"], seen)
    process.communicate(timeout=stage.PATIENCE)
    os.unlink(stop)
    tap.check("damaged state: nothing is left at the end",
              stage.wait_until(lambda: not host.cgroups_left()), host.cgroups_left())


def crashes(tap, host):
    killed_during_a_run(tap, host)
    ends_while_away(tap, host)
    owner_killed(tap, host)
    reader_stands_still(tap, host)
    damaged_state(tap, host)


def hammer(tap, host):
    """Under load: killed, restarted, reloaded, again and again."""
    control(tap, host)
    host.policy("hammer")
    stop = f"{host.base}/stop"
    process = hammer_of(host, "hammer", stop)
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 20])
    reloaded = 0
    for number in range(TIMES):
        host.policy("hammer", more_egress=f'    - allow: "127.0.0.1:{20000 + number}"\n')
        done = host.picket("root", "reload")
        reloaded += done.returncode == 0
        time.sleep(0.2)
        host.end_daemon()
        time.sleep(0.2)
        host.start_daemon()
        print(f"# hammer: picketd is back for the {number + 1}. time", flush=True)
    tap.equal(f"hammer: {TIMES} reloads between {TIMES} kills", reloaded, TIMES)
    found, denied, lost = finish(host, process, stop)
    judge(tap, f"hammer: {TIMES} kills", found, denied)
    print(f"# hammer: {json.dumps(found)}, denied {denied}, records lost {lost}")
    tap.equal("hammer: the run ends with its status", process.returncode, 0,
              stage.read(process.err_path)[-600:])
    events_add_up(tap, host, stop)


def events_add_up(tap, host, stop):
    """With a picketd that lives: every denial is an event, or counted as lost."""
    log = f"{host.base}/home-plain/added"
    process = hammer_of(host, "hammer", stop, 4, ["--quiet", "--events", log])
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 20])
    time.sleep(2)
    found, denied, lost = finish(host, process, stop)
    judge(tap, "events", found, denied)
    tap.equal("events: written and lost are the denials", len(stage.read(log).splitlines()) + lost,
              denied)
