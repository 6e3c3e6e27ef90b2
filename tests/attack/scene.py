# SPDX-License-Identifier: BSD-2-Clause
"""What the acts of attacks.txt find: folders, files, mounts, and processes outside the agent."""
import glob
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading

import world

HERE = os.path.dirname(os.path.abspath(__file__))
PICKET = os.environ["PICKET"]
BUILD = os.environ["BUILD"]
TIER = os.environ["PICKET_TIER"]
PROGRAMS = ["drive", "files", "descriptors", "mounts", "exec", "process", "kernel", "ring",
            "victim", "net", "sockets", "dns", "payload", "stream", "option", "listen"]
# The first descriptor that an agent inherits: above all that this program's threads open, or hold
# for an accept() that has not returned, on which dup2() fails.
INHERITED = 240
# Sections about the network: they need a world around them, and no file system of their own.
NETWORK = ("names", "denied", "sockets", "audited")
# Sections about picket's own record: its folders are ones of the tree, under their own names as well.
RECORD = ("record", "bare")
OWN = {"lib": "/var/lib/picket", "etc": "/etc/picket"}
FOLDERS = ["rw/secret", "rw/ov", "rw/over", "rw/moved", "rw/gone", "rw/mnt",
           "rw/mnt2", "rw/fold", "ro/fold", "ro/d", "wo", "xo",
           "rn", "no/d", "bin", "rw/hold/secret", "rw/deep", "rw/was", "vault"]
# A path of the table whose last part begins so is made before the batch: a file, a folder, a
# program that says ok, a script of it.
MADE = re.compile(r"\{(w|lib|etc)\}(/[^ ]*/|/)([fdps]-[^ /]*)")


def flatten(value, prefix=""):
    """{"rule": {"id": 1}} -> {"rule.id": "1"}; lists joined by +."""
    flat = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update(flatten(item, f"{prefix}{key}."))
        elif isinstance(item, list):
            flat[prefix + key] = "+".join(map(str, item))
        else:
            flat[prefix + key] = str(item)
    return flat


def read_events(path):
    with open(path, encoding="utf-8") as file:
        return [flatten(json.loads(line)) for line in file]


def cgroup_root():
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        return next(line.split()[4] for line in file if " - cgroup2 " in line)


