# SPDX-License-Identifier: BSD-2-Clause
"""Does what it is told, a line each, and says "ok" or the errno: connect PORT, open PATH, run WORDS...

`timed PORT` connects and says when that returned, in seconds of CLOCK_MONOTONIC.
"""
import errno
import socket
import subprocess
import sys
import time


def connect(port):
    socket.create_connection(("127.0.0.1", int(port)), 300).close()
    return "ok"


def timed(port):
    connect(port)
    return str(time.monotonic())


def read(path):
    with open(path, "rb") as file:
        file.read()
    return "ok"


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    text = (done.stdout + done.stderr).decode(errors="replace").strip().replace("\n", " | ")
    return f"{done.returncode} {text}".strip()


ACTS = {"connect": connect, "timed": timed, "open": read, "run": run}
print("ready", flush=True)
for line in sys.stdin:
    act, *rest = line.split()
    try:
        print(ACTS[act](*rest), flush=True)
    except OSError as error:
        print(errno.errorcode.get(error.errno, str(error)), flush=True)
