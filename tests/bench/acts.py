# SPDX-License-Identifier: BSD-2-Clause
"""Runs guest.py in a guest whose clock counts instructions, and tells the ratios."""
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
VM = os.path.join(HERE, "../../tools/vm/run")
KERNEL = os.environ.get("KERNEL", "6.12")
BASELINE, AGAIN = "no policy", "no policy, again"
OUTSIDE, LARGE = "picket, no agent", "picket, 10,000 rules"
TIMEOUT = 3000
# {arm: {act: most it may take}}, as ratios to the baseline.
TARGETS = {
    OUTSIDE: {"open+close,depth-8": 1.035},
    LARGE: {"open+close,depth-8": 1.08, "open+close,new-file": 1.15,
            "open+close,new-folders": 1.35, "stat,depth-8": 1.005, "create+unlink": 1.08,
            "rename,twice": 1.08, "fork+exec": 1.03, "UDP-send+receive": 1.10},
}


class NoGuest(Exception):
    """The guest gave no numbers."""


def guest_numbers():
    """({act: {arm: [nanoseconds]}}, {arm: why it is missing})."""
    command = [VM, "--kernel", KERNEL, "--icount", "--timeout", str(TIMEOUT), "--",
               "python3", "-B", "tests/bench/guest.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    acts, missing = {}, {}
    for line in done.stdout.splitlines():
        if not line.startswith("{"):
            continue
        row = json.loads(line)
        if "missing" in row:
            missing[row["arm"]] = row["missing"]
        else:
            acts.setdefault(row["act"], {}).setdefault(row["arm"], []).append(row["ns"])
    if done.returncode or not acts:
        raise NoGuest(f"a guest with kernel {KERNEL}: {(done.stderr or done.stdout)[-2000:]}")
    return acts, missing


def rows_of(acts):
    """A row for each act and arm but the baseline."""
    for act, arms in acts.items():
        base = arms[BASELINE]
        for arm, values in arms.items():
            if arm != BASELINE:
                yield act, arm, [value / least for value, least in zip(values, base)], base


def bench_acts(report, spread, judge):
    """Cells of the table: what acts cost in a guest, as ratios of instructions. @spread and @judge are
    bench.py's."""
    acts, missing = guest_numbers()
    report["acts"] = []
    for act, arm, ratio, base in rows_of(acts):
        row = {"name": f"{act}, {arm}", "act": act, "arm": arm, "ratio": spread(ratio),
               "baseline_instructions": spread(base)}
        report["acts"].append(row)
        target = TARGETS.get(arm, {}).get(act)
        yield [act, arm, f"x {row['ratio']['median']:.3f}",
               judge(row, "ratio", target, "x") if target else ""]
    for arm, why in missing.items():
        yield ["all", arm, f"not measured: {why}"]
