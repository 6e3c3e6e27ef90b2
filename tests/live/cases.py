#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs cases.txt: every act without picket, confined, and in audit mode; prints TAP.

A case passes when the act does what the table says without picket (the control), gets exactly the
errno of the table confined, an event with the named contents exists for each denial, and in audit
mode the act does what it did without picket while the event says what would have been denied.

Environment: PICKET (the program), ACT (the static helper), PICKET_TIER (lsm, modify-return,
network). Runs in a network namespace of its own; must be root.
"""
import json
import os
import shutil
import socket

import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PICKET = os.environ["PICKET"]
ACT = os.environ["ACT"]
TIER = os.environ["PICKET_TIER"]
ADDRESSES = ["10.8.0.1/32", "10.9.0.1/32", "10.9.1.1/32", "10.9.1.2/32",
             "2001:db8::1/128", "2001:db8::2/128", "2001:db8:1::1/128"]


def make_tree(top):
    """The folders that cases.yaml speaks of, new for every run."""
    for name in ["rw/secret", "rw/sub", "rw/dir1", "rw/dir4", "rw/emptydir", "rw/mnt", "rw/mnt2",
                 "rw/mnt3", "ro/emptydir", "wo", "rn/dir", "no", "xo", "bin"]:
        os.makedirs(f"{top}/{name}")
    files = ["rw/file", "rw/gone", "rw/move", "rw/move3", "rw/ex1", "rw/ex2", "rw/ex3", "rw/ex4",
             "rw/secret/file", "rw/secret/file2", "rw/secret/gone", "rw/secret/link",
             "rw/secret/move", "ro/file", "ro/gone", "ro/move", "wo/file", "wo/file2", "wo/link",
             "wo/move", "wo/ex", "rw/white", "rw/white2", "rn/link", "rn/move", "rn/suid", "no/file", "no/ex", "rn/dir/f"]
    for name in files + [f"ro/file{n}" for n in range(2, 13)]:
        with open(f"{top}/{name}", "w", encoding="ascii") as file:
            file.write("content\n")
    os.chmod(f"{top}/rn/suid", 0o4755)
    for name in ["rw/act", "ro/act", "no/act", "xo/act", "bin/act", "rw/forbidden"]:
        shutil.copy(ACT, f"{top}/{name}")
    os.symlink(f"{top}/no/file", f"{top}/rw/to-no")
    os.symlink(f"{top}/no", f"{top}/rw/to-no-dir")
    os.symlink(f"{top}/rw/forbidden", f"{top}/rw/link-forbidden")
    for name, interpreter in [("script", "bin/act"), ("script-ro", "ro/act")]:
        with open(f"{top}/rw/{name}", "w", encoding="ascii") as file:
            file.write(f"#!{top}/{interpreter} exit\n")
        os.chmod(f"{top}/rw/{name}", 0o755)


def long_path(top):
    """A file whose path is just within PATH_MAX, below a folder that nothing allows."""
    path = f"{top}/no"
    while len(path) < 3800:
        path += "/" + "d" * 150
    os.makedirs(path, exist_ok=True)
    with open(path + "/f", "w", encoding="ascii"):
        pass
    return path + "/f"


def deep_path(top):
    """A file under more components than a path may have, where all is allowed."""
    path = f"{top}/rw/" + "/".join(["d"] * 140)
    os.makedirs(path, exist_ok=True)
    with open(path + "/f", "w", encoding="ascii"):
        pass
    return path + "/f"


class Servers:
    """Listening sockets outside the agent: TCP on two ports, UDP, unix stream and datagram."""

    def __init__(self):
        self.sockets = []
        self.tcp = self.listen_tcp(0)
        for port in (4100, 5000):
            self.listen_tcp(port)
        for name in ("near", "foe"):
            self.open(socket.AF_UNIX, socket.SOCK_STREAM,
                      f"\0picket-{name}/{self.tcp}").listen(16)
        self.udp = self.open(socket.AF_INET6, socket.SOCK_DGRAM, ("::", 0)).getsockname()[1]

    def open(self, family, kind, address):
        sock = socket.socket(family, kind)
        self.sockets.append(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        return sock

    def listen_tcp(self, port):
        sock = self.open(socket.AF_INET6, socket.SOCK_STREAM, ("::", port))
        sock.listen(256)
        return sock.getsockname()[1]

    def open_unix(self, top):
        for folder in ("rw", "ro"):
            self.open(socket.AF_UNIX, socket.SOCK_STREAM, f"{top}/{folder}/stream").listen(16)
            self.open(socket.AF_UNIX, socket.SOCK_DGRAM, f"{top}/{folder}/dgram")


def act_alone(*words):
    return subprocess.run([ACT, *words], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def read_table(names):
    """The cases of this tier: (name, act, control, confined, {event key: text})."""
    cases, section = [], "net"
    with open(f"{HERE}/cases.txt", encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("["):
                section = line.strip("[]")
            if not line or line[0] in "#[" or (TIER == "network" and section != "net"):
                continue
            name, act, control, confined, event = (
                part.strip().format(**names) for part in line.split("|"))
            wanted = dict(item.split("=", 1) for item in event.split(",") if item)
            cases.append((name, act, control, confined, wanted))
    return cases


def run_batch(work, cases, command):
    """Run all acts in one batch in the folder `work`; returns their answers."""
    batch = "".join(case[1] + "\n" for case in cases)
    done = subprocess.run(command, input=batch, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=240, cwd=work)
    answers = done.stdout.split()
    if done.returncode or len(answers) != len(cases):
        sys.exit(f"Bail out! batch ended with {done.returncode}, {len(answers)} answers of "
                 f"{len(cases)}:\n{done.stderr[-4000:]}")
    return answers


def in_tree(work, servers, cases, command):
    """A batch in a fresh tree."""
    shutil.rmtree(work, ignore_errors=True)
    make_tree(work)
    long_path(work)
    deep_path(work)
    servers.open_unix(work)
    return run_batch(work, cases, command)


def flatten(value, prefix=""):
    """{"rule": {"id": 1}} -> {"rule.id": "1"}; lists joined by commas."""
    flat = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update(flatten(item, f"{prefix}{key}."))
        elif isinstance(item, list):
            flat[prefix + key] = "+".join(map(str, item))
        else:
            flat[prefix + key] = str(item)
    return flat


def read_events(path):
    with open(path, encoding="utf-8") as file:
        return [flatten(json.loads(line)) for line in file]


def find_event(events, wanted, errno, audit):
    """An event with all wanted contents, and the errno the task got (none in audit mode)."""
    for event in events:
        if event["kind"] != "decision" or event["verdict"] != "deny":
            continue
        if event["audit"] != str(audit) or event.get("errno") != (None if audit else errno):
            continue
        if all(event.get(key) == text for key, text in wanted.items()):
            return event
    return None


def judge(case, answers, events):
    """What is wrong with a case: sentences, none when it passes."""
    _, _, control, confined, wanted = case
    found = []
    for kind, answer, expected in (("without picket", answers[0], control),
                                   ("confined", answers[1], confined),
                                   ("audit", answers[2], control)):
        if answer != expected:
            found.append(f"{kind}: got {answer}, expected {expected}")
    if not wanted:
        return found
    if confined in ("EACCES", "EPERM", "EXDEV"):
        for kind, audit in (("confined", False), ("audit", True)):
            if not find_event(events[audit], wanted, confined, audit):
                found.append(f"{kind}: no event with {wanted}, errno {confined}")
    return found


def main():
    if os.environ.get("PICKET_CASES_NETNS") != "1":
        os.environ["PICKET_CASES_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "-n", sys.executable, __file__])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
    base = tempfile.mkdtemp(prefix="picket-cases-")
    os.chmod(base, 0o755)
    work, servers = f"{base}/w", Servers()
    make_tree(work)
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        cgroup = next(line.split()[4] for line in file if " - cgroup2 " in line)
    names = {
        "w": work, "a": f"{work}/bin/act", "tcp": servers.tcp, "udp": servers.udp,
        "long": long_path(work), "deep": deep_path(work), "cg": cgroup,
        # What this kernel says to things that not every kernel has.
        "ping": act_alone("socket", "2", "2", "1"),
        "mptcp": act_alone("socket", "2", "1", "262"),
        "udplite": act_alone("socket", "2", "2", "136"),
        "packet": act_alone("socket", "17", "3", "768"),
        "vsock": act_alone("socket", "40", "1", "0"),
        "xattr": act_alone("setxattr", f"{work}/rw/file"),
        "removexattr": act_alone("removexattr", f"{work}/ro/file"),
        "acl": act_alone("acl", f"{work}/rw/file"),
        "setflags": act_alone("setflags", f"{work}/rw/file"),
        "snapshot": act_alone("snapshot", f"{work}/rw"),
        "whiteout": act_alone("whiteout", f"{work}/rw/white", f"{work}/rw/whited"),
        "userns": act_alone("userns-mount", f"{work}/no", f"{work}/rw/mnt3"),
    }
    cases = read_table(names)
    if TIER != "network":
        cases = [case for case in cases if case[2] != "EAFNOSUPPORT"]
    batch = [f"{work}/bin/act", "batch"]
    answers, events = [], {}
    answers.append(in_tree(work, servers, cases, batch))
    subprocess.run(["umount", f"{work}/rw/mnt", f"{work}/rw/mnt2"], check=False,
                   stderr=subprocess.DEVNULL)
    for audit in (False, True):
        log = f"{base}/events-{audit}"
        policy = f"{HERE}/cases.yaml" if TIER != "network" else network_policy(base)
        command = [PICKET, "run", "--quiet", "-p", policy, "--events", log,
                   *(["--audit"] if audit else []), "--", *batch]
        answers.append(in_tree(work, servers, cases, command))
        subprocess.run(["umount", f"{work}/rw/mnt", f"{work}/rw/mnt2"], check=False,
                       stderr=subprocess.DEVNULL)
        events[audit] = read_events(log)
    failed = 0
    print(f"1..{len(cases)}")
    for number, case in enumerate(cases):
        found = judge(case, [column[number] for column in answers], events)
        failed += bool(found)
        print(f"{'not ok' if found else 'ok'} {number + 1} - {TIER}: {case[0]}")
        for sentence in found:
            print(f"#   {sentence}")
    shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


def network_policy(base):
    """cases.yaml with its egress section only: all that the network tier can enforce."""
    kept, section = [], ""
    with open(f"{HERE}/cases.yaml", encoding="utf-8") as file:
        for line in file:
            if line[0] not in " #\n":
                section = line.split(":")[0]
            if section in ("picket", "name", "egress"):
                kept.append(line)
    path = f"{base}/network.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(kept)
    return path


if __name__ == "__main__":
    sys.exit(main())
