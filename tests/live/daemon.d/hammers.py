# SPDX-License-Identifier: BSD-2-Clause
"""Under load: what is denied never succeeds, what is counted adds up, nothing is left.

HAMMER_TIMES, HAMMER_SECONDS: rounds at least, and how long at least; HAMMER_UPGRADES: how many of them
change the build; HAMMER_MOST: seconds after which no round begins, however many are left.
CHURN_SECONDS, CHURN_AGENTS: how long agents come and go, how many at a time.
"""
import json
import os
import random
import signal
import subprocess
import time

import stage

TIMES = int(os.environ.get("HAMMER_TIMES", "2" if stage.GUEST else "10"))
SECONDS = int(os.environ.get("HAMMER_SECONDS", "20"))
MOST = int(os.environ.get("HAMMER_MOST", "86400"))
UPGRADES = int(os.environ.get("HAMMER_UPGRADES", "1" if stage.GUEST else str(TIMES)))
CHURN_SECONDS = int(os.environ.get("CHURN_SECONDS", "10"))
CHURN_AGENTS = int(os.environ.get("CHURN_AGENTS", "20" if stage.GUEST else "100"))
PORTS = 30000
# What an agent of `churn` may reach is its own port and nobody else's.
OWN_PORT = """
echo ready
read line
for port in "$1" "$2" 18001; do (exec 3<>/dev/tcp/127.0.0.1/$port && echo open) 2>&1; done
"""
REACHED = ["Connection refused", "Operation not permitted", "open"]


def kinds_of(host):
    return ["connect", "open", "exec"] if host.kernel else ["connect"]


def hammer_of(host, policy, stop, processes=8, more=()):
    return host.start("plain", "run", "-p", policy, *more, "--", "python3",
                      f"{stage.HERE}/hammer.py", host.base, str(stage.CLOSED), stop, str(processes),
                      *kinds_of(host), stdin=subprocess.PIPE)


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
        tap.check(f"{name}: {kind}: tried, none succeeds", seen["tries"] > 0 and
                  seen["won"] == 0 and seen["odd"] == 0, seen)
    tap.check(f"{name}: somebody tried", bool(found))
    tap.equal(f"{name}: denials counted are the tries", denied,
              sum(seen["tries"] for seen in found.values()))


def add_up(tap, name, log, denied, lost):
    """Every denial is an event, or lost in the kernel, or told of as untold: exactly."""
    lines = [json.loads(line) for line in stage.read(log).splitlines()]
    written = sum(line.get("kind") == "decision" for line in lines)
    tallies = [line for line in lines if line["schema"] == "picket.tally/1"]
    tap.check(f"{name}: one tally, the last line", len(tallies) == 1 and lines[-1] == tallies[0],
              tallies)
    tally = tallies[0] if tallies else {"decided": 0, "told": 0, "lost": 0, "untold": 0}
    print(f"# {name}: events written {written}, lost in the kernel {lost}, untold {tally['untold']}")
    tap.equal(f"{name}: the tally is of what is seen", (tally["decided"], tally["told"], tally["lost"]),
              (denied, written, lost))
    tap.equal(f"{name}: written, lost and untold are the denials", written + lost + tally["untold"],
              denied)
    return tally["untold"]


def control(tap, host):
    """The same acts without picket: all succeed."""
    stop = f"{host.base}/stop-control"
    with subprocess.Popen(["python3", f"{stage.HERE}/hammer.py", host.base, str(stage.CLOSED), stop,
                           "1", *kinds_of(host)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          **host.options("plain")) as process:
        time.sleep(2)
        stage.write(stop, "")
        found = json.loads(process.stdout.readline())
    os.unlink(stop)
    for kind, seen in found.items():
        tap.check(f"control: {kind} succeeds without picket", seen["won"] == seen["tries"] > 0, seen)


class Rounds:
    """What became of picketd in rounds of a hammer."""

    def __init__(self, host):
        self.host = host
        self.count = self.reloaded = self.killed = self.cut = self.upgraded = 0

    def one(self):
        """Reloaded, ended and back, as the same build or another; now and then killed in between."""
        number = self.count
        self.host.policy("hammer", more_egress=f'    - allow: "127.0.0.1:{20000 + number}"\n')
        self.reloaded += self.host.picket("root", "reload").returncode == 0
        time.sleep(random.uniform(0, 0.2))
        ended = self.host.end_daemon(signal.SIGTERM if number % 4 == 3 else signal.SIGKILL)
        self.killed += ended == -signal.SIGKILL
        time.sleep(random.uniform(0, 0.2))
        if (number + 1) * UPGRADES // TIMES > number * UPGRADES // TIMES:
            self.host.change_build()
        if number % 5 == 4:
            self.host.start_daemon(wait=False)
            time.sleep(random.uniform(0, 20 if stage.GUEST else 1))
            self.host.end_daemon()
            self.cut += 1
        self.host.start_daemon()
        with stage.Rpc() as rpc:
            self.upgraded += rpc.call("status")["result"]["engine"] == "upgraded"
        self.count += 1
        print(f"# hammer: picketd is back for the {self.count}. time", flush=True)


def hammer(tap, host):
    """Reloaded, killed, upgraded, again and again."""
    log = f"{host.base}/home-plain/hammered"
    stop = f"{host.base}/stop"
    control(tap, host)
    host.policy("hammer")
    process = hammer_of(host, "hammer", stop, more=["--quiet", "--events", log])
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 20])
    rounds = Rounds(host)
    start = time.monotonic()
    while (rounds.count < TIMES or time.monotonic() - start < SECONDS) and \
            time.monotonic() - start < MOST:
        rounds.one()
    seconds = time.monotonic() - start
    tap.equal("hammer: every reload succeeds", rounds.reloaded, rounds.count)
    tap.check("hammer: as another build", rounds.upgraded >=
              min(rounds.count, TIMES) * UPGRADES // TIMES - rounds.cut, rounds.upgraded)
    found, denied, lost = finish(host, process, stop)
    print(f"# hammer: {seconds:.0f} s, {rounds.count} rounds, {rounds.killed} kills, {rounds.cut} "
          f"while it came up, {rounds.upgraded} upgrades; {json.dumps(found)}; denied {denied}")
    judge(tap, "hammer", found, denied)
    add_up(tap, "hammer", log, denied, lost)
    tap.equal("hammer: the run ends with its status", process.returncode, 0,
              stage.read(process.err_path)[-600:])
    events_add_up(tap, host, stop)


def events_add_up(tap, host, stop):
    """With a picketd that lives: every denial is an event, or counted as lost."""
    log = f"{host.base}/home-plain/added"
    process = hammer_of(host, "hammer", stop, 4, ["--quiet", "--events", log])
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 20])
    host.policy("hammer")
    tap.equal("events: reloaded meanwhile", host.picket("root", "reload").returncode, 0)
    time.sleep(2)
    found, denied, lost = finish(host, process, stop)
    judge(tap, "events", found, denied)
    tap.equal("events: none is untold", add_up(tap, "events", log, denied, lost), 0)


