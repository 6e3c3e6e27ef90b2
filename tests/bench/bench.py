#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures what picket costs and reports it as text and as $BUILD/bench.json.

The arms of a comparison run in turn, A B C A B C, so that a disturbance of the machine meets all of
them; a ratio is of two neighbours of one round. Medians with min..max. What enforcement costs is
only ever told as a ratio to a baseline of the same run; compile and start-up also in milliseconds,
because they have targets.

Environment: PICKET (the program), BUILD (the build folder with the helper programs). Must be root.
"""
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import acts
import policies

PICKET = os.environ["PICKET"]
BUILD = os.environ["BUILD"]
HERE = os.path.dirname(os.path.abspath(__file__))
OFFLINE = os.path.join(HERE, "../../policies/examples/offline.yaml")
ROUNDS = 9
RULES = [10, 1000, 10000]
TURNS = 41
OPERATIONS = {"tcp": 1280, "udp": 6400, "bulk": 640}
# Of an operation's two times, the client's and the other end's: what is told, target, which.
EGRESS = {
    "tcp": [("TCP connect + close", 1.10, lambda client, server: client),
            ("the same, with accept", None, lambda client, server: client + server)],
    "udp": [("UDP sendto", 1.15, lambda client, server: client)],
    "bulk": [("TCP, 64 KiB sent and read", 1 / 0.97, lambda client, server: client)],
}
DECISIONS = 50000
AUTHOR_ROUNDS = 3
COMPILE_MS, START_MS, START_MIB = 200, 300, 32
ALL_MS, ALL_MIB = 1000, 200 * 10**6 / 2**20
DIFF_MS, DIFF_MIB = 5000, 10**9 / 2**20
# Ten times the rules take at most this much more, and a diff this much of reading both policies.
GROWTH, DIFF_RATIO = 15, 8


class CannotMeasure(Exception):
    """A measured program failed: its time says nothing."""


def spread(values):
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(values, baseline):
    """Spread of value / baseline, round by round."""
    return spread([value / base for value, base in zip(values, baseline)])


def show(value, unit="", digits=1):
    """A spread as text."""
    low, high = f"{value['min']:.{digits}f}", f"{value['max']:.{digits}f}"
    return f"{value['median']:.{digits}f}{unit} ({low}..{high})"


def in_turn(arms, measure, rounds=ROUNDS):
    """{name: [result of each round]} of {name: argument}, arm after arm within a round."""
    results = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            results[name].append(measure(arm))
    return results


def output_of(command, text=None):
    """Standard output of a program that must succeed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                          timeout=170)
    if done.returncode:
        raise CannotMeasure(f"'{' '.join(command)}' ended with status {done.returncode}:\n"
                            f"{done.stderr.strip()}")
    return done.stdout


def cost(command):
    """(milliseconds, peak KiB, milliseconds of CPU) of one run of a program that must succeed, or tell
    of differences."""
    nanoseconds, peak, status, busy = output_of([f"{BUILD}/tests/bench/cost"] + command).split()
    if status != ("1" if command[1:2] == ["diff"] else "0"):
        raise CannotMeasure(f"'{' '.join(command)}' ended with status {status}")
    return int(nanoseconds) / 1e6, int(peak), int(busy) / 1e6


def cost_rows(arms):
    """Spreads of time and of peak memory of each command."""
    rows = []
    for name, runs in in_turn(arms, cost).items():
        rows.append({"name": name, "ms": spread([run[0] for run in runs]),
                     "peak_mib": spread([run[1] / 1024 for run in runs]),
                     "cpu_ms": spread([run[2] for run in runs])})
    return rows


def judge(row, key, target, unit):
    """Set the row's target for a key; returns the remark."""
    met = row[key]["median"] < target
    row.setdefault("targets", {})[key] = {"under": target, "met": met}
    return f"target < {target:.4g} {unit}: {'met' if met else 'MISSED'}"


