# SPDX-License-Identifier: BSD-2-Clause
"""Runs guest.py in a guest whose clock counts instructions, and tells the ratios."""
import json
import os
import subprocess

from measure import BASELINE, HERE, CannotMeasure, judge, ratios, spread

VM = os.path.join(HERE, "../../tools/vm/run")
KERNEL = os.environ.get("KERNEL", "6.12")
OUTSIDE, MIDDLE, LARGE = "picket, no agent", "picket, 1,000 rules", "picket, 100,000 rules"
AGENT = "picket, coding-agent.yaml"
TIMEOUT = 3600
WARM = [f"open+close,depth-{depth}" for depth in (2, 8, 16)]
# {arm: {act: most it may take}}, as ratios to the baseline.
TARGETS = {
    OUTSIDE: {"open+close,depth-8": 1.035},
    MIDDLE: {"open+close,depth-8": 1.08, "open+close,new-file": 1.15,
             "open+close,new-folders": 1.35, "stat,depth-8": 1.005, "create+unlink": 1.08,
             "rename,twice": 1.08, "fork+exec": 1.03, "UDP-send+receive": 1.10,
             "TCP-connect+accept": 1.05},
    AGENT: {"gcc-build": 1.02},
}
# A warm open with most rules to one with fewest, and the ratio at the deepest path to that at the shallowest.
EQUAL = 1.02
FEWEST = "picket, 10 rules"


# A program of picket's that takes less of an act than this part of it is not told.
LITTLE = 0.001


def guest_numbers():
    """({act: {arm: [nanoseconds]}}, {act: {arm: {program: (runs, nanoseconds)}}}, {arm: why it is missing})."""
    command = [VM, "--kernel", KERNEL, "--icount", "--timeout", str(TIMEOUT), "--",
               "python3", "-B", "tests/bench/guest.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    acts, programs, missing = {}, {}, {}
    for line in done.stdout.splitlines():
        if not line.startswith("{"):
            continue
        row = json.loads(line)
        if "missing" in row:
            missing[row["arm"]] = row["missing"]
        elif "program" in row:
            arms = programs.setdefault(row["act"], {})
            arms.setdefault(row["arm"], {})[row["program"]] = row["runs"], row["ns"]
        else:
            acts.setdefault(row["act"], {}).setdefault(row["arm"], []).append(row["ns"])
    if done.returncode or not acts:
        raise CannotMeasure(f"a guest with kernel {KERNEL}: {(done.stderr or done.stdout)[-2000:]}")
    return acts, programs, missing


def profiles(acts, programs):
    """Rows of where the instructions of an act that picket adds are executed."""
    for act, arms in programs.items():
        for arm, found in arms.items():
            base, own = (acts[act][name][0] for name in (BASELINE, arm))
            told = {name: {"runs": runs, "instructions": count, "part": count / base}
                    for name, (runs, count) in sorted(found.items(), key=lambda pair: -pair[1][1])}
            around = own - base - sum(program["instructions"] for program in told.values())
            yield {"act": act, "arm": arm, "baseline_instructions": base, "programs": told,
                   "around": {"instructions": around, "part": around / base}}


def described(profile):
    """One row as text: a program's runs, and its part of the act without picket in hundredths."""
    told = [f"{name} {'' if 0.99 < program['runs'] < 1.01 else format(program['runs'], '.3g') + ' x '}"
            f"{100 * program['part']:.1f}" for name, program in profile["programs"].items()
            if program["part"] >= LITTLE]
    return ", ".join(told + [f"around them {100 * profile['around']['part']:.1f}"])


def row_of(act, arm, values, base):
    return {"name": f"{act}, {arm}", "act": act, "arm": arm, "ratio": ratios(values, base),
            "instructions": spread(values), "baseline_instructions": spread(base)}


def flat_rows(acts):
    """Rows of what shall not grow: with the number of rules, with the depth of a path."""
    for act in WARM:
        arms = acts[act]
        if LARGE in arms:
            yield row_of(act, f"{LARGE} to 10", arms[LARGE], arms[FEWEST])
    own = {act: [value / base for value, base in zip(acts[act][MIDDLE], acts[act][BASELINE])] for act in WARM}
    yield {"name": "open+close, depth 16 to depth 2", "act": "open+close, warm", "arm": "depth 16 to depth 2",
           "ratio": ratios(own[WARM[-1]], own[WARM[0]])}


def bench_acts(_folder, report):
    """What acts cost in a guest, as ratios of instructions."""
    acts, programs, missing = guest_numbers()
    rows = [row_of(act, arm, values, arms[BASELINE]) for act, arms in acts.items()
            for arm, values in arms.items() if arm != BASELINE]
    flat = list(flat_rows(acts))
    report["acts"], report["acts_missing"] = rows, missing
    report["flat"] = flat
    report["profiles"] = list(profiles(acts, programs))
    for row in rows + flat:
        target = EQUAL if row in flat else TARGETS.get(row["arm"], {}).get(row["act"])
        yield [row["act"], row["arm"], f"x {row['ratio']['median']:.3f}",
               judge(row, "ratio", target, "x") if target else ""]
    for profile in report["profiles"]:
        yield [profile["act"], f"{profile['arm']}: in %", described(profile)]
    for arm, why in missing.items():
        yield ["all", arm, f"not measured: {why}"]
