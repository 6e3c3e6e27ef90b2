# SPDX-License-Identifier: BSD-2-Clause
"""A flood of allowed acts, a refused one every 10 ms among them, and another agent that has nothing to do
with it: no refusal is lost, every record is delivered or counted, picketd stays small, the other is told
of at once. FLOOD_SECONDS (20), FLOOD_RATE (200000 a second, as far as the machine can).
"""
import datetime
import json
import os
import re
import subprocess
import threading
import time
import urllib.request

import sinks
import stage

SECONDS = int(os.environ.get("FLOOD_SECONDS", "20"))
RATE = int(os.environ.get("FLOOD_RATE", "200000"))
STEP_MS = 10
DATAGRAMS = 18003
PAGE = "127.0.0.1:9464"
RSS_MAX_KB = 64 << 10
DELAY_MAX = 0.1
FLOOD = os.path.join(os.environ.get("BUILD", f"{stage.HERE}/../../../.output"), "tests/live/flood")

# The other agent: a refused connection every 50 ms until it is told to end.
OTHER = r"""
import select, socket, sys
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    try:
        socket.create_connection(("127.0.0.1", 18002), 5).close()
    except OSError:
        pass
"""


def sample(name, **labels):
    """The sum of a metric's samples that have these labels."""
    with urllib.request.urlopen(f"http://{PAGE}/metrics", timeout=stage.PATIENCE) as page:
        text = page.read().decode()
    total = 0
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and all(f'{key}="{value}"' in (found[2] or "")
                                              for key, value in labels.items()):
            total += float(found[3])
    return int(total)


def memory(pid):
    """Peak of what picketd had in memory, kB."""
    return int(re.search(r"VmHWM:\s+(\d+)", stage.read(f"/proc/{pid}/status"))[1])


def seconds_of(text):
    whole, fraction = text.rstrip("Z").split(".")
    at = datetime.datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return at + float(f"0.{fraction}")


class Delays:
    """How long after each act of one agent its event is there."""

    def __init__(self, agent):
        self.rpc = stage.Rpc()
        self.seen = []
        self.rpc.call("events.subscribe", {"agent": agent})
        self.rpc.socket.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for line in self.rpc.file:
                event = json.loads(line).get("params", {}).get("event", {})
                if event.get("kind") == "decision":
                    self.seen.append(time.time() - seconds_of(event["time"]))
        except (OSError, ValueError):
            pass


def begin(host, path):
    host.policy("work", more_egress=f"    - {{allow: \"127.0.0.1:{DATAGRAMS}\", protocol: udp}}\n",
                extra=f"report: {{activity: [connect], rate: {RATE}/s}}\n")
    stage.write(sinks.CONFIG, "picket: 1\n"
                f"metrics: \"{PAGE}\"\n"
                f"sinks:\n  - {{name: flood, type: file, path: \"{path}\","
                " events: [decisions, activity, records]}\n", 0o600)
    host.end_daemon()
    host.start_daemon()


def flood(tap, host):
    path = f"{host.base}/flood.jsonl"
    begin(host, path)
    other = host.start("plain", "run", "--quiet", "-p", "work", "--", "python3", "-c", OTHER,
                       stdin=subprocess.PIPE)
    other.stdout.readline()
    first = stage.wait_until(host.agents)[0]["agent"]
    delays = Delays(first)
    resting = memory(host.daemon.pid)
    process = host.start("plain", "run", "--quiet", "-p", "work", "--", FLOOD, str(SECONDS), "2",
                         str(RATE), str(DATAGRAMS), str(stage.CLOSED), str(STEP_MS),
                         stdin=subprocess.PIPE)
    agent = stage.wait_until(lambda: [one["agent"] for one in host.agents() if one["agent"] != first])[0]
    sent, refused = (int(word) for word in process.stdout.readline().split())
    offered = sent + refused
    print(f"# flood: {sent / SECONDS:.0f} allowed acts a second, {refused} refusals in {SECONDS} s")
    account(tap, host, agent, (sent, refused), path)
    tap.check("flood: picketd stays small", memory(host.daemon.pid) < RSS_MAX_KB,
              f"{memory(host.daemon.pid)} kB at most, {resting} before")
    seen = sorted(delays.seen)
    tap.check("flood: the other agent is told of", len(seen) > SECONDS * 5, len(seen))
    # The longest delay is told below: one moment of another program's is not picketd's.
    tap.check("flood: and within 100 ms, nine of ten times", seen and seen[len(seen) * 9 // 10] < DELAY_MAX,
              seen[-5:])
    print(f"# flood: offered {offered}; picketd {memory(host.daemon.pid)} kB; other agent: "
          f"{len(seen)} events, {1000 * seen[len(seen) // 2]:.1f} ms median, {1000 * seen[-1]:.1f} ms at most")
    other.stdin.close()
    process.stdin.close()
    other.wait(stage.PATIENCE)
    process.wait(stage.PATIENCE)
    os.unlink(sinks.CONFIG)
    os.unlink(path)
    host.policy("work")
    host.end_daemon()
    host.start_daemon()


def account(tap, host, agent, acts, path):
    """Each act is delivered or counted, and each refusal is in the file."""
    sent, refused = acts
    stage.wait_until(lambda: sinks.idle("flood"))
    taken = sample("picket_events_total", agent=agent)
    limited = sample("picket_activity_limited_total", agent=agent)
    lost = sample("picket_events_lost_total", agent=agent, where="kernel")
    denied = next(one["denied"] for one in host.agents() if one["agent"] == agent)
    tap.equal("flood: control: the kernel refused what was counted", denied, refused)
    tap.equal("flood: no refusal is lost in the kernel",
              sample("picket_events_lost_total", agent=agent, where="kernel", **{"class": "decision"}), 0)
    tap.equal("flood: offered = taken + limited + lost", taken + limited + lost, sent + refused,
              f"taken {taken}, limited {limited}, lost {lost}, sent {sent}, refused {refused}")
    in_file = sum(record.get("folded", {}).get("count", 1) for record in sinks.records([path])
                  if record["kind"] == "decision" and record["agent"] == agent)
    tap.equal("flood: each refusal is in the file", in_file, refused)
    sink = sinks.state("flood")
    tap.check("flood: the sink's account is exact", sinks.is_exact(sink), sink)
    tap.equal("flood: and no decision or record was lost there",
              (sink["lost"]["decision"], sink["lost"]["record"]), (0, 0), sink)
    print(f"# flood: taken {taken}, limited {limited}, lost in the kernel {lost}, sink {json.dumps(sink)}")
