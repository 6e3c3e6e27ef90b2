# SPDX-License-Identifier: BSD-2-Clause
"""Agents that agents start: they reach less and never more, and cannot be made to."""
import json
import os
import signal
import subprocess

import matrix
import stage

PORTS = range(18001, 18007)
# Prints which of the ports it may connect to; that nobody listens there is none of our concern.
PROBE = """
import json, socket, sys
allowed = []
for port in map(int, sys.argv[1:]):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        allowed.append(port)
    except PermissionError:
        pass
    except ConnectionRefusedError:
        allowed.append(port)
print(json.dumps(allowed), flush=True)
"""
# Waits for lines with ports, and probes each; a line "end" ends it.
PROBES = """
import socket, sys
print("ready", flush=True)
for line in sys.stdin:
    if line == "end\\n":
        break
    try:
        socket.create_connection(("127.0.0.1", int(line)), 5).close()
        print("open", flush=True)
    except PermissionError:
        print("denied", flush=True)
    except ConnectionRefusedError:
        print("open", flush=True)
"""
# Which ports a policy allows; all others are denied.
ALLOWED = {"outer": [18001, 18002, 18003], "inner": [18002, 18004], "wide": PORTS,
           "deeper": [18002, 18003]}
NESTED = {"outer": "nested: [inner, wide]\n", "inner": "nested: deeper\n"}


def rules(ports):
    return "".join(f'    - allow: "127.0.0.1:{port}"\n' for port in ports if port != stage.OPEN)


def write(host, name, ports, users="nobody"):
    host.policy(name, users=users, more_egress=rules(ports), extra=NESTED.get(name, ""))
    if stage.OPEN not in ports:
        path = f"{stage.POLICIES}/{name}.yaml"
        lines = stage.read(path).replace(f'    - allow: "127.0.0.1:{stage.OPEN}"\n      id: open\n', "")
        stage.write(path, lines)


def run_in(host, *policies):
    """The words of a command line that runs what follows in agents inside of each other."""
    words = []
    for number, policy in enumerate(policies):
        words += [host.picket_path, "run", "--quiet", *(["--daemon"] if number else []), "-p", policy,
                  "--"]
    return words


def reaches(host, *policies, user="plain"):
    done = host.run(user, *run_in(host, *policies), "python3", "-c", PROBE, *map(str, PORTS))
    return (json.loads(done.stdout) if done.stdout else None), done.stderr


def narrower(tap, host):
    """Who is inside reaches what all around it allow, and nothing else."""
    for chain in (["outer"], ["outer", "inner"], ["outer", "wide"], ["outer", "inner", "deeper"]):
        wanted = [port for port in PORTS if all(port in ALLOWED[name] for name in chain)]
        got, said = reaches(host, *chain)
        tap.equal(f"nested: {' > '.join(chain)}", got, wanted, said)
    got, said = reaches(host, "outer", "inner", user="root")
    tap.equal("nested: outer > inner, of root", got, [18002], said)


def hooks(tap, host):
    """The rules of both for files: a process carries the label of the innermost agent."""
    if not host.kernel:
        return
    secret, other = f"{host.base}/secret", f"{host.base}/other"
    stage.write(other, "other\n")
    host.policy("free", extra="nested: strict\n")
    host.policy("strict", users="nobody")
    path = f"{stage.POLICIES}/free.yaml"
    stage.write(path, stage.read(path).replace(f'"{secret}"', f'"{other}"'))
    for chain, wanted in ((["free"], (0, 1)), (["strict"], (1, 0)), (["free", "strict"], (1, 1))):
        got = tuple(host.run("plain" if chain[0] == "free" else "root", *run_in(host, *chain),
                             "cat", file).returncode for file in (secret, other))
        tap.equal(f"nested: {' > '.join(chain)}: what each of them denies", got, wanted)
    done = host.run("plain", *run_in(host, "free", "strict"), "sh", "-c",
                    f"cat {secret} || (sleep 0; cat {secret}) || exit 7")
    tap.equal("nested: its children are in it too", done.returncode, 7, done)


