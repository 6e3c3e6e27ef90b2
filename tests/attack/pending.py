# SPDX-License-Identifier: BSD-2-Clause
"""Puts a process of its agent that waits to be approved into an agent inside of that, and continues it there:
pending.py POLICY PID. Prints what became of it: "waits", "ended", or why it was refused."""
import json
import os
import signal
import socket
import sys
import time

SOCKET = "/run/picket/control.sock"


def call(server, lines, method, params, fds=()):
    line = json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}) + "\n"
    socket.send_fds(server, [line.encode()], list(fds))
    while True:
        answer = json.loads(lines.readline())
        if answer.get("id") == method:
            return answer


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return ""


def main():
    policy, pid = sys.argv[1], int(sys.argv[2])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.connect(SOCKET)
        lines = server.makefile()
        answer = call(server, lines, "agent.start", {"policy": policy, "cwd": "/"})
        if "result" not in answer:
            return f"start: {answer}"
        answer = call(server, lines, "agent.join", {"agent": answer["result"]["agent"]},
                      [os.pidfd_open(pid)])
        if "result" not in answer:
            return f"join: {answer}"
        for _ in range(100):
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.02)
            if state(pid) in ("", "Z"):
                return "ended"
        return "waits"


print(main(), flush=True)
