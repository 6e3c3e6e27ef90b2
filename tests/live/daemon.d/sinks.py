# SPDX-License-Identifier: BSD-2-Clause
"""Sinks: what is denied arrives, in files, sockets and the journal, whatever hangs, dies or is full."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import feeds
import stage

CONFIG = "/etc/picket/telemetry.yaml"
SPOOL = "/var/lib/picket/spool"


def configure(host, *sinks, reload=True):
    """Write telemetry.yaml, and let a daemon that runs read it."""
    text = "picket: 1\nsinks:\n" + "".join(f"  - {{{sink}}}\n" for sink in sinks)
    stage.write(CONFIG, text if sinks else "picket: 1\n", 0o600)
    if reload:
        host.picket("root", "reload")


def state(name):
    """The sink as the status has it; {} when there is none."""
    with stage.Rpc() as rpc:
        sinks = rpc.call("status").get("result", {}).get("sinks", [])
    return next((sink for sink in sinks if sink["name"] == name), {})


def is_exact(sink):
    return sink["offered"] == (sink["sent"] + sum(sink["lost"].values()) + sink["queued"] +
                               sink["spooled"])


def idle(name):
    """All that was offered has been dealt with."""
    sink = state(name)
    return bool(sink) and sink["queued"] == 0 and sink["spooled"] == 0 and sink["state"] == "working"


def records(paths):
    return [json.loads(line) for path in paths for line in stage.read(path).splitlines() if line]


def denials(paths):
    """The times of refused connections to 18002: each is one act."""
    return [record["time"] for record in records(paths)
            if record["kind"] == "decision" and record.get("port") == stage.CLOSED]


class Agent:
    """One that connects to 18002, which is refused, as often as it is told."""

    def __init__(self, host):
        self.process, self.name = feeds.start(host)

    def deny(self, count):
        return feeds.say(self.process, "try", str(count)) == "PermissionError"

    def pace(self, count):
        """Microseconds that half of so many denials took at most."""
        return float(feeds.say(self.process, "pace", str(count)))

    def end(self):
        self.process.stdin.close()
        self.process.wait(stage.PATIENCE)


def file_and_rotation(host, tap, agent):
    path = f"{host.base}/events.jsonl"
    configure(host, f'name: plain, type: file, path: "{path}"')
    tap.check("file: control: denials happen", agent.deny(20))
    tap.check("file: each denial is there", stage.wait_until(lambda: len(denials([path])) == 20),
              stage.read(path)[-2000:] + host.log()[-2000:])
    tap.equal("file: nobody else may read it", os.stat(path).st_mode & 0o777, 0o600)
    seqs = [record["seq"] for record in records([path])]
    tap.check("file: in order, once", seqs == sorted(set(seqs)), seqs)
    os.rename(path, f"{path}.moved")
    agent.deny(5)
    tap.check("file: one that was renamed is begun again",
              stage.wait_until(lambda: len(denials([path])) == 5), stage.read(path)[-1000:])
    tap.equal("file: and left alone", len(denials([f"{path}.moved"])), 20)
    os.unlink(path)
    configure(host, f'name: plain, type: file, path: "{path}", fsync: each,'
                    ' rotate: {size: 64KiB, count: 2}')
    agent.deny(400)
    stage.wait_until(lambda: idle("plain"))
    files = [path, f"{path}.1", f"{path}.2"]
    tap.check("rotation: the file, and so many old ones",
              all(os.path.exists(name) for name in files) and not os.path.exists(f"{path}.3"),
              os.listdir(host.base))
    tap.check("rotation: none is over the size",
              all(os.path.getsize(name) <= 65536 for name in files if os.path.exists(name)),
              [os.path.getsize(name) for name in files if os.path.exists(name)])
    tap.check("rotation: each line is whole", len(records(files)) > 20, len(records(files)))
    tap.check("file: the account is exact", is_exact(state("plain")), state("plain"))


def trace(name, path):
    """A tracer of the sink's process, at work; None for a process that was replaced meanwhile."""
    traced = re.compile(r"TracerPid:\t[1-9]").search
    pid = state(name)["pid"]
    watch = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=write,writev,pwrite64,fsync,fdatasync", "-o", path,
                              "-p", str(pid)], stderr=subprocess.PIPE, text=True, preexec_fn=stage.die_with_parent)
    stage.wait_until(lambda: watch.poll() is not None or traced(stage.read(f"/proc/{pid}/status")))
    if watch.poll() is None and state(name)["pid"] == pid:
        return watch
    watch.kill()
    watch.wait()
    return None


def traced_sink(name, path):
    for _ in range(5):
        watch = trace(name, path)
        if watch:
            return watch
    sys.exit(f"Bail out! the process of the sink {name} cannot be traced")


