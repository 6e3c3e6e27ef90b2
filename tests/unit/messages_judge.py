#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Has every message about a policy an expectation, with its position if it has one? For test_messages.c.

Messages are the sentences that are given to a function that reports, those that a function returns
or sets as what is wrong, and those of the table of what YAML's parser says. Expectations are the
findings of tests/cases, compared byte by byte, texts FILE:LINE:COLUMN: error: of unit tests, and the
lines of messages_run.py. Of files that are about no text (PLAIN) any text of a unit test will do that
has the whole message in it. What cannot be brought about is in ELSEWHERE.
"""
import glob
import pathlib
import re
import sys

import messages_run

# Functions that report, by which of their texts is the message: the first, or (with a hint) the last.
FIRST = {"node_error", "node_error_at", "node_report", "source_report", "diag_add",
         "expansion_error_at", "registries_note", "import_lost"}
LAST = {"address_refuse"}
# Functions of one file only, which have the name of another one's.
FIRST_IN = {("glob_lex.c", "refuse"), ("yaml.c", "refuse"), ("guarded.c", "words"),
            ("key.c", "refuse"), ("manifest.c", "refuse"), ("serials.c", "refuse")}
LAST_IN = {("host.c", "refuse")}
FILES = ["user/policy/*.c", "user/sign/*.c", "user/import/*.c", "user/author/fmt*.c",
         "user/author/tests_file.c", "user/author/widen.c", "user/author/recording.c",
         "user/author/observation.c", "user/daemon/policies.c",
         "user/sink/settings*.c"]
FORMATS = "codex codex-rules claude harden-runner systemd openshell"
# Files that say nothing of a policy's text: what they refuse is an image, or a question to it.
OTHERS = {"image_check.c", "image.c", "explain.c", "dump.c", "dump_network.c"}
# Files whose messages are about folders, keys, machines; those of imports have their place in a table.
PLAIN = {"managed.c", "guarded.c", "policy_args.c", "registries.c", "registries_parse.c", "key.c",
         "manifest.c", "serials.c", "required.c", "policies.c"}
PLAIN_FOLDERS = {"import"}

# A part of the message: why it is not expected with a position.
MACHINE = "depends on the machine's users and libraries; in no text alone"
FIRST_SEEN = "refused before, when the text is seen to be empty or to have control characters"
WHOLE = "about a file as a whole or several policies, which have no position in a text"
GUARD = "what was checked before stops it; should that fail, this is still no silence"
HUGE = "takes more patterns than a test has minutes; fuzzers have the smaller limits of their build"
ELSEWHERE = {
    "cannot write '%s': %m": "a full disk at a key's few bytes",
    "this system has no %s": MACHINE,
    "the system call '%s' of the group": MACHINE,
    "an empty address": FIRST_SEEN,
    "a host name has no control characters": FIRST_SEEN,
    "cannot read the policy '%s'": WHOLE,
    "cannot read the settings '%s'": WHOLE,
    "the policy '%s' has %zu bytes": WHOLE,
    "policy layers, 1 to %u can be combined": WHOLE,
    "the layers have no resolver in common": WHOLE,
    "together need more than %u states": HUGE,
    "have more than %u parts": HUGE,
    "tell apart more than %u bytes": HUGE,
    "the compiled policy exceeds": HUGE,
    "the address space into more than": HUGE,
    "the host names of this policy have more than": HUGE,
    "are the most an image can hold": HUGE,
    "the policy needs over %u rule items": HUGE,
    "cannot tell user and working directory: %s": MACHINE,
    "cannot tell this machine's addresses and resolvers: %s": MACHINE,
    "the compiled image is not valid: %s": GUARD,
    "cannot write '%s': the key has no such form": GUARD,
    "it is not understood": GUARD,
    "more was signed than is read: '%.*s'": GUARD,
    "cannot read the record of serials '%s'": "it was just looked at by its name: a failing disk",
    "'%s' of this picket (%s) is not": "its versions are macros: another_preset_is_refused() has it",
    "'%s' at byte %zu: %s": "a pattern that was checked when it was read cannot fail later",
    "not valid YAML: %s": "what the table of the parser's sayings does not have; none is known",
}

TOKEN = re.compile(
    r"/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)'|[A-Za-z_]\w*|\S", re.S)
DIRECTIVE = re.compile(r"%[-0-9.*]*(?:l|z|h)*[a-zA-Z]|%%")
FINDING = re.compile(r"(?:^|: )(?:error|warning): ")
POSITION = re.compile(r":\d+:\d+: (?:error|warning): ")


def tokens_of(path):
    text = pathlib.Path(path).read_text()
    return [t for t in TOKEN.findall(text) if not t.startswith("/*")]


def joined(tokens, at):
    """The text of the literals from @at on, and what follows them."""
    text = ""
    while at < len(tokens) and tokens[at].startswith('"'):
        text += tokens[at][1:-1]
        at += 1
    return re.sub(r"\\([\\\"'n])", lambda m: "\n" if m[1] == "n" else m[1], text), at


def literals(tokens):
    """(text, the call it is an argument of, an id of that call, the two tokens before it)."""
    calls = []
    at = count = 0
    while at < len(tokens):
        token = tokens[at]
        if token == "(":
            count += 1
            calls.append((tokens[at - 1], count))
        elif token == ")" and calls:
            calls.pop()
        elif token.startswith('"'):
            text, end = joined(tokens, at)
            yield text, calls[-1] if calls else ("", 0), tokens[max(at - 2, 0):at]
            at = end
            continue
        at += 1


def messages_of(path):
    name = pathlib.Path(path).name
    found, last = [], {}
    seen = set()
    for text, (call, number), before in literals(tokens_of(path)):
        if call in FIRST or (name, call) in FIRST_IN:
            if number not in seen:
                found.append(text)
            seen.add(number)
        elif call in LAST or (name, call) in LAST_IN:
            last[number] = text
        elif " " in text and before[-1:] == ["return"] and text != FORMATS:
            found.append(text)
        elif " " in text and before[-2:] in (["why", "="], ["ret_why", "="]):
            found.append(text)
        elif " " in text and before[:1] and before[0] in ("AT_PROBLEM", "AT_CONTEXT"):
            found.append(text)
    return [m for m in found + list(last.values()) if " " in DIRECTIVE.sub("", m).strip()]


def pattern(message):
    return ".*?".join(re.escape(part) for part in DIRECTIVE.split(message))


def is_plain(path):
    return path.name in PLAIN or path.parent.name in PLAIN_FOLDERS


def expectations():
    """Findings with their positions, and the texts of unit tests."""
    lines, texts = [row[2] for row in messages_run.ROWS], []
    for path in glob.glob("tests/cases/*/*.expect"):
        text = pathlib.Path(path).read_text(errors="replace")
        lines += [line for line in text.splitlines() if FINDING.search(line)]
    for path in glob.glob("tests/unit/test_*.c"):
        for text, _, _ in literals(tokens_of(path)):
            lines += [line for line in text.splitlines() if POSITION.search(line)]
            texts += text.splitlines()
    return "\n".join(lines), "\n".join(lines + texts)


def main():
    expected, texts = expectations()
    missing, count = [], 0
    unused = dict(ELSEWHERE)
    for path in sorted(pathlib.Path(path) for files in FILES for path in glob.glob(files)):
        if path.name in OTHERS:
            continue
        for message in messages_of(path):
            count += 1
            reason = next((part for part in ELSEWHERE if part in message), None)
            unused.pop(reason, None)
            if not reason and not re.search(pattern(message), texts if is_plain(path) else expected):
                missing.append(f"{path}: no test expects: {message}")
    missing += [f"ELSEWHERE has what is no message: {part}" for part in unused]
    print("\n".join(missing), file=sys.stderr)
    print(count)
    return 1 if missing or count < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
