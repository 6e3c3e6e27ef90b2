# SPDX-License-Identifier: BSD-2-Clause
"""Acts that are refused until somebody approves: every answer, who may give it, and what stays."""
import json
import os
import stat
import time

import asking
import stage

APPROVALS = "on_ask: deny, timeout: 5m"
WHAT = f"connect {asking.ASKED}"


def asked(tap, agent, name):
    """It is refused, and there is a request. Returns that."""
    tap.equal(f"{name}: refused first", agent.connect(), "EPERM", agent.errors())
    request = agent.host.request(agent.id, port=asking.CLOSED)
    tap.check(f"{name}: a request waits", request.get("state") == "waiting", request)
    return request.get("id", "r-none")


def answer(tap, host, name, *words, user="admin"):
    done = host.picket(user, *words)
    return tap.equal(f"{name}: `picket {words[0]}` succeeds", done.returncode, 0, done.stderr)


def shown(tap, host, agent):
    """One request, as everybody sees it."""
    asked(tap, agent, "shown")
    for _ in range(4):
        agent.connect()
    request = host.request(agent.id, count=5)
    process = (request.get("processes") or [{}])[0]
    rule = request.get("rule", {})
    tap.equal("shown: five tries are one request", (len(host.requests(agent.id)),
                                                    request.get("count")), (1, 5), request)
    tap.check("shown: what, by which rule", request.get("op") == "connect" and
              request.get("address") == "127.0.0.1" and request.get("held") is False and
              rule.get("reason") == "somebody should know" and
              rule.get("file", "").endswith("asking.yaml") and rule.get("line", 0) > 0, request)
    tap.check("shown: by whom", "obey.py" in " ".join(process.get("argv", [])) and
              process.get("uid") == stage.USERS["plain"][0] and
              process.get("cwd", "").endswith("home-plain"), process)
    for user, sees in (("watcher", True), ("admin", True), ("plain", True), ("second", True)):
        done = host.picket(user, "requests")
        tap.equal(f"shown: {user} sees it", request.get("id", "-") in done.stdout, sees, done)
    done = host.picket("watcher", "requests")
    for line in (f"    wants     {WHAT}", "asking.yaml:", "somebody should know", "it is refused",
                 "asked 5 times", "obey.py"):
        tap.check(f"shown: people read '{line.strip()}'", line in done.stdout, done.stdout)
    tap.check("shown: `picket run` says how to approve", f"picket approve {request.get('id')}" in
              agent.errors(), agent.errors())
    why = agent.do("run", host.picket_path, "why")
    tap.check("shown: the agent is told why", why.startswith("0 ") and "somebody should know" in why
              and "approved" in why, why)
    why = host.picket("plain", "why", agent.id)
    tap.check("shown: so is its owner", why.returncode == 0 and "somebody should know" in why.stdout,
              why)


def watched(tap, host, agent):
    watch = host.start("watcher", "requests", "--watch", "--json")
    time.sleep(2 if stage.GUEST else 0.5)
    name = asked(tap, agent, "watch")
    answer(tap, host, "watch", "approve", name)
    agent.connect()
    seen = []
    while "approved" not in seen and len(seen) < 20:
        line = watch.stdout.readline()
        if not line:
            break
        request = json.loads(line)
        seen += [request["state"]] if request["agent"] == agent.id else []
    tap.check("watch: it comes, it is approved", "waiting" in seen and "approved" in seen, seen)
    watch.terminate()
    watch.wait()


