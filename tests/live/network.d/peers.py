#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The other side of the network suite: a machine that answers on every address.

    peers.py BASE     serves until its standard input ends; says "ready" when everything is up

Runs in network, mount and process namespaces of its own, whose link to the agent's is called
`peers`. Real servers: dnsmasq (two, on different addresses), nginx, sshd, git over both. Small ones
of its own: echo, mail with STARTTLS, DNS over HTTPS, a resolver that lies, and one that calls back.
BASE holds keys and certificates (network makes them); all of it is gone with the namespaces.
"""
import http.server
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LINK4, LINK6 = "185.199.100.1", "2a01:db00:1::1"
RESOLVERS = {"9.9.9.9": "2620:fe::9", "8.8.4.4": "2001:4860::44"}
# The resolver of the round over IPv6: it knows no other addresses.
SIX = "2620:fe::6"
LIARS = ["9.9.9.10", "2620:fe::10"]
ECHO = ["93.184.216.45", "93.184.216.46", "93.184.216.35", "93.184.216.39", "10.66.0.1",
        "2606:2800:220:1::45", "2606:2800:220:1::46", "2606:2800:220:1::35",
        "2606:2800:220:1::39", "fd00:66::1"]
# Further addresses that the caller calls from.
CALLERS = ["185.199.101.1", "185.199.102.1", "2a01:db00:101::1"]


def sh(*words):
    subprocess.run(words, check=True)


def set_up_network():
    """Every address that is not the link's is this machine's."""
    deadline = time.monotonic() + 20
    while "peers" not in links():
        if time.monotonic() > deadline:
            sys.exit("peers: no link")
        time.sleep(0.01)
    for key in ("ipv6/conf/all/disable_ipv6", "ipv6/conf/lo/disable_ipv6"):
        write(f"/proc/sys/net/{key}", "0")
    write("/proc/sys/net/ipv6/ip_nonlocal_bind", "1")
    write("/proc/sys/net/ipv4/conf/all/rp_filter", "0")
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "address", "add", f"{LINK4}/24", "dev", "peers")
    sh("ip", "address", "add", f"{LINK6}/64", "dev", "peers", "nodad")
    sh("ip", "link", "set", "peers", "up")
    for own in [SIX, *LIARS, *ECHO, *CALLERS, *RESOLVERS, *RESOLVERS.values()]:
        sh("ip", "address", "add", f"{own}/{128 if ':' in own else 32}", "dev", "lo")
    sh("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "main")
    sh("ip", "-6", "route", "add", "local", "::/0", "dev", "lo", "table", "main")


def links():
    return " ".join(name for _, name in socket.if_nameindex())


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def start(base, *words):
    with open(f"{base}/{os.path.basename(words[0])}.out", "ab") as log:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def hosts(base):
    """Names with many addresses: more than one datagram without EDNS takes."""
    with open(f"{base}/hosts", "w", encoding="ascii") as file:
        for number in range(1, 9):
            file.write(f"93.184.217.{number} many.example\n2606:2800:220:3::{number} many.example\n")
        for number in range(1, 61):
            file.write(f"93.184.220.{number} big.example\n")
        for number in range(1, 39):
            file.write(f"2606:2800:220:4::{number} big.example\n")


def start_daemons(base):
    hosts(base)
    for listen in [*(f"{four},{six}" for four, six in RESOLVERS.items()), SIX]:
        start(base, "dnsmasq", "-k", f"--conf-file={HERE}/zone.conf", "--pid-file=",
              f"--addn-hosts={base}/hosts", f"--listen-address={listen}", "--log-facility=-",
              *(["--filter-A"] if listen == SIX else []))
    with open(f"{HERE}/nginx.conf", encoding="utf-8") as file:
        text = file.read().replace("{base}", base)
    write(f"{base}/nginx.conf", text)
    start(base, "nginx", "-c", f"{base}/nginx.conf", "-e", f"{base}/nginx.log")
    start(base, "fcgiwrap", "-s", f"unix:{base}/fcgi.socket")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    write(f"{base}/sshd_config", "Port 22\nUsePAM no\nStrictModes no\nUseDNS no\nPidFile none\n"
          f"PermitRootLogin yes\nHostKey {base}/host_key\nPrintLastLog no\n"
          f"AuthorizedKeysFile {base}/agent_key.pub\nSubsystem sftp internal-sftp\n")
    start(base, "/usr/sbin/sshd", "-D", "-e", "-f", f"{base}/sshd_config")


# --- Small servers ---------------------------------------------------------------------------------

def serve_tcp(port, handle):
    """A thread for each connection on every address."""
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                  backlog=64)

    def one(conn):
        with conn:
            try:
                handle(conn)
            except OSError:
                pass

    def loop():
        while True:
            conn, _ = server.accept()
            threading.Thread(target=one, args=(conn,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def echo(conn):
    while data := conn.recv(4096):
        conn.sendall(data)


def greet(conn):
    conn.sendall(b"220 plain.example\r\n")
    conn.recv(4096)


def mail(context):
    """Enough of SMTP to start TLS in it."""
    def handle(conn):
        conn.sendall(b"220 mail.example ESMTP\r\n")
        while True:
            word = conn.recv(4096)[:8].upper()
            if word.startswith(b"EHLO"):
                conn.sendall(b"250-mail.example\r\n250 STARTTLS\r\n")
            elif word.startswith(b"STARTTLS"):
                conn.sendall(b"220 go ahead\r\n")
                with context.wrap_socket(conn, server_side=True) as secure:
                    secure.recv(4096)
                return
            else:
                return
    return handle


def call_back(conn):
    """"PORT KIND SOURCE": connects or sends to that port of whoever asked."""
    port, kind, source = conn.recv(99).decode().split()
    peer = conn.getpeername()[0].replace("::ffff:", "")
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        if source != "-":
            sock.bind((source, 0))
        if kind == "udp":
            sock.sendto(b"hello", (peer, int(port)))
            return
        sock.connect((peer, int(port)))
        sock.sendall(b"hello")
        sock.recv(99)


def serve_udp():
    """Echo of datagrams on 443 and 9999, each from the address it went to."""
    socks = []
    for address in ECHO:
        for port in (443, 9999):
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                                 socket.SOCK_DGRAM)
            sock.bind((address, port))
            socks.append(sock)

    def loop():
        while True:
            for sock in select.select(socks, [], [])[0]:
                data, peer = sock.recvfrom(4096)
                sock.sendto(data, peer)

    threading.Thread(target=loop, daemon=True).start()


class Doh(http.server.BaseHTTPRequestHandler):
    """DNS over HTTPS behind nginx."""

    def do_POST(self):  # pylint: disable=invalid-name
        message = self.rfile.read(int(self.headers["Content-Length"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.sendto(message, ("9.9.9.9", 53))
            answer = sock.recv(4096)
        self.send_response(200)
        self.send_header("Content-Type", "application/dns-message")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


# --- A resolver that lies --------------------------------------------------------------------------

def answer(query, addresses, owner=b"\xc0\x0c", ttl=300):
    """The answer to `query` with these addresses, of the type that is asked for."""
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    family, kind = (socket.AF_INET6, 28) if is_six(query) else (socket.AF_INET, 1)
    packed = [socket.inet_pton(family, address) for address in addresses]
    body = b"".join(owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data for data in packed)
    return query[:2] + struct.pack("!5H", 0x8180, 1, len(addresses), 0, 0) + query[12:end] + body


def is_six(query):
    """Is it asked for an IPv6 address?"""
    end = 12
    while query[end]:
        end += query[end] + 1
    return query[end + 1:end + 3] == b"\0\x1c"


def other_name(message):
    """The same answer, but its copy of the question has another name."""
    return message[:13] + bytes([message[13] ^ 1]) + message[14:]


# What the first label of a name asks for; each has an address of its own, 93.184.222.NUMBER and
# 2606:2800:222::NUMBER.
LIES = ["good", "late", "source", "port", "second", "number", "name", "type", "class", "owner", "loop",
        "cut", "private", "mixed", "own", "many", "query", "empty", "forever", "negative"]


def lie(query, label, socks, peer):
    """`socks`: of the resolver, of another address, of another port."""
    real, elsewhere, odd = socks
    net, far, inside, own = ("2606:2800:222::", "2606:2800:221::", "fd00:66::1", "2a01:db00:1::2") \
        if is_six(query) else ("93.184.222.", "93.184.221.", "10.66.0.1", "185.199.100.2")
    address = f"{net}{LIES.index(label) + 1}" if label in LIES else f"{net}200"
    good = answer(query, [address])
    size = len(socket.inet_pton(socket.AF_INET6 if ":" in net else socket.AF_INET, address)) + 12
    if label == "source":
        elsewhere.sendto(good, peer)
    elif label == "port":
        odd.sendto(good, peer)
    elif label == "late":
        time.sleep(0.3)
        real.sendto(good, peer)
    elif label == "second":
        real.sendto(answer(query, [f"{net}201"]), peer)
        real.sendto(good, peer)
    else:
        real.sendto({
            "number": bytes([query[0] ^ 1]) + good[1:],
            "name": other_name(good),
            "type": good[:len(good) - size - 4] + b"\0\x10\0\1" + good[-size:],
            "class": good[:len(good) - size - 4] + good[-size - 4:-size - 2] + b"\0\3" + good[-size:],
            "owner": answer(query, [address], owner=b"\x03foe\x07example\0"),
            "loop": answer(query, [address], owner=b"\xc0" + bytes([len(good) - size])),
            "cut": good[:-3],
            "private": answer(query, [inside]),
            "mixed": answer(query, [inside, address]),
            "own": answer(query, [own]),
            "many": answer(query, [f"{far}{n}" for n in range(1, 141)]),
            "query": query,
            "empty": b"",
            "forever": answer(query, [address], ttl=0x7fffffff),
            "negative": answer(query, [address], ttl=0x80000001),
        }.get(label, good), peer)


def serve_liar(liar, other):
    """`other`: an address that is no resolver's."""
    socks = []
    for address, port in ((liar, 53), (other, 53), (liar, 5353)):
        sock = socket.socket(socket.AF_INET6 if ":" in liar else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
        socks.append(sock)

    def loop():
        while True:
            query, peer = socks[0].recvfrom(4096)
            if len(query) > 17:
                label = query[13:13 + query[12]].decode("latin-1").lower()
                lie(query, label, socks, peer)

    threading.Thread(target=loop, daemon=True).start()


def main():
    base = sys.argv[1]
    # sshd wants /run/sshd; the start files of a login are no part of this.
    for folder in ("/run", "/root"):
        sh("mount", "-t", "tmpfs", "tmpfs", folder)
    set_up_network()
    start_daemons(base)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{base}/server.pem", f"{base}/server.key")
    serve_tcp(7, call_back)
    serve_tcp(25, greet)
    serve_tcp(587, mail(context))
    serve_tcp(9999, echo)
    serve_udp()
    for liar, other in zip(LIARS, ("93.184.216.39", "2606:2800:220:1::39")):
        serve_liar(liar, other)
    doh = http.server.ThreadingHTTPServer(("127.0.0.1", 8053), Doh)
    threading.Thread(target=doh.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    # The first process of the namespace: with it the kernel ends all others.
    os._exit(0)


if __name__ == "__main__":
    main()
