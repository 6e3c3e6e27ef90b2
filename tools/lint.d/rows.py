# SPDX-License-Identifier: BSD-2-Clause
"""The tables of bpf/README.md and README.md against the tree. Reads file names on stdin, prints offenders.

Every program of bpf/*.bpf.c is named there. In a table whose last column is called `test` each row
names at least one test as `LABEL: NAME`, several separated by `;`, and the file of LABEL holds NAME.
What an attack says is `known=ROW`, README.md has as a row of what is not guaranteed.
"""
import re
import sys

README = "bpf/README.md"
FILES = {
    "cases": "tests/live/cases.txt",
    "attacks": "tests/attack/attacks.txt",
    "escapes": "tests/attack/escapes",
    "loader": "tests/attack/loader",
    "commands": "tests/live/commands",
    "weather": "tests/live/weather",
    "network": "tests/live/network.txt",
    "engine": "tests/bpf/test_engine.c",
    "cache": "tests/bpf/test_cache.c",
    "load": "tests/bpf/test_load.c",
    "hub_attach": "tests/bpf/test_hub_attach.c",
    "ask": "tests/bpf/test_ask.c",
    "ask_tasks": "tests/bpf/test_ask_tasks.c",
    "life": "tests/bpf/test_life.c",
    "measure": "tests/bpf/test_measure.c",
    "note_socket": "tests/bpf/test_note_socket.c",
    "refused_calls": "tests/bpf/test_refused_calls.c",
    "matcher": "tests/bpf/test_match.c",
    "unit": "tests/unit/test_match.c",
}


def read(name):
    try:
        with open(name, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def tests_of(label):
    """The text that a test's name must be in; names of the network table begin with their section."""
    text, section = read(FILES[label]), ""
    if label != "network":
        return text
    named = []
    for line in text.split("\n"):
        if line.startswith("["):
            section = line[1:].partition("]")[0]
        named.append(f"{section}: {line}")
    return "\n".join(named)


def offend(line, message):
    print(f"{README}:{line}: rows: {message}")


def check_programs(names, text):
    for name in names:
        if not re.fullmatch(r"bpf/(?!probe)\w+\.bpf\.c", name):
            continue
        for program in re.findall(r'^SEC\("[^"]+"\)\nint (?:BPF_PROG\()?(pk_\w+)', read(name),
                                  re.M):
            if not re.search(rf"\b{program}\b", text):
                offend(1, f"program '{program}' of {name} is not named: add it to the table")


def check_item(line, item):
    label, _, name = item.strip().partition(": ")
    if label not in FILES:
        offend(line, f"'{item.strip()}' is no test: write LABEL: NAME, LABEL one of "
                     + ", ".join(FILES))
    elif name.strip("`") not in tests_of(label):
        offend(line, f"{FILES[label]} has no test '{name}': name the one that asserts the row")


def check_tables(text):
    tested = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("|"):
            tested = False
            continue
        last = line.rstrip().rstrip("|").split("|")[-1].strip()
        if last == "test":
            tested = True
        elif tested and set(last) != {"-"}:
            for item in last.split(";"):
                check_item(number, item)


def check_known(names):
    attacks = FILES["attacks"]
    if attacks not in names:
        return
    readme = read("README.md")
    for number, line in enumerate(read(attacks).split("\n"), 1):
        for row in re.findall(r"\bknown=([^|,]+)", line if "|" in line else ""):
            if f"\n| {row.strip()} |" not in readme:
                print(f"{attacks}:{number}: rows: README.md has no row '{row.strip()}': "
                      "say there what is not guaranteed")


def main():
    names = sys.stdin.read().split("\n")
    text = read(README)
    check_known(names)
    if README in names:
        check_programs(names, text)
        check_tables(text)


main()