def modes(tap, host, agent):
    """Each way to approve, and its end."""
    name = asked(tap, agent, "once")
    answer(tap, host, "once", "approve", name[:10] if len(host.requests()) == 1 else name)
    tap.equal("once: once", agent.connect(), "ok", agent.errors())
    name = asked(tap, agent, "for")
    answer(tap, host, "for", "approve", name, "--for", "4s", "--reason", "try it")
    tap.equal("for: as often as one likes", [agent.connect() for _ in range(3)], ["ok"] * 3)
    grant = (host.grants(agent.id) or [{}])[0]
    tap.check("for: listed", grant.get("mode") == "for" and "uses" not in grant and
              grant.get("expires", 0) > time.time() - 60 and
              grant.get("approved_by", [{}])[0].get("who") == "admin", grant)
    tap.equal("for: not longer", agent.until("EPERM"), "EPERM")
    name = asked(tap, agent, "agent")
    answer(tap, host, "agent", "approve", name, "--agent")
    tap.equal("agent: as often as one likes", [agent.connect() for _ in range(3)], ["ok"] * 3)
    grant = (host.grants(agent.id) or [{}])[0]
    done = host.picket("watcher", "grants")
    tap.check("agent: people read it", "with the agent" in done.stdout and asking.ASKED in done.stdout
              and "admin" in done.stdout, done.stdout)
    answer(tap, host, "revoke", "revoke", str(grant.get("grant", 0)))
    tap.equal("revoke: asked again", agent.connect(), "EPERM")
    tap.equal("revoke: not listed", [g for g in host.grants(agent.id)], [])


def refusals(tap, host, agent):
    name = asked(tap, agent, "refuse")
    answer(tap, host, "refuse", "refuse", name, "--reason", "not today")
    tap.equal("refuse: refused", agent.connect(), "EPERM")
    tap.equal("refuse: nothing waits", host.requests(agent.id), [])
    why = agent.do("run", host.picket_path, "why")
    tap.check("refuse: the agent is told", "refused" in why, why)
    what = [record["what"] for record in host.records()]
    tap.check("the record has all of it", {"approved", "refused", "revoked"} <= set(what), what)
    mode = stat.S_IMODE(os.stat(f"{asking.RECORD}/audit/trail-000001.jsonl").st_mode)
    tap.equal("the record is root's alone", mode, 0o600)


def wrong_words(tap, host):
    for words, part in ((["approve", "r-zzzzzzzzzzzz"], "there is no request 'r-zzzzzzzzzzzz'"),
                        (["refuse", "r-zzzzzzzzzzzz"], "there is no request 'r-zzzzzzzzzzzz'"),
                        (["revoke", "999999"], "999999"),
                        (["requests", "a-9-none"], "a-9-none")):
        done = host.picket("admin", *words)
        tap.check(f"{' '.join(words)}: one sentence", done.returncode == 1 and part in done.stderr
                  and not done.stdout, done)


def timeout(tap, host):
    host.asking("short", "on_ask: deny, timeout: 2s")
    with asking.Agent(host, "short") as agent:
        asked(tap, agent, "timeout")
        tap.equal("timeout: the request ends",
                  stage.wait_until(lambda: host.requests(agent.id) == []), True)
        tap.check("timeout: it is on the record", stage.wait_until(
            lambda: any(record["what"] == "expired" for record in host.records())),
            [record["what"] for record in host.records()])
        tap.equal("timeout: nothing was approved", agent.connect(), "EPERM")
        tap.equal("timeout: it is asked anew", host.request(agent.id).get("count"), 1)


def answers(tap, host):
    host.asking("asking", APPROVALS)
    with asking.Agent(host, "asking") as agent:
        shown(tap, host, agent)
        answer(tap, host, "shown", "approve", host.request(agent.id).get("id", "r-none"))
        tap.equal("approved: it succeeds", agent.connect(), "ok", agent.errors())
        tap.equal("approved: what is allowed needs nobody", agent.connect(stage.OPEN), "ok")
        watched(tap, host, agent)
        modes(tap, host, agent)
        refusals(tap, host, agent)
        wrong_words(tap, host)
    tap.equal("the agent ended: nothing of it is left", (host.requests(), host.grants()), ([], []))
    timeout(tap, host)


def refused(tap, name, done, *parts):
    tap.check(name, done.returncode == 1 and done.stderr and all(
        part in done.stderr for part in parts), done)