def bench_compile(folder, report):
    """`picket check`: read, compile and validate, as every start does."""
    arms = {}
    for count in [10, 100] + RULES[1:]:
        path = policies.write_policy(folder, count, count)
        arms[f"{count:,} paths + {count:,} CIDRs"] = [PICKET, "check", path]
    path = policies.write_policy(folder, 0, RULES[-1], RULES[-1])
    arms[f"{RULES[-1]:,} CIDRs + {RULES[-1]:,} names"] = [PICKET, "check", path]
    path = policies.write_policy(folder, RULES[-1], RULES[-1], RULES[-1])
    every = f"{RULES[-1]:,} of each of the three"
    arms[every] = [PICKET, "check", path]
    rows = cost_rows(arms)
    report["compile"] = rows
    for row in rows:
        remark = judge(row, "ms", COMPILE_MS, "ms") if row["name"].startswith("1,000 ") else ""
        if row["name"] == every:
            remark = judge(row, "cpu_ms", ALL_MS, "ms") + ", " + judge(row, "peak_mib", ALL_MIB,
                                                                       "MiB")
        yield [row["name"], show(row["ms"], " ms"), f"{row['peak_mib']['median']:.1f} MiB", remark]


def bench_authors(folder, report):
    """What a policy's author waits for, in CPU time: a check, and a diff of policies that have nothing
    in common. Ratios are to the command before, of the same round."""
    small, large, other = (policies.write_policy(folder, count, count, count, is_other)
                           for count, is_other in [(RULES[1], False), (RULES[2], False),
                                                   (RULES[2], True)])
    arms = {"check, 1,000 of each kind": ([PICKET, "check", "--no-managed", small], []),
            "check, 10,000 of each kind":
                ([PICKET, "check", "--no-managed", large],
                 [("cpu_ms", ALL_MS, "ms"), ("peak_mib", ALL_MIB, "MiB"), ("ratio", GROWTH, "x")]),
            "diff, 10,000 of each kind":
                ([PICKET, "diff", "--no-managed", large, other],
                 [("cpu_ms", DIFF_MS, "ms"), ("peak_mib", DIFF_MIB, "MiB"),
                  ("ratio", DIFF_RATIO, "x")])}
    runs = in_turn({name: command for name, (command, _) in arms.items()}, cost, AUTHOR_ROUNDS)
    report["authors"] = []
    before = None
    for name, (_, targets) in arms.items():
        busy = [run[2] for run in runs[name]]
        row = {"name": name, "cpu_ms": spread(busy),
               "peak_mib": spread([run[1] / 1024 for run in runs[name]])}
        beside = ""
        if before:
            row["ratio"] = ratios(busy, before)
            beside = f"x {show(row['ratio'])}"
        report["authors"].append(row)
        remark = ", ".join(judge(row, *target) for target in targets)
        yield [name, "CPU " + show(row["cpu_ms"], " ms", 0), f"{row['peak_mib']['median']:.1f} MiB",
               beside, remark]
        before = busy


def bench_startup(folder, report):
    """From the command line to its end: `true` alone, confined by picket, and by bwrap. The time on
    the clock says more about other work than the CPU time does."""
    names = policies.write_policy(folder, 0, 10, 10)
    arms = {"true": ["true"], "picket run -- true": [PICKET, "run", "-p", OFFLINE, "--", "true"],
            "picket run, with names": [PICKET, "run", "--quiet", "-p", names, "--", "true"]}
    if shutil.which("bwrap"):
        arms["bwrap --ro-bind / / true"] = ["bwrap", "--ro-bind", "/", "/", "true"]
    rows = cost_rows(arms)
    report["startup"] = rows
    for row in rows:
        remark = ""
        if row["name"].startswith("picket"):
            remark = ", ".join([judge(row, "ms", START_MS, "ms"),
                                "CPU " + judge(row, "cpu_ms", START_MS, "ms"),
                                judge(row, "peak_mib", START_MIB, "MiB")])
        yield [row["name"], show(row["ms"], " ms"), "CPU " + show(row["cpu_ms"], " ms", 0),
               f"{row['peak_mib']['median']:.1f} MiB", remark]
    if not shutil.which("bwrap"):
        yield ["bwrap --ro-bind / / true", "not measured: bwrap is not installed", "", ""]