def refused(tap, host):
    """What a process of an agent may not start."""
    for chain, wanted in ((["outer", "work"], "names no policy 'work'"),
                          (["outer", "deeper"], "names no policy 'deeper'"),
                          (["outer", f"{stage.POLICIES}/wide.yaml"], "names no policy"),
                          (["outer", "wide", "deeper"], "no say"),
                          (["work", "work"], "no say")):
        for user in ("plain", "root"):
            done = host.run(user, *run_in(host, *chain), "true")
            tap.check(f"nested: {' > '.join(chain)}, as {user}: refused, and said why",
                      done.returncode != 0 and wanted in done.stderr, done)
    done = host.run("plain", *run_in(host, "outer"), host.picket_path, "run", "--audit", "-p",
                    "inner", "--", "true")
    tap.check("nested: no audit inside of what enforces", done.returncode != 0 and
              "enforces" in done.stderr + done.stdout, done)


def calls(tap, host):
    """Every method from inside: what is not said to be allowed is refused."""
    owner, agent = matrix.start(host)
    allowed = {"hello": {}, "agent.start": {"policy": "inner", "cwd": "/"}}
    others = {name: {key: agent if value in (matrix.AGENT, matrix.VICTIM) else value
                     for key, value in params.items()}
              for name, (params, _) in matrix.ROWS.items() if name not in allowed}
    for user in ("plain", "root"):
        got = matrix.ask(host, user, {**allowed, **others}, run_in(host, "outer"))
        for method in allowed:
            tap.equal(f"nested: {method} by {user}", got.get(method), "ok", got)
        for method in others:
            wanted = {"agent.join": matrix.MISSING, "agent.stop": matrix.MISSING}
            tap.equal(f"nested: {method} by {user} about the agent of somebody else",
                      got.get(method), wanted.get(method, matrix.DENIED))
    tap.equal("nested: that agent is still there", [a["agent"] for a in host.agents()], [agent])
    matrix.end(owner)


def joins(tap, host):
    """Processes of the same user that are not of the agent around cannot be pulled in."""
    owner, agent = matrix.start(host)
    inside = next(a for a in host.agents() if a["agent"] == agent)
    inner = next(pid for pid in os.listdir("/proc") if pid.isdigit() and
                 f"/agent-{inside['agent'].split('-')[1]}" in stage.read(f"/proc/{pid}/cgroup"))
    free = subprocess.Popen(["sleep", "999"], **host.options("plain"))
    for user in ("plain", "root"):
        for pid, whose in ((free.pid, "of no agent"), (inner, "of another agent"), (1, "of root")):
            done = host.run(user, *run_in(host, "outer"), "python3", f"{stage.HERE}/join.py", "inner",
                            str(pid))
            tap.equal(f"nested: a process {whose} joined by {user}: refused", done.stdout.strip(),
                      "refused", done.stderr)
    tap.check("nested: and both go on", free.poll() is None and owner.poll() is None)
    free.kill()
    free.wait()
    matrix.end(owner)


