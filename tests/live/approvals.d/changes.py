# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of requests and grants when policies change, when the record cannot be written, when there
are too many, and when two agents ask the same."""
import os

import asking
import stage
from answers import APPROVALS, answer, asked

OTHER_RULE = "\n    - {allow: \"127.0.0.9:9\"}"


def reload(tap, host, name):
    done = host.picket("admin", "reload")
    tap.equal(f"{name}: `picket reload` succeeds", done.returncode, 0, done.stderr)


def numbers(host, agent):
    return [grant["grant"] for grant in host.grants(agent.id) if grant["verdict"] == "allow"]


def reloaded(tap, host):
    host.asking("changing", APPROVALS)
    with asking.Agent(host, "changing") as agent:
        answer(tap, host, "reload", "approve", asked(tap, agent, "reload"), "--agent")
        tap.equal("reload: granted", agent.connect(), "ok")
        before = numbers(host, agent)
        host.asking("changing", APPROVALS, more="}" + OTHER_RULE[:-1])
        reload(tap, host, "reload")
        tap.equal("reload: a grant stands while its rule does", agent.connect(), "ok", host.log()[-900:])
        tap.equal("reload: it is the same one", numbers(host, agent), before)
        host.asking("changing", APPROVALS, more=", approvers: 2")
        reload(tap, host, "reload")
        tap.equal("reload: it is taken back when the rule wants more", numbers(host, agent), [])
        name = asked(tap, agent, "reload")
        tap.check("reload: that is on the record", any(
            line["what"] == "ended" and line["grant"]["grant"] in before for line in host.records()))
        done = host.picket("admin", "approve", name)
        tap.check("reload: one of two", done.returncode == 0 and agent.connect() == "EPERM", done)
        host.asking("changing", APPROVALS)
        reload(tap, host, "reload")
        tap.equal("reload: a request goes with its rule", host.requests(agent.id), [])
        name = asked(tap, agent, "reload: asked anew")
        answer(tap, host, "reload: asked anew", "approve", name)
        tap.equal("reload: one is enough again", agent.connect(), "ok")


def unrecorded(tap, host):
    """An approval that is not on the record is none."""
    host.asking("unrecorded", APPROVALS)
    with asking.Agent(host, "unrecorded") as agent:
        name = asked(tap, agent, "record")
        os.rename(asking.RECORD, f"{asking.RECORD}.away")
        stage.write(asking.RECORD, "no folder\n")
        done = host.picket("admin", "approve", name)
        tap.check("record: not to be written: no approval", done.returncode == 1 and
                  "record" in done.stderr, done)
        tap.equal("record: it is still refused", agent.connect(), "EPERM")
        os.unlink(asking.RECORD)
        os.rename(f"{asking.RECORD}.away", asking.RECORD)
        answer(tap, host, "record: back", "approve", name)
        tap.equal("record: back: it succeeds", agent.connect(), "ok")


def many(tap, host):
    host.asking("many", APPROVALS, extra="", more="}\n    - {ask: \"127.0.0.1:20000-20999\"")
    with asking.Agent(host, "many") as agent:
        for port in range(20000, 20100):
            agent.connect(port)
        requests = host.requests(agent.id)
        tap.equal("many: of so many requests the first are open", sorted(r["port"] for r in requests),
                  list(range(20000, 20064)))
        tap.equal("many: others of the agent are refused", agent.connect(), "EPERM")
        with asking.Agent(host, "many") as second:
            asked(tap, second, "many: another agent is heard")
        answer(tap, host, "many", "refuse", requests[0]["id"])
        asked(tap, agent, "many: there is room again")


def two_agents(tap, host):
    """The same act of two agents has the same id, and an answer is for one of them."""
    host.asking("same", APPROVALS)
    with asking.Agent(host, "same") as one, asking.Agent(host, "same") as two:
        first, second = asked(tap, one, "same"), asked(tap, two, "same")
        tap.equal("same: the same id", first, second)
        done = host.picket("admin", "approve", first)
        tap.check("same: an answer must say whose", done.returncode == 1, done)
        tap.equal("same: nothing was approved", [one.connect(), two.connect()], ["EPERM"] * 2)
        answer(tap, host, "same: of one", "approve", first, two.id)
        tap.equal("same: it is for that one", [one.connect(), two.connect()], ["EPERM", "ok"])


def changes(tap, host):
    reloaded(tap, host)
    unrecorded(tap, host)
    many(tap, host)
    two_agents(tap, host)
