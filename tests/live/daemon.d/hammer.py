#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Processes that try what must be denied until a file appears, 20 times at least.

    hammer.py BASE PORT STOP PROCESSES KINDS...

KINDS: words of connect, open, exec. Prints one line of JSON: {kind: {tries, odd, won}}; `won` is what
succeeded, `odd` an answer that is neither that nor the denial. Then waits for its stdin to end.
"""
import errno
import json
import os
import socket
import sys
import time

BASE, PORT, STOP = sys.argv[1], int(sys.argv[2]), sys.argv[3]
# Where all is emulated, picketd too needs its time.
PAUSE = 0.5 if os.path.exists("/picket-vm") else 0.004
DENIED = {"connect": errno.EPERM, "open": errno.EACCES, "exec": errno.EACCES}


def try_connect():
    with socket.socket() as client:
        client.connect(("127.0.0.1", PORT))


def try_open():
    os.close(os.open(f"{BASE}/secret", os.O_RDONLY))


def try_exec():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(f"{BASE}/denied", ["denied"])
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise OSError(status, "")


def work(kinds):
    acts = {"connect": try_connect, "open": try_open, "exec": try_exec}
    found = {kind: {"tries": 0, "odd": 0, "won": 0} for kind in kinds}
    rounds = 0
    while rounds < 20 or not os.path.exists(STOP):
        rounds += 1
        for kind in kinds:
            found[kind]["tries"] += 1
            try:
                acts[kind]()
                found[kind]["won"] += 1
            except OSError as error:
                found[kind]["odd"] += error.errno != DENIED[kind]
        time.sleep(PAUSE)
    return found


def main():
    kinds, pipes = sys.argv[5:], []
    for _ in range(int(sys.argv[4])):
        end, start = os.pipe()
        if os.fork() == 0:
            os.write(start, json.dumps(work(kinds)).encode())
            os._exit(0)
        os.close(start)
        pipes.append(end)
    total = {kind: {"tries": 0, "odd": 0, "won": 0} for kind in kinds}
    for end in pipes:
        for kind, found in json.loads(os.read(end, 65536)).items():
            for key, value in found.items():
                total[kind][key] += value
    print(json.dumps(total), flush=True)
    sys.stdin.read()


main()
