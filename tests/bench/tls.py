# SPDX-License-Identifier: BSD-2-Clause
"""What a client pays for a TLS handshake with a server of a name, in nanoseconds of its CPU time.

    tls.py COUNT NAME

A number for each line that is read, as `talk` prints them; the resolver is that of resolv.conf.
"""
import socket
import ssl
import struct
import sys
import time

AT_ONCE = struct.pack("ii", 1, 0)
WARM_UP = 2


def handshake(context, name, address):
    """Connect, shake hands, close by a reset."""
    with socket.create_connection((address, 443), 60) as plain:
        with context.wrap_socket(plain, server_hostname=name) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


def main():
    count, name = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context()
    for _ in sys.stdin:
        address = socket.gethostbyname(name)
        for _ in range(WARM_UP):
            handshake(context, name, address)
        start = time.thread_time_ns()
        for _ in range(count):
            handshake(context, name, address)
        print((time.thread_time_ns() - start) / count, flush=True)


main()
