# SPDX-License-Identifier: BSD-2-Clause
"""Who may call what: every method, by everybody."""
import json
import subprocess
import time

import stage

DENIED, MISSING = 2, 3
LOOKING = {"agent.list": {}, "status": {}}
CHANGING = {"agent.attach": {"pid": 1, "policy": "work", "cwd": "/"}, "agent.detach": {},
            "policy.reload": {}}
OWN = {"agent.join": {}, "agent.stop": {}, "agent.names": {}, "events.subscribe": {}}


def ask(host, user, calls, command=()):
    """{method: "ok", error code, or "gone"} of calls {method: params}."""
    words = [word for method, params in calls.items() for word in (method, json.dumps(params))]
    done = host.run(user, *command, "python3", f"{stage.HERE}/ask.py", *words)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(calls):
        return {"said": done.stderr}
    return {method: "gone" if "gone" in answer else
            answer["error"]["code"] if "error" in answer else "ok"
            for method, answer in zip(calls, answers)}


def only_own_events(tap, host):
    """Nobody sees the events of its own agents, an observer all."""
    host.policy("watched", users="watcher")
    tails = {user: host.start(user, "tail", "--json") for user in ("plain", "watcher")}
    time.sleep(3 if stage.GUEST else 0.5)
    for user, policy in (("watcher", "watched"), ("plain", "work")):
        host.picket(user, "run", "--quiet", "-p", policy, "--", "curl", "-s",
                    f"http://127.0.0.1:{stage.CLOSED}/")
    seen = {}
    for user, tail in tails.items():
        time.sleep(0.5)
        tail.terminate()
        seen[user] = [json.loads(line)["process"]["uid"] for line in tail.communicate()[0].splitlines()]
    tap.check("nobody: the events of its own agents only", set(seen["plain"]) == {61001}, seen)
    tap.check("observer: the events of all agents", {61001, 61002} <= set(seen["watcher"]), seen)


def others_processes(tap, host):
    """Who confines whom: an agent's owner its own processes, and no others'."""
    victims = {user: subprocess.Popen(["sleep", "999"], **host.options(user))
               for user in ("plain", "watcher", "root")}
    for user, victim in victims.items():
        done = host.run("plain", "python3", f"{stage.HERE}/join.py", "work", str(victim.pid))
        wanted = "ok" if user == "plain" else "refused"
        tap.equal(f"nobody: a process of {user} into its agent: {wanted}", done.stdout.strip(),
                  wanted, done.stderr)
        alive = user != "plain"
        if not alive:
            stage.wait_until(lambda process=victim: process.poll() is not None)
        tap.equal(f"and then the process of {user} {'lives' if alive else 'ends with the agent'}",
                  victim.poll() is None, alive)
        victim.kill()
        victim.wait()


def roles(tap, host):
    owner = host.start("plain", "run", "-p", "work", "--", "sh", "-c", "echo ready; read line",
                       stdin=subprocess.PIPE)
    owner.stdout.readline()
    agent = {"agent": host.agents()[0]["agent"]}
    own = {method: {**params, **agent} for method, params in OWN.items()}
    del own["agent.stop"]
    changing = {**CHANGING, "agent.detach": agent}
    everything = {"hello": {}, **LOOKING, **changing, **own, "agent.stop": agent}

    for user in ("plain", "watcher", "admin", "root"):
        tap.equal(f"{user}: hello", ask(host, user, {"hello": {}}), {"hello": "ok"})
    for method, code in ask(host, "plain", {**LOOKING, **changing}).items():
        tap.equal(f"nobody: {method} is denied", code, DENIED)
    got = ask(host, "plain", {"agent.names": agent, "events.subscribe": agent})
    tap.equal("nobody: its own agent", got, {"agent.names": "ok", "events.subscribe": "ok"})
    only_own_events(tap, host)

    got = ask(host, "watcher", {**LOOKING, "agent.names": agent, "events.subscribe": {}})
    for method, code in got.items():
        tap.equal(f"observer: {method}", code, "ok")
    for method, code in ask(host, "watcher", {**changing, "agent.stop": agent,
                                              "agent.join": agent}).items():
        tap.check(f"observer: {method} is refused", code in (DENIED, MISSING), code)

    for user in ("admin", "root"):
        got = ask(host, user, {**LOOKING, "agent.names": agent, "events.subscribe": {},
                               "policy.reload": {}})
        for method, code in got.items():
            tap.equal(f"{user}: {method}", code, "ok")

    inside = ask(host, "plain", everything, [host.picket_path, "run", "--quiet", "-p", "work", "--"])
    for method, code in inside.items():
        tap.check(f"confined: {method} is refused", code in (DENIED, "gone"), code)
    tap.equal("confined: every method was tried", len(inside), len(everything))
    root = ask(host, "root", everything, [host.picket_path, "run", "--daemon", "--quiet", "-p",
                                          "work", "--"])
    for method, code in root.items():
        tap.check(f"confined, as root: {method} is refused", code in (DENIED, "gone"), code)

    tap.equal("the agent is still there", [a["agent"] for a in host.agents()], [agent["agent"]])
    owner.communicate("end\n", timeout=stage.PATIENCE)
    tap.equal("and ended as it should", owner.returncode, 0)
    others_processes(tap, host)
    tap.equal("no such agent", ask(host, "root", {"agent.names": {"agent": "a-1-abcdefgh"}}),
              {"agent.names": MISSING})
