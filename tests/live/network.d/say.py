#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A client that trusts nobody's library: own DNS messages, own ClientHellos, own dialogues.

Each act ends with status 0 and what it learned, or with status 1 and the name of an errno (or
"silent", "closed", "refused") as its last word. It knows no proxy, no resolver library, no policy.

    say.py ACT [WORD]...     one act
    say.py batch             reads JSON lists on stdin: ["say", WORD...] or [SHELL COMMAND]; answers a
                             JSON list each: [status, output, time of start, seconds]

A word that is a host name is resolved by the system's resolver; `ask` and `go` ask by themselves.
Sockets are `HOST:PORT`, IPv6 addresses in brackets.
"""
import errno
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import time

PATIENCE = float(os.environ.get("SAY_PATIENCE", "0.6"))  # until an answer counts as none
LINK = float(os.environ.get("SAY_LINK", "5"))  # for connections and answers of servers that are there
# What a resolver is asked for when an act does not say it.
KIND = os.environ.get("SAY_KIND", "A")
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "SVCB": 64,
         "HTTPS": 65, "NULL": 10, "ANY": 255}


class Refused(Exception):
    """The act did not succeed; the text's last word says how."""


def split(place):
    """"HOST:PORT" or "[V6]:PORT" as (host, port)."""
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port)


def addresses(place, kind):
    host, port = split(place)
    try:
        return socket.getaddrinfo(host, port, 0, kind)
    except socket.gaierror as error:
        raise Refused("unresolved") from error


def connect(place, kind=socket.SOCK_STREAM):
    """A socket connected to the first address that takes it."""
    last = None
    for family, _, _, _, address in addresses(place, kind):
        sock = socket.socket(family, kind)
        sock.settimeout(LINK)
        try:
            sock.connect(address)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            last = error
            sock.close()
    raise last


def reply(sock, wanted=1):
    """The first bytes the other side says."""
    data = sock.recv(65536)
    if len(data) < wanted:
        raise Refused("closed")
    return data


# --- DNS by hand -----------------------------------------------------------------------------------

def encode(name):
    out = b""
    for label in name.rstrip(".").split("."):
        raw = label.encode("latin-1")
        out += bytes([len(raw)]) + raw
    return out + b"\0"


def question(name, kind=KIND, number=0x1234, count=1):
    kind = TYPES.get(kind) or int(kind)
    body = (encode(name) + struct.pack("!HH", kind, 1)) * count
    return struct.pack("!6H", number, 0x100, count, 0, 0, 0) + body


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xc0:
            return at + 2
        at += message[at] + 1
    return at + 1


def records(message):
    """The addresses of an answer, whatever it is an answer to: this client believes everything."""
    found = []
    count, answers = struct.unpack("!HH", message[4:8])
    at = 12
    for _ in range(count):
        at = skip_name(message, at) + 4
    for _ in range(answers):
        at = skip_name(message, at)
        kind, _, _, size = struct.unpack("!HHIH", message[at:at + 10])
        data = message[at + 10:at + 10 + size]
        at += 10 + size
        if kind in (1, 28):
            found.append(socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, data))
        elif kind in (64, 65):
            found += hints(data)
        else:
            found.append(f"type{kind}")
    return found


def hints(data):
    """The addresses in an HTTPS record whose target is the root."""
    found, at = [], 3
    while at + 4 <= len(data):
        key, size = struct.unpack("!HH", data[at:at + 4])
        value = data[at + 4:at + 4 + size]
        at += 4 + size
        step, family = {4: (4, socket.AF_INET), 6: (16, socket.AF_INET6)}.get(key, (0, 0))
        found += [socket.inet_ntop(family, value[n:n + step])
                  for n in range(0, size if step else 0, step or 1)]
    return found


def datagrams(server):
    """A datagram socket of the family that the server has."""
    return socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)


def exchange(server, message):
    """The first datagram that comes back, from whomever."""
    with datagrams(server) as sock:
        sock.sendto(message, (server, 53))
        if not select.select([sock], [], [], PATIENCE)[0]:
            raise Refused("silent")
        return sock.recv(65536)


def act_ask(server, name, kind=KIND, count="1"):
    """One question to a resolver; says the addresses of the answer."""
    message = exchange(server, question(name, kind, count=int(count)))
    return " ".join(sorted(records(message))) or f"rcode{message[3] & 15}"


def act_ask_tcp(server, name):
    message = question(name)
    with connect(f"[{server}]:53") as sock:
        sock.sendall(struct.pack("!H", len(message)) + message)
        return " ".join(sorted(records(reply(sock, 14)[2:])))


def act_go(server, name, port, kind=KIND, number="0"):
    """Asks, then connects to one of the addresses told."""
    found = [a for a in records(exchange(server, question(name, kind))) if not a.startswith("type")]
    if not found:
        raise Refused("unresolved")
    connect(f"[{found[int(number)]}]:{port}").close()
    return "connected"


