#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What acts cost under picket and under other mechanisms of the kernel, in a guest. Prints a line of JSON
for each number: {"arm", "act", "ns"}, {"arm", "act", "program", "runs", "ns"} for each of picket's programs that
runs for an act, and {"arm", "missing"} for what cannot be had here.

    guest.py [ROUNDS]       default 1: with a clock that counts instructions each round gives the same

The arms run in turn, round after round. Must be root.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import policies

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", f"{HERE}/../../.output"))
PICKET, ACTS = f"{BUILD}/picket", f"{BUILD}/tests/bench/acts"
AGENT = os.path.abspath(f"{HERE}/../../policies/examples/coding-agent.yaml")
WRAP, EMPTY = f"{BUILD}/tests/bench/wrap", f"{BUILD}/tests/bpf/bench_empty"
WORK = f"{BUILD}/tests/bpf/bench_work"
FOLDER = "/srv/bench"
RULES = [10, 1000, 100000]
NO_AGENT = "picket, no agent"
# What picket's reader of counters costs all itself.
METER = "pk_bpf"
# Of paths and of addresses each, but where the text would be over its limit: in all.
EACH = {10: 10, 1000: 1000, 100000: 50000}
TIMEOUT = 900
SETTLE = 2


def policy(count):
    """The path of a policy of so many path rules and addresses that allows the acts."""
    path = f"{FOLDER}.{count}.yaml"
    lines = ["picket: 1", "name: bench"] + policies.address_rules(EACH[count]) + \
        policies.path_rules(EACH[count])
    lines += [f'    - {{allow: "{FOLDER}/**", access: [read, write]}}',
              f'    - {{allow: ["{FOLDER}/acts", "{ACTS}"], access: [read, exec]}}',
              "exec:", "  default: allow", "  rules:",
              '    - {deny: ["sudo", "git push", "npm publish"]}']
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    return path


def run_under(count):
    """What confines a program by a policy of so many rules."""
    return [PICKET, "run", "--quiet", "-p", policy(count), "--"]


def ruled(count):
    """The name of that arm."""
    return f"picket, {count:,} rules"


def arms():
    """{name: what stands before the program}."""
    before = {"no policy": [], "no policy, again": [], "empty programs": [EMPTY], NO_AGENT: []}
    for count in RULES[:-1]:
        before[ruled(count)] = run_under(count)
    before["Landlock, 10 rules"] = [WRAP, "landlock", "10"]
    before["Landlock, 1,000 rules"] = [WRAP, "landlock", "1000"]
    before["seccomp notification"] = [WRAP, "notify"]
    before["fanotify"] = [WRAP, "fanotify"]
    # Last: its start takes longest.
    before[ruled(RULES[-1])] = run_under(RULES[-1])
    return before


def build_arms():
    """The same for a build, which reads, writes and starts what a policy for work has to allow."""
    return {"no policy": [], "no policy, again": [],
            "picket, coding-agent.yaml": [PICKET, "run", "--quiet", "-p", AGENT, "--"],
            "Landlock, 10 rules": [WRAP, "landlock", "10"], "seccomp notification": [WRAP, "notify"]}


def other_agent():
    """An agent that does nothing, so that all programs are attached: its process."""
    process = subprocess.Popen(run_under(RULES[0]) + [ACTS, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if not process.stdout.readline():
        raise OSError("picket run did not start")
    return process


def measure(name, before, what="run"):
    """[(act, nanoseconds)] of one arm, on files that nobody opened before."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    subprocess.run([ACTS, "prepare", FOLDER], check=True)
    # The kernel frees what the arm before had, with a worker of its own.
    time.sleep(SETTLE)
    other = other_agent() if name == NO_AGENT else None
    # In the folder that all policies allow.
    shutil.copy(ACTS, f"{FOLDER}/acts")
    done = subprocess.run(before + [f"{FOLDER}/acts", what, FOLDER], cwd=FOLDER, capture_output=True,
                          text=True, check=False, timeout=TIMEOUT,
                          env={**os.environ, "HOME": "/root", "TMPDIR": FOLDER})
    if other:
        other.stdin.close()
        other.wait(TIMEOUT)
    if done.returncode:
        return done.stderr.strip() or f"status {done.returncode}"
    return [line.split() for line in done.stdout.splitlines()]


def say(**row):
    print(json.dumps(row), flush=True)


def tell(name, before, what):
    """Lines for one arm."""
    found = measure(name, before, what)
    if isinstance(found, str):
        say(arm=name, missing=found)
        return
    for act, nanoseconds in found:
        say(arm=name, act=act, ns=int(nanoseconds))


def tell_profile(name, before):
    """Lines for what each of picket's programs takes of one act in one arm."""
    found = measure(name, [WORK] + before, "profile")
    if isinstance(found, str):
        say(arm=f"{name}, programs", missing=found)
        return
    for act, count, program, runs, nanoseconds in found:
        if int(count) and program != METER:
            say(arm=name, act=act, program=program, runs=int(runs) / int(count), ns=int(nanoseconds) / int(count))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    parts = {"run": arms(), "build": build_arms()}
    # While it is young a kernel may still change the clock that it measures with.
    measure("no policy", [])
    for _ in range(rounds):
        for what, all_arms in parts.items():
            for name, before in all_arms.items():
                tell(name, before, what)
    for name in (NO_AGENT, ruled(RULES[1])):
        tell_profile(name, arms()[name])


if __name__ == "__main__":
    main()
