# SPDX-License-Identifier: BSD-2-Clause
"""A line of network.txt over IPv6: the same hosts by their other addresses, the same questions for them."""
import re

# What is written over IPv4, and its counterpart; in this order. Names need none: in the round over
# IPv6 the resolver, reached over IPv6, knows IPv6 addresses only.
COUNTERPARTS = [
    (r"\b93\.184\.218\.(\d+)\b", r"2606:2800:220:2::\1"),
    (r"\b93\.184\.(22[12])\.(\d+)\b", r"2606:2800:\1::\2"),
    (r"\b93\.184\.216\.200\b", "2606:2800:220:77::1"),  # nobody's
    (r"\b93\.184\.216\.(\d+)\b", r"2606:2800:220:1::\1"),
    (r"\b185\.199\.100\.([12])\b", r"2a01:db00:1::\1"),
    (r"\b185\.199\.10([12])\.1\b", r"2a01:db00:10\1::1"),
    (r"\b104\.20\.67\.143\b", "2606:4700:10::6814:438f"),
    (r"\b10\.66\.0\.1\b", "fd00:66::1"),
    (r"\b169\.254\.169\.254\b", "fd00:ec2::254"),
    (r"\b9\.9\.9\.10\b", "2620:fe::10"),
    (r"\b127\.0\.0\.1\b", "::1"),
    (r"\b0\.0\.0\.0\b", "::"),
]
WORDS = [(r"(?<= )A(?= |$)", "AAAA"), (r"\bahostsv4\b", "ahostsv6"), (r"\bhint\.", "hint6.")]


def as_six(text):
    """The text with all that is IPv4 in it replaced."""
    for pattern, instead in COUNTERPARTS:
        # With a port behind it an address stands in brackets.
        text = re.sub(pattern + r"(?=:\d)", f"[{instead}]", text)
        text = re.sub(pattern, instead, text)
    for pattern, instead in WORDS:
        text = re.sub(pattern, instead, text)
    return text