class Pair:
    """An agent with another inside, which probes ports as it is told."""

    def __init__(self, host):
        self.host = host
        self.process = host.start("plain", *run_in(host, "outer", "inner")[1:], "python3", "-c",
                                  PROBES, stdin=subprocess.PIPE)
        self.process.stdout.readline()

    def probe(self, port):
        self.process.stdin.write(f"{port}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def agents(self):
        """The one around, and the one inside."""
        listed = sorted(self.host.agents(), key=lambda agent: "parent" in agent)
        return listed if len(listed) == 2 else [{}, {}]


def lives(tap, host):
    """Listed, reloaded, over the end of picketd, and ended with the one around."""
    pair = Pair(host)
    around, inside = pair.agents()
    tap.equal("nested: ps tells the agent around", inside.get("parent"), around.get("agent"))
    table = host.picket("root", "ps").stdout
    tap.check("nested: in the table too", around["agent"] in [
        line.split()[-1] for line in table.splitlines()], table)
    tap.equal("nested: and the same owner", inside["owner"]["uid"], around["owner"]["uid"])
    tap.equal("nested: before the reload", (pair.probe(18002), pair.probe(18001)), ("open", "denied"))
    write(host, "outer", [18001], users="plain")
    done = host.picket("admin", "reload", around["agent"])
    tap.equal("nested: a reload of the policy around holds inside", (done.returncode,
              pair.probe(18002)), (0, "denied"), done.stderr)
    host.end_daemon()
    host.start_daemon()
    tap.equal("nested: a new picketd knows both", [a.get("parent") for a in pair.agents()],
              [None, around["agent"]])
    write(host, "outer", ALLOWED["outer"], users="plain")
    done = host.picket("admin", "reload")
    tap.equal("nested: and reloads them by both policies", [done.returncode, *map(
        pair.probe, (18001, 18002, 18003, 18004))], [0, "denied", "open", "denied", "denied"],
        done.stderr)
    pair.process.send_signal(signal.SIGKILL)
    pair.process.wait()
    stage.wait_until(lambda: host.agents() == [])
    tap.equal("nested: both end when the owner of the one around ends", (host.agents(),
              host.cgroups_left()), ([], []))


def named(tap, host):
    """The names are not in the image, and are read again all the same."""
    script = f"while read line; do {' '.join(run_in(host, 'x', 'inner')[6:])} true; echo $?; done"
    process = host.start("plain", *run_in(host, "outer")[1:], "sh", "-c", script,
                         stdin=subprocess.PIPE)
    got = []
    for names in ("[inner, wide]", "wide", "[wide, inner]"):
        NESTED["outer"] = f"nested: {names}\n"
        write(host, "outer", ALLOWED["outer"], users="plain")
        host.picket("admin", "reload")
        process.stdin.write("go\n")
        process.stdin.flush()
        got.append(process.stdout.readline() == "0\n")
    tap.equal("nested: a name that goes and comes back", got, [True, False, True],
              stage.read(process.err_path))
    process.communicate(timeout=stage.PATIENCE)


def ends(tap, host):
    pair = Pair(host)
    around, inside = pair.agents()
    got = matrix.ask(host, "plain", {"agent.stop": {"agent": around["agent"]}})
    tap.equal("nested: stop of the one around", got, {"agent.stop": "ok"})
    tap.equal("nested: is answered when both are gone", host.agents(), [])
    pair.process.kill()
    pair.process.wait()
    pair = Pair(host)
    around, inside = pair.agents()
    got = matrix.ask(host, "plain", {"agent.stop": {"agent": inside["agent"]}})
    tap.equal("nested: stop of the one inside", got, {"agent.stop": "ok"})
    pair.process.wait(stage.PATIENCE)
    stage.wait_until(lambda: host.agents() == [])
    host.end_daemon()
    pair = None
    host.start_daemon()


def orphans(tap, host):
    """picketd is away while the owner ends."""
    pair = Pair(host)
    host.end_daemon()
    pair.process.send_signal(signal.SIGKILL)
    pair.process.wait()
    host.start_daemon()
    stage.wait_until(lambda: host.agents() == [])
    tap.equal("nested: both end when picketd is back", (host.agents(), host.cgroups_left()),
              ([], []))


def nested(tap, host):
    for name, ports in ALLOWED.items():
        write(host, name, ports, users="plain" if name == "outer" else "nobody")
    host.policy("work")
    # Where all is emulated: what depends on the kernel.
    for section in (hooks, narrower, refused, lives) if stage.GUEST else (
            hooks, narrower, refused, calls, joins, lives, named, ends, orphans):
        section(tap, host)
