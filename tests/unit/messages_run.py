#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Messages that take more than the text of a policy: files of other kinds, signatures, layers.

Each row makes files in a folder of its own, runs the program ($PICKET) there and looks for one exact
line among what it prints on standard error, and for its exit status. For test_messages.c;
messages_judge.py counts the lines as expectations.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

GOOD = "picket: 1\nname: p\nfiles: {rules: [{allow: /w/**, access: read}]}\n"
# Before the arguments: as a root that may not read what is not its own to read.
WEAK = "as weak as others"
NO_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
             "--inh-caps=-dac_override,-dac_read_search"]
OTHER = '{"schema":"picket.tally/1"}\n'


def folder(name):
    return lambda: os.mkdir(name)


def pipe(name):
    return lambda: os.mkfifo(name)


def long_file(name, size):
    return lambda: (open(name, "w").close(), os.truncate(name, size))


def key(name, kind):
    return lambda: subprocess.run(["openssl", "genpkey", "-algorithm", *kind, "-out", name],
                                  check=True, capture_output=True)


def public(name):
    return lambda: subprocess.run(["openssl", "pkey", "-in", name, "-pubout", "-out", name + ".pub"],
                                  check=True, capture_output=True)


def run(*args):
    """A step that must succeed."""
    return lambda: subprocess.run([os.environ["PICKET"], *args], check=True, capture_output=True)


def change(name, old, new):
    def step():
        path = pathlib.Path(name)
        text = path.read_bytes()
        assert old in text, name
        path.write_bytes(text.replace(old, new))
    return step


SIGNED = [run("keygen", "-o", "k"), ("p.yaml", GOOD), run("sign", "--key", "k", "p.yaml")]
LAYER = [folder("m")]


def imported(name, text):
    return [(name, text)]


EVENT = {"schema": "picket.event/1", "time": "t", "verdict": "allow", "op": "open", "section": "files",
         "access": ["read"], "reason": "rule", "path": "/w/f", "process": {"pid": 1, "comm": "cat"}}
LINE = json.dumps(EVENT) + "\n"

