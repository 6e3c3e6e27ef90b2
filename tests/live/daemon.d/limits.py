# SPDX-License-Identifier: BSD-2-Clause
"""What is full, missing, taken, moved or very large: picketd says so, and what is denied stays denied.

RULES, RELOADS: how large a policy is that is read again and again, and how often.
"""
import os
import signal
import subprocess
import time

import stage
from hammers import finish, footprint, hammer_of, judge

RULES = int(os.environ.get("RULES", "500" if stage.GUEST else "10000"))
# Agents whose state is longer than a page.
FEW = 20
RELOADS = int(os.environ.get("RELOADS", "4" if stage.GUEST else "20"))


def is_denied(host):
    """An agent is started and may not reach what its policy denies, but what it allows."""
    done = host.picket("plain", "run", "--quiet", "-p", "work", "--", "bash", "-c",
                       "for port in 18001 18002; do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>&1; done")
    return done.returncode == 1 and done.stdout.endswith("Operation not permitted\n") and \
        done.stdout.count("18001") == 0


def ends(host, *words):
    """`picket daemon` that is expected to end: its status and what it says."""
    done = host.run("root", *words, host.program, "daemon", timeout=stage.PATIENCE)
    return done.returncode, done.stderr


def full_run(tap, host):
    """Nothing can be written below /run: agents are confined all the same, and that is said."""
    stage.sh("mount -o remount,size=1m /run; cat /dev/zero >/run/filler 2>/dev/null || true")
    # More than the page that the state has already.
    processes = [host.start("plain", "run", "-p", "work", "--", "sh", "-c", "echo ready; read line",
                            stdin=subprocess.PIPE) for _ in range(FEW)]
    for process in processes:
        process.stdout.readline()
    agents = sorted(agent["agent"] for agent in host.agents())
    tap.check("/run is full: an agent runs and is confined", is_denied(host), host.log()[-600:])
    tap.check("/run is full: it is said", "cannot write '/run/picket/state.json': No space left" in
              host.log(), host.log()[-600:])
    tap.check("/run is full: status tells it", "No space left" in host.picket("root", "status").stdout)
    host.end_daemon()
    host.start_daemon()
    tap.equal("/run is full: picketd is back, confining as many", len(host.agents()), len(agents),
              host.log()[-600:])
    stage.sh("rm /run/filler; mount -o remount,size=50% /run")
    gone = stage.wait_until(lambda: "No space left" not in host.picket("root", "status").stdout)
    tap.check("/run has room again: the state is written", gone, host.picket("root", "status").stdout)
    for process in processes:
        process.communicate("end\n", timeout=stage.PATIENCE)
    # Who they belong to is what could not be written.
    said = [stage.read(process.err_path) for process in processes]
    tap.check("/run was full: all runs end, or say that picketd does not know them", all(
        process.returncode == 0 or "picketd cannot end agent" in text
        for process, text in zip(processes, said)), said[0])
    tap.check("/run was full: nothing is left", stage.wait_until(
        lambda: not host.agents() and not host.cgroups_left()), (host.agents(), host.cgroups_left()))


def taken(tap, host):
    """There is one picketd, and its socket is no other file."""
    code, said = ends(host)
    tap.check("a second picketd: refused, and why", code == 1 and "another picket daemon" in said, said)
    tap.check("a second picketd: the first goes on", is_denied(host))
    host.end_daemon(signal.SIGTERM)
    os.mkdir(stage.SOCKET)
    code, said = ends(host)
    tap.check("a folder in the place of the socket: refused, and why", code == 1 and
              stage.SOCKET in said, said)
    os.rmdir(stage.SOCKET)
    stage.write(stage.SOCKET, "precious")
    code, said = ends(host)
    tap.check("a file in the place of the socket: refused, and why, and kept", code == 1 and
              stage.SOCKET in said and stage.read(stage.SOCKET) == "precious", said)
    os.unlink(stage.SOCKET)
    os.chmod("/run/picket", 0o777)
    code, said = ends(host)
    tap.check("a run folder that all may write: refused, and what to do", code == 1 and
              "chmod 0755 '/run/picket'" in said, said)
    os.chmod("/run/picket", 0o755)
    host.start_daemon()
    tap.check("afterwards picketd starts", is_denied(host), host.log()[-600:])


