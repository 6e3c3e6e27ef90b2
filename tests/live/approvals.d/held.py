# SPDX-License-Identifier: BSD-2-Clause
"""Real programs stopped in the middle of a call, and let go: they notice nothing but the time."""
import os
import shutil
import socket
import subprocess
import time

import asking
import stage

BUILD = os.environ.get("BUILD", f"{stage.HERE}/../../../.output")
GIT_PORT = 18004
TIMES = int(os.environ.get("ASK_TIMES", "50"))


def url(path="file"):
    return f"http://{asking.ASKED}/{path}"


def serve_git(host):
    """A repository that takes pushes, at a port that is asked about. Returns the process."""
    sh = stage.sh
    sh(f"""mkdir {host.base}/git
        git init -q --bare -b main {host.base}/git/repo.git
        chmod -R a+rwX {host.base}/git
        export HOME={host.base}/home-root
        git config --global --add safe.directory '*'""")
    process = subprocess.Popen(
        ["git", "daemon", "--export-all", "--enable=receive-pack", f"--base-path={host.base}/git",
         "--listen=127.0.0.1", f"--port={GIT_PORT}", f"{host.base}/git"], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=stage.die_with_parent,
        env={**os.environ, "HOME": f"{host.base}/home-root"})

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", GIT_PORT)) == 0
    stage.wait_until(listens)
    return process


def programs(host):
    """name: (what waits, command, what it prints without picket is what it must print with it)."""
    base = host.base
    clone = f"{base}/home-plain/work"
    host.run("plain", "sh", "-c", f"git init -q -b main {clone} && cd {clone} && date >file && "
             "git add file && git -c user.name=a -c user.email=a@example commit -q -m one")
    push = f"git -C {clone} commit -q --allow-empty -m more --author='a <a@example>'; " \
           f"git -C {clone} -c core.hooksPath=/nowhere push -q git://127.0.0.1:{GIT_PORT}/repo.git " \
           "HEAD:main && echo pushed"
    found = {
        "curl": ({"op": "connect"}, ["curl", "-sS", "--max-time", "600", url()]),
        "git push": ({"op": "connect"}, ["sh", "-c", push]),
        "python": ({"op": "connect"}, ["python3", "-c", "import urllib.request; "
                                       f"print(urllib.request.urlopen('{url()}').read())"]),
        "threads": ({"op": "connect"}, [f"{BUILD}/tests/live/threads", str(stage.CLOSED)]),
        "a file": ({"op": "open"}, ["cat", f"{base}/secret"]),
        "a program": ({"section": "exec"}, ["sh", "-c", f"{base}/denied && echo ran"]),
    }
    if shutil.which("node"):
        found["node"] = ({"op": "connect"}, [
            "node", "-e", f"fetch('{url()}').then(r => r.text()).then(console.log)"])
    return found


def policy(host, name="holding", approvals="timeout: 10m"):
    host.asking(name, approvals)
    path = f"{stage.POLICIES}/{name}.yaml"
    stage.write(path, stage.read(path).replace(
        "egress:\n  default: deny\n  rules:\n",
        f"egress:\n  default: deny\n  rules:\n    - {{ask: \"127.0.0.1:{GIT_PORT}\"}}\n"))


def agent_of(host, process):
    def find():
        return [agent["agent"] for agent in host.agents() or []
                if agent["owner"]["pid"] == process.pid]
    return (stage.wait_until(find) or ["a-0-none"])[0]


def stopped(process_id):
    return any(line.startswith("State:\tT") for line in
               stage.read(f"/proc/{process_id}/status").splitlines())


def start(host, command, name="holding", user="plain"):
    process = host.start(user, "run", "-p", name, "--", *command)
    agent = agent_of(host, process)
    return process, host.request(agent, held=True), agent


def one(tap, host, name, what, command):
    """Held for 2 s, approved, unaware."""
    alone = host.run("plain", *command)
    tap.equal(f"{name}: works without picket", alone.returncode, 0, alone.stderr)
    process, request, _ = start(host, command)
    tap.check(f"{name}: is held", request.get("waiting", 0) >= 1 and
              all(request.get(key) == value for key, value in what.items()), request)
    held = [p["pid"] for p in request.get("processes", []) if p.get("held")]
    time.sleep(2)
    tap.check(f"{name}: stands still", process.poll() is None and held and
              all(stopped(pid) for pid in held), held)
    done = host.picket("admin", "approve", request.get("id", "r-none"))
    tap.equal(f"{name}: approved", done.returncode, 0, done.stderr)
    try:
        out = process.communicate(timeout=stage.PATIENCE)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        out = "late"
    tap.equal(f"{name}: ends as without picket", (process.returncode, out), (0, alone.stdout),
              stage.read(process.err_path))


def held(tap, host):
    git = serve_git(host)
    policy(host)
    for name, (what, command) in programs(host).items():
        one(tap, host, name, what, command)
    commands(tap, host)
    git.kill()
    git.wait()


