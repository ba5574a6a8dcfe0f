# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running Falco says is wrong with rules, out of what its C(-V) prints, warnings of other files left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

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
    for result in _listed(report, _RESULTS):
        name = str(result.get("name") or "")
        # What comes by standard input is several files, whose names Falco does not know.
        where = "" if name == _STANDARD_INPUT else f"{name}: "
        for error in _listed(result, "errors"):
            places = _listed(error.get("context"), "locations")
            named = [f" ({one.get('item_type')} '{one['item_name']}')" for one in places if one.get("item_name")]
            words = " ".join(str(error.get("message") or "").split())
            yield f"{where}{error.get('code')}: {words}{''.join(named[-1:])}"


def _listed(holder: object, key: str) -> list[Mapping[str, Any]]:
    """The mappings of a list within a mapping; none where the text has something else there."""
    found = holder.get(key) if isinstance(holder, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