# Files and steps; arguments; the line; the exit status where it is not 1.
ROWS = [
    # Policies that are no good files.
    ([folder("d")], ["check", "d"], "error: cannot read the policy 'd': it is a directory"),
    ([], ["check", "d"], "error: cannot read the policy 'd': No such file or directory"),
    ([("p.yaml", GOOD)], ["check", "p.yaml/x"],
     "error: cannot read the policy 'p.yaml/x': Not a directory"),
    ([lambda: os.symlink("l", "l")], ["check", "l"],
     "error: cannot read the policy 'l': Too many levels of symbolic links"),
    ([], ["check", "/dev/zero"],
     "error: cannot read the policy '/dev/zero': it is not a regular file"),
    ([long_file("p.yaml", 1 << 30)], ["check", "p.yaml"],
     "error: cannot read the policy 'p.yaml': it has 1073741824 bytes, and a policy may have at most "
     "8 MiB"),
    ([("p.yaml", GOOD), lambda: os.chmod("p.yaml", 0)], [WEAK, "check", "p.yaml"],
     "error: cannot read the policy 'p.yaml': Permission denied"),
    ([pipe("p")], ["check", "p"], "p:1:1: error: there is no policy in this file"),
    ([("a\nb\x1b.yaml", "piket: 1\n")], ["check", "a\nb\x1b.yaml"],
     "a\\x0ab\\x1b.yaml:1:1: error: unknown key 'piket' in a policy"),
    ([("p.yaml", "picket: 1\ninclude: secrets\n")], ["check", "p.yaml"],
     "hint: files are looked for beside the one that includes them; presets are 'presets/NAME'"),
    ([("p.yaml", "picket: 1\nfiles: {rules: [\n")], ["check", "p.yaml"],
     "hint: the file ends here: close each '[' and '{' before it"),
    ([("p.yaml", "picket: 1\nfiles: {rules: [{deny: /a}\n")], ["check", "p.yaml"],
     "hint: the file ends here: close each '[' and '{' before it"),
    ([("p.yaml", "picket: 1\nfiles: {\n")], ["check", "p.yaml"],
     "hint: the file ends here: close each '[' and '{' before it"),

    # What commands cannot do.
    ([("p.yaml", GOOD)], ["check", "--user", "nobody-at-all", "p.yaml"],
     "picket check: there is no user 'nobody-at-all'"),
    ([("p.yaml", GOOD)], ["check", "--managed", "none", "p.yaml"],
     "picket check: cannot use --managed 'none': No such file or directory"),
    ([], ["presets", "secret"],
     "picket presets: there is no preset 'secret': did you mean 'secrets'?"),
    ([], ["presets", "something"],
     "picket presets: there is no preset 'something': `picket presets` lists them"),
    ([("p.yaml", GOOD), run("show", "--no-managed", "-o", "i", "p.yaml"),
      lambda: os.truncate("i", 16000)], ["show", "i"],
     "picket show: 'i' is not a valid image: wrong size"),
    ([("p.yaml", GOOD), run("show", "--no-managed", "-o", "i", "p.yaml"),
      change("i", b"/w/", b"/v/")], ["show", "i"],
     "picket show: 'i' is not a valid image: its digest is wrong: bytes were changed"),
    ([folder("d")], ["test", "d"], "picket test: there is no test"),
    ([("p.yaml", GOOD)], ["test", "p.yaml"], "picket test: there is no test"),
    ([("e", "")], ["learn", "e"], "picket learn: there is no event in 'e'"),
    ([("e", '{"schema":"picket.recording/1","part":"head"}\n' + LINE)], ["learn", "e"],
     "picket learn: the recording has no end: it was cut, or still goes on"),
    ([("e", '{"schema":"picket.recording/1","part":"head"}\n' + LINE)], ["learn", "e"],
     "picket learn: nothing is made of a part; --lossy takes it as it is"),
    ([("e", '{"schema":"picket.recording/1","part":"head"}\n' + LINE +
       '{"schema":"picket.recording/1","part":"end","lost":3}\n')], ["learn", "e"],
     "picket learn: 3 events are missing from the recording"),
    ([], ["why"], "picket why: this is not inside an agent of picketd: $PICKET_DENIALS is not set"),
    ([], ["import", "codex", "f"], "picket import: cannot read 'f': No such file or directory"),
    ([("f", '{"filesystem": {"denyRead": ["/srv"]}}'), ("o", "")],
     ["import", "claude", "f", "-o", "o"], "picket import: cannot make 'o': File exists"),

    # Managed layers.
    (LAYER + [("m/a.yml", GOOD), ("p.yaml", GOOD)], ["check", "--managed", "m", "p.yaml"],
     "error: 'm/a.yml' is no managed layer, and looks like one"),
    (LAYER + [(f"m/{i}.yaml", GOOD) for i in range(8)] + [("p.yaml", GOOD)],
     ["check", "--managed", "m", "p.yaml"],
     "error: there are 8 managed layers in 'm', and may be 7 at most"),
    (LAYER + [("m/a.yaml", "picket: 1\nnested: x\n"), ("p.yaml", GOOD)],
     ["check", "--managed", "m", "p.yaml"],
     "m/a.yaml:2:9: error: a managed layer may not have 'nested'"),
    (LAYER + [("m/a.yaml", GOOD), ("p.yaml", GOOD.replace("name: p", "mode: audit"))],
     ["check", "--managed", "m", "p.yaml"],
     "error: a policy with 'mode: audit' would block nothing, and the layer 'm/a.yaml' above it "
     "enforces"),
    ([("p.yaml", "picket: 1\nrequire_signature: [/k.pub]\n")], ["check", "--no-managed", "p.yaml"],
     "p.yaml:2:20: error: only a managed layer may have 'require_signature'"),
    (LAYER + [("m/a.yaml", "picket: 1\nfiles: {default: allow, rules: [{deny: /w/**}]}\n"),
              ("p.yaml", GOOD)], ["check", "--managed", "m", "p.yaml"],
     "p.yaml:3:25: error: '/w/**' cannot be allowed here: '/w/**' at m/a.yaml:2:40, of a layer "
     "above, denies all of it"),
    (LAYER + [("m/a.yaml", "picket: 1\nfiles: {rules: [{allow: /v, access: read}]}\n"),
              ("p.yaml", GOOD)], ["check", "--managed", "m", "p.yaml"],
     "p.yaml:3:25: error: '/w/**' cannot be allowed here: the default of 'files' in layer 1, above "
     "it, denies all of it"),

    # Recordings and files of tests.
    ([("p.yaml", GOOD), ("e", OTHER + "{x\n")], ["replay", "-p", "p.yaml", "e"],
     "e:2:2: error: this is no line of JSON: string or '}' expected near 'x'"),
    ([("p.yaml", GOOD), ("e", "1" * 200000 + "\n")], ["replay", "-p", "p.yaml", "e"],
     "e:1:1: error: this line is longer than any event (131072 bytes)"),
    ([folder("e")], ["learn", "e"], "error: cannot read 'e': Is a directory"),
    ([("t.yaml", "policy: [a]\ntests: []\n")], ["test", "t.yaml"],
     "t.yaml:1:9: error: 'policy' must be the name of a policy file"),
    ([("t.yaml", "policy: ''\ntests: []\n")], ["test", "t.yaml"],
     "t.yaml:1:9: error: 'policy' must be the name of a policy file"),
    ([("t.yaml", "policy: p.yaml\nset: {a: [1]}\ntests: []\n"), ("p.yaml", GOOD)], ["test", "t.yaml"],
     "t.yaml:2:10: error: the value of a variable must be a text"),
    ([], ["test", "t.yaml"], "error: cannot read 't.yaml': No such file or directory"),

    # Keys.
    ([("k", "")], ["keygen", "-o", "k"], "picket keygen: cannot make 'k': File exists"),
    ([("k.pub", "")], ["keygen", "-o", "k"], "picket keygen: cannot make 'k.pub': File exists"),
    ([], ["keygen", "-o", "/dev/full/k"], "picket keygen: cannot make '/dev/full/k': Not a directory"),
    ([("p.yaml", GOOD)], ["sign", "--key", "k", "p.yaml"],
     "picket sign: cannot read the key 'k': No such file or directory"),
    ([("p.yaml", GOOD), pipe("k")], ["sign", "--key", "k", "p.yaml"],
     "picket sign: cannot read the key 'k': it is not a regular file"),
    ([("p.yaml", GOOD), ("k", "")], ["sign", "--key", "k", "p.yaml"],
     "picket sign: the private key 'k' is open to others (mode 0644): chmod 0600 it"),
    ([("p.yaml", GOOD), ("k", "x"), lambda: os.chmod("k", 0o600)], ["sign", "--key", "k", "p.yaml"],
     "picket sign: 'k' is no private key in PEM form without a passphrase"),
    ([("p.yaml", GOOD), key("k", ["X25519"]), lambda: os.chmod("k", 0o600)],
     ["sign", "--key", "k", "p.yaml"], "picket sign: the private key 'k' is not one of Ed25519"),
    ([("p.yaml", GOOD), key("k", ["X25519"]), public("k")], ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: the public key 'k.pub' is not one of Ed25519"),
    ([("p.yaml", GOOD), run("keygen", "-o", "k")], ["verify", "--key", "k", "p.yaml"],
     "picket verify: 'k' is no public key in PEM form without a passphrase"),
    ([("p.yaml", GOOD)], ["verify", "--keys", "none", "p.yaml"],
     "picket verify: cannot read the folder 'none': No such file or directory"),
    ([("p.yaml", GOOD), folder("d")], ["verify", "--keys", "d", "p.yaml"],
     "picket verify: there is no key '*.pub' in 'd'"),

    # Signatures.
    ([("p.yaml", GOOD), run("keygen", "-o", "k")], ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: there is no signature 'p.yaml.sig'"),
    ([("p.yaml", GOOD), run("keygen", "-o", "k"), ("p.yaml.sig", "x")],
     ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: the signature 'p.yaml.sig' is cut off or damaged"),
    ([("p.yaml", GOOD), run("keygen", "-o", "k"), folder("p.yaml.sig")],
     ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: cannot read the signature 'p.yaml.sig': it is not a "
     "regular file of 2 MiB at most"),
    ([("p.yaml", GOOD), run("keygen", "-o", "k"), long_file("p.yaml.sig", 1 << 22)],
     ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: cannot read the signature 'p.yaml.sig': it is not a "
     "regular file of 2 MiB at most"),
    ([("p.yaml", GOOD), run("keygen", "-o", "k"), lambda: os.symlink("p.yaml.sig", "p.yaml.sig")],
     ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: cannot read the signature 'p.yaml.sig': Too many "
     "levels of symbolic links"),
    (SIGNED + [change("p.yaml", b"read", b"write")], ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: 'p.yaml' is not what was signed"),
    (SIGNED + [change("p.yaml", b"name: p", b"name: q")], ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: it was signed as the policy 'p'"),
    (SIGNED + [("i.yaml", "vars: {a: b}\n"), change("p.yaml", b"name: p", b"name: p\ninclude: i.yaml")],
     ["verify", "--key", "k.pub", "p.yaml"],
     "picket verify: 'p.yaml' is not accepted: 'p.yaml' is not what was signed"),
    (SIGNED + [lambda: (os.rename("p.yaml", "q.yaml"), os.rename("p.yaml.sig", "q.yaml.sig"))],
     ["verify", "--key", "k.pub", "q.yaml"],
     "picket verify: 'q.yaml' is not accepted: where 'p.yaml' was signed, 'q.yaml' is read"),
    (SIGNED + [("p.yaml.sig.new", "")], ["sign", "--key", "k", "p.yaml"],
     "picket sign: cannot make 'p.yaml.sig.new': File exists"),
    (SIGNED + [("p.yaml.sig", "x")], ["sign", "--key", "k", "p.yaml"],
     "picket sign: the signature 'p.yaml.sig' is cut off or damaged: say which serial comes next with "
     "--serial"),
    (SIGNED + [run("sign", "--key", "k", "--serial", "18446744073709551615", "p.yaml")],
     ["sign", "--key", "k", "p.yaml"],
     "picket sign: 'p.yaml.sig' has the highest serial there is"),
    (LAYER + [("m/a.yaml", "picket: 1\nrequire_signature: /nosuch.pub\n")] + SIGNED,
     ["check", "--managed", "m", "p.yaml"],
     "m/a.yaml:2:20: error: 'require_signature': cannot read the key '/nosuch.pub': No such file or "
     "directory"),
    (LAYER + [("m/a.yaml", "picket: 1\nrequire_signature: /nosuch.pub\n"), ("p.yaml", GOOD)],
     ["check", "--managed", "m", "p.yaml"],
     "p.yaml: error: 'm/a.yaml' takes signed policies only: there is no signature 'p.yaml.sig'"),
]

# Files of other programs: format, text, line.
IMPORTS = [
    ("codex",
     'permissions.p.network.enabled = true\npermissions.p.network.domains = {"a.example" = '
     '"maybe"}\n',
     "f:2:48: error: a domain is allow or deny"),
    ("codex",
     'permissions.p.network.unix_sockets = {"/run/x" = "deny"}\n',
     "f:1:50: error: a unix socket is allow or none"),
    ("codex",
     'permissions.p.network.domains = {"a.example" = "allow"}\n',
     "f:1:15: error: the network is not enabled: its domains would be closed"),
    ("codex",
     'permissions.p.extends = ":danger"\n',
     "f:1:15: error: 'extends' of anything but :read-only and :workspace has no meaning "
     "here"),
    ("codex",
     'permissions.p.workspace_roots = ["/x"]\n',
     "f:1:15: error: the one workspace is ${CWD} here: name other roots as paths"),
    ("codex",
     "permissions = 3\n",
     "f:1:15: error: 'permissions' must be a table"),
    ("codex",
     "rules = {}\n",
     "f:1:1: error: 'rules' needs the list 'prefix_rules'"),
    ("codex",
     'permissions.p.filesystem = {"" = "read"}\n',
     "f:1:29: error: an empty name"),
    ("codex",
     'permissions.p.filesystem = {"/a\\u0001b" = "read"}\n',
     "f:1:29: error: a control character in a name"),
    ("codex",
     'rules.prefix_rules = [{pattern = [{token = ""}], decision = "forbidden"}]\n',
     "f:1:35: error: a word must be a text that is not empty"),
    ("codex",
     'rules.prefix_rules = [{pattern = [{token = "a\\nb"}], decision = "forbidden"}]\n',
     "f:1:35: error: a word with control characters cannot be written"),
    ("codex",
     'rules.prefix_rules = [{pattern = [{token = "ab"}], decision = "forbidden", justification = '
     '"a\\nb"}]\n',
     "f:1:92: error: 'justification' must be a line of text"),
    ("codex-rules",
     'prefix_rule(pattern=["git"], decision="allow", match="git")\n',
     "f:1:54: error: 'match' must be a list of examples"),
    ("codex-rules",
     'prefix_rule(pattern=["git"], decision="allow", match=[3])\n',
     "f:1:55: error: only texts and lists can be read here"),
    ("codex",
     'rules.prefix_rules = [{pattern = [{token = "ab"}], decision = "forbidden", match = [{}]}]\n',
     "f:1:85: error: an example is a command line or a list of words"),
    ("codex-rules",
     "# nothing\n",
     "f:1:1: error: there is no prefix_rule(...) in it"),
    ("codex-rules",
     'host_executable(name="git")\n',
     "f:1:1: error: 'host_executable(...)' has no meaning here"),
    ("harden-runner",
     "jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with: "
     "{egress-policy: maybe}\n",
     "f:5:31: error: 'egress-policy' must be audit or block"),
    ("harden-runner",
     "jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with: "
     "{egress-policy: block, disable-sudo-and-containers: true}\n",
     "f:5:38: error: 'disable-sudo-and-containers' also uninstalls container engines; deny their "
     "sockets: presets/secrets"),
    ("harden-runner",
     "jobs:\n  a:\n    steps:\n      - uses: step-security/harden-runner@v2\n        with: "
     "{egress-policy: block}\n  b:\n    steps:\n      - uses: "
     "step-security/harden-runner@v2\n        with: {egress-policy: block}\n",
     "f:6:3: error: a second job with harden-runner"),
    ("openshell",
     "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: a.example, port: 443, tls: "
     "terminate}]\n    binaries: [{path: /usr/bin/x}]\n",
     "f:4:46: error: 'tls': picket ends no TLS connections"),
    ("openshell",
     "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: a.example, port: 443, "
     "enforcement: audit}]\n    binaries: [{path: /usr/bin/x}]\n",
     "f:4:46: error: 'enforcement': a mode is one of the whole policy here"),
    ("openshell",
     "version: 1\nnetwork_policies:\n  a:\n    endpoints: [{host: a.example}]\n    binaries: "
     "[{path: /usr/bin/x}]\n",
     "f:4:17: error: an endpoint needs 'host' and 'port'"),
    ("openshell",
     "version: 1\nnetwork_policies:\n  a:\n    binaries: [{path: /usr/bin/x}]\n",
     "f:3:3: error: an entry needs 'endpoints'"),
    ("openshell",
     "version: 1\nfilesystem_policy: {read_only: {a: b}}\n",
     "f:2:32: error: 'read_only' must be a list of texts"),
    ("systemd",
     "[Service]\nSystemCallFilter=~mount:ENOSYS\n",
     "f:2:18: error: 'mount:ENOSYS': a refused call fails with EPERM here"),
    ("systemd",
     "[Service]\nSystemCallFilter=~mount\nSystemCallErrorNumber=ENOSYS\n",
     "f:3:1: error: 'ENOSYS': a refused call fails with EPERM here"),
    ("systemd",
     "[Service]\nRestrictNamespaces=net\n",
     "f:2:1: error: 'RestrictNamespaces' of some kinds has no meaning here"),
    ("systemd",
     '[Service]\nReadOnlyPaths=""\n',
     "f:2:15: error: '\"\"': only absolute paths and %h have a meaning here"),
    ("codex",
     'rules.prefix_rules = [{pattern = [{token = "ab"}], decision = "forbidden", match = [3]}]\n',
     "f:1:85: error: this example does not match its rule"),
    ("harden-runner",
     "jobs:\n  a:\n    steps: []\n",
     "f:2:3: error: there is no job with the step step-security/harden-runner@... and inputs"),
]
ROWS += [([("f", text)], ["import", kind, "f"], line) for kind, text, line in IMPORTS]


# Events with one thing wrong in them, and what is said about it.
EVENTS = [
    ({"schema": "other"}, "this is no event: 'schema' is not \"picket.event/1\""),
    ({"schema": "picket.event/2"}, "this is no event: 'schema' is not \"picket.event/1\""),
    ({"op": "fly"}, "'op' is no operation"),
    ({"section": "air"}, "'section' is no section"),
    ({"verdict": "maybe"}, "'verdict' is not allow, ask or deny"),
    ({"reason": "none"}, "'reason' is no reason"),
    ({"access": ["tcp"]}, "'access' has a word that its section has not"),
    ({"path": 7}, "a key that must be a text is none"),
    ({"path": "/w/\\xq"}, "an escape in a path or command is ill-formed"),
    ({"process": None}, "'process' is missing"),
    ({"address": "here"}, "an address is none"),
    ({"port": 65536}, "a key that must be a number is none, or out of range"),
]
ROWS += [([("p.yaml", GOOD), ("e", json.dumps(EVENT | change_) + "\n")], ["replay", "-p", "p.yaml", "e"],
          f"e:1:1: error: {why}") for change_, why in EVENTS]
ROWS += [
    ([("p.yaml", GOOD), ("e", "[1]\n")], ["replay", "-p", "p.yaml", "e"],
     "e:1:1: error: this is no JSON object"),
    ([("p.yaml", GOOD), ("e", '{"schema": "picket.recording/1", "part": "middle"}\n')],
     ["replay", "-p", "p.yaml", "e"],
     "e:1:1: error: the line about the recording is neither its head nor its end"),
]


def wrong(row):
    """What is not as the row says, or None."""
    steps, args, line = row[:3]
    status = row[3] if len(row) > 3 else 1
    with tempfile.TemporaryDirectory(prefix="picket-messages-") as place:
        os.chdir(place)
        for step in steps:
            if callable(step):
                step()
            else:
                pathlib.Path(step[0]).write_text(step[1])
        before = NO_RIGHTS if args[0] == WEAK and os.geteuid() == 0 else []
        words = [word for word in args if word != WEAK]
        result = subprocess.run([*before, os.environ["PICKET"], *words], capture_output=True, text=True, timeout=60,
                                stdin=subprocess.DEVNULL, check=False)
        os.chdir("/")
    if result.returncode == status and line in result.stderr.split("\n"):
        return None
    return f"{args}: no line {line!r}, status {status}, but {result.returncode}:\n{result.stderr[:2000]}"


def main():
    os.umask(0o022)
    faults = [fault for fault in map(wrong, ROWS) if fault]
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
