# SPDX-License-Identifier: BSD-2-Clause
"""What the network costs, in CPU time: on loopback, where the other end is a process of our own, and with
real servers in another network namespace, that of the network suite (tests/live/network.d).

A ratio is to the same act without a policy. Alternatives that can confine what is on loopback run in the
same rounds. Runs in network and mount namespaces of its own.
"""
import contextlib
import os
import subprocess
import sys

import others
import policies
from measure import (AGAIN, BASELINE, BUILD, HERE, PICKET, Turns, cpu_of, in_turn, judge, ratios, show,
                     spread)

sys.path.insert(0, f"{HERE}/../live/network.d")
import scene  # noqa: E402  pylint: disable=wrong-import-position

NAME = "web.example"
TURNS = int(os.environ.get("BENCH_TURNS", "41"))
RULES = [10, 1000, 10000]
LARGEST = "10,000 CIDRs + 10,000 names"
# On loopback: acts in a turn; then of an act's two times, the client's and the other end's: what is told,
# the target for LARGEST, which.
LOCAL = {"tcp": 640, "udp": 3200, "bulk": 320}
TOLD = {
    "tcp": [("TCP connect + close", 1.05, lambda client, server: client),
            ("TCP connect + accept + close", None, lambda client, server: client + server)],
    "udp": [("UDP sendto", 1.10, lambda client, server: client)],
    "bulk": [("TCP, 64 KiB sent and read", None, lambda client, server: client)],
}
# With servers: what, acts in a turn, target, the client.
SERVED = [
    ("DNS question and answer", 320, None, "dns"),
    ("HTTP request", 160, 1.05, "http"),
    ("64 KiB uploaded, checked name", 320, 1.02, "upload"),
    ("TLS handshake, SNI checked", 10, None, "tls"),
]


def policy_arms(folder, cidrs_alone):
    """{name: what stands before the client's command}."""
    sizes = [(0, 0)] + [(count, count) for count in RULES]
    sizes += [(RULES[-1], 0)] if cidrs_alone else []
    arms = {BASELINE: [], AGAIN: []}
    for addresses, names in sizes:
        path = policies.write_policy(folder, 0, addresses, names)
        label = f"{addresses:,} CIDRs" + (f" + {names:,} names" if names else "")
        arms[label if addresses else "0 rules"] = [PICKET, "run", "--embedded", "--quiet", "-p", path, "--"]
    return arms


@contextlib.contextmanager
def own_server(before):
    """The other end, that no policy holds for; gives its port."""
    server = subprocess.Popen(before + [f"{BUILD}/tests/bench/net", "serve"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait(30)


def local_turns(arms, protocol):
    """{name: [(client, server) of each turn]}. Bulk is to the client's own end: one process is both."""
    with contextlib.ExitStack() as stack:
        commands = {}
        for name, before in arms.items():
            inside = others.server_prefix(name, before)
            port = [] if protocol == "bulk" else [stack.enter_context(own_server(inside))]
            commands[name] = before + [f"{BUILD}/tests/bench/net", protocol, str(LOCAL[protocol])] + port
        turns = stack.enter_context(Turns(commands))
        return in_turn({name: name for name in commands}, turns.measure, TURNS)


def server_pids(peers):
    """The real servers: processes of the peers' process namespace."""
    inside = os.readlink(f"/proc/{peers}/ns/pid_for_children")
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if file.read().strip() in ("dnsmasq", "nginx") and \
                    os.readlink(f"/proc/{pid}/ns/pid") == inside:
                found.append(pid)
    return found


def served_turns(arms, client, count, pids):
    """{name: [nanoseconds of an act, of both ends, of each turn]}."""
    act = [f"{BUILD}/tests/bench/talk", client, str(count), scene.RESOLVER4, NAME]
    if client == "tls":
        act = ["/usr/bin/python3", "-B", f"{HERE}/tls.py", str(count), NAME]
    with Turns({name: before + act for name, before in arms.items()}) as turns:
        def measure(name):
            before = cpu_of(pids)
            own = turns.measure(name)[0]
            return own + (cpu_of(pids) - before) / count
        return in_turn({name: name for name in arms}, measure, TURNS)


def rows_of(report, what, target, results):
    """A row of the table for each arm but the first, which the others are compared with."""
    baseline = results[BASELINE]
    for name, values in results.items():
        if name == BASELINE:
            continue
        row = {"name": f"{what}, {name}", "act": what, "arm": name, "ratio": ratios(values, baseline),
               "ns": spread(values), "baseline_ns": spread(baseline)}
        report["egress"].append(row)
        remark = judge(row, "ratio", target, "x") if target and name == LARGEST else ""
        yield [what, name, "x " + show(row["ratio"], digits=3), remark]


def bench_egress(folder, report):
    """Rows of all operations; `no policy, again` is the noise of this machine."""
    report["egress"], report["not_measured"] = [], dict(others.UNABLE)
    with scene.Scene(folder) as peers, others.network_arms(folder, report["not_measured"]) as more:
        arms = {**policy_arms(folder, True), **more}
        for protocol, told in TOLD.items():
            results = local_turns(arms, protocol)
            for what, target, cost_of in told:
                yield from rows_of(report, what, target, {name: [cost_of(*turn) for turn in turns]
                                                          for name, turns in results.items()})
        arms = policy_arms(folder, False)
        pids = server_pids(peers.peers.pid)
        for what, count, target, client in SERVED:
            yield from rows_of(report, what, target, served_turns(arms, client, count, pids))
    for name, why in report["not_measured"].items():
        yield ["all", name, f"not measured: {why}"]
