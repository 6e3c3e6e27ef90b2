#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures what picket costs and reports it: as text, as $BUILD/bench.json with all samples, and as
$BUILD/bench.svg.

Each part runs in a process of its own, in namespaces of its own where it changes anything. What
enforcement costs is told as a ratio to a baseline of the same run (measure.py); start-up and compiling
also in milliseconds, because they have targets.

Environment: PICKET (the program), BUILD (the build folder with the helper programs). Must be root.
"""
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time

import acts
import authoring
import egress
import matching
import plot
import scaling
import starting
from measure import BUILD, HERE, PICKET, ROUNDS, CannotMeasure, output_of
from others import stage

# name: title, function, what it runs in
PARTS = {
    "compile": ("Compile a policy (picket check)", authoring.bench_compile, []),
    "authors": ("Check and compare large policies", authoring.bench_authors, []),
    "startup": ("Start-up", starting.bench_startup, "stage"),
    "egress": ("The network, in CPU time; ratios to no policy", egress.bench_egress,
               ["unshare", "-m", "-n"]),
    "matcher": ("One decision in the JIT, caches warm, less the loop and the lookup of its image",
                matching.bench_matcher, []),
    "scale": ("Numbers of agents and of rules", scaling.bench_scale, "stage"),
    "acts": (f"Acts in a guest, kernel {acts.KERNEL}, in instructions; ratios to no policy",
             acts.bench_acts, []),
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
        print(f"  {name:<32}{first:<38}{'  '.join(c for c in rest if c)}".rstrip(), flush=True)


def measure_part(name, path):
    """In the process of one part: the report in the file gets its rows."""
    with open(path, encoding="ascii") as file:
        report = json.load(file)
    title, part, where = PARTS[name]
    # An end from outside lets what was made be taken away, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if where == "stage":
        stage.enter()
    try:
        with tempfile.TemporaryDirectory(prefix="picket-bench-") as folder:
            print_rows(title, part(folder, report))
    finally:
        write_whole(path, json.dumps(report, indent=1) + "\n")
    return 0


def run_part(name, path):
    """False when it could not be measured."""
    where = PARTS[name][2]
    command = [sys.executable, "-B", f"{HERE}/bench.py", "--part", name, path]
    return subprocess.run((where if where != "stage" else []) + command, check=False).returncode == 0


def missed_targets(report):
    """Names of what is over its target."""
    rows = [row for part in [*PARTS, "flat"] for row in report.get(part, [])]
    return [f"{row['name']} ({key})" for row in rows
            for key, target in row.get("targets", {}).items() if not target["met"]]


def write_whole(path, text):
    """A file that is whole or not there."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def measure_all(chosen):
    """Measure the parts; returns the exit status."""
    start = time.monotonic()
    host = describe_host()
    print(f"Linux {host['kernel']} {host['machine']}, {host['cpus']} CPUs, tier {host['tier']}, "
          f"JIT {'on' if host['jit'] else 'OFF'}; median (quartiles)")
    if host["load"] > host["cpus"] / 4:
        print(f"The load is {host['load']:.1f}: other work disturbs these numbers.")
    path = f"{BUILD}/bench.json"
    write_whole(path, json.dumps({"host": host}))
    failed = [name for name in chosen if not run_part(name, path)]
    with open(path, encoding="ascii") as file:
        report = json.load(file)
    report["seconds"] = round(time.monotonic() - start, 1)
    report["failed"] = failed
    write_whole(path, json.dumps(report, indent=1) + "\n")
    write_whole(f"{BUILD}/bench.svg", plot.draw(report))
    missed = missed_targets(report)
    print(f"\nbench: {report['seconds']:.0f} s; "
          f"{'over target: ' + ', '.join(missed) if missed else 'no target missed'}; "
          f"numbers in '{path}', plot in '{BUILD}/bench.svg'")
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def main():
    """Measure the parts named by the arguments, or all."""
    if sys.argv[1:2] == ["--part"]:
        return measure_part(*sys.argv[2:])
    left_out = [word.removeprefix("no-") for word in sys.argv[1:] if word.startswith("no-")]
    chosen = [word for word in sys.argv[1:] if not word.startswith("no-")]
    chosen = [name for name in chosen or PARTS if name not in left_out]
    if os.geteuid() != 0 or not set(chosen + left_out) <= set(PARTS):
        print(f"usage (as root): tests/bench/run [{'|'.join(PARTS)}|no-PART]...", file=sys.stderr)
        return 2
    return measure_all(chosen)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotMeasure, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench: failed: {error}", file=sys.stderr)
        sys.exit(1)
