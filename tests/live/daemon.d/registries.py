# SPDX-License-Identifier: BSD-2-Clause
"""Package registries under picketd: what the machine's files name, for as long as only root can change them."""
import os
import subprocess
import threading
import time

import names
import stage

RESOLVER = "127.0.0.54"
PORT = stage.OPEN
HOSTS = {"mirror.example": "127.0.0.1", "other.example": "127.0.0.1", "own.example": "127.0.0.1"}
SITE = "/etc/apt/sources.list.d/site.sources"
POLICY = f"{stage.POLICIES}/packages.yaml"
# Files that this machine may have; none of what they name is ours to use.
HIDDEN = ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc", "/etc/pip.conf", "/etc/xdg/pip/pip.conf",
          "/etc/cargo/config.toml", "/usr/local/cargo/config.toml", "/usr/lib/go/go.env", "/usr/local/go/go.env")
# For each line "NAME PORT": asks for the name and connects to where it is.
CLIENT = r"""
import random, socket, struct, sys
def ask(name):
    number = random.randrange(65536)
    words = b"".join(bytes([len(w)]) + w.encode() for w in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(struct.pack(">6H", number, 256, 1, 0, 0, 0) + words + b"\0\0\1\0\1", ("127.0.0.54", 53))
        return socket.inet_ntoa(s.recv(512)[-4:])
print("ready", flush=True)
for line in sys.stdin:
    name, port = line.split()
    step = "question"
    try:
        address = ask(name)
        step = "connection"
        socket.create_connection((address, int(port)), 5).close()
        print("open", flush=True)
    except PermissionError:
        print(step, "denied", flush=True)
    except OSError as error:
        print(step, error, flush=True)
"""
OPEN, NOT_ASKED, CLOSED = "open", "question denied", "connection denied"


def write_policy(group, name="packages"):
    stage.write(f"{stage.POLICIES}/{name}.yaml", f"""picket: 1
name: {name}
usable_by: {{users: [plain]}}
egress:
  default: deny
  rules:
    - {{allow: "{group}", id: packages}}
  dns: {{resolvers: ["{RESOLVER}"], min_ttl: 1s, private_answers: allow}}
  tls: {{sni: off}}
""")


def configure(host, path=SITE, mode=0o644):
    stage.write(path, f"Types: deb\nURIs: http://{host}:{PORT}/debian\nSuites: stable\n", mode)


class Client:
    """An agent of the policy that connects as it is told."""

    def __init__(self, host, policy="packages"):
        self.process = host.start("plain", "run", "--quiet", "-p", policy, "--", "python3", "-c", CLIENT,
                                  stdin=subprocess.PIPE)
        self.process.stdout.readline()

    def connect(self, name, port=PORT):
        self.process.stdin.write(f"{name} {port}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.communicate(timeout=stage.PATIENCE)


def enter(host):
    """An /etc/apt of our own, and nothing in the other files."""
    empty = f"{host.base}/empty"
    stage.write(empty, "")
    stage.sh(f"""mount -t tmpfs -o mode=755 tmpfs /etc/apt
        mkdir {os.path.dirname(SITE)}
        for file in {" ".join(HIDDEN)}; do
            [ ! -e "$file" ] || mount --bind {empty} "$file"
        done""")
    threading.Thread(target=names.resolve, args=(RESOLVER, HOSTS), daemon=True).start()
    time.sleep(0.2)


def leave():
    stage.sh(f"""umount /etc/apt
        for file in {" ".join(HIDDEN)}; do
            [ ! -e "$file" ] || umount "$file"
        done""")


def changes(tap, host):
    """What the file names, and after a reload what it names then."""
    client = Client(host)
    shown = host.picket("root", "check", POLICY)
    tap.check("registries: check shows the host and where it is from", shown.returncode == 0 and
              f"mirror.example:{PORT}" in shown.stdout and f"{SITE}:2" in shown.stdout, shown)
    tap.equal("registries: the mirror is reached", client.connect("mirror.example"), OPEN,
              stage.read(client.process.err_path))
    tap.equal("registries: on its port and no other", client.connect("mirror.example", stage.CLOSED), CLOSED)
    tap.equal("registries: what nothing names is not", client.connect("other.example"), NOT_ASKED)
    configure("other.example")
    time.sleep(1)
    tap.equal("registries: changed, and not reloaded: as it was",
              (client.connect("mirror.example"), client.connect("other.example")), (OPEN, NOT_ASKED))
    done = host.picket("admin", "reload")
    tap.check("registries: reload tells that it is another policy", done.returncode == 0 and
              " -> " in done.stdout, done)
    tap.equal("registries: reloaded: as it is now",
              (client.connect("mirror.example"), client.connect("other.example")), (NOT_ASKED, OPEN))
    client.end()


def not_believed(tap, host):
    """Files that an agent could have written: nothing that they name is allowed, and it is said why."""
    folder = os.path.dirname(SITE)
    real = f"{folder}/real"
    for name, spoil, mend, wanted in (
            ("a file of the user", lambda: os.chown(SITE, 61001, 61001), lambda: os.chown(SITE, 0, 0),
             "belongs to the user 61001"),
            ("a file that all may write", lambda: os.chmod(SITE, 0o666), lambda: os.chmod(SITE, 0o644),
             "may write it"),
            ("a folder that all may write", lambda: os.chmod(folder, 0o777), lambda: os.chmod(folder, 0o755),
             "may write it"),
            ("a link", lambda: (os.rename(SITE, real), os.symlink(real, SITE)),
             lambda: os.rename(real, SITE), "it is a symbolic link")):
        configure("mirror.example")
        host.picket("admin", "reload")
        client = Client(host)
        tap.equal(f"registries: {name}: the control: before, it is believed",
                  client.connect("mirror.example"), OPEN)
        spoil()
        said = host.picket("root", "check", POLICY)
        tap.check(f"registries: {name}: check says why it is not read", wanted in said.stderr + said.stdout and
                  f"'{SITE}' is not read" in said.stderr + said.stdout, said)
        done = host.picket("admin", "reload")
        tap.equal(f"registries: {name}: reload goes on without it", done.returncode, 0, done)
        tap.equal(f"registries: {name}: nothing of it is reached", client.connect("mirror.example"), NOT_ASKED)
        client.end()
        client = Client(host)
        tap.equal(f"registries: {name}: nor in a new agent", client.connect("mirror.example"), NOT_ASKED)
        client.end()
        mend()


def of_the_user(tap, host):
    """The home folder counts for those policies that say so, and only as its owner's."""
    configure("mirror.example")
    path = f"{host.base}/home-plain/.npmrc"
    stage.write(path, f"registry=http://own.example:{PORT}/\n")
    os.chown(path, 61001, 61001)
    write_policy("@user-registries", "of-user")
    for policy, wanted in (("packages", NOT_ASKED), ("of-user", OPEN)):
        client = Client(host, policy)
        tap.equal(f"registries: the user's own file, policy {policy}",
                  (client.connect("own.example"), client.connect("mirror.example")), (wanted, OPEN))
        client.end()
    os.unlink(path)
    os.unlink(f"{stage.POLICIES}/of-user.yaml")


def registries(tap, host):
    enter(host)
    configure("mirror.example")
    write_policy("@registries")
    time.sleep(1)  # picketd takes a change in its folder of policies by itself; not so one of other files
    changes(tap, host)
    not_believed(tap, host)
    of_the_user(tap, host)
    os.unlink(POLICY)
    leave()
    stage.wait_until(lambda: host.agents() == [])
    tap.equal("registries: no agent is left", host.agents(), [])
