# SPDX-License-Identifier: BSD-2-Clause
"""The audit trail: a day of operations is in it, a full disk approves nothing, and changes show."""
import json
import os
import shutil
import signal

import stage

TRAIL = "/var/lib/picket/audit"
CONFIG = "/etc/picket/telemetry.yaml"
KEY = "/etc/picket/audit.key"
ASKING = f"""picket: 1
name: trail
usable_by: {{users: plain}}
approvals: {{on_ask: deny}}
egress: {{default: deny, rules: [{{ask: "127.0.0.1:{stage.CLOSED}"}}]}}
"""


def records(what=None):
    segments = sorted(name for name in os.listdir(TRAIL) if name.startswith("trail-"))
    found = [json.loads(line) for name in segments for line in stage.read(f"{TRAIL}/{name}").splitlines()]
    return [record for record in found if what in (None, record["what"])]


def verify(host, *words):
    return host.picket("root", "audit", "verify", *words)


class Asker:
    """An agent that tries port 18002 until it may; use as `with Asker(host) as asker`."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        self.process = self.host.start(
            "plain", "run", "--quiet", "-p", "trail", "--", "bash", "-c", "exec 2>/dev/null; "
            f"until (exec 3<>/dev/tcp/127.0.0.1/{stage.CLOSED}); do sleep 0.1; done; echo in; read -r")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(stage.PATIENCE)

    def request(self):
        def find():
            done = self.host.picket("admin", "requests", "--json")
            return [request["id"] for request in json.loads(done.stdout)["requests"]] if not done.returncode else []
        return (stage.wait_until(find) or ["r-none"])[0]


def configure(host):
    """A key, and a sink that keeps the heads."""
    kept = f"{host.base}/kept.jsonl"
    stage.sh(f"'{host.picket_path}' keygen -o {KEY}")
    stage.write(CONFIG, f"""picket: 1
sinks:
  - {{name: kept, type: file, path: "{kept}", events: [records]}}
audit: {{checkpoint: 20, key: {KEY}}}
""", 0o600)
    return kept


def answers(tap, host):
    with Asker(host) as asker:
        number = asker.request()
        tap.equal("trail: control: an approval", host.picket("admin", "approve", "--once", number).returncode, 0)
        tap.equal("trail: control: holds", asker.process.stdout.readline(), "in\n")
        approved = records("approved")
        tap.check("trail: it is a record before it holds", approved and
                  approved[-1]["grant"]["request"] == number and approved[-1]["by"]["who"] == "admin", approved)
    with Asker(host) as asker:
        number = asker.request()
        tap.equal("trail: control: a refusal", host.picket("admin", "refuse", number).returncode, 0)
        tap.check("trail: is a record", records("refused")[-1]["grant"]["request"] == number, records("refused"))


def policies(tap, host):
    """A reload of an agent's policy."""
    with Asker(host) as asker:
        asker.request()
        agent = host.agents()[-1]["agent"]
        stage.write(f"{stage.POLICIES}/trail.yaml", ASKING.replace("rules: [", 'rules: [{allow: "127.0.0.2:9"}, '))
        host.picket("admin", "reload")
        reload = stage.wait_until(lambda: [one for one in records("reload") if one["agent"] == agent])
        tap.check("trail: a reload, with both digests", reload and reload[-1]["old"] != reload[-1]["new"], reload)
        command = [one for one in records("command") if one["command"] == "policy.reload"]
        tap.check("trail: and who asked for it", command and
                  command[-1]["by"]["uid"] == stage.USERS["admin"][0], command)
    started = [one for one in records("agent-start") if one["agent"] == agent]
    tap.check("trail: an agent's start, with its policy", started and started[0]["policy"] == "trail" and
              len(started[0]["digest"]) == 64 and started[0]["uid"] == stage.USERS["plain"][0], started)
    tap.check("trail: and its end", stage.wait_until(
        lambda: [one for one in records("agent-end") if one["agent"] == agent]), records()[-3:])


def lives(tap, host):
    """The daemon ends, and is killed."""
    host.end_daemon(signal.SIGTERM)
    tap.check("trail: a clean end is its last checkpoint", records()[-1].get("stopped") is True, records()[-1])
    host.start_daemon()
    tap.equal("trail: the next one says so", records("start")[-1]["found"], "stopped")
    host.end_daemon()
    host.start_daemon()
    tap.equal("trail: and that one was killed", records("start")[-1]["found"], "killed")


