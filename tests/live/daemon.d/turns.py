# SPDX-License-Identifier: BSD-2-Clause
"""Reloads of large policies: others are answered meanwhile, and one comes after the other."""
import os
import signal
import subprocess
import threading
import time

import stage

RULES = int(os.environ.get("RULES", "500" if stage.GUEST else "10000"))
AGENTS = 12


class Pings(threading.Thread):
    """Asks picketd for what costs it nothing, again and again. Use as `with Pings() as pings`."""

    def __init__(self):
        super().__init__()
        self.done, self.ms = False, []

    def run(self):
        with stage.Rpc() as rpc:
            while not self.done:
                start = time.monotonic()
                rpc.call("hello")
                self.ms.append((time.monotonic() - start) * 1000)
                # Not more often than one client may ask.
                time.sleep(0.007)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.join()


class Large:
    """Agents with a large policy each."""

    def __init__(self, host):
        self.host, self.names, self.changes = host, [f"large-{n}" for n in range(AGENTS)], 0
        self.change()
        self.processes = []
        for name in self.names:
            process = host.start("plain", "run", "--quiet", "-p", name, "--", "sh", "-c",
                                 "echo ready; read line", stdin=subprocess.PIPE)
            process.stdout.readline()
            self.processes.append(process)
        # The watch of the folder has taken what was written.
        stage.wait_until(lambda: not self.made())

    def change(self, bad=None):
        """Other policies, the one of `bad` with an error."""
        self.changes += 1
        rules = "".join(f'    - allow: "10.{n // 250 % 250}.{n % 250}.{self.changes}:{1000 + n}"\n'
                        for n in range(RULES))
        for name in self.names:
            self.host.policy(name, more_egress=rules, extra="nonsense: 1\n" if name == bad else "")

    def made(self):
        """The process that compiles, if there is one now."""
        pid = self.host.daemon.pid
        return [int(child) for child in stage.read(f"/proc/{pid}/task/{pid}/children").split()]

    def digests(self):
        return {agent["agent"]: agent["digest"] for agent in self.host.agents()}

    def reloading(self, *words):
        """`picket reload` in the background, once it compiles."""
        process = self.host.start("root", "reload", *words)
        stage.wait_until(self.made)
        return process

    def end(self):
        for process in self.processes:
            process.communicate("end\n", timeout=stage.PATIENCE)


def ended(process):
    process.communicate(timeout=stage.PATIENCE * 2)
    return process.returncode


def answered_meanwhile(tap, host, large):
    large.change()
    with Pings() as pings:
        time.sleep(0.3)
        pings.ms.clear()
        start = time.monotonic()
        tap.equal("many large policies: reloaded", ended(host.start("root", "reload")), 0)
        whole, waits = (time.monotonic() - start) * 1000, sorted(pings.ms)
    p50, p90 = (waits[len(waits) * part // 100] for part in (50, 90))
    print(f"# turns: {AGENTS} policies of {RULES} rules in {whole:.0f} ms; {len(waits)} others were "
          f"answered meanwhile: p50 {p50:.1f}, p90 {p90:.1f}, at most {waits[-1]:.1f} ms")
    # A machine that has more to do takes longer for all of it, and for single answers at random. Who had to wait
    # for a policy to be compiled would wait for a twelfth of the whole, each time.
    tap.check("many large policies: others are answered meanwhile",
              waits[-1] < whole / 2 and p90 < whole / (3 * AGENTS), (whole, len(waits), p50, p90, waits[-5:]))


def one_after_the_other(tap, host, large):
    before = large.digests()
    large.change()
    first = large.reloading()
    agent = next(iter(before))
    others = [host.start("root", "reload", agent), host.start("root", "reload")]
    gone = large.reloading()
    gone.kill()
    gone.wait()
    tap.equal("several reloads at once: each is answered",
              [ended(process) for process in (first, *others)], [0, 0, 0])
    after = large.digests()
    tap.check("several reloads at once: all agents have their new policy",
              after.keys() == before.keys() and all(after[key] != before[key] for key in after))


def all_or_none(tap, host, large):
    stage.wait_until(lambda: not large.made())
    before = large.digests()
    large.change(bad=large.names[-1])
    process = large.reloading()
    tap.check("the last of many is wrong: said", ended(process) == 1 and
              "nonsense" in stage.read(process.err_path), stage.read(process.err_path)[-600:])
    tap.equal("the last of many is wrong: nobody has a new one", large.digests(), before)


def agent_ends(tap, host, large):
    large.change()
    process = large.reloading()
    victim = large.processes.pop(0)
    victim.communicate("end\n", timeout=stage.PATIENCE)
    tap.equal("an agent ends during a reload: it ends", victim.returncode, 0)
    tap.equal("an agent ends during a reload: that succeeds", ended(process), 0,
              stage.read(process.err_path))


def maker_killed(tap, host, large):
    stage.wait_until(lambda: not large.made())
    before = large.digests()
    large.change()
    process = large.reloading()
    for pid in large.made():
        os.kill(pid, signal.SIGKILL)
    code, said = ended(process), stage.read(process.err_path)
    tap.check("what compiles is killed: the reload fails and says why", code == 1 and
              "ended by signal 9" in said, (code, said))
    # The watch of the folder reloads by itself.
    tap.check("what compiles is killed: the next reload succeeds",
              host.picket("root", "reload").returncode == 0 and
              all(digest != before[key] for key, digest in large.digests().items()))
    tap.check("what compiles is killed: healthy afterwards",
              host.picket("root", "status").returncode == 0)


def daemon_ends(tap, host, large):
    for number, name in ((signal.SIGTERM, "ended"), (signal.SIGKILL, "killed")):
        large.change()
        process = large.reloading()
        makers = large.made()
        host.end_daemon(number)
        ended(process)
        tap.check(f"picketd is {name} during a reload: what compiles goes too",
                  stage.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in makers)))
        host.start_daemon()
        tap.equal(f"picketd is {name} during a reload: the next one's succeeds",
                  host.picket("root", "reload").returncode, 0, host.log()[-600:])


def turns(tap, host):
    large = Large(host)
    for part in (answered_meanwhile, one_after_the_other, all_or_none, agent_ends, maker_killed,
                 daemon_ends):
        part(tap, host, large)
    large.end()
    tap.check("after the reloads: all runs end well", all(
        process.returncode == 0 for process in large.processes),
        [process.returncode for process in large.processes])
