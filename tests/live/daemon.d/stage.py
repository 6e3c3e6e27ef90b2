# SPDX-License-Identifier: BSD-2-Clause
"""A host of its own for picketd: namespaces (mount, network, cgroup), users, policies, servers.

All of it goes with the process that made it, however it ends; nothing of the machine is touched.
"""
import ctypes
import fcntl
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOCKET = "/run/picket/control.sock"
POLICIES = "/etc/picket/policies"
PINS = "/sys/fs/bpf/picket"
OPEN, CLOSED = 18001, 18002
GUEST = os.path.exists("/picket-vm")
# How long to wait for what takes no time where nothing is emulated.
PATIENCE = 240 if GUEST else 30
ENTERED = "PICKET_TEST_STAGE"
# The mode of /etc/picket where there was none.
MADE_HERE = 0o711
# name: uid (its group too), supplementary groups
USERS = {"plain": (61001, []), "watcher": (61002, [61011]), "admin": (61003, [61012]),
         "other": (61004, []), "root": (0, [])}


def sh(command):
    done = subprocess.run(["bash", "-ec", command], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"Bail out! the stage: '{command}':\n{done.stdout[-2000:]}")
    return done.stdout


def make_read_only(mount):
    """Of a file system that somebody may be writing to just now: the kernel refuses as long."""
    sh(f"for _ in $(seq {10 * PATIENCE}); do mount -o remount,ro {mount} && exit 0; sleep 0.1; done; exit 1")


def write(path, text, mode=0o644):
    """A file that is whole whenever somebody looks."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(f"{path}.new", mode)
    os.rename(f"{path}.new", path)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def cgroup_root():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return next(line.split()[4] for line in file if " - cgroup2 " in line)


def enter():
    """Come back in namespaces of our own, in a cgroup of our own; does nothing the second time."""
    # Whoever was started in the background or by nohup ignores these, and so do all its children.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if os.environ.get(ENTERED):
        return
    mine = f"{cgroup_root()}/picket-test-{os.getpid()}"
    os.mkdir(mine)
    done = subprocess.run(
        ["bash", "-c", 'echo $$ >"$1/cgroup.procs" && shift && exec unshare -m -n -C -- "$@"', "-",
         mine, sys.executable, *sys.argv], env={**os.environ, ENTERED: "1"}, check=False)
    with open(f"{mine}/cgroup.kill", "w", encoding="utf-8") as kill:
        kill.write("1")
    wait_until(lambda: "populated 0" in read(f"{mine}/cgroup.events"))
    for top, _, _ in os.walk(mine, topdown=False):
        os.rmdir(top)
    sys.exit(done.returncode)


def as_another_build(binary):
    """The bytes of a picket whose BPF objects have another digest: unused bytes of their heads differ."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x01\x00\xf7\x00"
    if head not in binary:
        sys.exit("Bail out! there is no BPF object in the program")
    return binary.replace(head, head[:15] + b"\x01" + head[16:])


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until(condition, seconds=PATIENCE):
    """What the condition gives once it is true, or what it gave last."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.02)


class Host:
    """Use as `with Host(picket, tier) as host`."""

    def __init__(self, picket, tier):
        self.tier = tier
        self.kernel = tier != "network"
        os.makedirs("/home", exist_ok=True)
        self.base = f"/home/picket-daemon-{os.getpid()}"
        os.makedirs(self.base)
        os.chmod(self.base, 0o755)
        # Several stages may be at work: whoever removes the folder takes the others' mounts from them.
        self.etc = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.etc, fcntl.LOCK_SH)
        if not os.path.isdir("/etc/picket"):
            os.makedirs("/etc/picket", exist_ok=True)
            os.chmod("/etc/picket", MADE_HERE)
        self.picket_path = f"{self.base}/picket"
        shutil.copy2(picket, self.picket_path)
        with open(picket, "rb") as old, open(f"{self.base}/picket-other", "wb") as new:
            new.write(as_another_build(old.read()))
        os.chmod(f"{self.base}/picket-other", 0o755)
        self.program = self.picket_path
        self.daemon = None
        self.children = []
        self.started = 0

    def __enter__(self):
        base, root = self.base, cgroup_root()
        for name, extra in (("passwd", "\n".join(
                f"{user}:x:{uid}:{uid}::{base}/home-{user}:/bin/sh"
                for user, (uid, _) in USERS.items() if uid)),
                ("group", "\n".join([f"{user}:x:{uid}:" for user, (uid, _) in USERS.items() if uid] +
                                    ["picket:x:61011:watcher", "picket-admin:x:61012:admin"]))):
            kept = [line for line in read(f"/etc/{name}").splitlines()
                    if line.split(":")[0] not in ("picket", "picket-admin",
                                                      *[user for user in USERS if user != "root"])]
            write(f"{base}/{name}", "\n".join(kept) + f"\n{extra}\n")
        sh(f"""mount --make-rprivate /
            mount -t tmpfs -o mode=755 tmpfs /etc/picket
            mount -t tmpfs -o mode=755 tmpfs /run
            mount -t tmpfs -o mode=755 tmpfs /var/lib
            mount -t bpf -o mode=700 bpf /sys/fs/bpf
            umount -l {root}
            mount -t cgroup2 cgroup2 {root}
            mount --bind {base}/passwd /etc/passwd
            mount --bind {base}/group /etc/group
            ip link set lo up
            mkdir -p {POLICIES}""")
        self.cgroups = f"{root}/picket"
        for user, (uid, _) in USERS.items():
            os.makedirs(f"{base}/home-{user}")
            os.chown(f"{base}/home-{user}", uid, uid)
        write(f"{base}/secret", "secret\n")
        shutil.copy2("/bin/true", f"{base}/denied")
        self.policy("work")
        self.serve()
        return self

    def policy(self, name, users="plain", more_egress="", extra=""):
        """A policy that allows OPEN, denies all else of the network, and a file and a program."""
        hooks = f"""