def act_second(server, name, port):
    """Takes the second answer to one question, connects to what it tells."""
    with datagrams(server) as sock:
        sock.sendto(question(name), (server, 53))
        for _ in range(2):
            if not select.select([sock], [], [], PATIENCE)[0]:
                raise Refused("silent")
            told = records(sock.recv(65536))
    connect(f"[{told[0]}]:{port}").close()
    return "connected"


def act_raw(server, hexadecimal):
    """A message of any bytes to a resolver's port; says whether something came back."""
    exchange(server, bytes.fromhex(hexadecimal))
    return "answered"


def act_put(server, hexadecimal):
    """The same, when no answer is to be had."""
    with datagrams(server) as sock:
        sock.sendto(bytes.fromhex(hexadecimal), (server, 53))
    return "sent"


def act_flood(server, name, count):
    """Questions as fast as they go; the first refusal is the answer."""
    with datagrams(server) as sock:
        sock.connect((server, 53))
        for number in range(int(count)):
            sock.send(question(name, number=number + 1))
    return "sent"


def act_get(name, path="/", before=""):
    """A page over TLS by a name that this client resolves itself; proxies are not looked at."""
    with open("/etc/resolv.conf", encoding="ascii") as file:
        server = next(line.split()[1] for line in file if line.startswith("nameserver"))
    found = [a for a in records(exchange(server, question(name))) if not a.startswith("type")]
    if not found:
        raise Refused("unresolved")
    with connect(f"[{before}{found[0]}]:443") as plain, \
            ssl.create_default_context().wrap_socket(plain, server_hostname=name) as sock:
        sock.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        data = b""
        while part := sock.recv(65536):
            data += part
    return data.decode().rpartition("\r\n")[2]


def act_get_mapped(name):
    """The same on a socket of IPv6, as Java has them for IPv4 too."""
    return act_get(name, before="::ffff:")


# --- Connections -----------------------------------------------------------------------------------

def act_tcp(place):
    connect(place).close()
    return "connected"


def act_tcp_mapped(place):
    host, port = split(place)
    connect(f"[::ffff:{socket.gethostbyname(host)}]:{port}").close()
    return "connected"


def act_talk(place, text):
    """Says a text with \\r\\n written out; an end without an answer is an answer too."""
    with connect(place) as sock:
        sock.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
        sock.recv(4096)
    return "answered"


def act_listen_first(place):
    """A dialogue in which the server speaks first."""
    with connect(place) as sock:
        return reply(sock).decode().strip()


def act_http(place, host, cut="0", line="GET / HTTP/1.1"):
    """A plain request, in pieces of `cut` bytes; several hosts are separated by commas."""
    fields = "".join(f"Host: {name}\r\n" for name in host.split(",") if name)
    data = f"{line}\r\n{fields}Connection: close\r\n\r\n".encode()
    data = data.replace(b"\\x20", b" ")
    with connect(place) as sock:
        pieces(sock, data, int(cut) or len(data))
        return reply(sock, 12)[:8].decode()


def act_udp(place, text="x"):
    """A datagram that comes back."""
    with connect(place, socket.SOCK_DGRAM) as sock:
        sock.send(text.encode())
        if not select.select([sock], [], [], PATIENCE)[0]:
            raise Refused("silent")
        return sock.recv(4096).decode()


def act_udp_to(place, text="x"):
    """The same on a socket that is not connected."""
    family, _, _, _, address = addresses(place, socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendto(text.encode(), address)
        if not select.select([sock], [], [], PATIENCE)[0]:
            raise Refused("silent")
        return sock.recv(4096).decode()


def act_starttls(place, name):
    """The dialogue of mail: plain words first, TLS for `name` behind them."""
    with connect(place) as sock:
        reply(sock)
        sock.sendall(b"EHLO agent.example\r\n")
        reply(sock)
        sock.sendall(b"STARTTLS\r\n")
        reply(sock)
        with ssl.create_default_context().wrap_socket(sock, server_hostname=name) as secure:
            return secure.version()


def act_expire(name, port, wait):
    """Connects, waits, says something on the old connection, connects to the address again."""
    place = connect(f"{name}:{port}")
    address = place.getpeername()[0]
    words = []
    for use in range(2):
        time.sleep(float(wait) if use else 0)
        place.sendall(b"still\n")
        words.append(reply(place).decode().strip())
    try:
        connect(f"[{address}]:{port}").close()
        words.append("again")
    except OSError as error:
        raise Refused(f"{'+'.join(words)} {errno.errorcode[error.errno]}") from error
    return "+".join(words)


def act_refresh(name, port, wait, times):
    """Connects to one address again and again, each time within `wait` seconds."""
    place = connect(f"{name}:{port}")
    address = place.getpeername()[0]
    place.close()
    for _ in range(int(times)):
        time.sleep(float(wait))
        connect(f"[{address}]:{port}").close()
    return "connected"


# --- TLS by hand -----------------------------------------------------------------------------------

def extension(number, body):
    return struct.pack("!HH", number, len(body)) + body


def server_name(name):
    raw = name.encode("latin-1")
    return extension(0, struct.pack("!HBH", len(raw) + 3, 0, len(raw)) + raw)


def client_hello(names, pad, first):
    """A TLS 1.2 hello. `pad` bytes of padding stand before the names, or behind if `first`."""
    said = b"".join(server_name(name) for name in names)
    groups = extension(10, struct.pack("!HHH", 4, 29, 23)) + extension(11, b"\1\0")
    signatures = extension(13, struct.pack("!5H", 8, 0x0403, 0x0804, 0x0401, 0x0503))
    padding = extension(21, bytes(pad)) if pad else b""
    body = said + groups + signatures + padding if first else padding + groups + signatures + said
    ciphers = struct.pack("!4H", 0xc02b, 0xc02f, 0xc02c, 0xc030)
    hello = b"\3\3" + bytes(range(32)) + b"\0" + struct.pack("!H", len(ciphers)) + ciphers
    hello += b"\1\0" + struct.pack("!H", len(body)) + body
    return b"\1" + struct.pack("!I", len(hello))[1:] + hello


def in_records(hello, size):
    """The handshake message in TLS records of at most `size` bytes."""
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(hello[at:at + size])) + hello[at:at + size]
                    for at in range(0, len(hello), size))


