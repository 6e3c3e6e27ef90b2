# SPDX-License-Identifier: BSD-2-Clause
"""What operators do wrong: each is told in a sentence what is wrong, and what to do."""
import json
import os
import signal
import socket
import subprocess
import threading

import stage

MANAGED = "/etc/picket/managed.d"


def told(tap, name, done, *wanted, code=1):
    """It failed, said so in few lines, and in these words."""
    text = done.stdout + done.stderr
    tap.check(name, done.returncode == code and all(word in text for word in wanted) and
              len(text.splitlines()) <= 3, (done.returncode, text))


def groups(tap, host):
    for words in (["reload"], ["attach", "-p", "work", "--pid", "1"]):
        told(tap, f"not in the group: {words[0]}", host.picket("plain", *words), "'picket-admin'", "logs in anew")
    told(tap, "not in the policy: run", host.picket("other", "run", "-p", "work", "--", "true"),
         "no policy 'work' that you may use", "usable_by")
    told(tap, "a policy that is not there", host.picket("root", "run", "-p", "wrok", "--", "true"),
         "no policy 'wrok'", "/etc/picket/policies/NAME.yaml")
    told(tap, "picketd of somebody else than root", host.picket("plain", "daemon"), "only root", "systemctl start")


def files(tap, host):
    host.policy("careless")
    path = f"{stage.POLICIES}/careless.yaml"
    run = ("run", "-p", "careless", "--", "true")
    os.chown(path, 61001, 61001)
    told(tap, "a policy of somebody else's", host.picket("root", *run), "belongs to the user 61001",
         f"chown root '{path}'")
    told(tap, "whoever may not change that is told less", host.picket("plain", *run), "no policy 'careless'")
    os.chown(path, 0, 0)
    for at, mode, good in ((path, 0o666, 0o644), (stage.POLICIES, 0o777, 0o755)):
        os.chmod(at, mode)
        told(tap, f"all may write '{at}'", host.picket("root", *run), "may write it", f"chmod go-w '{at}'")
        os.chmod(at, good)
    os.makedirs(MANAGED, exist_ok=True)
    stage.write(f"{MANAGED}/site.yaml", "picket: 1\nfiles: {default: allow}\n", 0o666)
    for user in ("root", "plain"):
        told(tap, f"all may write a managed layer: {user}", host.picket(user, *run), "may write it",
             f"chmod go-w '{MANAGED}/site.yaml'")
    os.unlink(f"{MANAGED}/site.yaml")
    os.rmdir(MANAGED)
    tap.equal("all is well again", host.picket("plain", *run).returncode, 0)


def record(tap, host):
    """The folder of the record of approvals cannot be written."""
    host.end_daemon(signal.SIGTERM)
    stage.make_read_only("/var/lib")
    host.start_daemon()

    def status():
        return json.loads(host.picket("root", "status", "--json").stdout)

    said = status()["problems"]
    tap.check("/var cannot be written: status says it, and what that means", len(said) == 1 and
              "the audit trail" in said[0] and "Read-only file system; nothing can be approved" in said[0], said)
    tap.equal("/var cannot be written: agents run", host.picket("plain", "run", "-p", "work", "--",
                                                                "true").returncode, 0)
    stage.write(f"{stage.POLICIES}/asks.yaml", f"""picket: 1
usable_by: {{users: plain}}
egress: {{default: deny, rules: [{{ask: "127.0.0.1:{stage.CLOSED}"}}]}}
""")
    process = host.start("plain", "run", "--quiet", "-p", "asks", "--", "bash", "-c",
                         f"exec 2>/dev/null; until (exec 3<>/dev/tcp/127.0.0.1/{stage.CLOSED}); do sleep 0.1; done")
    stage.wait_until(lambda: "asks" in host.picket("root", "requests").stdout)
    number = json.loads(host.picket("admin", "requests", "--json").stdout)["requests"][0]["id"]
    told(tap, "/var cannot be written: nothing is approved, and why", host.picket("admin", "approve", number),
         "cannot be written to the record", "Read-only", "/var/lib/picket/audit")
    stage.sh("mount -o remount,rw /var/lib")
    tap.check("/var can be written: healthy again", stage.wait_until(lambda: status()["healthy"]), status())
    tap.equal("/var can be written: approved", host.picket("admin", "approve", number).returncode, 0)
    process.communicate(timeout=stage.PATIENCE)
    tap.equal("and the program has what it asked for", process.returncode, 0)


class Stranger:
    """A picketd of another version: it knows no method. Use as `with Stranger()`."""

    def __init__(self, error):
        self.error, self.listener = error, socket.socket(socket.AF_UNIX)
        self.listener.bind(stage.SOCKET)
        os.chmod(stage.SOCKET, 0o666)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                client, _ = self.listener.accept()
                file = client.makefile("rw", encoding="utf-8")
                for line in file:
                    answer = {"jsonrpc": "2.0", "id": json.loads(line)["id"], "error": self.error}
                    file.write(json.dumps(answer) + "\n")
                    file.flush()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(stage.SOCKET)


def versions(tap, host):
    host.end_daemon(signal.SIGTERM)
    for error in ({"code": -32601, "message": "there is no such method"},
                  {"code": -32602, "message": "wrong parameters: 1 object item(s) left unpacked: new"}):
        with Stranger(error):
            for words in (["ps"], ["run", "-p", "work", "--", "true"], ["requests"]):
                told(tap, f"a picketd of another version ({error['code']}): {words[0]}",
                     host.picket("plain", *words), "another version", "systemctl restart picket")
    host.start_daemon()
    with stage.Rpc() as rpc:
        first = rpc.call("hello", {"of a newer client": 1})
        second = rpc.call("of.a.newer.client")
        tap.check("a client of another version: errors, and the connection goes on",
                  first["error"]["code"] == -32602 and second["error"]["code"] == -32601 and
                  "result" in rpc.call("hello"), (first, second))


def downgrade(tap, host):
    """What another version has left in the kernel is neither touched nor taken over."""
    folder = f"{stage.PINS}/daemon"
    marker = next(name for name in os.listdir(folder) if name.startswith("abi-"))
    process = host.start("plain", "run", "--quiet", "-p", "work", "--", "bash", "-c",
                         f"echo ready; read line; exec 3<>/dev/tcp/127.0.0.1/{stage.CLOSED}", stdin=subprocess.PIPE)
    process.stdout.readline()
    host.end_daemon(signal.SIGTERM)
    os.rename(f"{folder}/{marker}", f"{folder}/abi-99")
    told(tap, "the kernel has what another version left: picketd does not start",
         host.run("root", host.program, "daemon"), "version 99", "this picket is of version", "hint")
    told(tap, "nor is it removed while an agent is there", host.run("root", host.program, "daemon", "--remove"),
         "agent")
    process.stdin.write("go\n")
    process.stdin.flush()
    tap.check("and the agent is confined", stage.wait_until(
        lambda: "not permitted" in stage.read(process.err_path)), stage.read(process.err_path))
    os.rename(f"{folder}/abi-99", f"{folder}/{marker}")
    host.start_daemon()
    process.communicate(timeout=stage.PATIENCE)
    tap.check("the version that made it is back: it goes on", stage.wait_until(lambda: host.agents() == []))


def careless(tap, host):
    groups(tap, host)
    files(tap, host)
    record(tap, host)
    versions(tap, host)
    downgrade(tap, host)
