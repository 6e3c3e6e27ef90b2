# SPDX-License-Identifier: BSD-2-Clause
"""The report as a plot (SVG, readable on light and dark ground): a panel for each act, a row for each arm,
a dot for the median of its ratio to no policy, a thick line for the half of the values around it, a thin one
from least to most, a tick for the target."""
import math
from xml.sax.saxutils import escape

from measure import AGAIN

WIDTH, LABELS, RIGHT = 920, 250, 150
ROW, HEAD, GAP, TOP = 18, 26, 14, 78
# Ratios shown; what lies beyond is drawn at the edge, and its number says what it is.
LEAST, MOST = 0.9, 4.0
TICKS = [0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0]
STYLE = """
	text { font: 12px system-ui, sans-serif; fill: #24292f }
	.ground { fill: #ffffff } .head { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
	.grid { stroke: #d8dee4 } .one { stroke: #8c959f } .target { stroke: #bc4c00; stroke-width: 2 }
	.picket { fill: #0969da; stroke: #0969da } .other { fill: #6e7781; stroke: #6e7781 }
	.noise { fill: none; stroke: #6e7781 } .range { stroke-width: 4; opacity: 0.6 }
	.thin { opacity: 0.4 }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3 } .ground { fill: #0d1117 } .small { fill: #9198a1 }
		.grid { stroke: #30363d } .one { stroke: #6e7681 } .target { stroke: #f0883e }
		.picket { fill: #58a6ff; stroke: #58a6ff } .other { fill: #9198a1; stroke: #9198a1 }
		.noise { stroke: #9198a1 }
	}
"""


def across(ratio):
    """The place of a ratio; equal factors are equally wide."""
    inside = min(max(ratio, LEAST), MOST)
    part = math.log(inside / LEAST) / math.log(MOST / LEAST)
    return LABELS + part * (WIDTH - LABELS - RIGHT)


def kind_of(arm):
    """The class of an arm's marks."""
    if arm == AGAIN:
        return "noise"
    return "picket" if arm.startswith("picket") or " rules" in arm[:9] or "CIDRs" in arm else "other"


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def draw_row(row, y):
    """One arm."""
    ratio, kind = row["ratio"], kind_of(row["arm"])
    target = row.get("targets", {}).get("ratio")
    lines = [text(LABELS - 10, y + 4, row["arm"], anchor="end"),
             *(f'<line x1="{across(ratio[first]):.1f}" x2="{across(ratio[last]):.1f}" y1="{y}" y2="{y}" '
               f'class="{kind} {width}"/>'
               for first, last, width in (("min", "max", "thin"), ("low", "high", "range"))),
             f'<circle cx="{across(ratio["median"]):.1f}" cy="{y}" r="4" class="{kind}"/>']
    words = f"{ratio['median']:.3f}"
    if target:
        x = across(target["at_most"])
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 7}" y2="{y + 7}" class="target"/>')
        words += f" ({'met' if target['met'] else 'missed'}: {target['at_most']:.4g})"
    return lines + [text(WIDTH - RIGHT + 12, y + 4, words, "small")]


def draw_panel(act, rows, top):
    """One act: its head, the grid, its rows."""
    bottom = top + HEAD + ROW * len(rows)
    lines = [text(12, top + 14, act, "head")]
    for tick in TICKS:
        x = across(tick)
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + HEAD - 8}" y2="{bottom - 6}" '
                     f'class="{"one" if tick == 1 else "grid"}"/>')
    for number, row in enumerate(rows):
        lines += draw_row(row, top + HEAD + ROW * number)
    return lines, bottom + GAP


def acts_of(report):
    """{act: rows}, in the order of the report."""
    found = {}
    for part in ("egress", "acts"):
        for row in report.get(part, []):
            where = "" if part == "egress" else ", in a guest, instructions"
            found.setdefault(row["act"] + where, []).append(row)
    return found


def draw(report):
    """The whole plot as text."""
    host = report["host"]
    lines = [text(12, 24, "What confinement costs, as a ratio to no policy", "head"),
             text(12, 42, f"Linux {host['kernel']}, {host['cpus']} CPUs, tier {host['tier']}. A dot is the median, "
                  "the thick line half of the values, the thin line all, a tick is the target.", "small")]
    lines += [text(across(tick), TOP - 14, f"{tick:g}", "small", "middle") for tick in TICKS]
    top = TOP
    for act, rows in acts_of(report).items():
        panel, top = draw_panel(act, rows, top)
        lines += panel
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
            f'height="{top}"><style>{STYLE}</style><rect width="100%" height="100%" class="ground"/>\n'
            + "\n".join(lines) + "\n</svg>\n")