def pieces(sock, data, size):
    """One segment for each piece: nothing is merged on the way."""
    for at in range(0, len(data), size):
        sock.sendall(data[at:at + size])
        if size < len(data):
            time.sleep(0.001)


def act_hello(place, names, *words):
    """A ClientHello; the answer must be a ServerHello, with the word `any` anything.

    names: said as SNI, several separated by commas, "-" for none
    pad=N: bytes of padding; first: padding behind the name; records=N: cut into TLS records;
    cut=N: segments of N bytes; at=N: two segments; each=N: a connection for every N-th cut
    """
    options = dict(word.partition("=")[::2] for word in words)
    said = [] if names == "-" else names.split(",")
    hello = client_hello(said, int(options.get("pad", 0)), "first" in options)
    data = in_records(hello, int(options.get("records", 16384)))
    cuts = range(1, len(data), int(options["each"])) if "each" in options else [
        int(options.get("at", 0))]
    for cut in cuts:
        with connect(place) as sock:
            pieces(sock, data[:cut], max(cut, 1))
            if cut:
                time.sleep(0.002)
            pieces(sock, data[cut:], int(options.get("cut", 0)) or len(data))
            answer = reply(sock, 6)
            if (answer[0] != 0x16 or answer[5] != 2) and "any" not in options:
                raise Refused(f"alert after a cut at {cut}: closed")
    return "ServerHello"


# --- The way in ------------------------------------------------------------------------------------

def act_bind(address, port, kind="tcp"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, int(port)))
        if kind == "tcp":
            sock.listen(1)
    return "bound"


def act_called(caller, port, kind="tcp", source="-"):
    """Listens, has the peer call back from its address `source`, says what came."""
    udp = kind == "udp"
    with connect(caller) as call, socket.socket(
            socket.AF_INET6, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", int(port)))
        if not udp:
            sock.listen(4)
        call.sendall(f"{port} {kind} {source}\n".encode())
        if not select.select([sock], [], [], PATIENCE + 0.4)[0]:
            raise Refused("silent")
        if udp:
            return sock.recv(99).decode()
        peer, _ = sock.accept()
        with peer:
            peer.settimeout(LINK)
            peer.sendall(b"welcome")
            return peer.recv(99).decode()


# --- Running acts ----------------------------------------------------------------------------------

def run(words):
    """(status, text) of one act."""
    try:
        return 0, globals()[f"act_{words[0].replace('-', '_')}"](*words[1:])
    except Refused as refused:
        return 1, str(refused)
    except (TimeoutError, socket.timeout):
        return 1, "ETIMEDOUT"
    except ssl.SSLError as error:
        return 1, f"ssl {error.reason} closed"
    except OSError as error:
        return 1, f"{error} {errno.errorcode.get(error.errno, error.errno)}"


def in_child(words):
    """An act in a process of its own: what it did to itself ends with it."""
    near, far = os.pipe()
    child = os.fork()
    if child == 0:
        status, text = run(words)
        os.write(far, text.encode()[:4000])
        os._exit(status)
    os.close(far)
    with open(near, "rb") as file:
        text = file.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def in_shell(command):
    try:
        done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=12 * max(LINK, 1))
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return 124, "timeout"


def batch():
    for line in sys.stdin:
        words = json.loads(line)
        start, began = time.time(), time.monotonic()
        status, text = in_child(words[1:]) if words[0] == "say" else in_shell(words[0])
        print(json.dumps([status, text.strip()[-3000:], start, time.monotonic() - began]),
              flush=True)


def main():
    if sys.argv[1:] == ["batch"]:
        batch()
        return 0
    status, text = run(sys.argv[1:])
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
