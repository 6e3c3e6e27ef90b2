#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the table of README.md's section on performance from a report.

    readme.py BENCH.JSON
"""
import json
import os
import re
import sys

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
BEGIN, END = "<!-- tests/bench/readme.py writes from here -->\n", "<!-- to here -->\n"
AGAIN = "no policy, again"
# The arm that stands for picket, by part; the first that the act has.
PICKET = {"egress": ["10,000 CIDRs + 10,000 names"],
          "acts": ["picket, 1,000 rules", "picket, coding-agent.yaml"]}
OTHERS = ["bubblewrap", "firejail", "nftables, 10,000 addresses", "Landlock, 10 rules",
          "Landlock, 1,000 rules", "seccomp notification", "fanotify"]
# A program that takes less of an act than this is not told.
TOLD = 0.005


def number(ratio):
    """A ratio with its spread, when it has one."""
    if ratio["min"] == ratio["max"]:
        return f"{ratio['median']:.3f}"
    return f"{ratio['median']:.2f} ({ratio['low']:.2f}..{ratio['high']:.2f})"


def line_of(part, act, arms):
    """One row of the table; None when picket has no number."""
    own = next((arms[name] for name in PICKET[part] if name in arms), None)
    if not own:
        return None
    target = own.get("targets", {}).get("ratio")
    said = f"{target['at_most']:.4g}, {'met' if target['met'] else 'missed'}" if target else ""
    beside = ", ".join(f"{name.split(',')[0] if 'Land' not in name else name} {arms[name]['ratio']['median']:.2f}"
                       for name in OTHERS if name in arms)
    again = f"{arms[AGAIN]['ratio']['median']:.2f}" if AGAIN in arms else ""
    return f"| {re.sub(',(?! )', ', ', act)} | {number(own['ratio'])} | {again} | {beside} | {said} |"


def part_of(part):
    """A part of an act as text, in hundredths of the act without a policy."""
    return f"{100 * part:.1f}"


def profile_lines(report):
    """Which programs take what picket adds to an act: the rows of its usual arm."""
    rows = [row for row in report.get("profiles", []) if row["arm"] == PICKET["acts"][0]]
    lines = ["| act: what is added, in % of the act without a policy | by program (runs x instructions of one) | around them |",
             "|---|---|---|"] if rows else []
    for row in rows:
        told = {name: program for name, program in row["programs"].items() if program["part"] >= TOLD}
        added = sum(program["part"] for program in row["programs"].values()) + row["around"]["part"]
        words = ", ".join(f"{name} {part_of(program['part'])} ({program['runs']:.3g} x "
                          f"{program['instructions'] / program['runs']:.0f})" for name, program in told.items())
        lines.append(f"| {re.sub(',(?! )', ', ', row['act'])}: {part_of(added)} | {words} "
                     f"| {part_of(row['around']['part'])} |")
    return lines + [""] if lines else []


def table(report):
    """The section's lines."""
    host = report["host"]
    beside = ", beside other work" if host["load"] > host["cpus"] / 4 else ""
    lines = [f"Measured on Linux {host['kernel'].split('-')[0]}, {host['cpus']} CPUs, tier {host['tier']}{beside}.", ""]
    for part, title in (("egress", "on this host, CPU time, 10,000 CIDRs + 10,000 names"),
                        ("acts", "in a guest, instructions, 1,000 rules")):
        acts = {}
        for row in report.get(part, []):
            acts.setdefault(row["act"], {})[row["arm"]] = row
        if acts:
            lines += [f"| {title} | picket | no policy, again | others | target |", "|---|---|---|---|---|"]
            lines += [line for line in (line_of(part, act, arms) for act, arms in acts.items()) if line]
            lines.append("")
    return "\n".join(lines + profile_lines(report))


def main():
    if len(sys.argv) != 2:
        print("usage: readme.py BENCH.JSON", file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="ascii") as file:
        report = json.load(file)
    with open(README, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(README, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table(report) + END + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
