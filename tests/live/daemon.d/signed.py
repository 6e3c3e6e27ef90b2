# SPDX-License-Identifier: BSD-2-Clause
"""A machine that takes signed policies only: nothing else is loaded, however it comes to picketd."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading

import agents
import stage

MANAGED, KEYS = "/etc/picket/managed.d", "/etc/picket/keys"
SERIALS = "/var/lib/picket/serials"
POLICY = f"{stage.POLICIES}/signed.yaml"
FIRST, SECOND = f"{stage.POLICIES}/first.inc", f"{stage.POLICIES}/second.inc"
# What the narrow policy denies: whoever gets the wide one in, or one of the past, reaches it.
WIDER = f'    - {{allow: "127.0.0.1:{stage.CLOSED}", id: wider}}\n'
NOTHING = "picket: 1\nvars: {%s: x}\n"
# Starts an agent inside of the one that it is in for each line, and tells how that went.
INSIDE = """
import subprocess, sys
print("ready", flush=True)
for line in sys.stdin:
    done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(done.returncode, (done.stdout + done.stderr).replace("\\n", " "), flush=True)
"""


def write_policy(host, wider, name="signed", order=("first.inc", "second.inc")):
    """The policy, and no signature of it."""
    host.policy("signed", more_egress=WIDER if wider else "", extra=f"include: [{', '.join(order)}]\n")
    if name != "signed":
        stage.write(POLICY, stage.read(POLICY).replace("name: signed", f"name: {name}"))
    for path, word in ((FIRST, "one"), (SECOND, "two")):
        stage.write(path, NOTHING % word)


def sign(host, serial, key="good", path=POLICY):
    done = host.picket("root", "sign", "--key", f"{host.base}/{key}", "--serial", str(serial), path)
    assert done.returncode == 0, done.stderr


def connects(host, *words, user="plain"):
    """What becomes of a connection to CLOSED in an agent of the policy: open, denied, refused (and why)."""
    done = host.picket(user, "run", "--quiet", "-p", "signed", *words, "--", "python3", "-c",
                       f"import socket; socket.create_connection(('127.0.0.1', {stage.CLOSED}), 5)")
    if done.returncode == 0:
        return "open", ""
    return "denied" if "PermissionError" in done.stderr else "refused", done.stderr


@contextlib.contextmanager
def restored(*paths):
    """All of these files are as they were afterwards, whoever they belonged to."""
    kept = {path: (stage.read(path), os.stat(path).st_mode & 0o777) for path in paths}
    yield
    for path, (text, mode) in kept.items():
        if os.path.islink(path):
            os.unlink(path)
        stage.write(path, text, mode)


# --- what is wrong with a policy; the policy, wider than the one in force, lies there already ---

def unsigned(_):
    os.unlink(f"{POLICY}.sig")


def wrong_key(host):
    sign(host, 9, "bad")


def cut_off(host):
    sign(host, 9)
    stage.write(f"{POLICY}.sig", stage.read(f"{POLICY}.sig")[:-20])


def of_another_text(_):
    """The signature of the narrow policy is still there."""


def include_replaced(host):
    sign(host, 9)
    stage.write(SECOND, NOTHING % "three")


def include_linked(host):
    """To the very bytes that were signed."""
    sign(host, 9)
    os.rename(SECOND, f"{SECOND}.real")
    os.symlink(f"{SECOND}.real", SECOND)


def includes_reordered(host):
    sign(host, 9)
    write_policy(host, True, order=("second.inc", "first.inc"))


def renamed(host):
    """Under a name of which the record knows no serial."""
    sign(host, 1)
    stage.write(f"{POLICY}.sig", stage.read(f"{POLICY}.sig").replace("policy signed", "policy another"))


def called_otherwise(host):
    sign(host, 9)
    write_policy(host, True, name="another")


def serial_raised(host):
    """By hand, in a signature that once held."""
    sign(host, 1)
    stage.write(f"{POLICY}.sig", stage.read(f"{POLICY}.sig").replace("serial 1\n", "serial 9\n"))


def from_the_past(host):
    sign(host, 1)


def serial_twice(host):
    sign(host, 2)


def key_of_another(host):
    sign(host, 9)
    os.chown(f"{KEYS}/good.pub", 61001, 61001)


def key_writable(host):
    sign(host, 9)
    os.chmod(f"{KEYS}/good.pub", 0o666)


def key_missing(host):
    sign(host, 9)
    os.unlink(f"{KEYS}/good.pub")


def key_linked(host):
    sign(host, 9)
    os.rename(f"{KEYS}/good.pub", f"{KEYS}/real.pub")
    os.symlink(f"{KEYS}/real.pub", f"{KEYS}/good.pub")


def record_missing(host):
    sign(host, 9)
    os.unlink(SERIALS)


def record_damaged(host):
    sign(host, 9)
    stage.write(SERIALS, "picket serials 1\nsigned\n", 0o600)


def record_of_another(host):
    sign(host, 9)
    os.chown(SERIALS, 61001, 61001)


def record_writable(host):
    sign(host, 9)
    os.chmod(SERIALS, 0o606)


# What is done, what is told to who may know.
WRONG = ((unsigned, "there is no signature"), (wrong_key, "which is not one that is asked for"),
         (cut_off, "cut off or damaged"), (of_another_text, "is not what was signed"),
         (include_replaced, "second.inc' is not what was signed"), (include_linked, "symbolic link"),
         (includes_reordered, "is not what was signed"), (renamed, "its signature is not one of the key"),
         (called_otherwise, "it was signed as the policy 'signed'"),
         (serial_raised, "its signature is not one of the key"),
         (from_the_past, "its serial 1 is older than 2"),
         (serial_twice, "its serial 2 was accepted before for another text"),
         (key_of_another, "belongs to the user 61001"), (key_writable, "may write it"),
         (key_missing, "No such file"), (key_linked, "it is a symbolic link"),
         (record_missing, "is missing"), (record_damaged, "is damaged in line 2"),
         (record_of_another, "belongs to the user 61001"), (record_writable, "may write it"))


class Inside:
    """An agent that starts others inside of it."""

    def __init__(self, host):
        self.process = host.start("plain", "run", "--quiet", "-p", "around", "--", "python3", "-c", INSIDE,
                                  host.picket_path, "run", "--quiet", "--daemon", "-p", "signed", "--",
                                  "echo", "it ran", stdin=subprocess.PIPE)
        self.process.stdout.readline()

    def start(self):
        return agents.say(self.process, "go")

    def end(self):
        self.process.communicate(timeout=stage.PATIENCE)


def problems(host):
    return json.loads(host.picket("root", "status", "--json").stdout)["problems"]


def everywhere(tap, host, spoil, wanted, inside):
    """Refused at the start of agents, reload, attach and nested agents; and said why."""
    name = "signed: " + spoil.__name__.replace("_", " ")
    before = {agent["agent"]: agent["digest"] for agent in host.agents()}
    write_policy(host, True)
    spoil(host)
    for user in ("root", "plain"):
        got, said = connects(host, user=user)
        tap.check(f"{name}: {user} starts nothing", got == "refused" and (user == "plain" or wanted in said),
                  (got, said))
    done = host.picket("admin", "reload")
    tap.check(f"{name}: reload refuses", done.returncode == 1 and wanted in done.stderr, done)
    told = stage.wait_until(lambda: [text for text in problems(host) if wanted in text])
    tap.check(f"{name}: status says so", told, problems(host))
    tap.equal(f"{name}: what runs keeps its policy",
              {agent["agent"]: agent["digest"] for agent in host.agents()}, before)
    done = host.picket("admin", "attach", "--cgroup", "/attached", "-p", "signed")
    tap.check(f"{name}: attach refuses", done.returncode == 1 and wanted in done.stderr, done)
    answer = inside.start()
    tap.check(f"{name}: no agent inside of one", answer.split()[:1] == ["1"] and "it ran" not in answer,
              answer)


def refused(tap, host):
    """Each fault with a policy that would open something; the control is that it does, signed well."""
    inside = Inside(host)
    running = host.start("plain", "run", "--quiet", "-p", "signed", "--", "python3", "-c", agents.TRYING)
    tap.equal("signed: an agent runs, confined", running.stdout.readline(), "closed\n")
    with subprocess.Popen(["python3", "-c", agents.ECHO], **host.options("plain"),
                          stdout=subprocess.PIPE) as server, contextlib.ExitStack() as stack:
        server.stdout.readline()
        stack.callback(server.kill)
        client = stack.enter_context(agents.client_in(host, "attached"))
        for spoil, wanted in WRONG:
            with restored(POLICY, f"{POLICY}.sig", FIRST, SECOND, f"{KEYS}/good.pub", SERIALS):
                everywhere(tap, host, spoil, wanted, inside)
        host.picket("admin", "reload")
        tap.check("signed: the good one is back: healthy",
                  stage.wait_until(lambda: not problems(host)), problems(host))
        tap.equal("signed: and runs", connects(host)[0], "denied")
        tap.check("signed: inside of an agent too", "it ran" in inside.start())
        agent = host.picket("admin", "attach", "--cgroup", "/attached", "-p", "signed").stdout.strip()
        tap.check("signed: attached too", "PermissionError" in agents.say(client, "new"))
        host.picket("admin", "detach", agent)
        write_policy(host, True)
        sign(host, 3)
        done = host.picket("admin", "reload")
        tap.equal("signed: the control: the wider one, signed, with a new serial", done.returncode, 0,
                  done.stderr)
        tap.equal("signed: the control: it opens what it allows", running.stdout.readline(), "open\n")
    running.terminate()
    running.communicate(timeout=stage.PATIENCE)
    inside.end()


def restarts(tap, host):
    """What was accepted is known to the next picketd, and to the one after a crash."""
    tap.check("signed: the serial is in the record", "signed 3 " in stage.read(SERIALS), stage.read(SERIALS))
    for number in (signal.SIGTERM, signal.SIGKILL):
        host.end_daemon(number)
        host.start_daemon()
        with restored(POLICY, f"{POLICY}.sig"):
            write_policy(host, False)
            sign(host, 2)
            got, said = connects(host, user="root")
            tap.check(f"signed: after {number.name}: an older one is refused", got == "refused" and
                      "its serial 2 is older than 3" in said, (got, said))
        tap.equal(f"signed: after {number.name}: the last one runs", connects(host)[0], "open")
    tap.equal("signed: a path instead of a name is no way round", host.picket(
        "root", "run", "--quiet", "-p", f"{stage.POLICIES}/work.yaml", "--", "true").returncode, 1)


def copies(tap, host):
    """Two policies of one name, in two folders, each with a signature that holds."""
    other = f"{host.base}/signed.yaml"
    with restored(POLICY, f"{POLICY}.sig"):
        write_policy(host, False)
        stage.write(other, stage.read(POLICY))
        for path in (FIRST, SECOND):
            shutil.copy2(path, host.base)
        sign(host, 3, path=other)
    words = ("run", "--quiet", "-p", other, "--", "true")
    done = host.picket("root", *words)
    tap.check("signed: another policy of the name, with the same serial", done.returncode == 1 and
              "accepted before for another text" in done.stderr, done.stderr)
    sign(host, 4, path=other)
    tap.equal("signed: with a higher one it runs", host.picket("root", *words).returncode, 0)
    got, said = connects(host, user="root")
    tap.check("signed: and the first is the older one now", got == "refused" and
              "its serial 3 is older than 4" in said, (got, said))
    write_policy(host, True)
    sign(host, 5)


class Swapper(threading.Thread):
    """Puts files in the place of each other, again and again, each as a whole."""

    def __init__(self, choices):
        super().__init__(daemon=True)
        self.choices, self.over, self.turns = choices, False, 0

    def run(self):
        while not self.over:
            for path, texts in self.choices.items():
                stage.write(path, texts[self.turns % len(texts)])
            self.turns += 1


def races(tap, host):
    """While files are swapped under it, picketd loads what was verified or nothing."""
    texts = {}
    for name, wider, serial, key in (("old", True, 5, "good"), ("new", False, 6, "good"),
                                     ("forged", True, 7, "bad")):
        write_policy(host, wider)
        stage.write(POLICY, f"# {name}\n{stage.read(POLICY)}")
        sign(host, serial, key)
        texts[name] = stage.read(POLICY), stage.read(f"{POLICY}.sig")
    for path, text in zip((POLICY, f"{POLICY}.sig"), texts["new"]):
        stage.write(path, text)
    tap.equal("race: the newest runs before", connects(host)[0], "denied")
    # Texts and signatures in step with each other and out of step: 2 and 3 kinds in turn.
    for name, choices in (
            ("the text", {POLICY: [texts["new"][0], texts["forged"][0]]}),
            ("text and signature, old and new", {POLICY: [texts["new"][0], texts["old"][0]],
                                                 f"{POLICY}.sig": [texts["new"][1], texts["old"][1]]}),
            ("all of them", {POLICY: [texts["new"][0], texts["old"][0], texts["forged"][0]],
                             f"{POLICY}.sig": [texts["new"][1], texts["forged"][1]]})):
        swapper = Swapper(choices)
        swapper.start()
        got = [connects(host)[0] for _ in range(40)]
        swapper.over = True
        swapper.join()
        tap.check(f"race: {name}: nothing but the newest was loaded", "open" not in got and
                  "refused" in got and swapper.turns > 40, (got, swapper.turns))
        print(f"# race: {name}: {got.count('denied')} ran, {got.count('refused')} refused, "
              f"{swapper.turns} swaps")
        for path, text in zip((POLICY, f"{POLICY}.sig"), texts["new"]):
            stage.write(path, text)
        tap.equal(f"race: {name}: the newest runs afterwards", connects(host)[0], "denied")


def set_up(host):
    host.policy("around", extra="nested: signed\n")
    write_policy(host, True)
    os.makedirs(KEYS, exist_ok=True)
    for name in ("good", "bad"):
        host.picket("root", "keygen", "-o", f"{host.base}/{name}")
    shutil.copy(f"{host.base}/good.pub", f"{KEYS}/good.pub")


def signed(tap, host):
    set_up(host)
    tap.equal("signed: no layer asks: an unsigned policy runs", connects(host)[0], "open")
    os.makedirs(MANAGED)
    stage.write(f"{MANAGED}/10-signed.yaml",
                f"picket: 1\nrequire_signature: {KEYS}/good.pub\negress: {{default: allow}}\n")
    sign(host, 1)
    sign(host, 1, path=f"{stage.POLICIES}/around.yaml")
    got, said = connects(host, user="root")
    tap.check("signed: without a record nothing runs", got == "refused" and "--accept" in said, said)
    done = host.picket("root", "verify", "--accept", "--key", f"{KEYS}/good.pub", POLICY)
    tap.equal("signed: the record is begun", done.returncode, 0, done.stderr)
    tap.equal("signed: signed, it runs", connects(host)[0], "open")
    write_policy(host, False)
    sign(host, 2)
    tap.equal("signed: the narrower one of serial 2 too", connects(host)[0], "denied")
    refused(tap, host)
    restarts(tap, host)
    copies(tap, host)
    races(tap, host)
    shutil.rmtree(MANAGED)
    for path in (POLICY, f"{POLICY}.sig", FIRST, SECOND, SERIALS, *(
            f"{stage.POLICIES}/around.yaml{end}" for end in ("", ".sig"))):
        os.unlink(path)
    host.picket("root", "reload")
    tap.equal("signed: the layer is gone: unsigned ones run again",
              host.picket("plain", "run", "--quiet", "-p", "work", "--", "true").returncode, 0)
