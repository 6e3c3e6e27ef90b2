# SPDX-License-Identifier: BSD-2-Clause
"""A reader of Prometheus' text format 0.0.4 that takes nothing that the format does not allow."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Page:
    """`types`, `helps` by name; `samples`: {(name, ((label, value), ...)): number}."""

    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        self.labels = {}
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        family = None
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                family, _, words = line[7:].partition(" ")
                if family in self.helps:
                    raise ValueError(f"{family}: its samples are not together")
                if not words or re.search(r"\\(?![\\n])", words):
                    raise ValueError(f"{family}: HELP: {words!r}")
                self.helps[family] = words
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if name != family or name in self.types or kind not in SUFFIXES:
                    raise ValueError(line)
                self.types[name] = kind
            else:
                self.sample(family, line)
        self.histograms()

    def sample(self, family, line):
        match = SAMPLE.fullmatch(line)
        if not match:
            raise ValueError(f"no sample: {line!r}")
        name = match.group(1)
        if name not in [family + suffix for suffix in SUFFIXES[self.types[family]]]:
            raise ValueError(f"{name}: below the TYPE of {family}")
        labels = tuple(re.findall(LABEL, match.group(2) or ""))
        if len({label for label, _ in labels}) != len(labels):
            raise ValueError(f"a label twice: {line!r}")
        if (name, labels) in self.samples:
            raise ValueError(f"a series twice: {line!r}")
        value = float(match.groups()[-1])
        if self.types[family] == "counter" and (not name.endswith("_total") or value < 0):
            raise ValueError(f"no counter: {line!r}")
        self.samples[name, labels] = value
        self.labels.setdefault(family, set()).update(label for label, _ in labels)

    def histograms(self):
        """Buckets rise, and the last one has all."""
        for family in [name for name, kind in self.types.items() if kind == "histogram"]:
            series = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    rest = tuple(pair for pair in labels if pair[0] != "le")
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            for rest, buckets in series.items():
                counts = [count for _, count in buckets]
                if buckets != sorted(buckets) or counts != sorted(counts) or \
                        buckets[-1] != (float("inf"), self.samples[family + "_count", rest]):
                    raise ValueError(f"{family}: {buckets}")

    def get(self, name, **labels):
        """The sum of all series with these labels."""
        return sum(value for (sample, pairs), value in self.samples.items()
                   if sample == name and labels.items() <= dict(pairs).items())
