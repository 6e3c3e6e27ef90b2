# SPDX-License-Identifier: BSD-2-Clause
"""`picket run` through picketd, by a user who is not root: the same as by root without it."""
import json
import os
import pty
import signal
import subprocess
import time

import stage

CURL = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20"]
CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)"


def url(port, path="file"):
    return f"http://127.0.0.1:{port}/{path}"


def without_daemon(tap, host):
    """What is said when nobody listens."""
    done = host.picket("plain", "run", "-p", "work", "--", "true")
    tap.equal("no picketd: run fails", done.returncode, 1)
    tap.check("no picketd: what to do", "picketd is not running: systemctl start picket, or picket "
              "run --embedded" in done.stderr, done.stderr)
    for words in (["ps"], ["status"], ["tail"], ["reload"], ["detach", "a-1-x"], ["names", "a-1-x"],
                  ["attach", "--pid", "1", "-p", "work"]):
        done = host.picket("plain", *words)
        tap.check(f"no picketd: {words[0]} fails and says what to do", done.returncode == 1 and
                  "picketd is not running: systemctl start picket\n" in done.stderr, done.stderr)


def statuses(tap, host):
    def status(name, wanted, words, *command, user="plain"):
        done = host.picket(user, "run", *words, "--", *command)
        tap.equal(name, done.returncode, wanted, done.stderr)
        return done.stderr

    status("a command that succeeds", 0, ["-p", "work"], "true")
    status("the command's own status", 7, ["-p", "work"], "sh", "-c", "exit 7")
    status("a command killed by a signal", 137, ["-p", "work"], "sh", "-c", "kill -9 $$")
    err = status("no such command", 127, ["-p", "work"], f"{host.base}/none")
    tap.check("no such command: it is named", f"'{host.base}/none'" in err, err)
    err = status("a file that is no program", 126, ["-p", "work"], f"{host.base}/secret")
    tap.check("a file that is no program: it is named", f"'{host.base}/secret'" in err, err)
    err = status("a policy that there is not", 1, ["-p", "none"], "true")
    tap.check("a policy that there is not: it is named", "none" in err, err)
    host.policy("other", users="watcher")
    status("a policy for others", 1, ["-p", "other"], "true")
    status("a policy for others, by root", 0, ["-p", "other"], "true", user="root")
    stage.write(f"{host.base}/own.yaml", "picket: 1\nname: own\negress: {default: allow}\n")
    status("a file of one's own", 1, ["-p", f"{host.base}/own.yaml"], "true")
    status("a file, by root through picketd", 0, ["--daemon", "-p", f"{host.base}/own.yaml"], "true",
           user="root")
    status("a file, by root without picketd", 0, ["-p", f"{host.base}/own.yaml"], "true",
           user="root")
    for words, remedy in ((["--user", "plain"], "sudo -u plain"), (["--tier", "network"], "picket daemon")):
        done = host.picket("root", "run", "-p", "work", *words, "--", "true")
        tap.check(f"{words[0]} is not for picketd, and what is",
                  done.returncode == 2 and remedy in done.stderr and "--embedded" in done.stderr, done)


def same_for_the_command(tap, host):
    """It gets what it would get without picket."""
    script = "pwd; id -u; umask; ulimit -n; echo $MARK; cat"
    options = {"umask": 0o027, "input": "from stdin\n"}
    options["env"] = {**host.options("plain")["env"], "MARK": "kept"}
    alone = host.run("plain", "sh", "-c", f"ulimit -n 321; {script}", **options)
    confined = host.run("plain", "sh", "-c",
                        f"ulimit -n 321; exec {host.picket_path} run -p work -- sh -c '{script}'",
                        **options)
    tap.equal("folder, user, mask, limits, environment, stdin", confined.stdout, alone.stdout,
              confined.stderr)
    tap.equal("nothing on stderr when nothing is denied", confined.stderr, "")


