# SPDX-License-Identifier: BSD-2-Clause
"""The generated policies that are measured: any number of path, address and host name rules.

Deterministic. Shapes as people write them: most paths are folders, some single files, some names at
any depth, some deny; addresses are networks of several sizes; names are exact or all below one. With
names the kernel reads DNS and the first bytes of connections. Every policy allows QUESTIONS; those with
names allow that of the servers of the network suite, asked for as often as one likes.
"""
FOLDER = "/srv/data"
QUESTIONS = [
    ("path-short", "path", "/etc/hosts"),
    ("path-60", "path", (FOLDER + "/project/src/module" * 9)[:60]),
    ("path-200", "path", (FOLDER + "/project/src/module" * 9 + "/file" * 9)[:200]),
    ("address", "address", "127.0.0.1 8080"),
]
# What an unrelated policy says instead.
OTHER_WORDS = [("/srv/", "/opt/"), ("project", "house"), ("secret", "private"), ("team", "crew"),
               ("api", "web"), ("cdn", "files"), ("mirror", "copy"), ('"16.', '"116.')]


def path_pattern(n):
    """The pattern of path rule number n, its verdict and its access."""
    folder = f"/srv/team{n % 31}/project{n}"
    if n % 10 == 7:
        return f"**/secret{n}.key", "deny", "all"
    if n % 10 in (3, 5):
        return f"{folder}/config.json", "allow", "read"
    if n % 10 == 9:
        return f"{folder}/*.{{c,h}}", "allow", "write"
    return f"{folder}/src/**", "allow", "read"


def path_rules(count):
    """Lines of a files section."""
    lines = ["files:", "  default: deny", "  rules:",
             "    - {allow: \"/etc/hosts\", access: [read]}",
             f"    - {{allow: \"{FOLDER}/**\", access: [read]}}"]
    for n in range(count - 2):
        pattern, verdict, access = path_pattern(n)
        lines.append(f"    - {{{verdict}: \"{pattern}\", access: [{access}], reason: rule {n}}}")
    return lines


def address_rules(count):
    """Lines of an egress section; no network lies in another one."""
    lines = ["egress:", "  default: deny", "  rules:", "    - {allow: \"127.0.0.0/8\"}"]
    for n in range(count - 1):
        bits = (24, 25, 28, 32)[n % 4]
        network = f"{16 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/{bits}"
        ports = (":443", ":80,443", "", ":8000-8999")[n // 4 % 4]
        verdict = "deny" if n % 10 == 7 else "allow"
        lines.append(f"    - {{{verdict}: \"{network}{ports}\", reason: rule {n}}}")
    return lines


def name_rules(count):
    """Lines of the same section, behind address_rules()."""
    lines = ['    - {allow: "web.example:80,443"}'] if count else []
    for n in range(count - 1):
        name = (f"api{n}.team{n % 97}.example.org", f"*.project{n}.example.net",
                f"**.mirror{n}.example.com", f"cdn{n}.example.io")[n % 4]
        verdict = "deny" if n % 10 == 7 else "allow"
        lines.append(f"    - {{{verdict}: \"{name}:443\", reason: name {n}}}")
    return lines


def policy_text(paths, addresses, names):
    """A whole policy; 0 leaves the rules out, and without any everything is allowed. Names come with
    addresses."""
    lines = ["picket: 1", "name: bench"]
    lines += address_rules(addresses) if addresses else []
    lines += name_rules(names)
    lines += ["  dns: {rate: off}"] if names else []
    lines += [] if addresses or paths else ["egress:", "  default: allow"]
    lines += path_rules(paths) if paths else []
    return "\n".join(lines) + "\n"


def write_policy(folder, paths, addresses, names=0, other=False):
    """Write it into the folder; returns its path. The other one of a size is about other things."""
    path = f"{folder}/paths{paths}-addresses{addresses}-names{names}{'-other' * other}.yaml"
    text = policy_text(paths, addresses, names)
    for own, others in OTHER_WORDS if other else []:
        text = text.replace(own, others)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path
