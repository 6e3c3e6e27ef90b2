# SPDX-License-Identifier: BSD-2-Clause
"""Start-up: from the command line to the end of `true`, embedded, through picketd, by alternatives.

On a host of its own (tests/live/daemon.d/stage.py), where picketd runs.
"""
import os

import others
import policies
from measure import PICKET, cost, cost_row, cpu_of, in_turn, judge, ratios, show
from others import stage

ALONE = "true"
EMBEDDED_MS, DAEMON_MS, START_MIB = 150, 4, 32
# Addresses and names of a policy, and how it is called.
SIZES = [(10, 0, "10 CIDRs"), (10, 10, "10 + 10 names"), (10000, 10000, "10,000 + 10,000")]


def arms_of(missing):
    """{name: command}."""
    arms = {ALONE: ["true"]}
    for addresses, names, label in SIZES:
        path = policies.write_policy(stage.POLICIES, 0, addresses, names)
        name = f"start-{addresses}-{names}"
        os.rename(path, f"{stage.POLICIES}/{name}.yaml")
        for way in ("embedded", "daemon"):
            policy = name if way == "daemon" else f"{stage.POLICIES}/{name}.yaml"
            arms[f"picket, {way}, {label}"] = [
                PICKET, "run", f"--{way}", "--quiet", "-p", policy, "--", "true"]
    for name, before in others.wrappers(missing).items():
        arms[name] = before + ["true"]
    return arms


def target_of(name):
    """Milliseconds that a start may take."""
    if "10,000" in name:
        return None
    return DAEMON_MS if "daemon" in name else EMBEDDED_MS


def bench_startup(_folder, report):
    """Time on the clock and CPU time, picketd's with it."""
    missing = {}
    tier = report["host"]["tier"]
    with stage.Host(PICKET, tier) as host:
        host.start_daemon()

        def measure(command):
            before = cpu_of([host.daemon.pid])
            wall, peak, busy = cost(command)
            return wall, peak, busy + (cpu_of([host.daemon.pid]) - before) / 1e6

        runs = in_turn(arms_of(missing), measure)
    report["startup"] = []
    for name, found in runs.items():
        row = cost_row(name, found)
        row["ratio"] = ratios([run[0] for run in found], [run[0] for run in runs[ALONE]])
        report["startup"].append(row)
        remark = ""
        if name.startswith("picket"):
            target = target_of(name)
            if target:
                remark = ", ".join([judge(row, "ms", target, "ms"), "CPU " + judge(row, "cpu_ms", target, "ms"),
                                    judge(row, "peak_mib", START_MIB, "MiB")])
        yield [name, show(row["ms"], " ms"), "CPU " + show(row["cpu_ms"], " ms"),
               f"{row['peak_mib']['median']:.1f} MiB", remark]
    for name, why in missing.items():
        yield [name, f"not measured: {why}"]