def calls_of(name, act):
    """How often the sink's process writes, and syncs, meanwhile: [writes, syncs]."""
    path = f"/tmp/strace-{os.getpid()}"
    watch = traced_sink(name, path)
    act()
    watch.send_signal(signal.SIGINT)
    watch.wait(stage.PATIENCE)
    lines = stage.read(path).splitlines()
    os.unlink(path)
    return [sum(any(f" {call}(" in line and "= -1" not in line for call in calls) for line in lines)
            for calls in (("write", "writev", "pwrite64"), ("fsync", "fdatasync"))]


def synced(host, tap, agent):
    """What the setting fsync says is what the process does."""
    path = f"{host.base}/synced.jsonl"
    made = 0
    for policy, syncs in (("never", False), ("decisions", True), ("each", True)):
        configure(host, f'name: synced, type: file, path: "{path}", fsync: {policy}')
        stage.wait_until(lambda: idle("synced"))
        made += 10

        def act(total=made):
            for _ in range(10):
                agent.deny(1)
            stage.wait_until(lambda: idle("synced") and len(denials([path])) == total)
        writes, found = calls_of("synced", act)
        tap.check(f"fsync: {policy}: control: it writes", writes > 0 and len(denials([path])) == made, writes)
        tap.check(f"fsync: {policy}: {'each batch is on the disk' if syncs else 'nothing is synced'}",
                  found > 0 if syncs else found == 0, (writes, found))


def standard_output(host, tap, agent):
    configure(host, "name: out, type: stdout, format: text")
    before = len(host.log())
    agent.deny(1)
    tap.check("stdout: a line for people in the log of the service",
              stage.wait_until(lambda: "127.0.0.1:18002" in host.log()[before:]), host.log()[-800:])


