# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes the noise, as a picture (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .noise import Voice

ROW, LABEL, BAR = 22, 520, 360
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}")


def bars(voices: Sequence[Voice]) -> str:
    """A bar for each, as long as its alerts are many.

    Args:
        voices: the most frequent first.
    """
    most = max((one.alerts for one in voices), default=1)
    height = ROW * (len(voices) + 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + BAR + 80}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
    ]
    for number, one in enumerate(voices):
        top = ROW * number + 4
        who = " · ".join(filter(None, (one.rule, one.workload, one.program)))
        shown = who if len(who) <= 80 else f"{who[:79]}…"
        width = max(1, round(BAR * one.alerts / most))
        lines.append(f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{_clean(shown)}</text>')
        lines.append(f'<rect x="{LABEL}" y="{top}" width="{width}" height="{ROW - 6}" fill="#4477aa"/>')
        lines.append(f'<text x="{LABEL + width + 6}" y="{top + 13}">{one.alerts}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _clean(text: str) -> str:
    return escape(text.translate(_FORBIDDEN).encode("utf-8", "replace").decode())
