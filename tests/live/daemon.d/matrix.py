# SPDX-License-Identifier: BSD-2-Clause
"""Every method of picketd by everybody: a row for each, and a method without a row is a failure."""
import json
import subprocess

import stage

OK, FAILED, DENIED, MISSING, PARAMS = "ok", 1, 2, 3, -32602
# Who asks. The owner is `plain`, whose agent it is about; `other` is a user without rights and agents.
WHO = {"nobody": "other", "owner": "plain", "observer": "watcher", "operator": "admin",
       "root": "root"}
# method: (what it is asked, what each of WHO is answered). AGENT is plain's agent; VICTIM is one of
# plain's that is made for the question, because it ends by it.
AGENT, VICTIM = object(), object()
NO_CGROUP = {"policy": "work", "cwd": "/", "cgroup": "/there-is-none"}
ROWS = {
    "hello": ({}, [OK, OK, OK, OK, OK]),
    "agent.start": ({"policy": "work", "cwd": "/"}, [MISSING, OK, MISSING, OK, OK]),
    # Without a descriptor: whoever may do it learns that one is missing.
    "agent.join": ({"agent": AGENT}, [MISSING, FAILED, MISSING, FAILED, FAILED]),
    "agent.stop": ({"agent": VICTIM}, [MISSING, OK, MISSING, OK, OK]),
    "agent.names": ({"agent": AGENT}, [MISSING, OK, OK, OK, OK]),
    "agent.denials": ({"agent": AGENT}, [MISSING, OK, OK, OK, OK]),
    "events.subscribe": ({"agent": AGENT}, [MISSING, OK, OK, OK, OK]),
    "agent.list": ({}, [DENIED, DENIED, OK, OK, OK]),
    "status": ({}, [DENIED, DENIED, OK, OK, OK]),
    "agent.attach": (NO_CGROUP, [DENIED, DENIED, DENIED, MISSING, MISSING]),
    "agent.detach": ({"agent": AGENT}, [DENIED, DENIED, DENIED, FAILED, FAILED]),
    "request.list": ({}, [OK, OK, OK, OK, OK]),
    "request.watch": ({"agent": AGENT}, [MISSING, OK, OK, OK, OK]),
    "request.approve": ({"id": "r-aaaaaaaaaaaa"}, [DENIED, DENIED, DENIED, MISSING, MISSING]),
    "request.refuse": ({"id": "r-aaaaaaaaaaaa"}, [DENIED, DENIED, DENIED, MISSING, MISSING]),
    "grant.list": ({}, [OK, OK, OK, OK, OK]),
    "grant.revoke": ({"grant": 1}, [DENIED, DENIED, DENIED, MISSING, MISSING]),
    "policy.reload": ({}, [DENIED, DENIED, DENIED, OK, OK]),
}
WAITING = ["sh", "-c", "echo ready; read line"]


def ask(host, user, calls, command=()):
    """{method: "ok", error code, or "gone"} of calls {method: params}."""
    words = [word for method, params in calls.items() for word in (method, json.dumps(params))]
    done = host.run(user, *command, "python3", f"{stage.HERE}/ask.py", *words)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(calls):
        return {"said": done.stderr}
    return {method: "gone" if "gone" in answer else
            answer["error"]["code"] if "error" in answer else OK
            for method, answer in zip(calls, answers)}


def start(host, policy="work"):
    """A process of plain's whose agent waits, and the agent's id."""
    before = {agent["agent"] for agent in host.agents()}
    process = host.start("plain", "run", "-p", policy, "--", *WAITING, stdin=subprocess.PIPE)
    process.stdout.readline()
    new = [agent["agent"] for agent in host.agents() if agent["agent"] not in before]
    return process, new[0]


def end(process):
    process.communicate("end\n", timeout=stage.PATIENCE)


def fill(host, params, agent):
    """The parameters with the agent in; and the process to end afterwards, or None."""
    filled, victim = {}, None
    for key, value in params.items():
        if value is VICTIM:
            victim, value = start(host)
        filled[key] = agent if value is AGENT else value
    return filled, victim


def cell(tap, host, method, place, agent):
    params, wanted = ROWS[method]
    who, user = list(WHO.items())[place]
    filled, victim = fill(host, params, agent)
    got = ask(host, user, {method: filled}).get(method)
    tap.equal(f"{method}: {who}: {wanted[place]}", got, wanted[place])
    if victim:
        end(victim)


def confined(tap, host, agent):
    """From inside an agent nothing is answered, to root neither."""
    calls = {method: {key: agent if value in (AGENT, VICTIM) else value
                      for key, value in params.items()} for method, (params, _) in ROWS.items()}
    for user in ("plain", "root"):
        got = ask(host, user, calls, [host.picket_path, "run", "--daemon", "--quiet", "-p", "work",
                                      "--"])
        for method in ROWS:
            tap.check(f"{method}: confined, as {user}: refused", got.get(method) in (DENIED, "gone"),
                      got)


def matrix(tap, host):
    with stage.Rpc() as rpc:
        methods = rpc.call("hello")["result"]["methods"]
    tap.equal("every method has its row", sorted(methods), sorted(ROWS))
    process, agent = start(host)
    for method in ROWS:
        for place in range(len(WHO)):
            cell(tap, host, method, place, agent)
    confined(tap, host, agent)
    tap.equal("the agent is still there", [a["agent"] for a in host.agents()], [agent])
    end(process)
    tap.equal("and ended as it should", process.returncode, 0)
