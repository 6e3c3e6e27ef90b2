#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs attacks.txt: every act without picket and confined, some in audit mode too; prints TAP.

The table is cut into sections, one for each policy (policies/NAME.yaml): one run of picket does all
acts of a section. A line passes when its act does without picket what the table says, answers
confined exactly what the table says, and for a denial there is an event with the named contents.

  attacks.py [--controls] [SECTION...]     --controls: without picket only

Environment: PICKET, BUILD, PICKET_TIER. Must be root; runs in namespaces of its own.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from scene import HERE, NETWORK, PICKET, TIER, Scene, read_events
from families import as_six
from world import World

# Sections whose descriptors from before stay open.
KEEPS = ("strict", "sockets", "audited")
# Sections whose policy is in audit mode: what they do succeeds, and the event says what it would be.
AUDITS = ("audited",)
SILENT = ("ok", "known", "won", "lost")


class Line:
    """One line of the table; words in braces are still to be filled in."""

    def __init__(self, number, section, parts):
        self.number, self.section = number, section
        self.name, self.act, control, self.confined, event = parts
        # One answer, or in the modify-return tier another.
        answers = self.confined.split(" or ")
        self.confined = answers[-1] if TIER == "modify-return" else answers[0]
        control, _, unless = control.partition("?")
        # Also good: what a kernel without such a thing says, which picket refuses all the same.
        self.control, *self.also = control.split("/")
        # What the kernel answers when it has no such thing at all.
        self.absent = unless.split("+") if unless else []
        either = [dict(item.split("=", 1) for item in one.split(",") if item)
                  for one in event.split(";")]
        said = {key: text for one in either for key, text in one.items()}
        self.known = said.get("known")
        self.silent = said.get("event") == "none"
        self.audited = said.get("audit", "yes") == "yes"
        # What the event holds: one of these.
        self.wanted = [wanted for wanted in
                       ({key: text for key, text in one.items()
                         if key not in ("known", "event", "audit")} for one in either) if wanted]

    def fill(self, scene):
        return scene.fill(self.act, self.number)


def over_both(parts):
    """The line; one whose name ends with "+6" a second time, over IPv6."""
    if not parts[0].endswith(" +6"):
        return [parts]
    name, act, control, confined, event = parts
    name = name.removesuffix(" +6")
    return [[name, act, control, confined, event],
            [f"{name}, over IPv6", as_six(act), control, confined, as_six(event)]]


