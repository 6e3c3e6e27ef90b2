# SPDX-License-Identifier: BSD-2-Clause
"""What policies cost before they hold: check and diff of large ones."""
import policies
from measure import PICKET, cost, cost_rows, in_turn, judge, ratios, show, spread

RULES = [10, 1000, 10000]
AUTHOR_ROUNDS = 3
COMPILE_MS = 200
ALL_MS, ALL_MIB = 1000, 200 * 10**6 / 2**20
DIFF_MS, DIFF_MIB = 5000, 10**9 / 2**20
# Ten times the rules take at most this much more, and a diff this much of reading both policies.
GROWTH, DIFF_RATIO = 15, 8


def compile_arms(folder, every):
    """{name: command}."""
    arms = {}
    for count in [10, 100] + RULES[1:]:
        path = policies.write_policy(folder, count, count)
        arms[f"{count:,} paths + {count:,} CIDRs"] = path
    arms[f"{RULES[-1]:,} CIDRs + {RULES[-1]:,} names"] = policies.write_policy(folder, 0, RULES[-1],
                                                                             RULES[-1])
    arms[every] = policies.write_policy(folder, RULES[-1], RULES[-1], RULES[-1])
    return {name: [PICKET, "check", "--no-managed", path] for name, path in arms.items()}


def bench_compile(folder, report):
    """`picket check`: read, compile and validate, as every start does."""
    every = f"{RULES[-1]:,} of each of the three"
    report["compile"] = cost_rows(compile_arms(folder, every))
    for row in report["compile"]:
        remark = ""
        if row["name"].startswith("1,000 "):
            remark = judge(row, "cpu_ms", COMPILE_MS, "ms")
        if row["name"] == every:
            remark = judge(row, "cpu_ms", ALL_MS, "ms") + ", " + judge(row, "peak_mib", ALL_MIB,
                                                                       "MiB")
        yield [row["name"], "CPU " + show(row["cpu_ms"], " ms"),
               f"{row['peak_mib']['median']:.1f} MiB", remark]


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
