#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does what reads our metrics read what there is?

    metrics_judge.py PAGE

PAGE has a sample of every metric that picketd can show. It must be in the text format; the man page's
table, tools/metrics/dashboard.json and tools/metrics/alerts.yaml must name metrics and labels that are
there, and the table all of them. Prints what is wrong and exits 1.
"""
import json
import os
import re
import sys

import yaml

ROOT = os.path.abspath(f"{os.path.dirname(os.path.abspath(__file__))}/../..")
sys.path.insert(0, f"{ROOT}/tests/live/daemon.d")
sys.dont_write_bytecode = True
import exposition  # noqa: E402  pylint: disable=wrong-import-position

# What Prometheus itself adds.
OWN_LABELS = {"instance", "job"}
OWN_METRICS = {"up"}
# Words of PromQL.
WORDS = {"sum", "min", "max", "by", "rate", "increase", "time", "topk", "on", "group_left", "changes",
         "histogram_quantile", "label_values"}


def known_names(page):
    """Name of a series: its labels."""
    known = {}
    for name, labels in page.samples:
        known.setdefault(name, set()).update(label for label, _ in labels)
    return known


def judge_expression(where, text, known):
    """Every word of it is a metric, one of its labels, or of the language."""
    faults, labels = [], set(OWN_LABELS)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    bare = re.sub(r"\[[^]]*\]", "", bare)
    names = [word for word in re.findall(r"(?<!\$)\b[a-z_][a-z0-9_]*\b", bare)]
    metrics = [name for name in names if name in known]
    for metric in metrics:
        labels |= known[metric]
    for name, matchers in re.findall(r"\b([a-z_][a-z0-9_]*)\{([^}]*)\}", bare):
        for label in re.findall(r"([a-z_]+)\s*[=!]", matchers):
            if name not in OWN_METRICS and label not in known.get(name, set()) | OWN_LABELS:
                faults.append(f"{where}: {name} has no label '{label}': {text}")
    for name in names:
        if name not in known and name not in labels | WORDS | OWN_METRICS:
            faults.append(f"{where}: there is no '{name}': {text}")
    if not metrics and not OWN_METRICS & set(names):
        faults.append(f"{where}: no metric of ours: {text}")
    return faults


def judge_words(where, text, expression, known):
    """Labels in legends and sentences are those of a metric in the expression."""
    labels = set(OWN_LABELS)
    for name in re.findall(r"[a-z_][a-z0-9_]*", expression):
        labels |= known.get(name, set())
    used = re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)
    return [f"{where}: no label '{label}' in: {text}" for label in used if label not in labels]


def judge_dashboard(known):
    with open(f"{ROOT}/tools/metrics/dashboard.json", encoding="utf-8") as file:
        board = json.load(file)
    faults, count = [], 0
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        faults.append("dashboard.json: two panels with one id")
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            where = f"dashboard.json: {panel['title']}"
            faults += judge_expression(where, target["expr"], known)
            faults += judge_words(where, target["legendFormat"], target["expr"], known)
            count += 1
    for extra in [one["expr"] for one in board["annotations"]["list"]] + \
            [one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"]:
        faults += judge_expression("dashboard.json", extra, known)
        count += 1
    return faults + ([] if count > 10 else ["dashboard.json: has next to nothing"])


def judge_alerts(known):
    with open(f"{ROOT}/tools/metrics/alerts.yaml", encoding="utf-8") as file:
        rules = [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
    faults = []
    for rule in rules:
        where = f"alerts.yaml: {rule['alert']}"
        faults += judge_expression(where, rule["expr"], known)
        for text in rule["annotations"].values():
            faults += judge_words(where, text, rule["expr"], known)
        if rule["labels"].get("severity") not in ("info", "warning", "critical"):
            faults.append(f"{where}: severity")
        if "for" in rule and not re.fullmatch(r"\d+[smh]", rule["for"]):
            faults.append(f"{where}: for: {rule['for']}")
    names = [rule["alert"] for rule in rules]
    return faults + ([] if len(set(names)) == len(names) > 5 else ["alerts.yaml: names"])


def judge_manual(page):
    """Its rows: `.It Cm NAME Ar LABELS`."""
    with open(f"{ROOT}/user/man/picket.8", encoding="utf-8") as file:
        rows = re.findall(r"^\.It Cm (picket_\w+)(?: Ar ([\w ]+))?$", file.read(), re.M)
    told = {name: set(labels.split()) for name, labels in rows}
    faults = [f"picket.8: {name} is not told" for name in page.types if name not in told]
    faults += [f"picket.8: there is no {name}" for name in told if name not in page.types]
    for name, labels in told.items():
        there = page.labels.get(name, set()) - {"le"}
        if name in page.types and labels != there:
            faults.append(f"picket.8: {name} has the labels {sorted(there)}, not {sorted(labels)}")
    return faults


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = exposition.Page(file.read())
    known = known_names(page)
    faults = judge_dashboard(known) + judge_alerts(known) + judge_manual(page)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
