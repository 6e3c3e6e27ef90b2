#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the program answers to wrong command lines, and what is written about right ones.

usage_judge.py rows      the rows of usage.txt, each run
usage_judge.py sentences has every sentence of cli_usage() a row?
usage_judge.py options   every command refuses an unknown option, a missing value, one too many
usage_judge.py manual    the man page and --help tell of the same options
usage_judge.py examples  commands in README.md, policies/README.md and the man page run, or, where
                         they need a kernel or a daemon (LIVE), have options that there are

$PICKET is the program. Called in the project's folder, by test_usage.c.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TABLE = "tests/unit/usage.txt"
MANUAL = "user/man/picket.8"
POLICY = "picket: 1\nname: good\nvars: {workspace: /w}\nfiles: {rules: [{allow: /w/**, access: read}]}\n"
OPTION = re.compile(r"^  (?:-(\w), |    )--([a-z-]+)( [A-Z=]+)?", re.M)

DOCUMENTS = ["README.md", "policies/README.md", MANUAL]
# Commands that confine or ask the daemon: tests/live runs them.
LIVE = {"run", "attach", "detach", "ps", "tail", "names", "reload", "status", "requests", "approve",
        "refuse", "grants", "revoke", "why", "top", "daemon", "doctor", "log", "report", "audit"}
EVENT = ('{"schema":"picket.event/1","time":"t","verdict":"allow","op":"connect","section":"egress",'
         '"access":["tcp"],"reason":"rule","address":"203.0.113.9","port":443,'
         '"process":{"pid":1,"comm":"x"}}\n')

# Its status is 1: the scene has copies of the policy, which the agent could write.
FINDS = "check --strict --format sarif *.yaml"

# Sentences that need more than a command line: which test has them.
ELSEWHERE = {
    "picketd confines a run as the user who calls": "test_run_daemon.c",
    "the tier of picketd is the one that it was started with": "test_run_daemon.c",
}


def words_of(text):
    """The words of a row; $'..' as in bash, for a newline."""
    return shlex.split(re.sub(r"\$'(.*?)'", lambda m: "'" + m[1].replace(r"\n", "\n") + "'", text))