class Datagrams:
    """A syslog server as /dev/log has it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.messages = []
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            self.messages.append(self.socket.recv(1 << 20))


def syslog(host, tap, agent):
    server = Datagrams("/run/log.sock")
    configure(host, 'name: log, type: syslog, address: "unix:/run/log.sock", facility: authpriv')
    agent.deny(10)

    def arrived():
        return [text for text in server.messages if b"18002" in text]
    tap.check("syslog: each denial is a message", stage.wait_until(lambda: len(arrived()) == 10),
              server.messages[-3:])
    tap.check("syslog: RFC 5424, of the facility",
              all(80 <= int(text[1:text.index(b">")]) <= 87 and
                  text[text.index(b">") + 1:].startswith(b"1 ") for text in arrived()),
              arrived()[:1])
    tap.equal("syslog: the process is nobody's",
              os.stat(f"/proc/{state('log')['pid']}").st_uid
              if not os.stat(f"/proc/{state('log')['pid']}/fd").st_uid else 65534, 65534)
    tap.equal("syslog: and not root's", state("log")["root"], False)


def journal(host, tap, agent):
    os.makedirs("/run/systemd/journal", exist_ok=True)
    os.makedirs("/run/log/journal", exist_ok=True)
    log = open(f"{host.base}/journald.log", "ab")  # pylint: disable=consider-using-with
    server = subprocess.Popen(["/lib/systemd/systemd-journald"], stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, preexec_fn=stage.die_with_parent)
    log.close()
    host.children.append(server)
    tap.check("journald: a real one runs",
              stage.wait_until(lambda: os.path.exists("/run/systemd/journal/socket")),
              stage.read(f"{host.base}/journald.log"))
    configure(host, "name: journal, type: journald")
    agent.deny(10)

    def entries():
        done = host.run("root", "journalctl", "-D", "/run/log/journal", "-o", "json", "-q",
                        "SYSLOG_IDENTIFIER=picket")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line for line in lines if "18002" in json.dumps(line)]
    tap.check("journald: journalctl reads each denial back",
              stage.wait_until(lambda: len(entries()) == 10),
              (entries()[:1], state("journal"), stage.read(f"{host.base}/journald.log")[-500:]))
    server.kill()


def hang(host, tap, agent):
    stuck, good = f"{host.base}/stuck.jsonl", f"{host.base}/good.jsonl"
    configure(host, f'name: stuck, type: file, path: "{stuck}", queue: 64KiB',
              f'name: good, type: file, path: "{good}"')
    usual = agent.pace(300)
    stage.wait_until(lambda: idle("stuck") and idle("good"))
    os.kill(state("stuck")["pid"], signal.SIGSTOP)
    # Ten times as many, so that memory is full and the disk is needed. Half of them: a busy machine stops anybody
    # now and then, and whoever waited for the sink would do so each time.
    slow = agent.pace(3000)
    tap.check("a hanging sink slows no denial", slow < usual * 10 + 100, (usual, slow))
    tap.check("and no other sink", stage.wait_until(lambda: len(denials([good])) == 3300),
              (len(denials([good])), state("good")))
    with stage.Rpc() as rpc:
        begun = time.monotonic()
        rpc.call("status")
        tap.check("and no answer", time.monotonic() - begun < 5, time.monotonic() - begun)
    sink = state("stuck")
    tap.check("what it does not take waits on disk", sink["spooled"] > 1000, sink)
    tap.check("nothing is lost, and the account is exact",
              is_exact(sink) and sum(sink["lost"].values()) == 0, sink)
    os.kill(sink["pid"], signal.SIGCONT)
    stage.wait_until(lambda: idle("stuck"))
    tap.equal("when it goes on, each denial arrives, once", len(denials([stuck])), 3300)


def kills(host, tap, agent):
    path = f"{host.base}/killed.jsonl"
    configure(host, f'name: killed, type: file, path: "{path}"')
    made = 0
    for _ in range(5):
        agent.deny(100)
        made += 100
        os.kill(stage.wait_until(lambda: idle("killed") and state("killed")["pid"]), signal.SIGKILL)
        agent.deny(20)
        made += 20
    stage.wait_until(lambda: len(set(denials([path]))) == made)
    tap.equal("a sink's process is killed five times: each denial arrives",
              len(set(denials([path]))), made, host.log()[-1000:])
    stage.wait_until(lambda: idle("killed"))
    sink = state("killed")
    tap.check("it is started again, and that is told", sink["restarts"] == 5, sink)
    tap.check("the account is exact", is_exact(sink), sink)
    stage.wait_until(lambda: idle("killed"))
    os.kill(state("killed")["pid"], signal.SIGSTOP)
    agent.deny(200)
    made += 200
    stage.wait_until(lambda: state("killed")["offered"] >= made)
    pid = state("killed")["pid"]
    host.end_daemon(signal.SIGKILL)
    tap.check("the process of a sink ends with a daemon that is killed",
              stage.wait_until(lambda: not os.path.exists(f"/proc/{pid}")))
    host.start_daemon()
    stage.wait_until(lambda: len(set(denials([path]))) == made)
    tap.equal("the daemon is killed with 200 not delivered: each arrives",
              len(set(denials([path]))), made, (state("killed"), host.log()[-1000:]))
    agent.deny(50)
    made += 50
    host.end_daemon(signal.SIGTERM)
    host.start_daemon()
    stage.wait_until(lambda: len(set(denials([path]))) == made)
    tap.equal("and when it is ended", len(set(denials([path]))), made)


def full_disk(host, tap, agent):
    os.makedirs(SPOOL, exist_ok=True)
    stage.sh(f"mkdir -p {SPOOL}/small && mount -t tmpfs -o size=256k,mode=700 tmpfs {SPOOL}/small")
    path = f"{host.base}/small.jsonl"
    configure(host, f'name: small, type: file, path: "{path}", queue: 64KiB')
    os.kill(stage.wait_until(lambda: state("small").get("pid")), signal.SIGSTOP)
    agent.deny(3000)
    stage.wait_until(lambda: state("small")["offered"] >= 3000)
    sink = state("small")
    tap.check("the disk is full: what is lost is counted", sink["lost"]["decision"] > 0 and
              is_exact(sink), sink)
    tap.check("status says so", "lost" in host.picket("root", "status").stdout,
              host.picket("root", "status").stdout)
    os.kill(sink["pid"], signal.SIGCONT)
    stage.wait_until(lambda: idle("small"))
    sink = state("small")
    tap.equal("and the rest arrives", len(denials([path])) + sink["lost"]["decision"], 3000,
              sink)


def settings(host, tap, agent):
    path = f"{host.base}/kept.jsonl"
    configure(host, f'name: kept, type: file, path: "{path}"')
    pid = stage.wait_until(lambda: state("kept").get("pid"))
    host.picket("root", "reload")
    tap.equal("reload: a sink that did not change goes on", state("kept").get("pid"), pid)
    stage.write(CONFIG, "picket: 1\nsinks:\n  - {name: kept, type: flie}\n", 0o600)
    host.picket("root", "reload")
    told = host.picket("root", "status").stdout + host.log()
    tap.check("reload: a fault is told with its place",
              f"{CONFIG}:3:24: error: unknown type of sink 'flie'" in told, told[-1500:])
    agent.deny(5)
    tap.check("reload: and the old sinks go on",
              stage.wait_until(lambda: len(denials([path])) == 5), state("kept"))
    os.chmod(CONFIG, 0o666)
    host.picket("root", "reload")
    tap.check("reload: a file that others may write is none",
              stage.wait_until(lambda: "writable" in host.log() or "may be changed" in host.log()
                               or "chmod" in host.log()), host.log()[-600:])
    configure(host)
    tap.equal("reload: no sinks are no sinks", state("kept"), {})


def sinks(tap, host):
    agent = Agent(host)
    for part in (file_and_rotation, synced, standard_output, syslog, journal, hang, kills, full_disk,
                 settings):
        part(host, tap, agent)
    agent.end()
