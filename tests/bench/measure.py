# SPDX-License-Identifier: BSD-2-Clause
"""How everything here is measured: arms in turn, ratios to a baseline of the same round, medians.

The arms of a comparison run A B C A B C, so that a disturbance of the machine meets all of them; a ratio
is of two neighbours of one round.
"""
import contextlib
import os
import statistics
import subprocess

PICKET = os.environ["PICKET"]
BUILD = os.environ["BUILD"]
HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE, AGAIN = "no policy", "no policy, again"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
PATIENCE = 900


class CannotMeasure(Exception):
    """A measured program failed: its time says nothing."""


def spread(values):
    """Median, quartiles, least and most, and what they are of."""
    low, _, high = statistics.quantiles(values, method="inclusive") if len(values) > 1 else values * 3
    return {"median": statistics.median(values), "low": low, "high": high, "min": min(values), "max": max(values),
            "samples": [round(value, 4) for value in values]}


def ratios(values, baseline):
    """Spread of value / baseline, round by round."""
    return spread([value / base for value, base in zip(values, baseline)])


def show(value, unit="", digits=1):
    """A spread as text: its median, and between what half of the values lie."""
    low, high = f"{value['low']:.{digits}f}", f"{value['high']:.{digits}f}"
    return f"{value['median']:.{digits}f}{unit} ({low}..{high})"


def in_turn(arms, measure, rounds=ROUNDS):
    """{name: [result of each round]} of {name: argument}, arm after arm within a round, every other round
    in the other order."""
    results = {name: [] for name in arms}
    for number in range(rounds):
        for name in sorted(arms, key=list(arms).index, reverse=number % 2 == 1):
            results[name].append(measure(arms[name]))
    return results


def output_of(command, text=None):
    """Standard output of a program that must succeed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
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


def cost_row(name, runs):
    """Spreads of time and of peak memory of one command's runs."""
    return {"name": name, "ms": spread([run[0] for run in runs]),
            "peak_mib": spread([run[1] / 1024 for run in runs]),
            "cpu_ms": spread([run[2] for run in runs])}


def cost_rows(arms, rounds=ROUNDS):
    """The same of each command, in turn."""
    return [cost_row(name, runs) for name, runs in in_turn(arms, cost, rounds).items()]


def judge(row, key, target, unit):
    """Set the row's target for a key; returns the remark."""
    met = row[key]["median"] <= target
    row.setdefault("targets", {})[key] = {"at_most": target, "met": met}
    return f"target {target:.4g} {unit}: {'met' if met else 'MISSED'}"


def cpu_of(pids):
    """Nanoseconds of CPU time that these processes have had."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError), \
                open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


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
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write("\n")
            process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise CannotMeasure(f"'{' '.join(self.arms[name])}' ended")
        return [float(value) for value in line.split()]

    def __exit__(self, *_error):
        for process in self.running.values():
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for process in self.running.values():
            process.wait(PATIENCE)