def read_table(only):
    """The lines of the wanted sections, by section, in the order of the text."""
    lines, section = {}, None
    with open(f"{HERE}/attacks.txt", encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            text = text.rstrip("\n")
            if text.startswith("["):
                section = text.strip("[]")
            elif text and text[0] != "#" and (not only or section in only):
                parts = [part.strip() for part in text.split("|")]
                if len(parts) != 5:
                    sys.exit(f"Bail out! attacks.txt:{number}: {len(parts)} columns, not 5")
                lines.setdefault(section, []).extend(
                    Line(number, section, one) for one in over_both(parts))
    return lines


def run_batch(scene, lines, command):
    """All acts in one process tree; returns their answers."""
    with open(f"{scene.base}/stderr", "w+", encoding="utf-8") as errors:
        # What acts mount without picket goes away with them. Confined they live in our namespace:
        # the sockets and descriptors from outside have their names there.
        alone = [] if scene.confined else ["unshare", "-m"]
        run = subprocess.Popen([*alone, *command, f"{scene.work}/bin/drive",
                                f"{scene.work}/bin"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=errors, text=True, cwd=scene.work,
                               pass_fds=scene.inherited, env=scene.environment)
        try:
            if run.stdout.readline() != "ready\n":
                raise RuntimeError(f"did not start, status {run.wait(60)}")
            scene.started(run.pid)
            batch = "".join(line.fill(scene) + "\n" for line in lines)
            answers = [answer.rsplit(" ", 1)
                       for answer in run.communicate(batch, timeout=900)[0].splitlines()]
            if run.returncode or len(answers) != len(lines):
                raise RuntimeError(f"ended with {run.returncode} after {len(answers)} answers of "
                                   f"{len(lines)}, the last: {answers[-3:]}")
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as problem:
            run.kill()
            errors.seek(0)
            sys.exit(f"Bail out! {lines[0].section}: {problem}\n{errors.read()[-3000:]}")
    return answers


def phase(base, kind, lines, policy, around=None):
    """A batch in a fresh scene: (answers with process numbers, events, the wanted events)."""
    scene = Scene(f"{base}/{kind}", lines, policy, confined=kind != "control", around=around)
    log = f"{base}/events-{kind}"
    scene.names["events"] = log
    with open(log, "w", encoding="ascii"):
        pass
    command = []
    if kind != "control":
        command = [scene.picket, "run", "--quiet", "-p", scene.policy, "--events", log,
                   *(["--keep-fds"] if lines[0].section in KEEPS else []),
                   *(["--audit"] if kind == "audit" else []), "--"]
    try:
        answers = run_batch(scene, lines, command)
        wanted = [[{key: scene.fill(text, line.number) for key, text in one.items()}
                   for one in line.wanted] for line in lines]
    finally:
        scene.close()
    return answers, read_events(log) if command else [], wanted


def of_process(event, pid):
    """Did this process, or a child of it, do that? A program that starts others has any number."""
    return pid is None or pid in (event["process.pid"], event.get("parent.pid"))


def find_event(events, wanted, errno, audit, pid):
    # The packet was refused, upon which the socket was ended.
    errno = "EPERM" if errno == "ECONNABORTED" else errno
    for event in events:
        if event["kind"] != "decision" or event["verdict"] != "deny":
            continue
        # A peer's packet comes in whatever process runs then.
        if event["op"] != "accept" and not of_process(event, pid):
            continue
        if event["audit"] != str(audit) or (audit and "errno" in event):
            continue
        for one in wanted:
            if (errno and not audit and "errno" not in one and one.get("op") != "command" and
                    event.get("errno") != errno):
                continue
            if all(event.get(key) == text for key, text in one.items()
                   if not (audit and key == "errno")):
                return event
    return None


SHOWN = ("op", "reason", "errno", "path", "path2", "access", "section", "switch", "capability",
         "bpf_command", "ioctl", "signal", "rule.id", "default.section", "command", "syscall")


def near(events, pid):
    """For the eye: the events of that process."""
    return [" ".join(f"{key}={event[key]}" for key in SHOWN if event.get(key))
            for event in events if event["kind"] == "decision" and of_process(event, pid)][-4:]


def judge(line, confined, audit, results):
    """What is wrong with a line: sentences, none when it passes."""
    found = []
    answer, pid = results["confined"][0][confined]
    if line.act[0] in "/{":
        pid = None
    if answer != line.confined:
        found.append(f"confined: got {answer}, expected {line.confined}")
    errno = line.confined if re.fullmatch("E[A-Z0-9]+", line.confined) else None
    denied = line.confined not in SILENT or line.wanted
    if denied and not line.wanted and not line.silent and line.confined != line.control:
        found.append("the table asks for no event of this denial")
    if denied and line.wanted:
        events, wanted = results["confined"][1], results["confined"][2][confined]
        if not find_event(events, wanted, errno, line.section in AUDITS, pid):
            found.append(f"confined: no event with {wanted}, errno {errno}; of that process there "
                         f"are {near(events, pid)}")
    elif found:
        found.append(f"confined: events of that process: {near(results['confined'][1], pid)}")
    if audit is None:
        return found
    answer, pid = results["audit"][0][audit]
    if line.act[0] in "/{":
        pid = None
    if answer != line.control:
        found.append(f"audit: got {answer}, expected {line.control}")
    events, wanted = results["audit"][1], results["audit"][2][audit]
    if denied and line.wanted and not find_event(events, wanted, None, True, pid):
        found.append(f"audit: no event with {wanted}; of that process there are "
                     f"{near(events, pid)}")
    return found


class Tap:
    """Numbers the results and counts the failures."""

    def __init__(self):
        self.number = self.failed = 0

    def result(self, name, found, skip=None):
        self.number += 1
        self.failed += bool(found)
        print(f"{'not ok' if found else 'ok'} {self.number} - {TIER}: {name}"
              + (f" # SKIP {skip}" if skip else ""), flush=True)
        for sentence in found:
            print(f"#   {sentence}", flush=True)


def run_section(base, section, lines, controls, tap, around=None):
    """Confined, and in audit mode where that can be; one result a line."""
    left = []
    for line, answer in zip(lines, controls):
        name = f"{section}: {line.name}" + (f" (known: {line.known})" if line.known else "")
        if answer != line.control and answer in line.absent:
            tap.result(name, [], f"this kernel answers {answer}")
        elif answer not in [line.control, *line.also]:
            tap.result(name, [f"control: got {answer}, expected {line.control}"])
        else:
            left.append((line, name))
    if not left:
        return
    policy = f"{HERE}/policies/{section}.yaml"
    batch = [line for line, _ in left]
    results = {"confined": phase(base, "confined", batch, policy, around)}
    audited = [line for line in batch if line.audited and section == "strict"]
    if audited:
        results["audit"] = phase(base, "audit", audited, policy)
    for index, (line, name) in enumerate(left):
        at = audited.index(line) if line in audited else None
        tap.result(name, judge(line, index, at, results))


def main():
    if os.environ.get("PICKET_ATTACK_ALONE") != "1":
        os.environ["PICKET_ATTACK_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, __file__, *sys.argv[1:]])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    only = [word for word in sys.argv[1:] if word != "--controls"]
    table = read_table(only)
    tap = Tap()
    base = tempfile.mkdtemp(prefix="picket-attack-")
    os.chmod(base, 0o755)
    around = World() if any(section in NETWORK for section in table) else None
    try:
        for section, lines in table.items():
            mine = [answer for answer, _ in phase(base, "control", lines, None, around)[0]]
            if only == sys.argv[1:]:
                run_section(base, section, lines, mine, tap, around)
                continue
            for line, answer in zip(lines, mine):
                tap.result(f"control: {section}: {line.name}",
                           [] if answer in [line.control, *line.also, *line.absent] else
                           [f"got {answer}, expected {line.control}"],
                           f"this kernel answers {answer}" if answer in line.absent else None)
    finally:
        shutil.rmtree(base, ignore_errors=True)
        if around:
            around.close()
    print(f"1..{tap.number}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    assert PICKET
    sys.exit(main())
