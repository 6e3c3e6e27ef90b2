# SPDX-License-Identifier: BSD-2-Clause
"""Connections that only a learned name allows, while policies are reloaded."""
import contextlib
import socket
import struct
import subprocess
import threading
import time

import stage

RESOLVER, PORT = "127.0.0.53", 18004
HOSTS = {"kept.example": "127.1.0.1", "dropped.example": "127.1.0.2"}
TTL = 5
# Asks for both names and connects to both; a byte goes to and fro all the time on the connection to the
# first. Answers "NAME=ok ..." or what an error was to each line, and the rounds so far.
CLIENT = r"""
import random, socket, struct, sys, threading, time
def ask(name):
    number = random.randrange(65536)
    words = b"".join(bytes([len(w)]) + w.encode() for w in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(struct.pack(">6H", number, 256, 1, 0, 0, 0) + words + b"\0\0\1\0\1",
                 ("127.0.0.53", 53))
        return socket.inet_ntoa(s.recv(512)[-4:])
def turn(live):
    live.sendall(b"x")
    if not live.recv(1):
        raise OSError("closed")
names = sys.argv[1:]
lives, rounds, ended = {}, 0, None
for name in names:
    lives[name] = socket.create_connection((ask(name), 18004), 5)
    lives[name].settimeout(5)
busy = socket.create_connection((lives[names[0]].getpeername()[0], 18004), 5)
busy.settimeout(5)
def traffic():
    global rounds, ended
    try:
        while True:
            turn(busy)
            rounds += 1
    except OSError as error:
        ended = error
threading.Thread(target=traffic, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    words = []
    for name, live in lives.items():
        try:
            if line.startswith("new"):
                socket.create_connection((live.getpeername()[0], 18004), 5).close()
            elif line.startswith("ask"):
                ask(name)
            else:
                turn(live)
            words.append(f"{name}=ok")
        except OSError as error:
            words.append(f"{name}={type(error).__name__}")
    seen = rounds
    time.sleep(0.2)
    print(*words, "busy=" + ("ok" if ended is None and rounds > seen else type(ended).__name__), flush=True)
"""


def resolve(resolver, hosts):
    """Answers questions of type A for hosts, {name: address}."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((resolver, 53))
    while True:
        data, peer = server.recvfrom(512)
        end = data.index(0, 12) + 5
        words, at = [], 12
        while data[at]:
            words.append(data[at + 1:at + 1 + data[at]].decode())
            at += data[at] + 1
        server.sendto(data[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + data[12:end] + struct.pack(
            ">3HIH", 0xc00c, 1, 1, TTL, 4) + socket.inet_aton(hosts[".".join(words)]), peer)


def echo(peer):
    with peer, contextlib.suppress(ConnectionResetError):
        while data := peer.recv(1):
            peer.sendall(data)


def accept(server):
    while True:
        threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()


def serve():
    server = socket.create_server(("0.0.0.0", PORT))
    for target, words in ((resolve, (RESOLVER, HOSTS)), (accept, (server,))):
        threading.Thread(target=target, args=words, daemon=True).start()
    time.sleep(0.2)


def policy(names, number):
    stage.write(f"{stage.POLICIES}/named.yaml", f"""picket: 1
name: named
usable_by: {{users: [plain]}}
egress:
  default: deny
  rules:
    - allow: [{", ".join(f'"{name}:{PORT}"' for name in names)}]
    - {{allow: "192.0.2.{number}:1", id: version}}
  dns: {{resolvers: ["{RESOLVER}"], min_ttl: 1s, private_answers: allow}}
  tls: {{sni: off}}
""")


def say(process, word="live"):
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return dict(pair.split("=", 1) for pair in process.stdout.readline().split())


def reload(host):
    # What the watched folder made the daemon do already is not done twice.
    return host.picket("admin", "reload").returncode


def wait_for_policy(host, text):
    """The policy with the rule @text judges."""
    return stage.wait_until(lambda: text != host.agents()[0]["digest"])


def names(tap, host):
    serve()
    all_names = list(HOSTS)
    policy(all_names, 1)
    process = host.start("plain", "run", "-p", "named", "--", "python3", "-c", CLIENT, *all_names,
                         stdin=subprocess.PIPE)
    tap.equal("names: connected by name", process.stdout.readline(), "ready\n",
              stage.read(process.err_path))
    fine = {"kept.example": "ok", "dropped.example": "ok", "busy": "ok"}
    tap.equal("names: before, all goes on", say(process), fine)
    for number in range(2, 12):
        digest = host.agents()[0]["digest"]
        policy(all_names, number)
        tap.equal(f"names: reload {number - 1}", reload(host), 0)
        tap.check(f"names: reload {number - 1}: another policy", wait_for_policy(host, digest))
    tap.equal("names: reloaded ten times, all goes on", say(process), fine)
    tap.equal("names: and new connections to what was learned",
              {**say(process, "new"), "busy": "ok"}, fine)
    shown = host.picket("watcher", "names", host.agents()[0]["agent"]).stdout
    tap.check("names: each name is shown once", all(shown.count(name) == 1 for name in HOSTS), shown)
    time.sleep(TTL + 2)
    tap.equal("names: the control: their time is over, new connections are denied",
              {**say(process, "new"), "busy": ""},
              {"kept.example": "PermissionError", "dropped.example": "PermissionError", "busy": ""})
    digest = host.agents()[0]["digest"]
    policy(all_names, 20)
    reload(host)
    wait_for_policy(host, digest)
    tap.equal("names: reloaded when their time is over, open connections go on", say(process), fine)
    digest = host.agents()[0]["digest"]
    policy(all_names, 22)
    reload(host)
    wait_for_policy(host, digest)
    time.sleep(TTL)
    tap.equal("names: reloaded, and silent until their time is over, they go on", say(process), fine)
    tap.equal("names: the control: new connections are denied", {**say(process, "new"), "busy": ""},
              {"kept.example": "PermissionError", "dropped.example": "PermissionError", "busy": ""})
    digest = host.agents()[0]["digest"]
    policy(["kept.example"], 21)
    reload(host)
    wait_for_policy(host, digest)
    after = say(process)
    tap.equal("names: a name that is still allowed goes on", (after["kept.example"], after["busy"]),
              ("ok", "ok"))
    tap.check("names: one that is not is cut", after["dropped.example"] != "ok", after)
    asked = say(process, "ask")
    tap.equal("names: and is not to be asked for", asked["dropped.example"], "PermissionError")
    process.communicate("", timeout=stage.PATIENCE)
    tap.equal("names: no agent is left", host.agents(), [])
