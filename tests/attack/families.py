# SPDX-License-Identifier: BSD-2-Clause
"""A line of attacks.txt over IPv6: the same hosts of world.py, by their other addresses."""
import re

# What is written over IPv4, and its counterpart; in this order.
COUNTERPARTS = [
    (r":203\.0\.113\.(\d+)", r":[2001:db8:200::\1]"),  # in the words of curl
    (r"203\.0\.113\.(\d+)", r"2001:db8:200::\1"),
    (r"198\.51\.100\.(\d+)", r"2001:db8:100::\1"),
    (r"127\.0\.0\.(?:1|53)\b", "::1"),
    (r"\b0\.0\.0\.0\b", "::"),
    (r"\b10\.1\.2\.3\b", "fd00::66"),
    (r"(?<= )A(?= |$)", "AAAA"),  # what a resolver is asked for
    (r"(?<=\bsocket )2(?= )", "10"),  # the family's number
    (r"(?<=\blisten-any )4$", "6"),
    (r"\b24([0-3])\b", lambda match: f"24{int(match.group(1)) + 4}"),  # inherited sockets
]


def as_six(text):
    """The text with all that is IPv4 in it replaced."""
    for pattern, instead in COUNTERPARTS:
        text = re.sub(pattern, instead, text)
    return text
