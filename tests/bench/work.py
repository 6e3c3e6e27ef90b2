#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What each of picket's programs costs for fixed acts, in a guest whose clock counts instructions: a line
`VERSION TIER PROGRAM INSTRUCTIONS` for each, of one run of it on average, helpers included.

    work.py TIER

tools/vm/work calls it; executed.py keeps and compares the numbers. Must be root.
"""
import os
import platform
import shutil
import subprocess
import sys

import guest

# A program that ran less often says more about the moment than about itself.
RUNS = 20


def main():
    version = ".".join(platform.release().split(".")[:2])
    os.makedirs(guest.FOLDER)
    subprocess.run([guest.ACTS, "prepare", guest.FOLDER], check=True)
    shutil.copy(guest.ACTS, f"{guest.FOLDER}/acts")
    done = subprocess.run([f"{guest.BUILD}/tests/bpf/bench_work", guest.PICKET, "run", "--quiet", "-p",
                           guest.policy(10), "--", f"{guest.FOLDER}/acts", "work", guest.FOLDER],
                          stdout=subprocess.PIPE, text=True, check=True)
    total = {}
    for line in done.stdout.splitlines():
        _act, _count, name, runs, nanoseconds = line.split()
        before = total.get(name, (0, 0))
        total[name] = before[0] + int(runs), before[1] + int(nanoseconds)
    for name, (runs, nanoseconds) in sorted(total.items()):
        if runs >= RUNS:
            print(version, sys.argv[1], name, round(nanoseconds / runs), flush=True)


main()
