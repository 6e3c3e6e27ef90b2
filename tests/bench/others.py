# SPDX-License-Identifier: BSD-2-Clause
"""Alternatives that this distribution ships, each as cheap as it can be and still confine; those that do
not run here are named with the reason."""
import contextlib
import os
import shutil
import subprocess
import sys

import policies
from measure import HERE

sys.path.insert(0, f"{HERE}/../live/daemon.d")
import stage  # noqa: E402  pylint: disable=wrong-import-position

BWRAP = ["bwrap", "--new-session", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc",
         "/proc", "--bind", "/tmp", "/tmp", "--unshare-pid", "--unshare-ipc"]
FIREJAIL = ["firejail", "--quiet", "--ignore=private-tmp"]
WRAPPERS = {"bubblewrap": BWRAP, "firejail": FIREJAIL}
NFT = "nftables, 10,000 addresses"
ADDRESSES = 10000
# What no arm is written for.
UNABLE = {
    "opensnitch": "it asks a daemon about every connection of the host: that is no part of a machine to take over",
    "systemd IPAddressAllow": "it needs systemd as the first process",
}


def wrappers(missing):
    """{name: what stands before a command} of those that run here; why not, of the others, in @missing."""
    able = {}
    for name, before in WRAPPERS.items():
        if not shutil.which(before[0]):
            missing[name] = f"'{before[0]}' is not installed (tools/deps bench)"
            continue
        done = subprocess.run(before + ["true"], capture_output=True, text=True, check=False)
        if done.returncode:
            missing[name] = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        else:
            able[name] = before
    return able


def ruleset(level, path):
    """What the cgroup may reach: a set of ADDRESSES networks, and loopback."""
    rules = [line.split('"')[1].split(":")[0] for line in policies.address_rules(ADDRESSES)
             if "127.0.0.0" not in line and '"' in line]
    return f"""table inet bench {{
	set reachable {{
		type ipv4_addr
		flags interval
		elements = {{ 127.0.0.0/8, {', '.join(rules)} }}
	}}
	chain output {{
		type filter hook output priority 0; policy accept;
		socket cgroupv2 level {level} "{path}" ip daddr @reachable accept
		socket cgroupv2 level {level} "{path}" reject
	}}
}}
"""


class Nftables:
    """A network namespace whose packets are judged by their cgroup."""

    def __init__(self, folder):
        self.root = stage.cgroup_root()
        self.cgroup = f"{self.root}/picket-bench-{os.getpid()}"
        self.rules = f"{folder}/rules.nft"
        self.holder = None

    def prefix(self):
        """What enters the namespace."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "--"]

    def start(self):
        """None, or why it does not run."""
        if not shutil.which("nft"):
            return "'nft' is not installed (tools/deps bench)"
        os.mkdir(self.cgroup)
        here = os.readlink("/proc/self/ns/net")
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"],
                                       preexec_fn=stage.die_with_parent)
        stage.wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != here)
        with open(self.rules, "w", encoding="ascii") as file:
            file.write(ruleset(1, os.path.basename(self.cgroup)))
        # nft looks for the path below /sys/fs/cgroup, wherever cgroup2 is mounted.
        done = subprocess.run(
            self.prefix() + ["unshare", "-m", "sh", "-ec", 'ip link set lo up; test "$1" = /sys/fs/cgroup || '
                             'mount --bind "$1" /sys/fs/cgroup; nft -f "$2"', "-", self.root, self.rules],
            capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[0]

    def arm(self):
        """What stands before a command that is confined."""
        return ["sh", "-ec", 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "-", self.cgroup] + self.prefix()

    def end(self):
        if self.holder:
            self.holder.kill()
            self.holder.wait()
        if os.path.isdir(self.cgroup):
            stage.wait_until(lambda: not stage.read(f"{self.cgroup}/cgroup.procs"))
            os.rmdir(self.cgroup)



@contextlib.contextmanager
def network_arms(folder, missing):
    """{name: what stands before a client} of all alternatives for acts on loopback."""
    arms = wrappers(missing)
    nft = Nftables(folder)
    try:
        why = nft.start()
        if why:
            missing[NFT] = why
        else:
            arms[NFT] = nft.arm()
        yield arms
    finally:
        nft.end()


def server_prefix(name, before):
    """What stands before the other end of an arm: where it can be reached, and not confined."""
    return before[before.index("nsenter"):] if name == NFT else []
