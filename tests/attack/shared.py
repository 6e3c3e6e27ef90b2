#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two agents at a time with different lists of names, and one address that both lists lead to: what
one learned or may say there is nothing to the other. Every act also without picket. Prints TAP.

Environment: PICKET, BUILD, PICKET_TIER. Must be root; runs in namespaces of its own.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from families import as_six
from scene import BUILD, PICKET, TIER, read_events
from world import World

POLICY = """picket: 1
name: {name}
egress:
  default: deny
  rules: [{{allow: "{name}.test"}}]
  dns: {{resolvers: ["203.0.113.53", "2001:db8:200::53"]}}
"""
ADDRESS, RESOLVER = "203.0.113.10", "203.0.113.53"
# agent | act | its answer | what an event of it holds
FOUR = [
    ("good", f"dns visit {RESOLVER} good.test A 9000", "ok", None),
    ("shared", f"net tcp {ADDRESS} 9000", "EPERM", {"op": "connect", "address": ADDRESS}),
    ("shared", f"dns ask {RESOLVER} good.test A", "EPERM", {"op": "dns", "host": "good.test"}),
    ("shared", f"dns visit {RESOLVER} shared.test A 9000", "ok", None),
    ("good", f"payload say {ADDRESS} 443 tls good.test", "ok", None),
    ("shared", f"payload say {ADDRESS} 443 tls good.test", "ECONNABORTED",
     {"op": "name", "host": "good.test", "allowed_by": "shared.test"}),
    ("shared", f"payload say {ADDRESS} 443 tls shared.test", "ok", None),
    ("good", f"payload say {ADDRESS} 443 tls shared.test", "ECONNABORTED",
     {"op": "name", "host": "shared.test", "allowed_by": "good.test"}),
]
ACTS = FOUR + [(agent, as_six(act), answer, held and {key: as_six(text) for key, text in held.items()})
               for agent, act, answer, held in FOUR]


class Agent:
    """A process tree that does acts, a line each, confined or not."""

    def __init__(self, base, name, command):
        self.events = f"{base}/{name}.events"
        self.run = subprocess.Popen([*command, f"{base}/bin/drive", f"{base}/bin"], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.run.stdout.readline() != "ready\n":
            sys.exit(f"Bail out! {name} did not start")

    def act(self, line):
        self.run.stdin.write(line + "\n")
        self.run.stdin.flush()
        return self.run.stdout.readline().split()[0]

    def close(self):
        self.run.communicate(timeout=120)


def confined(base, name):
    with open(f"{base}/{name}.yaml", "w", encoding="ascii") as file:
        file.write(POLICY.format(name=name))
    return Agent(base, name, [PICKET, "run", "--quiet", "-p", f"{base}/{name}.yaml", "--events",
                              f"{base}/{name}.events", "--"])


def results(base):
    """(name, whether it holds), one for each promise."""
    free = Agent(base, "free", [])
    alone = [free.act(line) for _, line, _, _ in ACTS]
    free.close()
    agents = {name: confined(base, name) for name in ("good", "shared")}
    answers = [agents[name].act(line) for name, line, _, _ in ACTS]
    for agent in agents.values():
        agent.close()
    events = {name: read_events(agent.events) for name, agent in agents.items()}
    for (name, line, wanted, held), control, answer in zip(ACTS, alone, answers):
        yield f"control: {line}: {control}", control == "ok"
        yield f"{name}: {line}: {answer}", answer == wanted
        if held:
            yield f"{name}: {line}: an event tells", any(
                all(event.get(key) == text for key, text in held.items())
                for event in events[name])


def main():
    if os.environ.get("PICKET_ATTACK_ALONE") != "1":
        os.environ["PICKET_ATTACK_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, __file__])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    base = tempfile.mkdtemp(prefix="picket-shared-")
    os.makedirs(f"{base}/bin")
    for name in ("drive", "net", "dns", "payload"):
        shutil.copy(f"{BUILD}/tests/attack/{name}", f"{base}/bin/{name}")
    around = World()
    number = failed = 0
    try:
        for name, held in results(base):
            number += 1
            failed += not held
            print(f"{'ok' if held else 'not ok'} {number} - {TIER}: {name}", flush=True)
    finally:
        around.close()
        shutil.rmtree(base, ignore_errors=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
