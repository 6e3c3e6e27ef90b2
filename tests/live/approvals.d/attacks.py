# SPDX-License-Identifier: BSD-2-Clause
"""Those who are to wait, and would rather not: tests/attack/holds.c, each act alone, held, and answered.

Environment: HOLDS (words of PARTS: only these).
"""
import os
import signal
import subprocess
import time

import asking
import held
import stage

ATTACK = f"{stage.HERE}/../../attack"
HOLDS = f"{held.BUILD}/tests/attack/holds"


def prepare(host):
    """Two files that are asked about, the attacks' program, and it once more under a name that is."""
    host.asking("attacked", "timeout: 10m", extra="nested: [inside]\n")
    host.asking("inside", "timeout: 10m", users="nobody")
    for name in ("attacked", "inside"):
        path = f"{stage.POLICIES}/{name}.yaml"
        stage.write(path, stage.read(path).replace(
            f'"{host.base}/secret"', f'["{host.base}/secret", "{host.base}/second"]'))
    stage.write(f"{host.base}/secret", "first\n")
    stage.write(f"{host.base}/second", "second\n")
    stage.sh(f"mkdir -p {host.base}/bin && cp {HOLDS} {host.base}/bin/git && cp {HOLDS} {host.base}/holds && "
             f"cp {ATTACK}/pending.py {host.base}/pending.py && chmod 755 {host.base}/bin {host.base}/holds")


def begin(host, *words):
    process, request, agent = held.start(host, [f"{host.base}/holds", *words], "attacked")
    return process, request, agent


def answer(host, verb, request):
    return host.picket("admin", verb, request.get("id", "r-none")).returncode


def result(process):
    try:
        return process.communicate(timeout=stage.PATIENCE)[0].strip()
    except subprocess.TimeoutExpired:
        process.kill()
        return "late"


def alone(host, *words):
    return host.run("plain", f"{host.base}/holds", *words).stdout.strip()


def storms(tap, host):
    """Continued by a thread or a child over and over: it waits on, and has its answer and no other errno."""
    secret = f"{host.base}/secret"
    for act in ("storm-thread", "storm-process"):
        tap.equal(f"{act}: works without picket", alone(host, act, secret), "first")
        for verb, wanted in (("approve", "first"), ("refuse", "EACCES")):
            process, request, agent = begin(host, act, secret)
            time.sleep(2)
            tap.check(f"{act}: it waits on, one question", process.poll() is None and
                      len(host.requests(agent)) == 1, host.requests(agent))
            tap.equal(f"{act}: `picket {verb}`", answer(host, verb, request), 0)
            tap.equal(f"{act}: {verb}: that is its end", result(process), wanted,
                      stage.read(process.err_path))


def swaps(tap, host):
    """What is approved is what is opened: the rest is another question."""
    secret, second = f"{host.base}/secret", f"{host.base}/second"
    for act, words in (("memory", [secret, second]),
                       ("link", [secret, second, f"{host.base}/home-plain/link"])):
        tap.equal(f"{act}: works without picket", alone(host, act, *words), "first")
        process, request, agent = begin(host, act, *words)
        tap.check(f"{act}: asks for the first", secret in str(request.get("object")), request)
        time.sleep(2)
        tap.equal(f"{act}: that is approved", answer(host, "approve", request), 0)
        other = (stage.wait_until(lambda: [one for one in host.requests(agent) or []
                                           if second in str(one.get("object"))]) or [{}])[0]
        tap.check(f"{act}: the second is a question of its own", other.get("held") and
                  process.poll() is None, other)
        tap.equal(f"{act}: that is refused", answer(host, "refuse", other), 0)
        tap.equal(f"{act}: nothing was opened", result(process), "EACCES",
                  stage.read(process.err_path))


def once(tap, host):
    """One use is one act, however many try for it the moment that it is given."""
    secret = f"{host.base}/secret"
    tap.equal("parallel: works without picket", alone(host, "parallel", secret), "8")
    process, request, agent = begin(host, "parallel", secret)
    tap.equal("parallel: one waits", request.get("waiting"), 1, request)
    tap.equal("parallel: approved once", answer(host, "approve", request), 0)
    others = stage.wait_until(lambda: [one for one in host.requests(agent) or []
                                       if one.get("waiting") == 7])
    tap.check("parallel: all but one wait", bool(others) and process.poll() is None,
              host.requests(agent))
    tap.equal("parallel: they are refused", answer(host, "refuse", (others or [{}])[0]), 0)
    tap.equal("parallel: one act was done", result(process), "1", stage.read(process.err_path))


def pending(tap, host):
    """A program whose command line waits runs not a bit for being continued."""
    git = [f"{host.base}/bin/git", "push", "origin"]
    tap.check("a command: runs without picket", "escaped" in host.run("plain", *git).stdout)
    process, request, _ = held.start(host, git, "attacked")
    pid = (request.get("processes") or [{"pid": 0}])[0]["pid"]
    for _ in range(200):
        os.kill(pid, signal.SIGCONT)
    children = stage.read(f"/proc/{pid}/task/{pid}/children").split()
    tap.check("a command: continued, it waits and has no children", not children and
              stage.wait_until(lambda: held.stopped(pid)), children)
    answer(host, "refuse", request)
    tap.equal("a command: refused, it printed nothing", (result(process), process.returncode),
              ("", 137), stage.read(process.err_path))


def moved(tap, host):
    """Nor for being put into an agent inside of its own."""
    script = (f"{host.base}/bin/git push origin & child=$!; sleep 2; "
              f"python3 {host.base}/pending.py inside $child; kill -9 $child; wait $child; echo $?")
    process, request, _ = held.start(host, ["sh", "-c", script], "attacked")
    tap.check("moved: the command waits", request.get("op") == "command", request)
    tap.equal("moved: it waits there, too, and never ran", result(process), "waits\n137",
              stage.read(process.err_path))


PARTS = {"storms": storms, "swaps": swaps, "once": once, "pending": pending, "moved": moved}


def attacks(tap, host):
    prepare(host)
    for name in os.environ.get("HOLDS", " ".join(PARTS)).split():
        PARTS[name](tap, host)
