# SPDX-License-Identifier: BSD-2-Clause
"""What the network suite stands on: namespaces, keys, certificates, peers. All of it goes with them.

The suite runs in a network and a mount namespace of its own: resolver configuration and certificate
authorities there are the scene's. The peers are a process with namespaces below; its standard input
is a pipe from here, so that they end when the suite does, however it ends.
"""
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OWN4, OWN6 = "185.199.100.2", "2a01:db00:1::2"
PEER4, PEER6 = "185.199.100.1", "2a01:db00:1::1"
RESOLVER4, RESOLVER6, FOREIGN, FOREIGN6 = "9.9.9.9", "2620:fe::9", "8.8.4.4", "2001:4860::44"
# The resolver that knows IPv6 addresses only.
SIX = "2620:fe::6"


def sh(command, **options):
    """Runs a line of bash; its errors end the suite."""
    done = subprocess.run(["bash", "-ec", command], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        sys.exit(f"Bail out! the scene: '{command}':\n{done.stdout[-2000:]}")
    return done.stdout


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def zone_names():
    """Every name of zone.conf, and wildcards for the zones in it: a certificate is for them all."""
    names = {"*.wild.example", "*.tree.example", "many.example", "big.example"}
    with open(f"{HERE}/zone.conf", encoding="utf-8") as file:
        for line in file:
            if line.startswith(("host-record=", "cname=", "address=")):
                names.update(word for word in re.split("[=/,\n]", line)[1:]
                             if re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", word))
    return sorted(names)


def make_keys(base):
    """An authority, one certificate for every name, ssh keys."""
    names = ",".join(f"DNS:{name}" for name in zone_names())
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
    sh(f"""cd {base}
        openssl req -x509 {key} -keyout ca.key -out ca.pem -subj '/CN=test authority' 2>&1
        openssl req {key.replace('-days 30', '')} -keyout server.key -out server.csr \
            -subj /CN=peers.example 2>&1
        printf 'subjectAltName={names}\\n' >names
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
            -extfile names -out server.pem 2>&1
        ssh-keygen -q -t ed25519 -N '' -f host_key
        ssh-keygen -q -t ed25519 -N '' -f agent_key""")


def make_repository(base):
    """A bare repository with one commit, and the settings of whoever clones it."""
    write(f"{base}/.gitconfig", "[user]\n\tname = a\n\temail = a@example\n[init]\n"
          "\tdefaultBranch = main\n[safe]\n\tdirectory = *\n[core]\n\tsshCommand = "
          f"ssh -F {base}/ssh_config\n")
    write(f"{base}/ssh_config", f"IdentityFile {base}/agent_key\nBatchMode yes\n"
          f"StrictHostKeyChecking no\nUserKnownHostsFile {base}/known_hosts\nLogLevel ERROR\n"
          "GSSAPIAuthentication no\n")
    sh(f"""mkdir -p {base}/git {base}/bin
        git init -q --bare {base}/git/repo.git && git init -q {base}/first && cd {base}/first
        echo content >file && git add file && git commit -q -m first
        git push -q {base}/git/repo.git main
        git -C {base}/git/repo.git config http.receivepack true
        for name in ssh sftp; do
            printf '#!/bin/sh\\nexec /usr/bin/%s -F {base}/ssh_config "$@"\\n' $name >{base}/bin/$name
            chmod 755 {base}/bin/$name
        done""", env={**os.environ, "HOME": base})


def use_resolvers(base, *servers):
    """The resolvers of whatever starts from now on."""
    write(f"{base}/resolv.conf", "".join(f"nameserver {server}\n" for server in servers) +
          "options timeout:2 attempts:1\n")


def mount_etc(base):
    """The resolver and the authorities of this mount namespace."""
    use_resolvers(base, RESOLVER4, RESOLVER6)
    write(f"{base}/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n"
          "hosts: files dns\nservices: files\n")
    for name in ("resolv.conf", "nsswitch.conf"):
        sh(f"mount --bind {base}/{name} {os.path.realpath('/etc/' + name)}")
    sh(f"""mount -t tmpfs tmpfs /etc/ssl/certs
        cp {base}/ca.pem /etc/ssl/certs/ca-certificates.crt
        cp {base}/ca.pem "/etc/ssl/certs/$(openssl x509 -noout -hash -in {base}/ca.pem).0" """)


def set_up_link(pid):
    """One end of the link here, the other in the namespace of the peers."""
    here = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{pid}/ns/net") == here:
        time.sleep(0.005)
    for key in ("all", "lo"):
        write(f"/proc/sys/net/ipv6/conf/{key}/disable_ipv6", "0")
    sh(f"""ip link set lo up
        ip link add agent0 type veth peer name peers
        ip link set peers netns {pid}
        ip address add {OWN4}/24 dev agent0
        ip address add {OWN6}/64 dev agent0 nodad
        ip link set agent0 up
        ip route add default via {PEER4}
        ip -6 route add default via {PEER6}""")


class Scene:
    """Use as `with Scene(base)`: everything is up inside."""

    def __init__(self, base):
        self.base = base
        self.peers = None
        self.near = None

    def __enter__(self):
        base = self.base
        if shutil.which("modprobe"):
            subprocess.run(["modprobe", "-q", "veth"], check=False)
        make_keys(base)
        make_repository(base)
        mount_etc(base)
        self.peers = subprocess.Popen(
            ["unshare", "-n", "-m", "--pid", "--fork", "--kill-child", "/usr/bin/python3",
             f"{HERE}/peers.py", base], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        set_up_link(self.peers.pid)
        if self.peers.stdout.readline() != "ready\n":
            sys.exit("Bail out! the peers did not come up")
        self.near = subprocess.Popen([sys.executable, f"{HERE}/near.py"], stdin=subprocess.PIPE)
        self.wait()
        return self

    def wait(self):
        """Until every real server answers."""
        probes = [f"/usr/bin/python3 {HERE}/say.py ask {server} one.example"
                  for server in (RESOLVER4, RESOLVER6, FOREIGN, FOREIGN6, SIX)]
        probes += [f"exec 3<>/dev/tcp/93.184.216.35/{port}" for port in (22, 80, 443)]
        probes.append(f"test -S {self.base}/fcgi.socket")
        deadline = time.monotonic() + 60
        for probe in probes:
            while subprocess.run(["bash", "-c", probe], check=False, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL).returncode:
                if time.monotonic() > deadline:
                    sys.exit(f"Bail out! no peer answers: {probe}\n{self.logs()}")
                time.sleep(0.05)

    def logs(self):
        """What the servers wrote, for whoever looks at a failure."""
        return sh(f"tail -n 5 {self.base}/*.out {self.base}/nginx.log 2>&1 || true")

    def __exit__(self, *_):
        for process in (self.near, self.peers):
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
