# SPDX-License-Identifier: BSD-2-Clause
"""Agents as such: many of them, attached ones, policies that change, and the end of all."""
import contextlib
import json
import os
import signal
import subprocess
import time

import stage

MANY = int(os.environ.get("MANY", "20"))
# Keeps a connection and says what becomes of each byte and each new connection it is asked for.
CLIENT = """
import socket, sys
live = socket.create_connection(("127.0.0.1", 18003), 5)
print("ready", flush=True)
for line in sys.stdin:
    try:
        if line == "new\\n":
            socket.create_connection(("127.0.0.1", 18002), 5).close()
        else:
            live.sendall(b"x")
            live.settimeout(2)
            if not live.recv(1):
                raise OSError("closed")
        print("ok", flush=True)
    except OSError as error:
        print(type(error).__name__, error, flush=True)
"""
ECHO = """
import socket, threading
server = socket.create_server(("127.0.0.1", 18003))
print("ready", flush=True)
def echo(peer):
    while True:
        data = peer.recv(1)
        if not data: return
        peer.sendall(data)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
"""

CONTAINER = "4f1d0c6a9b3e5577aa00bb11cc22dd33ee44ff5566778899aabbccddeeff0011"
# Control group, option, its value (None: the path): names as engines give them.
WAYS = [("attached", "--cgroup", None),
        ("attached/with-prefix", "--cgroup", f"{stage.cgroup_root()}/attached/with-prefix"),
        (f"system.slice/docker-{CONTAINER}.scope", "--container", CONTAINER[:12]),
        (f"machine.slice/libpod-{CONTAINER}.scope", "--container", CONTAINER),
        (f"kubepods.slice/pod7.slice/cri-containerd-{CONTAINER}.scope", "--container", CONTAINER[:20]),
        (f"kubepods.slice/pod7.slice/crio-{CONTAINER}.scope", "--container", CONTAINER[:12]),
        (f"docker/{CONTAINER}", "--container", CONTAINER[:13]),
        ("lxc.payload.web", "--container", "web"),
        ("machine.slice/machine-my\\x2dweb.scope", "--container", "my-web")]

# Tells each change of what becomes of connections. One under way at the change may end otherwise.
TRYING = """
import socket, time
last = None
while True:
    try:
        socket.create_connection(("127.0.0.1", 18002), 5).close()
        now = "open"
    except PermissionError:
        now = "closed"
    except OSError:
        now = last
    if now != last:
        print(now, flush=True)
    last = now
    time.sleep(0.002)
"""


def many(tap, host):
    """Started at once, ended at once."""
    start = time.monotonic()
    processes = [host.start("plain", "run", "-p", "work", "--", "sh", "-c", "echo ready; read line",
                            stdin=subprocess.PIPE) for _ in range(MANY)]
    ready = [process.stdout.readline() for process in processes]
    tap.equal(f"many: {MANY} agents run", ready.count("ready\n"), MANY,
              stage.read(processes[0].err_path))
    agents = host.agents()
    tap.equal("many: all are listed, by different ids", len({a["agent"] for a in agents}), MANY)
    tap.equal("many: each in a cgroup of its own", len({a["cgroup"] for a in agents}), MANY)
    for process in processes:
        process.stdin.write("end\n")
        process.stdin.close()
    codes = [process.wait(stage.PATIENCE * 2) for process in processes]
    tap.equal("many: all end well", codes, [0] * MANY)
    tap.equal("many: none is left", (host.agents(), host.cgroups_left()), ([], []))
    print(f"# many: {MANY} agents in {time.monotonic() - start:.1f} s")