class Sender(threading.Thread):
    """Opens what it is asked for ("FLAGS PATH", or a socket: world.py) and sends the descriptor."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)

    def run(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            with peer:
                flags, _, path = peer.recv(8192).decode().strip().partition(" ")
                if not path:
                    continue
                if flags.isalpha():
                    with world.requested([flags, *path.split()]) as made:
                        socket.send_fds(peer, [b"x"], [made.fileno()])
                    continue
                fd = os.open(path, int(flags, 0))
                socket.send_fds(peer, [b"x"], [fd])
                os.close(fd)


class Scene:
    """One tree on a file system of its own, new for each batch."""

    def __init__(self, base, lines, policy, confined, around=None):
        self.base, self.work, self.confined = base, f"{base}/w", confined
        self.children, self.inherited, self.listeners = [], [], []
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.work}
        self.names = {"w": self.work, "cg": cgroup_root(), "self": str(os.getpid())}
        os.makedirs(self.work)
        self.network = lines[0].section in NETWORK
        # Debian's own setting leaves perf to capabilities, and the guard would not be asked.
        self.paranoid = self.sysctl("kernel/perf_event_paranoid", "1")
        if self.network:
            self.make_place(around)
        else:
            self.make_file_system()
            if lines[0].section in RECORD:
                self.make_record()
            self.make_tree(lines)
            self.make_mounts()
            self.make_handler()
        self.policy = f"{self.work}/rw/policy.yaml"
        self.picket = f"{self.work}/rw/picket"
        shutil.copy(PICKET, self.picket)
        with open(policy or f"{HERE}/policies/strict.yaml", encoding="utf-8") as file:
            text = file.read()
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write(text)
        self.sender = Sender(f"{self.work}/rw/sender")
        self.sender.start()
        self.listen()

    def sysctl(self, name, value):
        """Set it; what it was."""
        with open(f"/proc/sys/{name}", "r+", encoding="ascii") as file:
            before = file.read().strip()
            file.seek(0)
            file.write(value)
        return before

    def mount(self, *words):
        subprocess.run(["mount", *words], check=True)

    def make_file_system(self):
        """Ext4 with case folding: extended attributes, ACLs, handles, flags, holes."""
        image = f"{self.base}/image"
        with open(image, "wb") as file:
            file.truncate(160 << 20)
        # Nobody asks for these by a name that the kernel would load them for.
        subprocess.run(["modprobe", "-a", "loop", "overlay", "binfmt_misc", "fuse"], check=False,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal,casefold", "-E",
                        "encoding=utf8,lazy_itable_init=1", image], check=True)
        self.mount("-o", "loop,acl,user_xattr", image, self.work)
        os.chmod(self.work, 0o755)
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.names["disk"] = next(line.split(" - ")[1].split()[1] for line in file
                                      if line.split()[4] == self.work)

    def make_place(self, around):
        """For acts on the network: programs, and sockets from before."""
        for name in ("bin", "rw", "no"):
            os.makedirs(f"{self.work}/{name}")
        self.write(f"{self.work}/no/inherited")
        self.copy_programs()
        for number, made in enumerate(around.inherit()):
            self.hand_down(number, made.fileno())
            made.close()

    def hand_down(self, number, fd):
        """The agent inherits it under a number that attacks.txt knows."""
        os.dup2(fd, INHERITED + number)
        self.inherited.append(INHERITED + number)

    def copy_programs(self):
        for name in PROGRAMS:
            shutil.copy(f"{BUILD}/tests/attack/{name}", f"{self.work}/bin/{name}")

    def make_tree(self, lines):
        for name in FOLDERS:
            os.makedirs(f"{self.work}/{name}")
        self.copy_programs()
        for folder in ("rw", "ro"):
            subprocess.run(["chattr", "+F", f"{self.work}/{folder}/fold"], check=True)
        for line in lines:
            for top, folder, name in MADE.findall(line.act.replace("{n}", str(line.number))):
                self.make(self.names[top] + folder, name)
        self.make_fixed()
        self.make_gains()
        for number, name in enumerate(["no/inherited", "ro/inherited", "rw/inherited"]):
            self.write(f"{self.work}/{name}")
            os.chmod(f"{self.work}/{name}", 0o666)
            fd = os.open(f"{self.work}/{name}", os.O_RDWR)
            self.hand_down(number, fd)
            os.close(fd)

    def write(self, path, text="content\n" * 1000):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def make(self, folder, name):
        os.makedirs(folder, exist_ok=True)
        path = folder + name
        if os.path.exists(path):
            return
        if name[0] == "d":
            os.makedirs(path)
            self.write(f"{path}/f")
        elif name[0] == "p":
            shutil.copy(f"{BUILD}/tests/attack/exec", path)
            os.chmod(path, 0o755)
            if "other" in name:
                os.truncate(path, 8 << 20)
        elif name[0] == "s":
            self.write(path, f"#!{self.work}/bin/exec hello\necho ok\n")
            os.chmod(path, 0o755)
        else:
            self.write(path)

    def make_record(self):
        """Picket's folders, with what the daemon has in them."""
        self.names.update(OWN)
        for name, path in OWN.items():
            os.makedirs(f"{self.work}/{name}")
            os.makedirs(path, exist_ok=True)
            self.mount("--bind", f"{self.work}/{name}", path)
        for name in ("audit", "spool/siem", "spool/empty"):
            os.makedirs(f"{OWN['lib']}/{name}")
        for name in ("audit/head", "audit/00000001.jsonl", "spool/siem/00000001", "serials",
                     "events.db", "events.db-wal"):
            self.write(f"{OWN['lib']}/{name}")
        for name in ("policies", "managed.d"):
            os.makedirs(f"{OWN['etc']}/{name}")
        for name in ("audit.key", "telemetry.yaml", "policies/work.yaml"):
            self.write(f"{OWN['etc']}/{name}")

    def make_fixed(self):
        """Things that several lines speak of, or that need a certain name."""
        work = self.work
        for name in ("no/f-made", "rw/fold/f-made", "rw/hold/secret/f"):
            self.write(f"{work}/{name}")
        for name in ("rw/cmd", "rw/other-name", "rw/was/forbidden"):
            shutil.copy(f"{BUILD}/tests/attack/exec", f"{work}/{name}")
        for name in ("files", "ring"):
            shutil.copy(f"{work}/bin/{name}", f"{work}/rw/{name}")
        os.link(f"{work}/bin/files", f"{work}/rw/hard-files")
        os.symlink(f"{work}/bin/files", f"{work}/rw/soft-files")
        os.symlink(f"{work}/rw/cmd", f"{work}/rw/alias")
        self.make(f"{work}/rw/", "s-deploy")
        os.rename(f"{work}/rw/s-deploy", f"{work}/rw/deploy")
        library = next(path for path in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
                                         "/lib/aarch64-linux-gnu/libm.so.6")
                       if os.path.exists(path))
        for folder in ("rw", "rn"):
            shutil.copy("/bin/true", f"{work}/{folder}/true")
            shutil.copy(library, f"{work}/{folder}/lib.so")
        os.chown(f"{work}/rw", 1000, 1000)
        self.descend(f"{work}/no/long", 17, 250)
        self.descend(f"{work}/rw/deeper", 140, 2)

    def descend(self, top, count, width):
        """Folders in folders, beyond what a path can say."""
        os.makedirs(top)
        at = os.open(top, os.O_RDONLY)
        for _ in range(count):
            os.mkdir("d" * width, dir_fd=at)
            deeper = os.open("d" * width, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = deeper
        os.close(at)

    def make_gains(self):
        """Programs that give privileges: by the set-user-id bit, by capabilities of the file."""
        for name in ("suid", "caps"):
            shutil.copy(f"{BUILD}/tests/attack/kernel", f"{self.work}/bin/{name}")
        os.chmod(f"{self.work}/bin/suid", 0o4755)
        # Version 2, effective; all the lower 32 capabilities.
        os.setxattr(f"{self.work}/bin/caps", "security.capability",
                    struct.pack("<5I", 0x02000001, 0xffffffff, 0, 0, 0))

    def make_mounts(self):
        """What an administrator may have mounted: an overlay, a tmpfs over a folder."""
        for name in ("lower", "upper", "work"):
            os.makedirs(f"{self.base}/ovl/{name}")
        for name in ("lower/file", "lower/secret"):
            self.write(f"{self.base}/ovl/{name}")
        ovl = f"{self.base}/ovl"
        self.mount("-t", "overlay", "overlay", "-o",
                   f"lowerdir={ovl}/lower,upperdir={ovl}/upper,workdir={ovl}/work",
                   f"{self.work}/rw/ov")
        for name in ("over", "moved", "gone"):
            self.mount("-t", "tmpfs", "tmpfs", f"{self.work}/rw/{name}")
        self.write(f"{self.work}/rw/over/file")
        self.names["ovl"] = ovl

    def make_handler(self):
        """Files of a certain name are run by a program, where the kernel can do that."""
        register = "/proc/sys/fs/binfmt_misc/register"
        self.write(f"{self.work}/rw/x.attack")
        os.chmod(f"{self.work}/rw/x.attack", 0o755)
        if not os.path.exists(register):
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc",
                            os.path.dirname(register)], check=False, stderr=subprocess.DEVNULL)
        if os.path.exists(register):
            with open(register, "w", encoding="ascii") as file:
                file.write(f":attack:E::attack::{self.work}/bin/exec:")

    def listen(self):
        """Abstract sockets of somebody outside."""
        for name, kind in (("stream", socket.SOCK_STREAM), ("dgram", socket.SOCK_DGRAM),
                           ("packet", socket.SOCK_SEQPACKET), ("allowed", socket.SOCK_STREAM)):
            listener = socket.socket(socket.AF_UNIX, kind)
            listener.bind(f"\0picket-attack-{name}")
            if kind != socket.SOCK_DGRAM:
                listener.listen(16)
            self.listeners.append(listener)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{self.work}/no/socket")
        listener.listen(16)
        self.listeners.append(listener)

    def victim(self, uid=0, file=None):
        """A process outside the agent."""
        child = subprocess.Popen([f"{self.work}/bin/victim", file or f"{self.work}/no/inherited"],
                                 stdout=subprocess.PIPE, text=True, user=uid or None,
                                 env={"SECRET": "hunter2"})
        if child.stdout.readline() != "ready\n":
            raise RuntimeError("a victim did not start")
        self.children.append(child)
        return str(child.pid)

    def started(self, pid):
        """The run is under way: its supervisor and its pins have names."""
        pins = "/sys/fs/bpf/picket-attack"
        own = f"{self.names['cg']}/picket-attack"
        if self.confined:
            self.names["sup"] = str(pid)
            name = next(name for name in os.listdir("/sys/fs/bpf/picket") if f"-{pid}-" in name)
            pins, own = f"/sys/fs/bpf/picket/{name}", f"{self.names['cg']}/picket/{name}"
        else:
            os.makedirs(own, exist_ok=True)
            os.makedirs(pins, exist_ok=True)
            for name in ("link_a", "link_b"):
                subprocess.run([f"{self.work}/bin/kernel", "bpf-pin", f"{pins}/{name}"],
                               check=True, stdout=subprocess.DEVNULL)
        links = sorted(name for name in os.listdir(pins) if name.startswith("link_"))
        self.names.update(pins=pins, own=own, pin=links[0], pin2=links[1])

    def fill(self, text, number):
        """Words in braces: {victim} and {holder} are new processes, {n} the line of the table."""
        def word(match):
            name = match.group(1)
            if name == "n":
                return str(number)
            if name in ("victim", "user"):
                return self.victim(1000 if name == "user" else 0)
            if name == "holder":
                return self.victim(file=f"{OWN['lib']}/audit/head")
            if name == "sup" and not self.confined:
                return self.victim()
            if name == "long":
                return "d" * 255
            return str(self.names[name])
        return re.sub(r"\{(\w+)\}", word, text)

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()
        for listener in [*self.listeners, self.sender.socket]:
            listener.close()
        for fd in self.inherited:
            os.close(fd)
        self.sysctl("kernel/perf_event_paranoid", self.paranoid)
        handler = "/proc/sys/fs/binfmt_misc/attack"
        if os.path.exists(handler):
            with open(handler, "w", encoding="ascii") as file:
                file.write("-1")
        for pattern in ("/etc/attack-*", "/sys/fs/bpf/attack-*", "/sys/fs/bpf/picket-attack/*",
                        "/sys/fs/bpf/picket-attack", f"{self.names['cg']}/attack-*",
                        f"{self.names['cg']}/picket-attack"):
            for path in glob.glob(pattern):
                (os.rmdir if os.path.isdir(path) else os.unlink)(path)
        # Ours, and in audit mode those that acts made.
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            points = [line.split()[4] for line in file]
        for path in reversed(points):
            if path.startswith(self.base) or path in OWN.values():
                subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.base, ignore_errors=True)
