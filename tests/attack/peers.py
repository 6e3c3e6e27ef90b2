#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The world that network acts of attacks.txt reach: run in a network namespace of its own, where
every address is this host. Sends back what TCP connections and datagrams bring; answers questions
to resolvers, rightly and wrongly; connects where it is told to. Says "ready" and serves for good.

Also used by scene.py, which does the last of these from inside the agent's namespace.
"""
import os
import socket
import struct
import sys
import threading

ECHO_PORTS = (22, 25, 80, 443, 2375, 8080, 9000, 53)
DATAGRAM_PORTS = (443, 4789, 5353, 5355, 9000)
ERRAND_PORT = 7001
WAIT = 1.5
EVIL, EVIL6 = "203.0.113.66", "2001:db8:200::66"
# Somebody who is no resolver, as sockets of IPv6 write it.
OTHERS = ("::ffff:203.0.113.77", "2001:db8:200::77")

# name: (what it is an alias of or None, its addresses)
NAMES = {
    "good.test": (None, ["203.0.113.10", "2001:db8:200::10"]),
    "other.test": (None, ["203.0.113.20", "2001:db8:200::20"]),
    "shared.test": (None, ["203.0.113.10", "2001:db8:200::10"]),
    "quic.test": (None, ["203.0.113.25", "2001:db8:200::25"]),
    "wild.test": (None, ["203.0.113.31", "2001:db8:200::31"]),
    "a.wild.test": (None, ["203.0.113.30", "2001:db8:200::30"]),
    "b.a.wild.test": (None, ["203.0.113.32", "2001:db8:200::32"]),
    "alias.test": ("good.test", ["203.0.113.10", "2001:db8:200::10"]),
    "cdn.test": ("x.elsewhere.test", ["203.0.113.45", "2001:db8:200::45"]),
    "toevil.test": ("banned.test", [EVIL, EVIL6]),
    "short.test": (None, ["203.0.113.40", "2001:db8:200::40"]),
    "once.test": (None, ["203.0.113.41", "2001:db8:200::41"]),
    "brief.test": (None, ["203.0.113.42", "2001:db8:200::42"]),
    "foe.test": (None, ["203.0.113.99", "2001:db8:200::99"]),
    "loop.rebind.test": (None, ["127.0.0.1", "::1"]),
    "zero.rebind.test": (None, ["0.0.0.0", "::"]),
    "private.rebind.test": (None, ["10.1.2.3", "fd00::66"]),
    "meta.rebind.test": (None, ["169.254.169.254", "::ffff:169.254.169.254"]),
    "nat64.rebind.test": (None, [EVIL, "64:ff9b::a9fe:a9fe"]),
    "localnat.rebind.test": (None, [EVIL, "64:ff9b:1::a9fe:a9fe"]),
    "sixtofour.rebind.test": (None, [EVIL, "2002:a9fe:a9fe::1"]),
    "own.rebind.test": (None, ["198.51.100.2", "2001:db8:100::2"]),
}
TTL = {"short.test": 1, "brief.test": 1, "once.test": 0}


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_question(message):
    """(name in lower case, type, the question's bytes)."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    kind, = struct.unpack_from(">H", message, at + 1)
    return ".".join(labels), kind, message[12:at + 5]


def record(owner, kind, data, ttl):
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def address_record(owner, address, ttl):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return record(owner, 28 if ":" in address else 1, socket.inet_pton(family, address), ttl)


def answer(number, question, records, flags=0x8180):
    head = struct.pack(">HHHHHH", number, flags, 1, len(records), 0, 0)
    return head + question + b"".join(records)


def hints(addresses):
    """The parameters ipv4hint and ipv6hint of a service."""
    four = b"".join(socket.inet_aton(address) for address in addresses if ":" not in address)
    six = b"".join(socket.inet_pton(socket.AF_INET6, address)
                   for address in addresses if ":" in address)
    return b"".join(struct.pack(">HH", key, len(data)) + data
                    for key, data in ((4, four), (6, six)) if data)


def right_answer(number, name, kind, question):
    alias, addresses = NAMES.get(name, (None, [EVIL, EVIL6]))
    ttl, records, owner = TTL.get(name, 300), [], b"\xc0\x0c"
    if alias:
        records.append(record(owner, 5, name_bytes(alias), ttl))
        owner = name_bytes(alias)
    if kind in (1, 28):
        records += [address_record(owner, address, ttl) for address in addresses
                    if (":" in address) == (kind == 28)]
    elif kind in (64, 65):
        records.append(record(owner, kind, b"\0\1\0" + hints(addresses), ttl))
    else:
        records.append(record(b"\xc0\x0c", kind, b"\x04data", ttl))
    return answer(number, question, records)


def honest(kind):
    """The address that names below liar.test really have."""
    return "2001:db8:200::50" if kind == 28 else "203.0.113.50"


def lies(number, name, kind, question):
    """What a resolver, or somebody who plays one, may send instead; the right answer comes last."""
    evil = address_record(b"\xc0\x0c", EVIL6 if kind == 28 else EVIL, 300)
    bank = name_bytes("bank.test")
    other = bank + question[-4:]
    first = name.split(".")[0]
    if first == "id":
        return [answer(number ^ 0x5555, question, [evil])]
    if first == "flood":
        return [answer(number ^ (i + 1), question, [evil]) for i in range(200)]
    if first == "name":
        return [answer(number, other, [evil])]
    if first == "type":
        return [answer(number, question[:-4] + struct.pack(">HH", 29 - kind, 1), [evil])]
    if first == "owner":
        return [answer(number, question, [
            address_record(bank, EVIL6 if kind == 28 else EVIL, 300),
            address_record(b"\xc0\x0c", honest(kind), 300)])]
    if first == "loop":
        return [answer(number, b"\xc0\x0c" + question[-4:], [evil]),
                answer(number, question, [b"\xc0" + bytes([12 + len(question)]) + evil[2:]])]
    if first == "query":
        return [answer(number, question, [evil], 0x0100)]
    if first == "short":
        return [answer(number, question, [evil])[:-1], b"\0", b""]
    if first == "count":
        return [answer(number, question, [evil])[:4] + struct.pack(">H", 2) +
                answer(number, question, [evil])[6:]]
    if first == "error":
        return [answer(number, question, [evil], 0x8183)]
    return []


def reply(message):
    """The datagrams that answer a question, in order; whom each comes from, None: who was asked."""
    number, = struct.unpack_from(">H", message)
    if message[4:6] == b"\0\0":
        return [(message, None)]
    try:
        name, kind, question = read_question(message)
    except (IndexError, struct.error):
        return [(message[:2] + b"\x81\x81" + message[4:], None)]
    if not name.endswith(".liar.test"):
        return [(right_answer(number, name, kind, question), None)]
    right = answer(number, question, [address_record(b"\xc0\x0c", honest(kind), 300)])
    evil = answer(number, question, [
        address_record(b"\xc0\x0c", EVIL6 if kind == 28 else EVIL, 300)])
    if name.startswith("source."):
        return [(evil, OTHERS), (right, None)]
    if name.startswith("again."):
        return [(right, None), (evil, None)]
    if name.startswith(("owner.", "error.")):
        return [(lies(number, name, kind, question)[0], None)]
    return [(lie, None) for lie in lies(number, name, kind, question)] + [(right, None)]


def echo(peer):
    with peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                data = peer.recv(65536)
                if not data:
                    return
                # curl wants to be answered as it speaks.
                if b"User-Agent: curl" in data:
                    data = b"HTTP/1.0 200 OK\r\n\r\nok\n"
                    peer.sendall(data)
                    return
                peer.sendall(data)
        except OSError:
            return


def go(how, source, to, port):
    """Reach the agent from `source`: what came of it."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    kind = socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(family, kind) as out:
            out.settimeout(WAIT)
            if source != "-":
                out.bind((source, 0))
            out.connect((to, port))
            if how == "tcp":
                return out.recv(64).decode() or "closed"
            out.send(b"attack")
            return "sent"
    except TimeoutError:
        return "nothing"
    except OSError as problem:
        return os.strerror(problem.errno).replace(" ", "-")


def errand(peer):
    """ "tcp SOURCE TO PORT\n": connect there, tell what was heard."""
    with peer:
        try:
            how, source, to, port = peer.recv(256).decode().split()
            peer.sendall(go(how, source, to, int(port)).encode())
        except (OSError, ValueError):
            return


def accept_all(listener, serve):
    while True:
        try:
            peer = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


def stream(address, port, serve):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
    listener.bind((address, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    listener.listen(64)
    threading.Thread(target=accept_all, args=(listener, serve), daemon=True).start()
    return listener


def datagrams(box, resolver):
    """Send back from the address that each came to."""
    while True:
        try:
            data, control, _, source = box.recvmsg(65536, 256)
        except OSError:
            return
        info = next(item for level, _, item in control if level == socket.IPPROTO_IPV6)
        answers = reply(data) if resolver else [(data, None)]
        for text, other in answers:
            mapped = info.startswith(b"\0" * 10 + b"\xff\xff")
            here = info if not other else (
                socket.inet_pton(socket.AF_INET6, other[0 if mapped else 1]) + info[16:])
            try:
                box.sendmsg([text], [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, here)], 0, source)
            except OSError:
                pass


def box(port):
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    made.bind(("::", port))
    threading.Thread(target=datagrams, args=(made, port == 53), daemon=True).start()


def main():
    for port in ECHO_PORTS:
        stream("::", port, echo)
    stream("::", ERRAND_PORT, errand)
    for port in (53, *DATAGRAM_PORTS):
        box(port)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
