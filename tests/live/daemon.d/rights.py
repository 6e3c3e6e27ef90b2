# SPDX-License-Identifier: BSD-2-Clause
"""The capabilities of the unit are enough for picketd, and it needs them: what can be seen without hooks."""
import json
import os
import re
import signal
import subprocess

import stage

UNIT = f"{stage.HERE}/../../../tools/package/picket.service.in"
# Without these it does not start, and says why.
VITAL = {"bpf": "CAP_BPF", "perfmon": "CAP_PERFMON", "net_admin": "CAP_NET_ADMIN", "sys_admin": "CAP_SYS_ADMIN",
         "net_raw": "raw socket"}
# It stays, so that it can be looked at.
OBEY = f"""import socket, sys
print("ready", flush=True)
for line in sys.stdin:
    print("yes" if socket.socket().connect_ex(("127.0.0.1", {stage.CLOSED})) == 0 else "no", flush=True)
"""


def start(host, capabilities):
    """picketd with these and no others. True, or "ended"."""
    bounds = ",".join(["-all", *[f"+{name}" for name in capabilities]])
    with open(f"{host.base}/daemon.log", "ab") as log:
        host.daemon = subprocess.Popen(
            ["setpriv", "--bounding-set", bounds, "--inh-caps=-all", "--no-new-privs", host.program, "daemon"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=stage.die_with_parent)
    return stage.wait_until(host.answers)


def asks(host, policy):
    """An agent that asks once: what it is told, and the first request that then waits."""
    process = host.start("plain", "run", "--quiet", "-p", policy, "--", "python3", "-c", OBEY, stdin=subprocess.PIPE)
    process.stdout.readline()

    def again():
        process.stdin.write("again\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def requests():
        return json.loads(host.picket("admin", "requests", "--json").stdout)["requests"]

    again()
    hooked = policy == "hooked"
    said = stage.wait_until(lambda: again() == "yes", 3) if hooked else None
    text = host.picket("admin", "requests").stdout
    if not hooked:
        host.picket("admin", "approve", (requests() or [{"id": "none"}])[0]["id"])
        said = again() == "yes"
    process.stdin.close()
    process.wait(stage.PATIENCE)
    return said, text


def rights(tap, host):
    listed = [name.lower() for name in re.findall(r"^CapabilityBoundingSet=CAP_(\w+)", stage.read(UNIT), re.M)]
    stage.write(f"{host.base}/answer", '#!/bin/sh\necho "{\\"verdict\\": \\"approve\\"}"\n', 0o755)
    for name, more in (("asks", ""), ("hooked", f"approvals: {{hook: {host.base}/answer}}\n")):
        stage.write(f"{stage.POLICIES}/{name}.yaml", f"""picket: 1
usable_by: {{users: plain}}
egress: {{default: deny, rules: [{{ask: "127.0.0.1:{stage.CLOSED}"}}]}}
{more}""")
    host.end_daemon(signal.SIGTERM)
    for name, word in VITAL.items():
        before = len(host.log())
        tap.check(f"without {name}: picketd does not start, and says why",
                  start(host, [one for one in listed if one != name]) == "ended" and word in host.log()[before:],
                  host.log()[before:])
    for left in ("", "setuid", "setgid", "sys_ptrace"):
        up = start(host, [one for one in listed if one != left])
        tap.check(f"without {left or 'any other'}: picketd starts, healthy", up is True and
                  host.picket("root", "status").returncode == 0, host.log()[-600:])
        approved, text = asks(host, "asks")
        tap.check(f"without {left or 'any other'}: people approve", approved, text)
        tap.equal(f"without {left or 'any other'}: approvers see the folder", "/home-plain" in text,
                  left != "sys_ptrace", text)
        tap.equal(f"without {left or 'any other'}: a program approves", bool(asks(host, "hooked")[0]),
                  left not in ("setuid", "setgid"), host.log()[-600:])
        host.end_daemon(signal.SIGTERM)
    for name in ("asks", "hooked"):
        os.unlink(f"{stage.POLICIES}/{name}.yaml")
    host.start_daemon()
