# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running Falco says is wrong with rules, out of what its C(-V) prints, warnings of other files left out."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...common.tolerant import mapping, mappings

_RESULTS, _STANDARD_INPUT = "falco_load_results", "/dev/stdin"


def told(printed: str) -> str:
    """The errors of a validation in one line.

    Args:
        printed: what C(falco -V) printed; with C(json_output) a report as JSON, in a line of its own.

    Returns:
        The errors; all that was printed where it holds no report with errors.
    """
    for line in printed.splitlines():
        if _RESULTS not in line:
            continue
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            continue
        found = "; ".join(_errors(report))
        if found:
            return found
    return " ".join(printed.split())


def _errors(report: object) -> Iterator[str]:
    for result in mappings(mapping(report).get(_RESULTS)):
        name = str(result.get("name") or "")
        # What comes by standard input is several files, whose names Falco does not know.
        where = "" if name == _STANDARD_INPUT else f"{name}: "
        for error in mappings(result.get("errors")):
            places = mappings(mapping(error.get("context")).get("locations"))
            named = [f" ({one.get('item_type')} '{one['item_name']}')" for one in places if one.get("item_name")]
            words = " ".join(str(error.get("message") or "").split())
            yield f"{where}{error.get('code')}: {words}{''.join(named[-1:])}"
