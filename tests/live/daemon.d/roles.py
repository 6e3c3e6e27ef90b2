# SPDX-License-Identifier: BSD-2-Clause
"""What roles mean beyond who may call what (matrix.py): whose events, whose processes."""
import json
import subprocess
import time

import matrix
import stage


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
    only_own_events(tap, host)
    others_processes(tap, host)
    tap.equal("no such agent", matrix.ask(host, "root", {"agent.names": {"agent": "a-1-abcdefgh"}}),
              {"agent.names": matrix.MISSING})
