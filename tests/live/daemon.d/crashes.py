# SPDX-License-Identifier: BSD-2-Clause
"""picketd is killed: nothing that was denied succeeds, and what was its becomes its again."""
import json
import os
import re
import subprocess
import time

import stage
from hammers import finish, hammer_of, judge


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
    missed = re.search(r"^picket: (\d+) decisions took effect but were not told: ", err, re.M)
    lost = re.search(r"^picket: (\d+) decisions took effect but are not shown: ", err, re.M)
    tap.equal("a reader that stands still: what it missed is said", err.count(" DENIED ") + sum(
        int(line.group(1)) for line in (missed, lost) if line), times, err[-600:])
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