# --- Agents that come and go ---------------------------------------------------------------------


def image_maps():
    """The ids of the maps that hold policies."""
    done = subprocess.run(["bpftool", "-j", "map", "dump", "pinned",
                           f"{stage.PINS}/daemon/map_pk_images"], stdout=subprocess.PIPE, check=True)
    return {int.from_bytes(bytes(int(byte, 16) for byte in item["value"]), "little")
            for item in json.loads(done.stdout)}


def is_map(number):
    return subprocess.run(["bpftool", "map", "show", "id", str(number)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def footprint(host, most=None):
    """What picketd has: kB of memory, descriptors, pins. Connections take their time to close."""
    seen = look(host)
    stage.wait_until(lambda: seen.update(look(host)) or most and seen["fds"] <= most, 3)
    return seen


def look(host):
    folder = f"/proc/{host.daemon.pid}"
    lines = stage.read(f"{folder}/status").splitlines()
    return {"kB": next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")),
            "fds": len(os.listdir(f"{folder}/fd")),
            "pins": sum(len(files) + len(dirs) for _, dirs, files in os.walk(stage.PINS))}


def churn_round(host):
    """Start all, let all act, end all. Returns what was wrong, and the maps that there were."""
    processes = [host.start("plain", "run", "--quiet", "-p", f"churn{number}", "--", "bash", "-c",
                            OWN_PORT, "-", str(PORTS + number),
                            str(PORTS + (number + 1) % CHURN_AGENTS), stdin=subprocess.PIPE)
                 for number in range(CHURN_AGENTS)]
    wrong = [f"{number}: {line!r}" for number, line in enumerate(
        process.stdout.readline() for process in processes) if line != "ready\n"]
    digests = {agent["digest"] for agent in host.agents()}
    if len(digests) != CHURN_AGENTS:
        wrong.append(f"{len(digests)} policies")
    maps = image_maps()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()
    for number, process in enumerate(processes):
        process.stdin = None
        lines = process.communicate(timeout=stage.PATIENCE * 2)[0].splitlines()
        if [line.split(": ")[-1] for line in lines if ": connect: " not in line] != REACHED:
            wrong.append(f"{number}: {lines}")
        host.children.remove(process)
        os.unlink(process.err_path)
    return wrong, maps


def churn(tap, host):
    """Agents with different policies come and go; memory stays flat, nothing is left."""
    for number in range(CHURN_AGENTS):
        host.policy(f"churn{number}", more_egress=f'    - allow: "127.0.0.1:{PORTS + number}"\n')
    wrong, maps = churn_round(host)
    before = footprint(host)
    start, rounds = time.monotonic(), 0
    while not rounds or time.monotonic() - start < CHURN_SECONDS:
        more, seen = churn_round(host)
        wrong += more
        maps |= seen
        rounds += 1
    after = footprint(host, before["fds"])
    print(f"# churn: {rounds} times {CHURN_AGENTS} agents in {time.monotonic() - start:.0f} s; "
          f"before {before}, after {after}")
    tap.equal(f"churn: {CHURN_AGENTS} agents at a time, each by its own policy", wrong[:5], [])
    tap.check("churn: memory stays flat", after["kB"] <= before["kB"] + 1024, (before, after))
    tap.equal("churn: no descriptor, no pin is left", {**after, "kB": 0}, {**before, "kB": 0})
    tap.equal("churn: no agent, no cgroup is left", (host.agents(), host.cgroups_left()), ([], []))
    tap.check("churn: there were maps of policies", len(maps) >= CHURN_AGENTS, len(maps))
    left = stage.wait_until(lambda: not [number for number in maps if is_map(number)] or None)
    tap.check("churn: no map of a policy is left", left)
