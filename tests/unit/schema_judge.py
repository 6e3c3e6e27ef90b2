#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a JSON Schema validator of other people's making says about policies, for test_schema.c.

    schema_judge.py SCHEMA FOLDER

Policies that picket takes must be valid, those of tests/cases/bad that are wrong in their structure
must not be. Into FOLDER go policies (base-*), and each of them with one thing made wrong (wrong-*),
which the schema refuses: the caller asks picket about the same files.
"""
import copy
import glob
import json
import pathlib
import re
import sys

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    """YAML 1.2 as editors read it: 'no' and 22:22 are texts."""


Core.yaml_implicit_resolvers = {}
Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(null|~|)$"), ["n", "~", ""])
Core.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))

STRUCTURAL = re.compile(
    r"error: (unknown key '|unknown (access|mode|verdict|protocol|default|kind|activity|profile|setting)"
    r"|'[a-z_]+' must be .*, not |'[a-z_]+' has no value|a rule must be|a test must be"
    r"|a rule has more than one|a rule needs|.* needs the key|an element here must be)")
UNKNOWN = {"zzzz": "zzzz"}
BLANK = re.compile(r"^```yaml\n(picket: 1\n.*?)^```$", re.M | re.S)


def load(text):
    return yaml.load(text, Core)


def texts(value):
    """The same with every scalar as the text that picket sees, so that it can be written as JSON."""
    if isinstance(value, dict):
        return {str(k): texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [texts(v) for v in value]
    return value if isinstance(value, str) else json.dumps(value)


def good_policies():
    names = glob.glob("policies/*/*.yaml") + glob.glob("tests/cases/good/*.yaml")
    return {name: pathlib.Path(name).read_text() for name in sorted(names)}


def reference_policies():
    page = pathlib.Path("policies/README.md").read_text()
    return {f"README-{i}": text for i, text in enumerate(BLANK.findall(page))}


def structural_faults():
    for expect in sorted(glob.glob("tests/cases/bad/*.expect")):
        case = expect.removesuffix(".expect") + ".yaml"
        found = pathlib.Path(expect).read_text(errors="replace")
        own = [line for line in found.splitlines() if line.startswith(pathlib.Path(case).name + ":")
               or line.startswith("bad/" + pathlib.Path(case).name + ":")]
        if any(STRUCTURAL.search(line) for line in own):
            yield case


def places(schema, value, path=()):
    """Every place of the policy that the schema describes, with what it says of it."""
    yield path, schema
    options = schema.get("anyOf", [schema])
    for option in options:
        if isinstance(value, dict):
            for key, below in option.get("properties", {}).items():
                if key in value:
                    yield from places(below, value[key], path + (key,))
        elif isinstance(value, list) and "items" in option:
            for i, element in enumerate(value):
                yield from places(option["items"], element, path + (i,))


def replaced(policy, path, new):
    if not path:
        return new
    policy = copy.deepcopy(policy)
    at = policy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return policy


def at(policy, path):
    for step in path:
        policy = policy[step]
    return policy


def takes(schema, kind):
    return any(option.get("type") == kind for option in schema.get("anyOf", [schema]))


def is_text(schema):
    return any("enum" in option or "string" in option.get("type", [])
               for option in schema.get("anyOf", [schema]))


def wrong(policy, schema):
    """(what, policy) for everything that can be made wrong at every place."""
    for path, here in places(schema, policy):
        value = at(policy, path)
        name = "/".join(map(str, path))
        if isinstance(value, dict) and "properties" in here:
            yield f"key {name}", replaced(policy, path, {**value, **UNKNOWN})
        if not takes(here, "object"):
            yield f"map {name}", replaced(policy, path, UNKNOWN)
        if not takes(here, "array"):
            yield f"list {name}", replaced(policy, path, [["x"]])
        if not is_text(here):
            yield f"text {name}", replaced(policy, path, "zzzz")
        if "enum" in here:
            yield f"word {name}", replaced(policy, path, "zzzz")


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = []
    for name, text in {**good_policies(), **reference_policies()}.items():
        for error in validator.iter_errors(load(text)):
            failures.append(f"{name}: {error.json_path}: {error.message}")
    cases = list(structural_faults())
    for case in cases:
        try:
            valid = validator.is_valid(load(pathlib.Path(case).read_text()))
        except yaml.YAMLError:
            continue
        if valid:
            failures.append(f"{case}: valid, and picket finds a fault in its structure")
    count = 0
    seen = set()
    for name, text in reference_policies().items():
        policy = texts(load(text))
        (folder / f"base-{name}.yaml").write_text(json.dumps(policy))
        for what, broken in wrong(policy, schema):
            # One of each kind is enough: elements of one list are alike.
            if re.sub(r"\d+", "#", what) in seen:
                continue
            seen.add(re.sub(r"\d+", "#", what))
            count += 1
            if validator.is_valid(broken):
                failures.append(f"{name}: {what}: valid")
            (folder / f"wrong-{count}.yaml").write_text(f"{json.dumps(broken)}\n# {name}: {what}\n")
    print(f"{len(cases)} {count}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures or len(cases) < 20 or count < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