files:
  default: allow
  rules:
    - deny: "{self.base}/secret"
      id: secret
exec:
  default: allow
  rules:
    - deny: "{self.base}/denied"
      id: program
""" if self.kernel else ""
        write(f"{POLICIES}/{name}.yaml", f"""picket: 1
name: {name}
usable_by: {{users: [{users}]}}
egress:
  default: deny
  rules:
    - allow: "127.0.0.1:{OPEN}"
      id: open
{more_egress}{hooks}{extra}""")

    def serve(self):
        """HTTP on both ports: a file, a repository."""
        base = self.base
        sh(f"""mkdir {base}/www && cd {base}/www && echo content >file
            export HOME={base}/home-root GIT_CONFIG_NOSYSTEM=1
            git init -q -b main {base}/first && cd {base}/first && cp ../www/file .
            git add file && git -c user.name=a -c user.email=a@example commit -q -m first
            git clone -q --bare {base}/first {base}/www/repo.git
            git -C {base}/www/repo.git update-server-info""")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args, **options):
                super().__init__(*args, directory=f"{base}/www", **options)

            def log_message(self, *_):
                pass

        for port in (OPEN, CLOSED):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Quiet)
            server.daemon_threads = True
            server.handle_error = lambda *_: None
            threading.Thread(target=server.serve_forever, daemon=True).start()

    # --- picketd ---

    def change_build(self):
        """picketd is of the other build from its next start on."""
        other = f"{self.base}/picket-other"
        self.program = self.picket_path if self.program == other else other

    def start_daemon(self, wait=True):
        log = open(f"{self.base}/daemon.log", "ab")  # pylint: disable=consider-using-with
        self.daemon = subprocess.Popen([self.program, "daemon"], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, preexec_fn=die_with_parent)
        log.close()
        if wait and wait_until(self.answers, PATIENCE * 2) is not True:
            print("Bail out! picketd does not come up:")
            print("\n".join("# " + line for line in self.log().splitlines()[-30:]))
            sys.exit(1)

    def answers(self):
        if self.daemon.poll() is not None:
            return "ended"
        try:
            with Rpc() as rpc:
                return "result" in rpc.call("hello")
        except OSError:
            return False

    def end_daemon(self, number=signal.SIGKILL):
        self.daemon.send_signal(number)
        return self.daemon.wait(PATIENCE)

    def log(self):
        return read(f"{self.base}/daemon.log")

    # --- as somebody ---

    def options(self, user):
        uid, groups = USERS[user]
        return {"user": uid, "group": uid, "extra_groups": groups, "cwd": f"{self.base}/home-{user}",
                "env": {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8",
                        "HOME": f"{self.base}/home-{user}", "GIT_CONFIG_NOSYSTEM": "1"},
                "text": True}

    def run(self, user, *command, **more):
        """Runs to the end; status 'late' when there is none."""
        options = {**self.options(user), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "check": False, "timeout": PATIENCE * 2, **more}
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        try:
            return subprocess.run(command, **options)
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(command, "late", str(late.stdout), str(late.stderr))

    def picket(self, user, *words, **more):
        return self.run(user, self.picket_path, *words, **more)

    def start(self, user, *words, **more):
        """`picket WORDS` in the background; its stderr goes to the file self.err(process)."""
        path = f"{self.base}/err-{self.started}"
        self.started += 1
        with open(path, "w", encoding="utf-8") as err:
            process = subprocess.Popen([self.picket_path, *words], **{
                **self.options(user), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                "stderr": err, **more})
        process.err_path = path
        self.children.append(process)
        return process

    def agents(self):
        done = self.picket("root", "ps", "--json")
        return json.loads(done.stdout)["agents"] if done.returncode == 0 else None

    def cgroups_left(self):
        folder = f"{self.cgroups}/daemon"
        return [name for name in (os.listdir(folder) if os.path.isdir(folder) else [])
                if os.path.isdir(f"{folder}/{name}") and name.startswith("agent-")]

    def __exit__(self, *_):
        for process in [*self.children, self.daemon]:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        for top, _, _ in os.walk(self.cgroups, topdown=False):
            kill = f"{top}/cgroup.kill"
            if os.path.exists(kill):
                with open(kill, "w", encoding="utf-8") as file:
                    file.write("1")
            wait_until(lambda path=top: not read(f"{path}/cgroup.procs"), 10)
            os.rmdir(top)
        sh("umount /etc/passwd /etc/group; umount -l /etc/picket")
        self.leave_etc()
        shutil.rmtree(self.base)


    def leave_etc(self):
        """The last stage takes away the folder that a stage made."""
        try:
            fcntl.flock(self.etc, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat("/etc/picket").st_mode & 0o777 == MADE_HERE:
                os.rmdir("/etc/picket")
        except BlockingIOError:
            pass
        os.close(self.etc)


class Rpc:
    """The control socket by hand. As another user: by Rpc.of()."""

    def __init__(self, path=SOCKET):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.number = 0
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("r", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def call(self, method, params=None):
        """The answer, notifications left out; {} when there is none."""
        self.number += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method,
                           "params": params or {}})
        self.socket.sendall(line.encode() + b"\n")
        for line in self.file:
            answer = json.loads(line)
            if answer.get("id") == self.number:
                return answer
        return {}
