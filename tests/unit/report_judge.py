#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is a report one that a browser takes as it was meant, whatever names an agent chose?

report_judge.py FILE [TEXT...]

It must be well-formed XML behind its first line, and say the same to a parser of HTML: only elements and
attributes that the report has of its own, nothing that runs or is fetched, no character that deceives. Each
TEXT must be shown as text.
"""
import html.parser
import sys
import unicodedata
import xml.etree.ElementTree

ELEMENTS = set("html head meta title style body main section h1 h2 p b span code div dl dt dd ul li table "
               "thead tbody tr th td svg g rect path text tspan".split())
ATTRIBUTES = set("lang charset http-equiv content name class xmlns role viewBox x y dx width height rx d "
                 "text-anchor".split())
SVG = "{http://www.w3.org/2000/svg}"


class Reader(html.parser.HTMLParser):
    """Elements, attributes and text as a browser finds them."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes, self.text = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        self.names.append("comment")


def deceptive(character):
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\n"


def faults(document, texts):
    doctype, _, rest = document.partition("\n")
    if doctype != "<!DOCTYPE html>":
        yield "it does not begin with its type"
    tree = xml.etree.ElementTree.fromstring(rest)
    strict = [element.tag.replace(SVG, "") for element in tree.iter()]
    reader = Reader()
    reader.feed(document)
    reader.close()
    lower = {name.lower() for name in ATTRIBUTES}
    yield from (f"element {name}" for name in sorted(set(strict + reader.names) - ELEMENTS))
    yield from (f"attribute {name}" for name in sorted(reader.attributes - lower))
    if strict != reader.names:
        yield "as XML it has other elements than as HTML"
    if "".join(tree.itertext()).replace("\n", "") != "".join(reader.text).replace("\n", ""):
        yield "as XML it has another text than as HTML"
    if "url(" in document or "@import" in document:
        yield "it fetches something"
    shown = "".join(tree.itertext())
    yield from (f"U+{ord(c):04X} is shown as it is" for c in sorted(set(filter(deceptive, shown))))
    yield from (f"it does not show {text!r}" for text in texts if text not in shown)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(faults(file.read(), sys.argv[2:]))
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
