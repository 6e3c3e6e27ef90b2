# SPDX-License-Identifier: BSD-2-Clause
"""One decision of the compiled matcher in the kernel's JIT."""
import policies
from measure import BUILD, ROUNDS, output_of, ratios, show, spread

DECISIONS = 50000
# (paths, addresses and names) of a policy. A text of 100,000 paths would be over its limit.
SIZES = {10: (10, 10, 0), 1000: (1000, 1000, 0), 10000: (10000, 10000, 0), 100000: (50000, 50000, 0)}


def matcher_nanoseconds(folder):
    """{label: {slot: [nanoseconds of each round]}}; slot 0 has no image."""
    paths = [policies.write_policy(folder, *size) for size in SIZES.values()]
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
        for slot, count in enumerate(SIZES, 1):
            row = {"name": f"{label}, {count:,} rules", "question": label, "rules": count,
                   "ns": spread(own[slot]), "ratio": ratios(own[slot], own[1]), "empty_ns": spread(slots[0])}
            report["matcher"].append(row)
            beside = f"x {show(row['ratio'], digits=2)} of 10 rules" if slot > 1 else ""
            yield [label, f"{count:,} rules", show(row["ns"], " ns", 0), beside]
