# SPDX-License-Identifier: BSD-2-Clause
"""A host with policies that ask, agents that do what they are told, and who answers."""
import json
import os
import select
import subprocess
import sys
import time

import stage

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = "/var/lib/picket"
CLOSED = stage.CLOSED
ASKED = f"127.0.0.1:{CLOSED}"
stage.USERS["second"] = (61005, [61012])


class AskingHost(stage.Host):
    """Policies that ask, and what became of it."""

    def __enter__(self):
        super().__enter__()
        os.chmod(f"{self.base}/secret", 0o644)
        return self

    def asking(self, name, approvals="timeout: 5m", more="", users="plain, admin", extra=""):
        """A policy that allows OPEN and asks about CLOSED, and where there are hooks about a file, a
        program and a command line."""
        hooks = f"""
files:
  default: allow
  rules:
    - {{ask: "{self.base}/secret", access: [read], reason: it is secret}}
exec:
  default: allow
  rules:
    - {{ask: "{self.base}/denied", reason: it is denied}}
    - {{ask: "git push", reason: people push}}
""" if self.kernel else ""
        stage.write(f"{stage.POLICIES}/{name}.yaml", f"""picket: 1
name: {name}
usable_by: {{users: [{users}]}}
approvals: {{{approvals}}}
egress:
  default: deny
  rules:
    - {{allow: "127.0.0.1:{stage.OPEN}"}}
    - {{ask: "{ASKED}", reason: somebody should know{more}}}
{hooks}{extra}""")

    def requests(self, agent=None):
        done = self.picket("root", "requests", "--json", *([agent] if agent else []))
        return json.loads(done.stdout)["requests"] if done.returncode == 0 else None

    def grants(self, agent=None):
        done = self.picket("root", "grants", "--json", *([agent] if agent else []))
        return json.loads(done.stdout)["grants"] if done.returncode == 0 else None

    def request(self, agent, **wanted):
        """The first request of an agent that is so, once there is one."""
        def find():
            return [request for request in self.requests(agent) or []
                    if all(request.get(key) == value for key, value in wanted.items())]
        return (stage.wait_until(find) or [{}])[0]

    def records(self):
        """The answers in the audit trail."""
        answers = ("approved", "refused", "expired", "revoked", "ended", "lapsed", "auto", "vote")
        records = [json.loads(line) for name in sorted(os.listdir(f"{RECORD}/audit"))
                   if name.startswith("trail-") for line in stage.read(f"{RECORD}/audit/{name}").splitlines()]
        return [record for record in records if record["what"] in answers]


class Agent:
    """`picket run` of a program that obeys lines (obey.py). Use as `with Agent(...) as agent`."""

    def __init__(self, host, policy, user="plain"):
        self.host = host
        self.process = host.start(user, "run", "-p", policy, "--", "python3", "-u",
                                  f"{HERE}/obey.py", stdin=subprocess.PIPE)
        self.rest = b""
        if self.hear() != "ready":
            sys.exit("Bail out! no agent: " + stage.read(self.process.err_path))
        self.id = next(agent["agent"] for agent in host.agents()
                       if agent["owner"]["pid"] == self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(stage.PATIENCE * 2)

    def errors(self):
        return stage.read(self.process.err_path)

    def hear(self, seconds=stage.PATIENCE):
        """Its next line; "" when none comes."""
        end = time.monotonic() + seconds
        out = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            if not select.select([out], [], [], max(0, end - time.monotonic()))[0]:
                return ""
            some = os.read(out, 4096)
            if not some:
                return "ended"
            self.rest += some
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def do(self, *words):
        """Tell it and hear what came of it: "ok" or an errno."""
        self.tell(*words)
        return self.hear()

    def connect(self, port=CLOSED):
        return self.do("connect", str(port))

    def until(self, wanted, port=CLOSED):
        """The last answer of connecting, once it is the wanted one."""
        last = [""]

        def tried():
            last[0] = self.connect(port)
            return last[0] == wanted
        stage.wait_until(tried)
        return last[0]