def commands(tap, host):
    """A command line: the new program is stopped before its first instruction."""
    stage.sh(f"mkdir -p {host.base}/bin && cp /bin/echo {host.base}/bin/git")
    process, request, _ = start(host, [f"{host.base}/bin/git", "push", "origin"])
    tap.check("a command line: is held", request.get("op") == "command", request)
    host.picket("admin", "approve", request.get("id", "r-none"))
    out = process.communicate(timeout=stage.PATIENCE)[0]
    tap.equal("a command line: approved, it runs", (process.returncode, out), (0, "push origin\n"),
              stage.read(process.err_path))
    words(tap, host)


def words(tap, host):
    """The exact words, blanks in them or not; and again when picketd is another one."""
    for name, command in (("a command line", ["push", "origin"]),
                          ("a command line with blanks", ["push", "or igin", ""])):
        command = [f"{host.base}/bin/git", *command]
        process, _, agent = start(host, command)
        request = host.request(agent, held=True, argv=command)
        tap.check(f"{name}: its words", request, host.requests())
        host.end_daemon()
        host.start_daemon()
        again = host.request(agent, held=True)
        keys = ("op", "argv", "object", "path", "unverified", "id")
        tap.equal(f"{name}: picketd is back: the words are whole", [again.get(key) for key in keys],
                  [request.get(key) for key in keys])
        host.picket("admin", "approve", again.get("id", "r-none"))
        out = process.communicate(timeout=stage.PATIENCE)[0]
        tap.equal(f"{name}: picketd is back: approved, it runs", (process.returncode, out),
                  (0, " ".join(command[1:]) + "\n"), stage.read(process.err_path))


def ends(tap, host):
    """What else may become of one that waits."""
    policy(host)
    policy(host, "brief", "timeout: 3s")
    python = ["python3", "-c", "import socket, errno\n"
              f"try: socket.create_connection(('127.0.0.1', {stage.CLOSED}), 300); print('ok')\n"
              "except OSError as error: print(errno.errorcode[error.errno])"]
    opens = ["python3", "-c", f"import errno\ntry: open('{host.base}/secret'); print('ok')\n"
             "except OSError as error: print(errno.errorcode[error.errno])"]
    command = ["sh", "-c", f"{host.base}/bin/git push origin; echo $?"]
    stage.sh(f"mkdir -p {host.base}/bin && cp /bin/echo {host.base}/bin/git")
    for name, words, wanted in (("connect", python, "EPERM\n"), ("open", opens, "EACCES\n"),
                                ("a command line", command, "137\n")):
        process, request, _ = start(host, words)
        host.picket("admin", "refuse", request.get("id", "r-none"))
        tap.equal(f"refused: {name}", process.communicate(timeout=stage.PATIENCE)[0], wanted,
                  stage.read(process.err_path))
        process = host.start("plain", "run", "-p", "brief", "--", *words)
        tap.equal(f"expired: {name}", process.communicate(timeout=stage.PATIENCE)[0], wanted,
                  stage.read(process.err_path))
    process, request, agent = start(host, python)
    pid = (request.get("processes") or [{"pid": 0}])[0]["pid"]
    host.end_daemon()
    time.sleep(1)
    tap.check("picketd killed: it stays held", stopped(pid), stage.read(f"/proc/{pid}/status"))
    host.start_daemon()
    request = host.request(agent, held=True)
    tap.check("picketd is back: it waits again", stopped(pid) and request.get("id"), request)
    host.picket("admin", "approve", request.get("id", "r-none"))
    tap.equal("picketd is back: approved", process.communicate(timeout=stage.PATIENCE)[0], "ok\n",
              stage.read(process.err_path))
    process, request, agent = start(host, python)
    pid = (request.get("processes") or [{"pid": 0}])[0]["pid"]
    for _ in range(5):
        os.kill(pid, 18)
        time.sleep(0.2)
    tap.check("SIGCONT by somebody: it stops again", stage.wait_until(lambda: stopped(pid)))
    os.kill(pid, 9)
    process.communicate(timeout=stage.PATIENCE)
    tap.equal("killed while held: nothing waits", stage.wait_until(
        lambda: host.requests() == []), True)


def latency(tap, host):
    """From the approval to the return of the call."""
    policy(host)
    times = []
    with asking.Agent(host, "holding") as agent, stage.Rpc() as rpc:
        for _ in range(TIMES):
            agent.tell("timed", str(stage.CLOSED))
            request = stage.wait_until(lambda: [r for r in rpc.call("request.list").get(
                "result", {}).get("requests", []) if r.get("held")])
            start_s = time.monotonic()
            answer = rpc.call("request.approve", {"id": request[0]["id"]}) if request else {}
            line = agent.hear()
            if "result" not in answer or "." not in line:
                tap.check("latency: approved and resumed", False, f"{answer} {line}")
                return
            times.append((float(line) - start_s) * 1000)
    times.sort()
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"# latency: approval to resumed call, {len(times)} times: p50 {times[len(times) // 2]:.1f}"
          f" ms, p99 {p99:.1f} ms")
    tap.check("latency: approved and resumed", len(times) == TIMES and
              (stage.GUEST or p99 < 20), times)