class Turns:
    """Programs that measure once for each line they are given, all started before."""

    def __init__(self, arms):
        self.running = {}
        self.arms = arms

    def __enter__(self):
        for name, command in self.arms.items():
            self.running[name] = subprocess.Popen(command, stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, text=True)
        return self

    def measure(self, name):
        """The numbers that the program of an arm prints next."""
        process = self.running[name]
        try:
            process.stdin.write("\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass
        line = process.stdout.readline()
        if not line:
            raise CannotMeasure(f"'{' '.join(self.arms[name])}' ended")
        return [float(value) for value in line.split()]

    def __exit__(self, *_error):
        for process in self.running.values():
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for process in self.running.values():
            process.wait(30)


@contextlib.contextmanager
def servers(count):
    """Other ends that no policy holds for; gives their ports."""
    running = [subprocess.Popen([f"{BUILD}/tests/bench/net", "serve"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        yield [server.stdout.readline().strip() for server in running]
    finally:
        for server in running:
            server.stdin.close()
            server.wait(30)


def bench_operation(before, protocol, ports):
    """{name: [numbers of each turn]} of one operation; no ports: to the client's own end."""
    arms = {}
    for number, (name, start) in enumerate(before.items()):
        arms[name] = start + [f"{BUILD}/tests/bench/net", protocol, str(OPERATIONS[protocol])]
        arms[name] += [ports[number]] if ports else []
    with Turns(arms) as turns:
        return in_turn({name: name for name in arms}, turns.measure, TURNS)


def egress_rows(report, about, results):
    """One row for each arm but the first, which the others are compared with."""
    protocol, what, target = about
    baseline = results.pop("no policy")
    for name, values in results.items():
        row = {"operation": protocol, "name": f"{what}, {name}",
               "ratio": ratios(values, baseline), "ns": spread(values),
               "baseline_ns": spread(baseline)}
        report["egress"].append(row)
        remark = ""
        if target and not name.startswith("no "):
            remark = judge(row, "ratio", target, "x")
        least = f"{row['ns']['min']:.0f} to {row['baseline_ns']['min']:.0f} ns at least"
        yield [what, name, "x " + show(row["ratio"], digits=3), least, remark]


def bench_egress(folder, report):
    """CPU time of one operation on loopback; the second row is the noise of this machine. No policy
    holds for the other end, but for bulk, where one process is both."""
    before = {"no policy": [], "no policy, again": []}
    for addresses, names in [(10, 0), (10, 10), (10000, 0), (10000, 10000)]:
        path = policies.write_policy(folder, 0, addresses, names)
        label = f"{addresses:,} CIDRs" + (f" + {names:,} names" if names else "")
        before[label] = [PICKET, "run", "--quiet", "-p", path, "--"]
    report["egress"] = []
    for protocol, apart in (("tcp", True), ("udp", True), ("bulk", False)):
        with servers(len(before) if apart else 0) as ports:
            results = bench_operation(before, protocol, ports)
        for what, target, cost_of in EGRESS[protocol]:
            yield from egress_rows(report, (protocol, what, target),
                                   {name: [cost_of(*turn) for turn in turns]
                                    for name, turns in results.items()})


def matcher_nanoseconds(folder):
    """{label: {slot: [nanoseconds of each round]}}; slot 0 has no image."""
    paths = [policies.write_policy(folder, count, count) for count in RULES]
    text = "".join(f"{kind} {label} {value}\n" for label, kind, value in policies.QUESTIONS)
    command = [f"{BUILD}/tests/bpf/bench_match", str(ROUNDS), str(DECISIONS)] + paths
    results = {}
    for line in output_of(command, text).splitlines():
        label, slot, _, nanoseconds = line.split()
        results.setdefault(label, {}).setdefault(int(slot), []).append(float(nanoseconds))
    return results


def bench_matcher(folder, report):
    """One decision in the kernel's JIT, the question allowed by the policy."""
    report["matcher"] = []
    for label, slots in matcher_nanoseconds(folder).items():
        own = {slot: [value - base for value, base in zip(values, slots[0])]
               for slot, values in slots.items() if slot}
        for slot, count in enumerate(RULES, 1):
            row = {"question": label, "rules": count, "ns": spread(own[slot]),
                   "ratio": ratios(own[slot], own[1]), "empty_ns": spread(slots[0])}
            report["matcher"].append(row)
            beside = f"x {show(row['ratio'], digits=2)} of 10 rules" if slot > 1 else ""
            yield [label, f"{count:,} rules", show(row["ns"], " ns", 0), beside]


def bench_acts(_folder, report):
    """Acts on files, programs and datagrams, in a guest."""
    try:
        yield from acts.bench_acts(report, spread, judge)
    except acts.NoGuest as error:
        raise CannotMeasure(str(error)) from error


PARTS = {
    "compile": ("Compile a policy (picket check)", bench_compile),
    "authors": ("Check and compare large policies", bench_authors),
    "startup": ("Start-up", bench_startup),
    "egress": ("Egress on loopback", bench_egress),
    "matcher": ("One decision in the JIT, caches warm, less the loop and the lookup of its image",
                bench_matcher),
    "acts": (f"Acts in a guest, kernel {acts.KERNEL}, in instructions", bench_acts),
}


def describe_host():
    """What the numbers depend on."""
    with open("/proc/sys/net/core/bpf_jit_enable", encoding="ascii") as file:
        jit = file.read().strip() != "0"
    tier = json.loads(output_of([PICKET, "doctor", "--json"]))["tier"]
    return {"kernel": platform.release(), "machine": platform.machine(), "cpus": os.cpu_count(),
            "load": os.getloadavg()[0], "jit": jit, "tier": tier, "rounds": ROUNDS}


def print_rows(title, rows):
    """A table, each row as soon as it is there."""
    print(f"\n{title}", flush=True)
    for name, *cells in rows:
        first, *rest = cells
        print(f"  {name:<32}{first:<32}{'  '.join(c for c in rest if c)}".rstrip(), flush=True)


def missed_targets(report):
    """Names of what is over its target."""
    rows = [row for part in ("compile", "authors", "startup", "egress", "acts")
            for row in report.get(part, [])]
    return [f"{row['name']} ({key})" for row in rows
            for key, target in row.get("targets", {}).items() if not target["met"]]


def write_json(report):
    """The report as a file that is whole or not there."""
    path = f"{BUILD}/bench.json"
    with open(path + ".new", "w", encoding="ascii") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    os.replace(path + ".new", path)
    return path


def main():
    """Measure the parts named by the arguments, or all."""
    chosen = sys.argv[1:] or list(PARTS)
    if os.geteuid() != 0 or not set(chosen) <= set(PARTS):
        print(f"usage (as root): tests/bench/run [{'|'.join(PARTS)}]...", file=sys.stderr)
        return 2
    start = time.monotonic()
    report = {"host": describe_host()}
    host = report["host"]
    print(f"Linux {host['kernel']} {host['machine']}, {host['cpus']} CPUs, tier {host['tier']}, "
          f"JIT {'on' if host['jit'] else 'OFF'}; {ROUNDS} rounds, median (min..max)")
    if host["load"] > host["cpus"] / 4:
        print(f"The load is {host['load']:.1f}: other work disturbs these numbers.")
    with tempfile.TemporaryDirectory(prefix="picket-bench-") as folder:
        for name in chosen:
            title, part = PARTS[name]
            print_rows(title, part(folder, report))
    report["seconds"] = round(time.monotonic() - start, 1)
    missed = missed_targets(report)
    print(f"\nbench: measured {', '.join(chosen)} in {report['seconds']:.0f} s; "
          f"{'over target: ' + ', '.join(missed) if missed else 'no target missed'}; "
          f"numbers in '{write_json(report)}'")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotMeasure, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench: failed: {error}", file=sys.stderr)
        sys.exit(1)
