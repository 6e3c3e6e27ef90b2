# SPDX-License-Identifier: BSD-2-Clause
"""`picket status`: healthy or not, and why; the proof of enforcement comes again, whatever clocks do."""
import json
import os
import shutil
import signal
import struct
import subprocess

import stage

# Put in front of the C library of picketd: its clocks are so many seconds off, CLOCK_REALTIME and the
# others. Nobody else's clock is touched.
CLOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
static volatile int64_t *offsets;
__attribute__((constructor)) static void begin(void)
{
	int fd = open(getenv("CLOCK_OFFSETS"), O_RDONLY | O_CLOEXEC);
	offsets = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
}
int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(clock, now);
	/* Libraries that begin before us ask, too. */
	if (offsets) now->tv_sec += offsets[clock != CLOCK_REALTIME];
	return r;
}
time_t time(time_t *to)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (to) *to = now.tv_sec;
	return now.tv_sec;
}
"""
DAYS = 400 * 86400


def status(host, *words):
    done = host.picket("watcher", "status", "--json", *words)
    return done.returncode, json.loads(done.stdout)


def sick(tap, host, name, wanted):
    """Until it is said."""
    said = stage.wait_until(lambda: [text for text in status(host)[1]["problems"] if wanted in text])
    code, answer = status(host)
    tap.check(f"status: {name}: not healthy, and why", said and code == 1 and not answer["healthy"] and
              "problem" in answer["health"], answer)


def well(tap, host, name):
    good = stage.wait_until(lambda: status(host)[1]["healthy"])
    code, answer = status(host)
    tap.check(f"status: {name}: healthy again", good and code == 0, answer)


def narrow(tap, host):
    """On a terminal of 80 columns and one of 200 nothing is wider, and nothing is missing."""
    words = {}
    for columns in (80, 200):
        for command in ("doctor", "status", "ps"):
            done = host.run("root", "script", "-qec", f"stty cols {columns}; {host.picket_path} {command}",
                            "/dev/null")
            lines = done.stdout.replace("\r", "").splitlines()
            tap.check(f"{command}: at {columns} columns no line is wider",
                      lines and max(map(len, lines)) <= columns, done.stdout)
            words[command, columns] = done.stdout.split()
    tap.check("doctor: the same words at both", words["doctor", 80] == words["doctor", 200], words)


def policies(tap, host):
    """Policies that cannot be read."""
    host.policy("shaky")
    process = host.start("plain", "run", "-p", "shaky", "--", "sh", "-c", "echo ready; read line",
                         stdin=subprocess.PIPE)
    process.stdout.readline()
    before = host.agents()[0]["digest"]
    stage.write(f"{stage.POLICIES}/shaky.yaml", "picket: 1\nname: shaky\negres: {default: deny}\n")
    sick(tap, host, "a policy with an error", "shaky.yaml:3:1")
    os.rename(stage.POLICIES, f"{stage.POLICIES}.away")
    host.picket("root", "reload")
    sick(tap, host, "no folder of policies", "there is no folder")
    tap.equal("status: meanwhile the agent keeps its policy", host.agents()[0]["digest"], before)
    done = host.picket("plain", "run", "-p", "shaky", "--", "true")
    tap.equal("status: and no other is started", done.returncode, 1, done.stderr)
    os.rename(f"{stage.POLICIES}.away", stage.POLICIES)
    host.policy("shaky")
    host.picket("root", "reload")
    well(tap, host, "the policies are back")
    process.communicate("end\n", timeout=stage.PATIENCE)


def read_only(tap, host):
    """A run folder that cannot be written: said, and agents run."""
    stage.make_read_only("/run")
    for _ in range(2):
        done = host.picket("plain", "run", "--quiet", "-p", "work", "--", "bash", "-c",
                           "exec 3<>/dev/tcp/127.0.0.1/18002")
        tap.check("status: /run cannot be written: agents run, confined",
                  done.returncode == 1 and "not permitted" in done.stderr, done.stderr)
    sick(tap, host, "/run cannot be written", "Read-only file system")
    tap.equal("status: it is logged once", host.log().count("state.json': Read-only"), 1)
    stage.sh("mount -o remount,rw /run")
    well(tap, host, "/run can be written")


def detail(tap, host):
    code, answer = status(host)
    tap.check("status: healthy, in a sentence", code == 0 and answer["healthy"] and
              answer["health"].startswith("healthy: ") and not answer["problems"], answer)
    tap.check("status: short without --detail", "maps" not in answer, answer)
    _, answer = status(host, "--detail")
    maps = {entry["name"]: entry for entry in answer["maps"]}
    tap.check("status --detail: programs", len(answer["programs"]) > 3 and
              answer["runs_counted"] == ("hint" not in answer), answer["programs"])
    tap.check("status --detail: maps and how full they are", maps["pk_own"]["entries"] > 1 and
              maps["pk_own"]["room"] > maps["pk_own"]["entries"] and
              maps["pk_own"]["percent"] == 0, maps)
    text = host.picket("watcher", "status", "--detail").stdout
    tap.check("status --detail: for people tables", "\nPROGRAM" in text and "\npk_own " in text and
              "1970" not in text and max(map(len, text.splitlines()[1:])) <= 80, text)
    done = host.picket("watcher", "status")
    tap.check("status: for people the sentence comes first", done.stdout.startswith("healthy: "),
              done.stdout[:200])


def clocks(tap, host):
    """The clocks of picketd jump."""
    if not shutil.which("cc"):
        print("# status: no compiler: clocks are not tried")
        return
    shim, offsets = f"{host.base}/clocks", f"{host.base}/offsets"
    stage.write(f"{shim}.c", CLOCKS)
    stage.sh(f"cc -shared -fPIC -O1 -w -o {shim}.so {shim}.c -ldl")

    def jump(real, other):
        with open(offsets, "r+b" if os.path.exists(offsets) else "wb") as file:
            file.write(struct.pack("qq", real, other))

    jump(0, 0)
    host.end_daemon(signal.SIGTERM)
    os.environ.update({"LD_PRELOAD": f"{shim}.so", "CLOCK_OFFSETS": offsets})
    host.start_daemon()
    del os.environ["LD_PRELOAD"], os.environ["CLOCK_OFFSETS"]
    first = status(host)[1]["proof"]
    tap.check("clock: the next proof is in 10 minutes", 500 < first["next_in"] <= 600, first)
    for days in (DAYS, -DAYS):
        jump(days, 0)
        proof = status(host)[1]["proof"]
        tap.check(f"clock: set by {days} s, the next proof is when it was",
                  500 < proof["next_in"] <= first["next_in"], proof)
        done = host.picket("plain", "run", "--quiet", "-p", "work", "--", "bash", "-c",
                           "exec 3<>/dev/tcp/127.0.0.1/18002")
        tap.check(f"clock: set by {days} s, agents run, confined",
                  done.returncode == 1 and "not permitted" in done.stderr, done.stderr)
        tap.check(f"clock: set by {days} s, healthy", status(host)[1]["healthy"])
    jump(0, 601)
    again = stage.wait_until(lambda: status(host)[1]["proof"]["at"] > first["at"])
    proof = status(host)[1]["proof"]
    tap.check("clock: after 10 minutes enforcement is proven again", again and proof["ok"] and
              500 < proof["next_in"] <= 600, (first, proof))
    host.end_daemon(signal.SIGTERM)
    host.start_daemon()


def health(tap, host):
    detail(tap, host)
    narrow(tap, host)
    policies(tap, host)
    read_only(tap, host)
    clocks(tap, host)
