#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Services on the agent's own machine, outside the agent. Ends with its standard input."""
import socket
import sys
import threading


def serve(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                  backlog=64)
    while True:
        conn, _ = server.accept()
        conn.close()


for number in (8097, 8098):
    threading.Thread(target=serve, args=(number,), daemon=True).start()
sys.stdin.read()
