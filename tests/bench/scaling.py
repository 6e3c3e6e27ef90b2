# SPDX-License-Identifier: BSD-2-Clause
"""How cost grows: with the number of agents that picketd looks after, and of rules, up to 100,000.

On a host of its own (tests/live/daemon.d/stage.py).
"""
import contextlib
import os
import re
import subprocess
import time

import egress
import policies
from measure import (AGAIN, BASELINE, BUILD, PICKET, CannotMeasure, Turns, cost, cost_row, cpu_of, in_turn,
                     judge, ratios, show, spread)
from others import stage

AGENTS = [int(word) for word in os.environ.get("BENCH_AGENTS", "1 10 100 1000").split()]
RULES = [10, 1000, 10000, 100000]
ROUNDS, TURNS, CONNECTS = 3, 21, 1280
IDLE_SECONDS = 10
IDLE_MIB, IDLE_PERCENT = 64, 0.1
LOAD_MS, LOAD_MIB = 2000, 300
# So many start at a time: what is measured is many agents, not many starts.
AT_ONCE = 20
PATIENCE = 600


def resident_mib(pid):
    """What picketd holds in memory."""
    return int(re.search(r"VmRSS:\s+(\d+)", stage.read(f"/proc/{pid}/status"))[1]) / 1024


class Crowd:
    """Agents that wait, more and more of them."""

    def __init__(self, host):
        self.host = host
        self.processes = []

    def start(self, count):
        """Some more, until all of them wait."""
        new = [self.host.start("root", "run", "--daemon", "--quiet", "-p", "work", "--",
                               f"{BUILD}/tests/bench/acts", "wait", stdin=subprocess.PIPE)
               for _ in range(count)]
        self.processes += new
        for process in new:
            if process.stdout.readline() != "ready\n":
                raise CannotMeasure(f"agent {len(self.processes)}: {stage.read(process.err_path).strip()}")

    def grow(self, count):
        """Milliseconds of CPU time for each that was started: its command's, and picketd's."""
        picketd, there = self.host.daemon.pid, len(self.processes)
        before = cpu_of([picketd])
        while len(self.processes) < count:
            self.start(min(AT_ONCE, count - len(self.processes)))
        both = cpu_of([picketd]) - before + cpu_of(process.pid for process in self.processes[there:])
        return both / 1e6 / (count - there)

    def end(self):
        """All at once; they end well or are killed with their host."""
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait(PATIENCE)


def idle(pid):
    """(MiB, percent of a CPU) of picketd while nothing happens."""
    time.sleep(2)
    before, start = cpu_of([pid]), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return resident_mib(pid), (cpu_of([pid]) - before) / 1e7 / (time.monotonic() - start)


def connect_ratio(host):
    """(of an agent, of no agent again) to no policy, of TCP connect + close."""
    run = [host.picket_path, "run", "--daemon", "--quiet", "-p", "bench", "--"]
    with contextlib.ExitStack() as stack:
        commands = {}
        for name, before in {BASELINE: [], AGAIN: [], "agent": run}.items():
            port = stack.enter_context(egress.own_server([]))
            commands[name] = before + [f"{BUILD}/tests/bench/net", "tcp", str(CONNECTS), port]
        turns = stack.enter_context(Turns(commands))
        found = in_turn({name: name for name in commands}, lambda name: turns.measure(name)[0], TURNS)
    return ratios(found["agent"], found[BASELINE]), ratios(found[AGAIN], found[BASELINE])


def agent_rows(report):
    """Rows for each number of agents."""
    with stage.Host(PICKET, report["host"]["tier"]) as host:
        path = policies.write_policy(stage.POLICIES, 0, 1000, 1000)
        os.rename(path, f"{stage.POLICIES}/bench.yaml")
        host.start_daemon()
        crowd = Crowd(host)
        for count in AGENTS:
            started = crowd.grow(count)
            memory, busy = idle(host.daemon.pid)
            ratio, noise = connect_ratio(host)
            row = {"name": f"{count:,} agents", "agents": count, "start_cpu_ms": started,
                   "idle_mib": spread([memory]), "idle_percent": spread([busy]), "connect_ratio": ratio,
                   "noise": noise}
            report["scale"].append(row)
            remark = ""
            if count >= 1000:
                remark = judge(row, "idle_mib", IDLE_MIB, "MiB") + ", " + \
                    judge(row, "idle_percent", IDLE_PERCENT, "%")
            yield [row["name"], f"picketd idle {memory:.1f} MiB, {busy:.3f} % CPU",
                   f"start CPU {started:.1f} ms each", f"connect x {show(ratio, digits=3)}",
                   f"no policy, again x {noise['median']:.3f}", remark]
        crowd.end()


def rule_rows(folder, report):
    """Compile alone, and compile + load + `true`, of addresses and names."""
    for count in RULES:
        path = policies.write_policy(folder, 0, count // 2, count // 2)
        commands = {"compile": [PICKET, "check", "--no-managed", path],
                    "compile + load": [PICKET, "run", "--embedded", "--quiet", "-p", path, "--", "true"]}
        for name, runs in in_turn(commands, cost, ROUNDS).items():
            row = cost_row(f"{count:,} rules, {name}", runs)
            row["rules"] = count
            report["scale"].append(row)
            remark = ""
            if count == RULES[-1] and name != "compile":
                remark = judge(row, "cpu_ms", LOAD_MS, "ms") + ", " + judge(row, "peak_mib", LOAD_MIB, "MiB")
            yield [row["name"], "CPU " + show(row["cpu_ms"], " ms", 0), f"{row['peak_mib']['median']:.1f} MiB",
                   remark]


def bench_scale(folder, report):
    """Agents, then rules."""
    report["scale"] = []
    yield from agent_rows(report)
    yield from rule_rows(folder, report)
