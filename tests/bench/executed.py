#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Keeps executed.txt, what each program costs, and compares what was measured now, from standard input.

    executed.py compare          status 1 when a program grew by more than a tenth, is new, or is gone
    executed.py record REASON    take over what was measured; lines that changed so much get the reason
    executed.py selftest         does the comparison trip?

A line is `VERSION TIER PROGRAM INSTRUCTIONS REASON`: why that number is right. Of what was measured more than
once the least counts.
"""
import os
import sys

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "executed.txt")
# Programs of so few instructions may grow by this many.
GROWTH, SLACK = 1.10, 15


def parse(lines):
    """{(version, tier, program): (instructions, reason)}; other lines are no numbers."""
    found = {}
    for line in lines:
        words = line.split(None, 4)
        if len(words) >= 4 and not line.startswith("#") and words[3].isdigit():
            key, number = tuple(words[:3]), (int(words[3]), words[4].strip() if len(words) > 4 else "")
            found[key] = min(number, found.get(key, number))
    return found


def changed(old, new):
    """More than a tenth, one way or the other."""
    return abs(new - old) > max(SLACK, min(old, new) * (GROWTH - 1))


def complaints(record, measured):
    """What is wrong, a line each."""
    if not measured:
        yield "nothing was measured"
    guests = {key[:2] for key in measured}
    for key, (now, _) in measured.items():
        then, reason = record.get(key, (0, ""))
        if not then:
            yield f"{' '.join(key)}: {now} instructions, and no record"
        elif not reason:
            yield f"{' '.join(key)}: its record gives no reason"
        elif now > then and changed(then, now):
            yield f"{' '.join(key)}: {now} instructions, {now / then:.2f} of the recorded {then}"
    for key in record:
        if key[:2] in guests and key not in measured:
            yield f"{' '.join(key)}: recorded, but it does not run"


def merged(record, measured, reason):
    """The record with what was measured taken over."""
    guests = {key[:2] for key in measured}
    lines = {key: value for key, value in record.items() if key[:2] not in guests}
    for key, (now, _) in measured.items():
        then, why = record.get(key, (0, ""))
        keep = then and why and not changed(then, now)
        lines[key] = (then, why) if keep else (now, reason)
    return lines


def read_record():
    with open(RECORD, encoding="utf-8") as file:
        return file.read().splitlines()


def write_record(lines):
    """Heads as they are, lines in order."""
    head = [line for line in read_record() if line.startswith("#")]
    body = [f"{' '.join(key)} {count} {reason}" for key, (count, reason) in sorted(lines.items())]
    with open(RECORD, "w", encoding="utf-8") as file:
        file.write("\n".join(head + body) + "\n")


def selftest():
    """None, or what does not trip."""
    record = parse(["6.1 lsm pk_a 1000 first", "6.1 lsm pk_b 40 first", "6.1 lsm pk_c 1000"])
    for plant, wanted in [(["6.1 lsm pk_a 1099", "6.1 lsm pk_b 50"], 1),
                          (["6.1 lsm pk_a 1101", "6.1 lsm pk_b 50"], 2),
                          (["6.1 lsm pk_a 1200", "6.1 lsm pk_b 40", "6.1 lsm pk_a 1000"], 1),
                          (["6.1 lsm pk_a 900", "6.1 lsm pk_b 56"], 2), (["6.1 lsm pk_a 1000"], 2),
                          (["6.1 lsm pk_a 1000", "6.1 lsm pk_b 40", "6.1 lsm pk_d 1"], 2), ([], 1),
                          (["6.1 lsm pk_a 1000", "6.1 lsm pk_b 40", "6.1 lsm pk_c 1000"], 1)]:
        found = list(complaints(record, parse(plant)))
        if len(found) != wanted:
            return f"{plant}: {found}"
    return None


def main():
    words = sys.argv[1:]
    if words == ["selftest"]:
        wrong = selftest()
        print(wrong or "executed: the comparison trips")
        return 1 if wrong else 0
    measured = parse(sys.stdin)
    if words == ["compare"]:
        found = list(complaints(parse(read_record()), measured))
        print("\n".join(found) or f"executed: {len(measured)} programs cost what is recorded")
        return 1 if found else 0
    if len(words) == 2 and words[0] == "record" and words[1].strip() and measured:
        write_record(merged(parse(read_record()), measured, words[1].strip()))
        return 0
    print("usage: executed.py compare | record REASON | selftest   (numbers on standard input)", file=sys.stderr)
    return 2


sys.exit(main())