def rows():
    for number, line in enumerate(pathlib.Path(TABLE).read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            args, sentence = ("\n" + line).rsplit("| ", 1) if line.startswith("| ") else \
                line.split(" | ", 1)
            yield number, words_of(args), sentence


def picket(args, folder):
    binary = os.environ["PICKET"]
    return subprocess.run([binary, *args], cwd=folder, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)


def wrong(args, sentence, folder):
    """What is not as it should be in the answer to a wrong command line, or None."""
    result = picket(args, folder)
    known = args[:1] if not sentence.startswith("picket: ") else []
    hint = f"Hint: `{' '.join(['picket help', *known])}` shows how it is used"
    if (result.returncode, result.stdout, result.stderr) == (2, "", f"{sentence}\n{hint}\n"):
        return None
    return f"{args}: not {sentence!r} but {result.returncode}, {result.stdout!r}, {result.stderr!r}"


def commands(folder):
    """Each command with its help."""
    overview = picket(["help"], folder).stdout
    for name in re.findall(r"^  ([a-z]+) ", overview, re.M):
        if name != "help":
            yield name, picket(["help", name], folder).stdout


def judge_rows(folder):
    picket(["show", "--no-managed", "-o", "good.image", "good.yaml"], folder)
    picket(["keygen", "-o", "key"], folder)
    before = sorted(os.listdir(folder))
    for number, args, sentence in rows():
        fault = wrong(args, sentence, folder)
        if fault:
            yield f"{TABLE}:{number}: {fault}"
    if sorted(os.listdir(folder)) != before:
        yield f"a wrong command line made a file: {os.listdir(folder)}"


def calls(text):
    """The command (None: not a literal) and sentence of each cli_usage() of a source file."""
    for match in re.finditer(r"cli_usage\(\s*(\"(\w+)\"|[^,]+),\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)",
                             text):
        parts = re.findall(r"\"((?:[^\"\\]|\\.)*)\"", match[3])
        yield match[2], "".join(parts).replace('\\"', '"')


def judge_sentences(_):
    said = [sentence for _, _, sentence in rows()]
    unused = dict(ELSEWHERE)
    count = 0
    for path in sorted(pathlib.Path("user/cli").glob("*.c")):
        for command, sentence in calls(path.read_text()):
            count += 1
            reason = next((part for part in ELSEWHERE if part in sentence), None)
            unused.pop(reason, None)
            if reason:
                test = pathlib.Path("tests/unit", ELSEWHERE[reason]).read_text()
                if reason not in re.sub(r'"\s*"', "", test):
                    yield f"{ELSEWHERE[reason]} does not have: {reason}"
                continue
            literal = re.split(r"%z?[a-z]", sentence)
            pattern = ".*".join(re.escape(part) for part in literal)
            if command or sentence != "%s":
                pattern = rf"picket( {command or '[a-z]+'})?: {pattern}"
            if not any(re.fullmatch(pattern, one) for one in said):
                yield f"{path}: {TABLE} has no row for: {sentence}"
    yield from (f"ELSEWHERE has what no command says: {part}" for part in unused)
    if count < 60:
        yield f"only {count} sentences are found"


def judge_options(folder):
    for name, text in commands(folder):
        prefix = f"picket {name}:"
        tried = [(["--nosuch"], f"{prefix} unrecognized option '--nosuch'"),
                 (["-Z"], f"{prefix} invalid option -- 'Z'")]
        for short, option, value in OPTION.findall(text):
            if value:
                tried.append(([f"--{option}"], f"{prefix} option '--{option}' requires an argument"))
            else:
                tried.append(([f"--{option}=x"],
                              f"{prefix} option '--{option}' doesn't allow an argument"))
            if short and value:
                tried.append(([f"-{short}"], f"{prefix} option requires an argument -- '{short}'"))
        for args, sentence in tried:
            fault = wrong([name, *args], sentence, folder)
            if fault:
                yield fault


def flags(text):
    """The long and short options that a piece of mdoc names, without their dashes."""
    return {flag.lstrip("-") for flag in re.findall(r"\bFl (-?[\w-]+)", text)} | {
        flag for flag in re.findall(r"\| -([a-z]+)", text)}


def judge_manual(folder):
    page = pathlib.Path(MANUAL).read_text()
    synopsis = page.split(".Sh SYNOPSIS\n")[1].split("\n.Sh ")[0]
    described = page.split(".Sh COMMANDS\n")[1].split("\n.Sh ")[0]
    common = flags(described.split(".Ss ")[0])
    count = 0
    for name, text in commands(folder):
        usage = "".join(re.findall(rf"^\.Nm picket {name}\b(.*?)(?=^\.Nm|\Z)", synopsis, re.M | re.S))
        section = re.search(rf"^\.Ss {name}\n(.*?)(?=^\.Ss|\Z)", described, re.M | re.S)
        if not section:
            yield f"{MANUAL} does not describe `{name}`"
            continue
        listed = {option: short for short, option, _ in OPTION.findall(text)}
        count += len(listed)
        own = flags(section[1])
        for option, short in listed.items():
            names = {option, short} - {""}
            if not names & flags(usage):
                yield f"{MANUAL}: SYNOPSIS of {name} is without --{option}"
            if not names & (own | common):
                yield f"{MANUAL}: {name} says nothing of --{option}"
        known = set(listed) | set(listed.values())
        for option in (flags(usage) | flags("".join(re.findall(r"^\.It .*\n", section[1], re.M)))) \
                - known - {"-", ""}:
            yield f"`picket help {name}` is without {option}, which {MANUAL} has"
    if count < 60:
        yield f"only {count} options are found"


def shown_commands():
    """Each command line that a document shows: the document, its line, the words behind `picket`."""
    for name in DOCUMENTS:
        indent = "" if name == MANUAL else "    "
        for number, line in enumerate(pathlib.Path(name).read_text().splitlines(), 1):
            match = re.match(rf"{indent}(?:\$ |sudo |\w+\$ )?picket ([a-z].*)$", line)
            if match:
                yield name, number, re.sub(r"\s+# .*", "", match[1])


def unknown_options(words, helps):
    """Options of a command line that its help does not have."""
    options = {option for _, option, _ in OPTION.findall(helps[words[0]])} | {"help"}
    shorts = {short for short, _, _ in OPTION.findall(helps[words[0]])}
    own = words[1:words.index("--")] if "--" in words else words[1:]
    return [word for word in own if word.startswith("-") and word != "-"
            and word.lstrip("-").split("=")[0] not in (options if word[1] == "-" else shorts)]


def blocks(name, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", pathlib.Path(name).read_text(), re.M | re.S)


def make_scene(folder):
    """What the examples are about: the README's policy, one of before, the man page's, a recording."""
    policy = next(text for text in blocks("README.md", "yaml") if text.startswith("picket: 1\nname: b"))
    page = pathlib.Path(MANUAL).read_text().split(".Sh POLICY\n")[1]
    place = pathlib.Path(folder)
    for name in ("policy.yaml", "old.yaml", "POLICY"):
        (place / name).write_text(policy)
    (place / "example.yaml").write_text(page.split(".Bd")[1].split("\n", 1)[1].split(".Ed")[0])
    (place / "events.jsonl").write_text(EVENT)
    (place / "good.yaml").unlink()


def judge_examples(folder):
    make_scene(folder)
    helps = dict(commands(folder))
    count = 0
    for name, number, line in shown_commands():
        words = shlex.split(line)
        place = f"{name}:{number}: `picket {line}`"
        if words[0] not in helps or unknown_options(words, helps):
            yield f"{place}: no such command or option"
        if words[0] in LIVE or words[0] not in helps:
            continue
        shell = subprocess.run(["bash", "-c", f'picket() {{ "$PICKET" "$@"; }}; picket {line}'],
                               cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        count += 1
        if shell.returncode != (1 if line == FINDS else 0):
            yield f"{place}: status {shell.returncode}: {shell.stderr}{shell.stdout[:500]}"
    if count < 20:
        yield f"only {count} examples are found"
    strict = picket(["check", "--no-managed", "--strict", "policy.yaml"], folder)
    if strict.returncode:
        yield f"the policy of README.md: {strict.stderr}"
    yield from judge_mentions(helps)
    yield from judge_fragments(folder)


def judge_mentions(helps):
    """`picket COMMAND --option` in running text."""
    for name in DOCUMENTS[:2]:
        text = pathlib.Path(name).read_text()
        for mention in re.findall(r"`picket ([a-z]+[^`\n]*)`", text):
            words = mention.split()
            if words[0] not in {*helps, "help"} or (
                    words[0] != "help" and unknown_options(words, helps)):
                yield f"{name}: `picket {mention}`: no such command or option"


def judge_fragments(folder):
    """Pieces of policies, with what makes them whole."""
    place = pathlib.Path(folder)
    (place / "policies").mkdir()
    (place / "tests").mkdir()
    (place / "policies" / "agent.yaml").write_text(POLICY.replace(
        "workspace: /w", "workspace: /v").replace(
            "{allow: /w/**, access: read}", '{allow: "${workspace}/**", access: [read, write]}'))
    for fragment in blocks("policies/README.md", "yaml fragment"):
        of_tests = fragment.startswith("policy:")
        path = place / "tests" / "piece.yaml"
        path.write_text(fragment if of_tests else "picket: 1\n" + fragment)
        result = picket(["test" if of_tests else "check", str(path)], folder)
        if result.returncode:
            yield f"a fragment of policies/README.md: {result.stdout}{result.stderr}"


JUDGES = {"examples": judge_examples, "rows": judge_rows, "sentences": judge_sentences, "options": judge_options,
          "manual": judge_manual}


def main():
    with tempfile.TemporaryDirectory(prefix="picket-usage-") as folder:
        pathlib.Path(folder, "good.yaml").write_text(POLICY)
        faults = list(JUDGES[sys.argv[1]](folder))
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