def full(tap, host):
    """A trail that cannot grow: nothing is approved."""
    big = "/var/lib/picket-fill"
    host.end_daemon(signal.SIGTERM)
    stage.sh(f"mkdir -p {big} && cp -a /var/lib/picket {big}/kept && "
             f"mount -t tmpfs -o mode=700,size=$(($(du -sk {big}/kept | cut -f1) + 256))k tmpfs /var/lib/picket && cp -a {big}/kept/. /var/lib/picket/")
    host.start_daemon()
    with Asker(host) as asker:
        number = asker.request()
        stage.sh("dd if=/dev/zero of=/var/lib/picket/ballast bs=4k 2>/dev/null || true")
        # The last page of the file has room for some.
        with stage.Rpc() as rpc:
            for _ in range(40):
                rpc.call("policy.reload")
        before = len(records("approved"))
        last = host.picket("admin", "approve", number)
        tap.check("full: an approval that cannot be recorded is none", last.returncode == 1 and
                  "cannot be written to the record" in last.stderr and "No space" in last.stderr, last)
        tap.check("full: it is not in the trail", len(records("approved")) == before, records()[-2:])
        status = json.loads(host.picket("root", "status", "--json").stdout)
        tap.check("full: status says it", any("audit trail" in one for one in status["problems"]), status["problems"])
        tap.equal("full: the trail is whole", verify(host).returncode, 0, verify(host).stdout)
        os.unlink("/var/lib/picket/ballast")
        done = stage.wait_until(lambda: not host.picket("admin", "approve", number).returncode)
        tap.check("full: with room it is approved", done, host.log()[-500:])
        tap.check("full: and it is told that records are missing", records("missed"), records()[-4:])
    host.end_daemon(signal.SIGTERM)
    stage.sh(f"cp -a /var/lib/picket/. {big}/kept/; umount /var/lib/picket; "
             f"cp -a {big}/kept/. /var/lib/picket/; rm -rf {big}")
    host.start_daemon()


def changed(tap, host, kept):
    """Copies of the trail, each changed in one way."""
    good = ("--key", f"{KEY}.pub", "--anchor", kept)
    def heads():
        return [line for line in stage.read(kept).splitlines() if '"audit-head"' in line]
    tap.check("verify: a sink has the heads", stage.wait_until(lambda: len(heads()) > 3), stage.read(kept)[-500:])
    done = verify(host, *good)
    tap.check("verify: the trail is good, by key and anchors", done.returncode == 0 and "good" in done.stdout and
              "anchors met" in done.stdout, done)
    anchored = json.loads(heads()[-1])["number"]
    copy = f"{host.base}/copy"
    first = f"{copy}/trail-000001.jsonl"
    for name, change, where in (
            ("a byte", lambda lines: [*lines[:5], lines[5].replace('"time":"2', '"time":"3'), *lines[6:]],
             "trail-000001.jsonl:6: seq 6"),
            ("a line taken out", lambda lines: [*lines[:5], *lines[6:]], "trail-000001.jsonl:6: seq 7"),
            ("two lines swapped", lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "trail-000001.jsonl:6"),
            ("the tail cut", lambda lines: [line for line in lines if json.loads(line)["seq"] < anchored],
             "anchored: it was cut")):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(TRAIL, copy)
        lines = stage.read(first).splitlines(keepends=True)
        stage.write(first, "".join(change(lines)), 0o600)
        if name == "the tail cut":
            os.unlink(f"{copy}/head")
            for segment in os.listdir(copy):
                if segment not in ("trail-000001.jsonl",):
                    os.unlink(f"{copy}/{segment}")
        done = verify(host, *good, copy)
        tap.check(f"verify: {name} shows, and where", done.returncode == 1 and where in done.stdout, done)
    stage.sh(f"'{host.picket_path}' keygen -o {host.base}/nobodys.key")
    done = verify(host, "--key", f"{host.base}/nobodys.key.pub")
    tap.check("verify: another key does not do", done.returncode == 1 and "another key" in done.stdout, done)


def shown(tap, host):
    done = host.picket("root", "audit", "show", "--what", "approved")
    tap.check("show: people read who approved what", done.returncode == 0 and "by admin" in done.stdout and
              f"127.0.0.1:{stage.CLOSED}" in done.stdout, done)
    done = host.picket("root", "audit", "head", "--json")
    tap.check("head: as an anchor has it", done.returncode == 0 and json.loads(done.stdout)["number"] > 0, done)
    done = host.picket("plain", "audit", "show")
    tap.equal("show: not for everybody", done.returncode, 1, done)


def trail(tap, host):
    stage.write(f"{stage.POLICIES}/trail.yaml", ASKING)
    kept = configure(host)
    host.end_daemon(signal.SIGTERM)
    shutil.rmtree(TRAIL, ignore_errors=True)
    host.start_daemon()
    tap.equal("trail: it begins", [record["what"] for record in records()[:3]], ["segment", "start", "checkpoint"])
    answers(tap, host)
    policies(tap, host)
    lives(tap, host)
    full(tap, host)
    changed(tap, host, kept)
    shown(tap, host)
    os.unlink(CONFIG)
    host.picket("root", "reload")