def people(tap, host):
    """Who may answer."""
    host.asking("asking", APPROVALS)
    with asking.Agent(host, "asking") as agent:
        name = asked(tap, agent, "people")
        refused(tap, "people: the owner may not", host.picket("plain", "approve", name))
        refused(tap, "people: an observer may not", host.picket("watcher", "approve", name))
        refused(tap, "people: an observer may not refuse", host.picket("watcher", "refuse", name))
        why = agent.do("run", host.picket_path, "approve", name)
        tap.check("people: the agent may not", not why.startswith("0 "), why)
        tap.equal("people: and it is still refused", agent.connect(), "EPERM")
        answer(tap, host, "people: root may", "approve", name, user="root")
        tap.equal("people: then it succeeds", agent.connect(), "ok")
    with asking.Agent(host, "asking", user="admin") as agent:
        name = asked(tap, agent, "own")
        refused(tap, "own: an operator may not for his own agent",
                host.picket("admin", "approve", name))
        answer(tap, host, "own: another one may", "approve", name, user="second")
        tap.equal("own: then it succeeds", agent.connect(), "ok")
    with asking.Agent(host, "asking", user="root") as agent:
        name = asked(tap, agent, "root's")
        refused(tap, "root's: root may not for its own", host.picket("root", "approve", name))
    host.asking("two", APPROVALS, more=", approvers: 2")
    with asking.Agent(host, "two") as agent:
        name = asked(tap, agent, "two")
        done = host.picket("admin", "approve", name, "--agent")
        tap.check("two: the first is not enough", done.returncode == 0 and "1 more" in done.stdout,
                  done)
        tap.equal("two: still refused", agent.connect(), "EPERM")
        host.picket("admin", "approve", name, "--agent")
        tap.equal("two: the same one twice is not enough", agent.connect(), "EPERM")
        request = host.request(agent.id)
        tap.equal("two: who did is listed", [by.get("who") for by in request.get("approved_by", [])],
                  ["admin"], request)
        answer(tap, host, "two: the second", "approve", name, "--agent", user="second")
        tap.equal("two: then it succeeds", agent.connect(), "ok")
    turned(tap, host)
    always(tap, host)


def try_as(host, agent, uid):
    """A process of a root's agent that is another user tries to connect."""
    path = f"{host.base}/try"
    stage.write(path, f"#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{asking.CLOSED}\n", 0o755)
    return agent.do("run", "setpriv", f"--reuid={uid}", "--clear-groups", path)


def turned(tap, host):
    """Who approves first and asks then is none who approved."""
    with asking.Agent(host, "two", user="root") as agent:
        name = asked(tap, agent, "turned")
        answer(tap, host, "turned: the first", "approve", name, "--agent")
        tap.check("turned: he asks himself", "not permitted" in
                  try_as(host, agent, stage.USERS["admin"][0]))
        request = host.request(agent.id)
        tap.equal("turned: he has not approved", request.get("approved_by"), [], request)
        refused(tap, "turned: and cannot", host.picket("admin", "approve", name))
        answer(tap, host, "turned: the second", "approve", name, "--agent", user="second")
        tap.equal("turned: that is not enough", agent.connect(), "EPERM")


def always(tap, host):
    host.asking("always", APPROVALS)
    local = f"{stage.POLICIES}/always.local.yaml"
    with asking.Agent(host, "always") as agent:
        name = asked(tap, agent, "always")
        done = host.picket("admin", "approve", name, "--always")
        tap.check("always: without a terminal it is shown, and asked for --yes", done.returncode == 1
                  and asking.ASKED in done.stdout and "--yes" in done.stderr, done)
        tap.check("always: nothing was written", asking.ASKED not in stage.read(local))
        tap.equal("always: nothing was approved", agent.connect(), "EPERM")
        done = host.picket("admin", "approve", name, "--always", "--yes")
        tap.check("always: shown and done", done.returncode == 0 and asking.ASKED in done.stdout,
                  done)
        tap.equal("always: it succeeds", [agent.connect() for _ in range(2)], ["ok"] * 2)
    tap.check("always: it is in the local file", asking.ASKED in stage.read(local), stage.read(local))
    with asking.Agent(host, "always") as agent:
        tap.equal("always: a later agent need not ask", agent.until("ok"), "ok", agent.errors())
    os.unlink(local)
    with asking.Agent(host, "always") as agent:
        tap.equal("always: without the line it must", agent.connect(), "EPERM")