def missing_bpffs(tap, host):
    """Without a bpf file system picketd mounts one; where that is not possible it does not start."""
    host.end_daemon(signal.SIGTERM)
    done = host.run("root", host.program, "daemon", "--remove")
    tap.equal("removed, to start from nothing", done.returncode, 0, done.stderr)
    code, said = ends(host, "unshare", "-m", "bash", "-c", "mount -o remount,bind,ro /sys/fs/bpf && "
                      'exec "$@"', "-")
    tap.check("a bpf file system that cannot be written: refused, and why", code in (1, 3) and
              "/sys/fs/bpf" in said, (code, said))
    # Below ours may be the machine's: that one is not to be met either.
    stage.sh("while mountpoint -q /sys/fs/bpf; do umount -l /sys/fs/bpf; done")
    host.start_daemon()
    tap.check("no bpf file system: picketd mounts it", os.path.isdir(f"{stage.PINS}/daemon") and
              is_denied(host), host.log()[-600:])


def moved_policies(tap, host):
    """A folder of policies that is a symbolic link is not followed: what there was stays."""
    host.policy("moved")
    process = host.start("plain", "run", "-p", "moved", "--", "sh", "-c", "echo ready; read line",
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    digest = host.agents()[0]["digest"]
    os.rename(stage.POLICIES, f"{stage.POLICIES}.real")
    os.symlink(f"{stage.POLICIES}.real", stage.POLICIES)
    done = host.picket("root", "reload")
    tap.check("a symbolic link as folder of policies: reload fails and says why",
              done.returncode == 1 and "symbolic link" in done.stderr, done.stderr)
    tap.equal("the agents there are keep their policy", host.agents()[0]["digest"], digest)
    done = host.picket("plain", "run", "-p", "moved", "--", "true")
    tap.check("no agent is started by it", done.returncode == 1, done)
    os.unlink(stage.POLICIES)
    os.rename(f"{stage.POLICIES}.real", stage.POLICIES)
    done = host.picket("root", "reload")
    tap.equal("the folder itself again: reload succeeds", done.returncode, 0, done.stderr)
    process.communicate("end\n", timeout=stage.PATIENCE)
    tap.equal("the run ends well", process.returncode, 0, stage.read(process.err_path))


def clock(tap, host):
    """The clock jumps: in a guest, whose clock is nobody else's."""
    if not stage.GUEST:
        return
    for jump in ("+400 days", "-400 days"):
        stage.sh(f"date -s '{jump}'")
        tap.check(f"the clock jumps {jump}: agents run, confined", is_denied(host), host.log()[-600:])
    status = host.picket("root", "status").stdout
    tap.check("the clock jumped: picketd is healthy", "healthy" in status, status)


def large(tap, host):
    """A policy of thousands of rules is read again and again under load."""
    stop = f"{host.base}/stop"
    rules = "".join(f'    - allow: "10.{n // 250 % 250}.{n % 250}.7:{1000 + n}"\n'
                    for n in range(RULES))
    host.policy("hammer", more_egress=rules)
    process = hammer_of(host, "hammer", stop, 4, ["--quiet"])
    stage.wait_until(lambda: [a for a in host.agents() if a["denied"] > 20])
    good, start, before = 0, time.monotonic(), None
    for number in range(RELOADS):
        more = f'    - allow: "10.254.{number % 250}.1:7"\n'
        host.policy("hammer", more_egress=rules + more)
        good += host.picket("root", "reload").returncode == 0
        if number == RELOADS // 2:
            before = footprint(host, 0)
    seconds = time.monotonic() - start
    after = footprint(host, before["fds"])
    print(f"# limits: {RELOADS} reloads of {RULES} rules in {seconds:.0f} s; half way {before}, "
          f"after {after}")
    tap.equal(f"{RULES} rules, {RELOADS} times: every reload succeeds", good, RELOADS)
    tap.check("many rules: memory stays flat", after["kB"] <= before["kB"] * 1.25, (before, after))
    found, denied, _ = finish(host, process, stop)
    judge(tap, "many rules", found, denied)


def limits(tap, host):
    full_run(tap, host)
    taken(tap, host)
    moved_policies(tap, host)
    clock(tap, host)
    large(tap, host)
    missing_bpffs(tap, host)
