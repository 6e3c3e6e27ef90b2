# SPDX-License-Identifier: BSD-2-Clause
"""picketd's own record: every file and folder it has, at its start and made later, is out of an agent's reach."""
import json
import os
import shutil

import stage

FOLDERS = ["/var/lib/picket", "/run/picket", "/etc/picket"]
# Whatever rules and switches can allow, to root.
POLICY = """picket: 1
name: record
usable_by: {users: root}
files: {default: allow}
process: {profile: off}
"""
# What can be done with each of them, told by the errno; a folder's own name is tried, too.
TRIES = r"""
import errno, json, os, stat, sys
def attempt(act):
    try:
        act()
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def close(fd):
    os.close(fd)
def there_and_back(path):
    os.rename(path, path + ".away")
    os.rename(path + ".away", path)
found = {}
for path in json.load(sys.stdin):
    folder = stat.S_ISDIR(os.lstat(path).st_mode) if os.path.lexists(path) else False
    acts = {"mode": lambda: os.chmod(path, 0o700 if folder else 0o600), "rename": lambda: there_and_back(path)}
    if folder:
        acts["create"] = lambda: close(os.open(path + "/made", os.O_CREAT | os.O_WRONLY))
        acts["mkdir"] = lambda: os.mkdir(path + "/made.d")
        acts["read"] = lambda: os.listdir(path)
    else:
        acts["append"] = lambda: close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
        acts["read"] = lambda: close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    found[path] = {name: attempt(act) for name, act in acts.items()}
print(json.dumps(found))
"""


def tree(tops):
    """The folders, and all that is below them but sockets, which have no contents."""
    found = list(tops)
    for top in tops:
        for at, folders, files in os.walk(top):
            found += [f"{at}/{name}" for name in folders]
            found += [f"{at}/{name}" for name in files if os.path.isfile(f"{at}/{name}")]
    return found


def tried(host, paths, confined):
    words = ["python3", "-c", TRIES]
    if confined:
        words = [host.picket_path, "run", "--quiet", "-p", "record", "--", *words]
    done = host.run("root", *words, input=json.dumps(paths))
    return json.loads(done.stdout) if done.stdout.startswith("{") else {"error": {done.stderr: "?"}}


def expected(path, act, secret):
    """The errno of an act; what the stage mounted cannot be renamed anyway."""
    if act == "rename" and os.path.ismount(path):
        return "EBUSY"
    return "EACCES" if act != "read" or secret(path) else "ok"


def wrong(found, secret):
    """What was possible that must not be."""
    return [f"{path}: {act} {answer}" for path, answers in found.items() for act, answer in answers.items()
            if answer != expected(path, act, secret)]


def record(tap, host):
    if not host.kernel:
        return
    keys = f"{host.base}/keys"
    os.makedirs(keys, exist_ok=True)
    for name in ("audit.key", "other.key"):
        if not os.path.exists(f"{keys}/{name}"):
            stage.sh(f"'{host.picket_path}' keygen -o {keys}/{name}")
    stage.write("/etc/picket/policies/record.yaml", POLICY)
    sinks = '{name: away, type: webhook, url: "http://127.0.0.1:9/", spool: 1MiB, events: [records]}'
    settings = "picket: 1\nsinks: [%s]\naudit: {key: %s/%s}\n"
    stage.write("/etc/picket/telemetry.yaml", settings % (sinks, keys, "audit.key"), 0o600)
    host.end_daemon(15)
    host.start_daemon()

    def secret(path):
        return path.startswith((FOLDERS[0], f"{keys}/audit.key", f"{keys}/other.key")) and not path.endswith(".pub")

    paths = [*tree(FOLDERS), f"{keys}/audit.key"]
    copy = f"{host.base}/copy"
    for top in FOLDERS:
        shutil.copytree(top, copy + top, symlinks=True, dirs_exist_ok=True,
                        ignore=lambda at, names: [name for name in names if not os.path.isdir(f"{at}/{name}") and
                                                  not os.path.isfile(f"{at}/{name}")])
    free = tried(host, tree([copy]), confined=True)
    tap.check("record: control: an agent may do all of it to a copy",
              len(free) >= len(paths) - 1 and all(answer == "ok" for answers in free.values()
                                                  for answer in answers.values()), wrong(free, lambda _: True))
    found = tried(host, paths, confined=True)
    tap.check("record: there is a trail, its head and a spool",
              all(any(part in path for path in paths) for part in ("/audit/trail-", "/audit/head", "/spool/away")),
              "\n".join(paths))
    tap.equal("record: no agent may touch what picketd has", [len(found), wrong(found, secret)], [len(paths), []])

    # What comes later: a policy, a folder, another key, a segment of the trail of another start.
    stage.write("/etc/picket/policies/later.yaml", POLICY.replace("record", "later", 1))
    os.makedirs("/etc/picket/managed.d", exist_ok=True)
    stage.write("/etc/picket/telemetry.yaml", settings % (sinks, keys, "other.key"), 0o600)
    host.picket("root", "reload")
    later = [*(path for path in tree(FOLDERS) if path not in paths), f"{keys}/other.key"]
    found = tried(host, later, confined=True)
    tap.equal("record: nor what came later", [len(found), wrong(found, secret)], [len(later), []])
    above = tried(host, ["/var/lib"], confined=True)
    tap.equal("record: a folder around it is not moved, and else like any other",
              above, {"/var/lib": {"mode": "ok", "rename": expected("/var/lib", "rename", None), "create": "ok",
                                   "mkdir": "ok", "read": "ok"}})
    tap.check("record: the trail is whole", host.picket("root", "audit", "verify").returncode == 0)
    for path in ("/var/lib/made", "/etc/picket/policies/record.yaml", "/etc/picket/policies/later.yaml"):
        if os.path.exists(path):
            os.unlink(path)
    if os.path.isdir("/var/lib/made.d"):
        os.rmdir("/var/lib/made.d")
    os.chmod("/var/lib", 0o755)
    os.unlink("/etc/picket/telemetry.yaml")
    host.end_daemon(15)
    host.start_daemon()
