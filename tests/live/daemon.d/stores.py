# SPDX-License-Identifier: BSD-2-Clause
"""The store that a running picketd writes: log and report answer from it, over restarts and pruning; and each record
of a session is what `picket schema events` says."""
import json
import os
import signal
import sys

import feeds
import sinks
import stage
import trail

STORE = "/var/lib/picket/events.db"
SECRET = "hunter2-of-the-test"
POLICY = f"""picket: 1
name: trail
usable_by: {{users: plain}}
approvals: {{on_ask: deny}}
egress: {{default: deny, rules: [{{ask: "127.0.0.1:{stage.CLOSED}"}}]}}
"""


def configure(host, kept, limits=""):
    sinks.configure(host, f"name: local, type: store{limits}, events: [decisions, activity, life, records]",
                    f'name: kept, type: file, path: "{kept}", events: [decisions, activity, life, records]')


def settled():
    return stage.wait_until(lambda: sinks.idle("local") and sinks.idle("kept"))


def log(host, *words):
    done = host.picket("root", "log", "--json", *words)
    return [json.loads(line) for line in done.stdout.splitlines()]


def denials(host, agent):
    return [event for event in log(host, "--agent", agent, "--verdict", "deny")
            if event.get("port") == stage.CLOSED]


def report(host, agent):
    path = f"{host.base}/report.html"
    if os.path.exists(path):
        os.unlink(path)
    done = host.picket("root", "report", "--agent", agent, "-o", path)
    return stage.read(path) if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


def restarts(tap, host, agent):
    """What was denied is answered from the store, whatever happens to picketd."""
    agent.deny(20)
    tap.check("store: control: the sinks have all", settled(), sinks.state("local"))
    tap.check("store: `picket log` has each denial", stage.wait_until(lambda: len(denials(host, agent.name)) == 20),
              len(denials(host, agent.name)))
    page = report(host, agent.name)
    tap.check("store: `picket report` has them", "<b>20</b>denied" in page and f"127.0.0.1 {stage.CLOSED}" in page,
              page[:300])
    tap.check("store: and says that this is all", "have no gap" in page, page[page.find("Is this all"):][:400])
    for number in (signal.SIGKILL, signal.SIGTERM):
        before = len(denials(host, agent.name))
        host.end_daemon(number)
        tap.equal(f"store: it answers while picketd is gone ({number.name})", len(denials(host, agent.name)), before)
        host.start_daemon()
        agent.deny(5)
        tap.check(f"store: and goes on with the next one ({number.name})", stage.wait_until(
            lambda: len(denials(host, agent.name)) == before + 5), len(denials(host, agent.name)))
    settled()
    page = report(host, agent.name)
    tap.check("store: the report has all of it", "<b>30</b>denied" in page, page[:300])


def missing(tap, host, agent, kept):
    """What the store does not get is a gap, and the report says how many are missing, and which."""
    sinks.configure(host, "name: local, type: store, events: [records]",
                    f'name: kept, type: file, path: "{kept}", events: [decisions, activity, life, records]')
    agent.deny(3)
    settled()
    lost = [record["seq"] for record in sinks.records([kept]) if record["kind"] == "decision"][-3:]
    configure(host, kept)
    agent.deny(1)
    tap.check("store: control: the store gets decisions again", stage.wait_until(
        lambda: denials(host, agent.name)[-1]["seq"] > lost[-1]), lost)
    page = report(host, agent.name)
    tap.check("store: the report says how many records it lacks", ", 3 are not in this store" in page and
              f"numbers {lost[0]} to {lost[-1]}," in page, (lost, page[page.find("Is this all"):][:600]))


def retention(tap, host, agent, kept):
    configure(host, kept, ", size: 16MiB")
    for _ in range(40):
        agent.deny(1000)
        if "has dropped" in report(host, agent.name):
            break
    stage.wait_until(lambda: sinks.idle("local"), 60)
    page = report(host, agent.name)
    tap.check("store: it is bounded, and the report says that it has dropped some", "has dropped" in page,
              (os.path.getsize(STORE), page[page.find("Is this all"):][:400]))
    tap.check("store: its file stays near the size", os.path.getsize(STORE) < 20 << 20, os.path.getsize(STORE))
    newest = log(host, "--limit", "1")
    tap.check("store: the newest stay", newest and newest[0]["kind"], newest)


def judged(tap, host, kept):
    """Every record of the session, of every kind that there was, is valid."""
    sys.path.insert(0, os.path.abspath(f"{stage.HERE}/../../unit"))
    from format_judge import Records, Refused  # pylint: disable=import-outside-toplevel
    judge = Records(json.loads(host.picket("root", "schema", "events").stdout))
    records = sinks.records([kept])
    faults = []
    for record in records:
        try:
            judge.judge(record)
        except Refused as error:
            faults.append((str(error), record))
    kinds = {record["kind"] for record in records}
    tap.check("schema: each record of a session is valid", records and not faults, (len(faults), faults[:3]))
    tap.check("schema: of these kinds at least", {"decision", "agent", "answer", "note", "daemon"} <= kinds, kinds)


def stores(tap, host):
    kept = f"{host.base}/kept-stream.jsonl"
    configure(host, kept)
    agent = sinks.Agent(host)
    # A call and an answer: kinds that denials alone do not give.
    process, name = feeds.start(host)
    host.run("plain", "true")
    stage.write(f"{stage.POLICIES}/trail.yaml", POLICY)
    with trail.Asker(host) as asker:
        host.picket("admin", "approve", "--once", asker.request())
        asker.process.stdout.readline()
    noted = host.start("plain", "run", "--quiet", "-p", "work", "--", host.picket_path, "note", "--tool", "Bash",
                       "--call-id", "c-1", "--intent", f"run --password {SECRET}")
    noted.wait(stage.PATIENCE)
    restarts(tap, host, agent)
    missing(tap, host, agent, kept)
    judged(tap, host, kept)
    for what, text in (("stream", stage.read(kept)), ("log", json.dumps(log(host))), ("report", report(host, name))):
        tap.check(f"secrets: none in the {what}", SECRET not in text, text[-200:])
    retention(tap, host, agent, kept)
    process.stdin.close()
    agent.end()
    sinks.configure(host)