def say(process, word):
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@contextlib.contextmanager
def client_in(host, folder):
    """A CLIENT in a control group of this name, which is gone afterwards."""
    options = {**host.options("root"), "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    whole = f"{stage.cgroup_root()}/{folder}"
    os.makedirs(whole)

    def join():
        with open(f"{whole}/cgroup.procs", "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))

    with subprocess.Popen(["python3", "-c", CLIENT], **{**options, "user": None, "group": None,
                                                        "extra_groups": None},
                          preexec_fn=join) as client:
        client.stdout.readline()
        yield client
        client.stdin.close()
    stage.wait_until(lambda: not stage.read(f"{whole}/cgroup.procs"))
    os.removedirs(whole)


def attach(tap, host):
    """By each way of telling which processes are meant."""
    options = {**host.options("plain"), "stdout": subprocess.PIPE}
    with subprocess.Popen(["python3", "-c", ECHO], **options) as server:
        server.stdout.readline()
        with client_in(host, "attached") as client:
            attached(tap, host, client)
        for folder, option, what in WAYS:
            with client_in(host, folder) as client:
                judged(tap, host, client, [option, what or f"/{folder}"])
        not_attached(tap, host)
        server.kill()
    tap.equal("attach: no agent is left", host.agents(), [])


def judged(tap, host, client, words):
    """What runs and the connection it has are judged, and free again after the end."""
    before = say(client, "live"), say(client, "new")
    done = host.picket("admin", "attach", *words, "-p", "work")
    during = say(client, "new"), say(client, "live")
    end = host.picket("admin", "detach", done.stdout.strip())
    after = say(client, "new")
    tap.equal(f"attach {words}: before, connections work", before, ("ok", "ok"))
    tap.equal(f"attach {words}: succeeds", done.returncode, 0, done.stderr)
    tap.check(f"attach {words}: new and live ones are denied",
              "PermissionError" in during[0] and during[1] != "ok", during)
    tap.equal(f"attach {words}: detached, they work again", (end.returncode, after), (0, "ok"),
              end.stderr)


def not_attached(tap, host):
    """Nothing becomes an agent that is not clearly meant."""
    inner = "system.slice/docker-" + CONTAINER + ".scope"
    with client_in(host, inner) as client, client_in(host, f"other/{CONTAINER[:40]}{'0' * 24}"):
        for words, wanted in ((["--container", CONTAINER[:12]], inner),
                              (["--container", "database"], "docker inspect"),
                              (["--container", "0" * 12], "no container"),
                              (["--container", CONTAINER[:11]], "12"),
                              (["--cgroup", "/there-is-none"], "there-is-none"),
                              (["--cgroup", "/"], "whole machine"),
                              (["--cgroup", f"/{inner}/../../.."], "cannot open"),
                              (["--unit", "picket-test.service"], "service")):
            done = host.picket("admin", "attach", *words, "-p", "work")
            tap.check(f"attach {words}: refused, and said why",
                      done.returncode == 1 and wanted in done.stderr, done)
        tap.equal("attach: refused, connections work", say(client, "new"), "ok")


def attached(tap, host, client):
    pid = str(client.pid)
    tap.equal("attach: before, the live connection works", say(client, "live"), "ok")
    tap.equal("attach: before, a new one works", say(client, "new"), "ok")
    done = host.picket("plain", "attach", "--pid", pid, "-p", "work")
    tap.check("attach: not for everybody", done.returncode == 1 and done.stderr, done)
    done = host.picket("admin", "attach", "--pid", pid, "-p", "none")
    tap.check("attach: a policy that there is not", done.returncode == 1 and "none" in done.stderr,
              done)
    done = host.picket("admin", "attach", "--pid", pid, "-p", "work", "--name", "mine")
    agent = done.stdout.strip()
    if not tap.check("attach: prints the agent", done.returncode == 0 and agent.startswith("a-"),
                     done):
        return
    tap.check("attach: a new connection is denied", "PermissionError" in say(client, "new"))
    answer = say(client, "live")
    tap.check("attach: the live connection is judged too", answer != "ok", answer)
    listed = [a for a in host.agents() if a["agent"] == agent]
    tap.check("attach: it is listed by its name", listed and listed[0]["name"] == "mine", listed)
    done = host.picket("admin", "attach", "--pid", pid, "-p", "work")
    tap.check("attach: not twice", done.returncode == 1 and done.stderr, done)
    host.end_daemon()
    tap.check("attach: picketd killed, still denied", "PermissionError" in say(client, "new"))
    host.start_daemon()
    tap.equal("attach: and still an agent afterwards", [a["agent"] for a in host.agents()], [agent])
    done = host.picket("watcher", "detach", agent)
    tap.check("detach: not for observers", done.returncode == 1 and done.stderr, done)
    done = host.picket("admin", "detach", agent)
    tap.check("detach: prints what was counted", done.returncode == 0 and "denied" in done.stdout,
              done)
    tap.equal("detach: a new connection works again", say(client, "new"), "ok")
    done = host.picket("admin", "detach", agent)
    tap.check("detach: not twice", done.returncode == 1 and agent in done.stderr, done)


def reload(tap, host):
    """A destination is opened and closed under a program that tries it all the time."""
    more = f'    - allow: "127.0.0.1:{stage.CLOSED}"\n'
    host.policy("changing")
    process = host.start("plain", "run", "--quiet", "-p", "changing", "--", "python3", "-c", TRYING)
    tap.equal("reload: closed at first", process.stdout.readline(), "closed\n")
    agent = host.agents()[0]
    for number in range(4):
        wanted = ["open", "closed"][number % 2]
        host.policy("changing", more_egress=more if wanted == "open" else "")
        done = host.picket("admin", "reload", *([agent["agent"]] if number % 2 else []))
        tap.equal(f"reload {number}: succeeds", done.returncode, 0, done.stderr)
        tap.equal(f"reload {number}: {wanted}", process.stdout.readline(), f"{wanted}\n")
    after = (host.agents() or [{"digest": None}])[0]
    tap.equal("reload: the same policy has the same digest", after["digest"], agent["digest"])
    stage.write(f"{stage.POLICIES}/changing.yaml", "picket: 1\nname: changing\negres: {}\n")
    done = host.picket("admin", "reload")
    tap.check("a broken policy: reload says what is wrong", done.returncode == 1 and
              "changing.yaml:3:1" in done.stderr, done.stderr)
    tap.equal("a broken policy: the old one stays", host.agents()[0]["digest"], agent["digest"])
    tap.check("a broken policy: status tells it", "changing" in host.picket(
        "root", "status").stdout)
    done = host.picket("plain", "reload")
    tap.check("reload is not for everybody", done.returncode == 1 and done.stderr, done)
    host.policy("changing")
    done = host.picket("admin", "reload")
    tap.equal("mended: reload succeeds", done.returncode, 0, done.stderr)
    process.terminate()
    process.communicate(timeout=stage.PATIENCE)


def removal(tap, host):
    """With an agent: refused; without: nothing is left."""
    process = host.start("plain", "run", "-p", "work", "--", "sh", "-c", "echo ready; read line",
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    tap.equal("picketd ends by SIGTERM", host.end_daemon(signal.SIGTERM), 0, host.log()[-600:])
    done = host.run("root", host.program, "daemon", "--remove")
    tap.check("removal is refused while there is an agent", done.returncode == 1 and done.stderr,
              done)
    host.start_daemon()
    process.communicate("end\n", timeout=stage.PATIENCE)
    tap.equal("the run ends well", process.returncode, 0, stage.read(process.err_path))
    host.end_daemon(signal.SIGTERM)
    done = host.run("root", host.program, "daemon", "--remove")
    tap.equal("removal", done.returncode, 0, done.stderr)
    pins = os.listdir(stage.PINS) if os.path.isdir(stage.PINS) else []
    tap.equal("no pin is left", pins, [])
    cgroups = os.listdir(host.cgroups) if os.path.isdir(host.cgroups) else []
    tap.equal("no cgroup is left", [name for name in cgroups if
                                    os.path.isdir(f"{host.cgroups}/{name}")], [])
    done = host.run("plain", "python3", "-c", "import socket; socket.create_connection("
                    "('127.0.0.1', 18002), 5)")
    tap.equal("nothing is denied any more", done.returncode, 0, done.stderr)
    left = json.loads(subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE,
                                     check=False).stdout or "[]") if stage.GUEST else []
    tap.equal("no program is left", [p["name"] for p in left if p.get("name", "").startswith("pk_")],
              [])
