# SPDX-License-Identifier: BSD-2-Clause
"""The network around the acts of attacks.txt: a link out of the namespace that they run in, and a
world behind it, where peers.py answers for every address. Services of this host itself."""
import os
import socket
import subprocess
import sys

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
# Where the world is: documentation networks, the services of clouds, private networks.
RANGES = ["203.0.113.0/24", "169.254.0.0/16", "100.100.100.0/24", "168.63.129.16/32", "10.0.0.0/8",
          "172.17.0.0/16", "192.168.0.0/16"]
RANGES6 = ["2001:db8:200::/64", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fd00::/8", "::/96"]
OWN, OWN6, GATE, GATE6 = "198.51.100.2", "2001:db8:100::2", "198.51.100.1", "2001:db8:100::1"
# Of this host, outside the agent; the last one is a server that the agent inherits.
SERVICES = [("::", 9000)]
SETTINGS = {
    # Data in the first packet, to peers never seen before too, and taken from anybody.
    "ipv4/tcp_fastopen": "0x607",
    "ipv4/ping_group_range": "0 2147483647",
    "ipv6/conf/all/accept_dad": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv4/ip_nonlocal_bind": "1",
    "ipv6/ip_nonlocal_bind": "1",
    # Options and headers that most hosts drop, so that controls have somewhere to go.
    "ipv4/conf/all/accept_source_route": "1",
}


def run(*words):
    subprocess.run(words, check=True)


class World:
    """Made once for all sections. Its process ends with our end of its standard input."""

    def __init__(self):
        subprocess.run(["modprobe", "veth"], check=False, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(["unshare", "-n", sys.executable, f"{HERE}/peers.py"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the peers did not start")
        inside = ["nsenter", "-t", str(self.process.pid), "-n"]
        for prefix in ([], inside):
            run(*prefix, "sh", "-c", "".join(
                f"test ! -e /proc/sys/net/{name} || echo '{value}' >/proc/sys/net/{name}\n"
                for name, value in SETTINGS.items()))
        run("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "netns",
            str(self.process.pid))
        for prefix, link, four, six in (([], "out", OWN, OWN6), (inside, "in", GATE, GATE6)):
            batch = [f"link set lo up\nlink set {link} up\n",
                     f"addr add {four}/24 dev {link}\naddr add {six}/64 dev {link} nodad\n",
                     f"addr add fe80::{six[-1]}/64 dev {link} nodad\n"]
            batch += self.routes(link) if prefix else [
                f"route add default via {GATE}\nroute add default via {GATE6}\n"]
            subprocess.run([*prefix, "ip", "-batch", "-"], input="".join(batch), text=True,
                           check=True)
        for address, port in SERVICES:
            peers.stream(address, port, peers.echo)
            peers.box(port)
        for address in ("127.0.0.1", "::1"):
            peers.stream(address, peers.ERRAND_PORT, peers.errand)

    def routes(self, link):
        """Every address of the world is here, and none needs to be set on a device."""
        return ([f"route add local {network} dev lo\n" for network in RANGES] +
                [f"route add local {network} dev lo\n" for network in RANGES6] +
                [f"route add 224.0.0.0/4 dev {link}\n"])

    def inherit(self):
        """Sockets from before: a connection out, a datagram socket, a server, an own one; the same of
        IPv6."""
        made = []
        for family, evil, every in ((socket.AF_INET, peers.EVIL, "0.0.0.0"),
                                    (socket.AF_INET6, peers.EVIL6, "::")):
            made += [socket.create_connection((evil, 9000)),
                     socket.socket(family, socket.SOCK_DGRAM),
                     socket.create_server((every, 9200), family=family),
                     socket.socket(family, socket.SOCK_STREAM)]
            made[-3].connect((evil, 9000))
        return made

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def requested(words):
    """A socket that is asked for: "tcp ADDRESS PORT" and "udp" are connected, "listen" listens."""
    how, address, port = words
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if how == "listen":
        return socket.create_server((address, int(port)), family=family)
    made = socket.socket(family, socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM)
    made.connect((address, int(port)))
    return made
