# SPDX-License-Identifier: BSD-2-Clause
"""What asks a person on a terminal: the live view of `top`, and `approve --always`."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import asking
import stage


class Terminal:
    """A command of an operator on a terminal of its own. Use as `with Terminal(...) as terminal`."""

    def __init__(self, host, *words):
        self.main, self.other = pty.openpty()
        self.size(24, 80)
        self.modes = termios.tcgetattr(self.other)
        options = host.options("admin")
        options["env"]["TERM"] = "xterm"
        options.pop("text")
        self.process = subprocess.Popen([host.picket_path, *words], stdin=self.other,
                                        stdout=self.other, stderr=self.other, **options)
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.main)
        os.close(self.other)

    def size(self, rows, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def see(self, text, seconds=stage.PATIENCE):
        """What it wrote since the last time, once `text` is in it."""
        end = time.monotonic() + seconds
        self.seen = b""
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.main], [], [], 0.1)[0]:
                self.seen += os.read(self.main, 4096)
        return text in self.seen

    def type(self, text):
        os.write(self.main, text)

    def end(self):
        try:
            return self.process.wait(stage.PATIENCE)
        except subprocess.TimeoutExpired:
            return "late"

    def restored(self):
        return termios.tcgetattr(self.other) == self.modes


def top(tap, host):
    with asking.Agent(host, "asking") as agent:
        with Terminal(host, "top", "-d", "0.2") as terminal:
            tap.check("top: takes the terminal", terminal.see(b"\x1b[?1049h"), terminal.seen)
            tap.check("top: the agent is there", terminal.see(agent.id.encode()), terminal.seen)
            terminal.size(24, 30)
            terminal.process.send_signal(signal.SIGWINCH)
            terminal.see(b"\x1b[J")
            terminal.see(b"\x1b[H")
            lines = terminal.seen.decode().split("\x1b[J")[-1].splitlines()
            tap.check("top: no line is longer than the terminal", max(
                len(line.replace("\x1b[H", "")) for line in lines) <= 30, terminal.seen)
            terminal.type(b"q")
            tap.check("top: q gives it back", terminal.see(b"\x1b[?1049l") and terminal.end() == 0
                      and terminal.restored(), terminal.seen)
        with Terminal(host, "top") as terminal:
            terminal.see(b"AGENT")
            terminal.process.send_signal(signal.SIGTERM)
            tap.check("top: so does a signal", terminal.see(b"\x1b[?1049l") and terminal.end() == 0
                      and terminal.restored(), terminal.seen)


def timed_of(host, agent):
    return next(one["timed"] for one in host.agents() if one["agent"] == agent.id)


def latency(tap, host):
    """How long decisions take is measured while somebody looks, and only then."""
    with asking.Agent(host, "asking") as agent:
        agent.connect()
        tap.equal("latency: nobody looks, nothing is measured", timed_of(host, agent), 0)
        process = host.start("watcher", "top", "--json", "-n", "3", "-d", "1")
        stage.wait_until(lambda: agent.connect() and process.poll() is not None)
        looks = [json.loads(line) for line in process.communicate()[0].splitlines()]
        found = [one.get("latency_us") for look in looks for one in look["agents"]
                 if one["agent"] == agent.id]
        tap.check("latency: none at the first look", found[:1] == [None], found)
        tap.check("latency: then what a decision takes", len(found) == 3 and
                  all(one and 0 < one < (100000 if stage.GUEST else 10000) for one in found[1:]),
                  found)
        measured = timed_of(host, agent)
        tap.check("latency: there were some", measured > 0, measured)

        def rests():
            before = timed_of(host, agent)
            agent.connect()
            return timed_of(host, agent) == before
        tap.check("latency: nobody looks any more, nothing is", stage.wait_until(rests))


def always(tap, host):
    with asking.Agent(host, "asking") as agent:
        agent.connect()
        name = host.request(agent.id).get("id", "r-none")
        for typed, code in ((b"n\n", 1), (b"\n", 1), (b"y\n", 0)):
            with Terminal(host, "approve", name, "--always") as terminal:
                tap.check("always: asks, and shows what about", terminal.see(b"[y/N] ") and
                          asking.ASKED.encode() in terminal.seen, terminal.seen)
                terminal.type(typed)
                tap.equal(f"always: {typed!r}", terminal.end(), code)
        tap.equal("always: then it succeeds", agent.connect(), "ok")
    os.unlink(f"{stage.POLICIES}/asking.local.yaml")


def terminals(tap, host):
    host.asking("asking", "on_ask: deny")
    top(tap, host)
    latency(tap, host)
    always(tap, host)