def programs(tap, host, names=("curl", "git", "python")):
    log = f"{host.base}/home-plain/events"
    acts = [("curl", [*CURL, url(stage.OPEN)], [*CURL, url(stage.CLOSED)]),
            ("git", ["git", "clone", "-q", url(stage.OPEN, "repo.git"), "copy"],
             ["git", "clone", "-q", url(stage.CLOSED, "repo.git"), "other"]),
            ("python", ["python3", "-c", CONNECT, str(stage.OPEN)],
             ["python3", "-c", CONNECT, str(stage.CLOSED)])]
    for name, allowed, denied in (act for act in acts if act[0] in names):
        for command in (allowed, denied):
            done = host.run("plain", *command)
            tap.equal(f"{name}: {command[-1]} without picket", done.returncode, 0, done.stderr)
        host.run("plain", "rm", "-rf", "copy", "other", log)
        done = host.picket("plain", "run", "-p", "work", "--", *allowed)
        tap.equal(f"{name}: what is allowed", done.returncode, 0, done.stderr)
        done = host.picket("plain", "run", "-p", "work", "--events", log, "--", *denied)
        tap.check(f"{name}: what is denied fails", done.returncode not in (0, "late"), done)
        lines = done.stderr.splitlines()
        tap.check(f"{name}: the denial is a line", any(
            " DENIED connect 127.0.0.1:18002" in line for line in lines), done.stderr)
        tap.check(f"{name}: and in the summary", any(
            "127.0.0.1:18002" in line for line in lines if " DENIED " not in line), done.stderr)
        events = [json.loads(line) for line in stage.read(log).splitlines()]
        tap.check(f"{name}: and an event", any(
            event.get("port") == stage.CLOSED and event["schema"].startswith("picket.event/")
            for event in events), events)
        done = host.picket("plain", "run", "--quiet", "-p", "work", "--", *denied)
        tap.check(f"{name}: quiet", " DENIED " not in done.stderr and done.returncode, done.stderr)
    done = host.picket("plain", "run", "--audit", "-p", "work", "--", *CURL, url(stage.CLOSED))
    tap.equal("audit: nothing is denied", (done.returncode, done.stdout), (0, "200"), done.stderr)
    tap.check("audit: it is told", "18002" in done.stderr, done.stderr)
    if host.kernel:
        done = host.picket("plain", "run", "-p", "work", "--", "cat", f"{host.base}/secret")
        tap.check("a file that is denied", done.returncode == 1 and "rule secret" in done.stderr or
                  "secret" in done.stderr, done.stderr)


def refused_calls(tap, host):
    """A filter of system calls: made by picketd, put on by the client, answered by picketd."""
    host.policy("calls", extra="syscalls: {deny: [sethostname, acct]}\n")
    command = ["python3", "-c", "import ctypes; c = ctypes.CDLL(None, use_errno=True); "
               "print(c.acct(None), ctypes.get_errno())"]
    done = host.picket("plain", "run", "-p", "calls", "--", *command)
    tap.equal("a refused call", done.stdout, "-1 1\n", done.stderr)
    tap.check("a refused call is told", " DENIED " in done.stderr and "acct" in done.stderr,
              done.stderr)


def signals(tap, host, names=("TERM", "INT", "HUP", "USR1")):
    trap = "trap 'echo got; exit 3' {0}; echo ready; while :; do sleep 0.1; done"
    for name in names:
        process = host.start("plain", "run", "-p", "work", "--", "sh", "-c", trap.format(name))
        tap.equal(f"SIG{name}: the command starts", process.stdout.readline(), "ready\n")
        process.send_signal(getattr(signal, f"SIG{name}"))
        out = process.communicate(timeout=stage.PATIENCE)[0]
        tap.equal(f"SIG{name} reaches the command", (out, process.returncode), ("got\n", 3),
                  stage.read(process.err_path))
    process = host.start("plain", "run", "-p", "work", "--", "sh", "-c", "echo ready; exec sleep 99")
    process.stdout.readline()
    process.terminate()
    tap.equal("a command that a signal ends", process.wait(stage.PATIENCE), 143)
    process = host.start("plain", "run", "-p", "work", "--", "sh", "-c",
                         "setsid -f sleep 12345; echo ready")
    out = process.communicate(timeout=stage.PATIENCE)[0]
    tap.check("what is left of the tree is killed", out == "ready\n" and
              subprocess.run(["pgrep", "-f", "sleep 1234[5]"], check=False).returncode == 1)


