#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Starts an agent and puts a process into it that is no child: join.py POLICY PID

Prints ok or refused, and ends, which ends the agent.
"""
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import stage  # noqa: E402  pylint: disable=wrong-import-position

with stage.Rpc() as rpc:
    answer = rpc.call("agent.start", {"policy": sys.argv[1], "cwd": "/"})
    if "result" not in answer:
        sys.exit(str(answer))
    line = json.dumps({"jsonrpc": "2.0", "id": "join", "method": "agent.join",
                       "params": {"agent": answer["result"]["agent"]}}).encode() + b"\n"
    socket.send_fds(rpc.socket, [line], [os.pidfd_open(int(sys.argv[2]))])
    answer = json.loads(rpc.file.readline())
    print("ok" if "result" in answer else "refused")
    print(answer, file=sys.stderr)