def hook(host, name, body):
    path = f"{host.base}/hook-{name}"
    stage.write(path, f"#!/usr/bin/python3\nimport json, sys, time\n"
                      f"request = json.loads(sys.stdin.readline())\n{body}\n", 0o755)
    host.asking(name, f"{APPROVALS}, hook: {path}")


def programs(tap, host):
    """A program is asked."""
    hook(host, "yes", "print(json.dumps({'verdict': 'approve' if request['port'] == 18002 and "
                      "request['schema'] == 'picket.request/1' else 'none', 'mode': 'agent'}))")
    with asking.Agent(host, "yes") as agent:
        tap.equal("hook: refused first", agent.connect(), "EPERM")
        tap.equal("hook: approved by a program", agent.until("ok"), "ok", host.log()[-600:])
        grant = (host.grants(agent.id) or [{}])[0]
        tap.equal("hook: it is told who", [by.get("who") for by in grant.get("approved_by", [])],
                  ["hook"], grant)
    with asking.Agent(host, "yes", user="root") as agent:
        try_as(host, agent, 65534)
        tap.check("hook: not asked about processes of its own account", stage.wait_until(
            lambda: "is not asked: " in host.log()), host.log()[-600:])
        tap.equal("hook: and nothing is approved", agent.connect(), "EPERM")
    hook(host, "no", "print(json.dumps({'verdict': 'refuse', 'reason': 'no'}))")
    with asking.Agent(host, "no") as agent:
        agent.connect()
        ended = stage.wait_until(lambda: host.requests(agent.id) == [])
        tap.check("hook: refused by a program", ended and agent.connect() == "EPERM", host.log())
    hook(host, "none", "print(json.dumps({'verdict': 'none'}))")
    hook(host, "rubbish", "print('yes, of course')")
    hook(host, "late", "time.sleep(1000)")
    hook(host, "crash", "sys.exit(3)")
    hook(host, "always", "print(json.dumps({'verdict': 'approve', 'mode': 'always'}))")
    for name in ("none", "rubbish", "late", "crash", "always"):
        with asking.Agent(host, name) as agent:
            request = asked(tap, agent, f"hook {name}")
            time.sleep(14 if name == "late" else 2)
            tap.equal(f"hook {name}: approves nothing", agent.connect(), "EPERM")
            answer(tap, host, f"hook {name}", "approve", request)
            tap.equal(f"hook {name}: somebody else can", agent.connect(), "ok", host.log()[-600:])
    path = f"{host.base}/hook-yes"
    os.chmod(path, 0o777)
    with asking.Agent(host, "yes") as agent:
        agent.connect()
        time.sleep(2)
        tap.equal("hook: one that others may write is not run", agent.connect(), "EPERM",
                  host.log()[-600:])


def crashes(tap, host):
    """picketd ends: what was granted stays, what waited can be asked again, nothing else opens."""
    host.asking("asking", APPROVALS)
    with asking.Agent(host, "asking") as agent:
        asked(tap, agent, "killed")
        host.end_daemon()
        tap.equal("killed: refused meanwhile", agent.connect(), "EPERM")
        host.start_daemon()
        tap.equal("killed: refused afterwards", agent.connect(), "EPERM")
        name = host.request(agent.id).get("id", "r-none")
        answer(tap, host, "killed: it can be approved now", "approve", name, "--agent")
        tap.equal("killed: it succeeds", agent.connect(), "ok")
        host.end_daemon()
        tap.equal("killed: a grant holds meanwhile", agent.connect(), "ok")
        host.start_daemon()
        tap.equal("killed: and afterwards", agent.connect(), "ok")
        grant = (host.grants(agent.id) or [{}])[0]
        tap.check("killed: it is still listed, with who gave it", grant.get("mode") == "agent" and
                  grant.get("approved_by", [{}])[0].get("who") == "admin", grant)
        answer(tap, host, "killed: it can be taken back", "revoke", str(grant.get("grant", 0)))
        tap.equal("killed: then it is refused", agent.connect(), "EPERM")