def job_control(tap, host):
    """Ctrl-Z and fg by a real shell on a terminal."""
    main, other = pty.openpty()
    script = f"set -m; {host.picket_path} run -p work -- sh -c 'echo begun; sleep 1; echo over'; " \
             "echo stopped $?; fg >/dev/null; echo ended $?"
    options = host.options("plain")
    shell = subprocess.Popen(["setsid", "-c", "bash", "-c", script], stdin=other, stdout=other,
                             stderr=other, **options)
    os.close(other)
    seen = b""
    end = time.monotonic() + stage.PATIENCE
    os.set_blocking(main, False)
    sent = False
    while shell.poll() is None and time.monotonic() < end:
        try:
            seen += os.read(main, 4096)
        except (BlockingIOError, OSError):
            time.sleep(0.05)
        if b"begun" in seen and not sent:
            os.write(main, b"\x1a")
            sent = True
    try:
        seen += os.read(main, 4096)
    except OSError:
        pass
    shell.kill()
    shell.wait()
    os.close(main)
    words = seen.decode(errors="replace")
    tap.check("Ctrl-Z stops, fg goes on", "stopped 148" in words and "over" in words and
              "ended 0" in words, words)


def views(tap, host):
    """ps, status, tail, names of a live agent."""
    process = host.start("plain", "run", "-p", "work", "--", "sh", "-c",
                         "echo ready; read line; python3 -c \"$0\" 18002; read line", CONNECT,
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    agent = host.agents()[0]
    tap.check("ps --json: the agent", agent["policy"] == "work" and agent["tasks"] >= 1 and
              agent["mode"] == "enforce", agent)
    done = host.picket("watcher", "ps")
    tap.check("ps: a table", done.stdout.startswith("AGENT ") and agent["agent"] in done.stdout,
              done)
    done = host.picket("watcher", "status")
    tap.check("status: lines", done.returncode == 0 and "tier" in done.stdout, done)
    done = host.picket("watcher", "names", agent["agent"])
    tap.check("names", done.returncode == 0 and "known by name" in done.stdout, done)
    tails = [host.start("watcher", "tail", *words) for words in ([], ["--json", agent["agent"]])]
    time.sleep(3 if stage.GUEST else 0.5)
    process.stdin.write("go\n")
    process.stdin.flush()
    line = tails[0].stdout.readline()
    tap.check("tail: a line", " DENIED connect 127.0.0.1:18002" in line, line)
    event = json.loads(tails[1].stdout.readline())
    tap.check("tail --json: an event", event.get("port") == stage.CLOSED, event)
    for tail in tails:
        tail.terminate()
        tail.wait()
    process.stdin.write("end\n")
    process.communicate(timeout=stage.PATIENCE)
    tap.equal("ps: the agent is gone", host.agents(), [])


def short(tap, host):
    """Of `runs` what differs between kernels."""
    programs(tap, host, ["python"])
    refused_calls(tap, host)
    signals(tap, host, ["TERM"])
    tap.equal("no cgroup of an agent is left", host.cgroups_left(), [])


def runs(tap, host):
    statuses(tap, host)
    same_for_the_command(tap, host)
    programs(tap, host)
    refused_calls(tap, host)
    signals(tap, host)
    job_control(tap, host)
    views(tap, host)
    tap.equal("no cgroup of an agent is left", host.cgroups_left(), [])
