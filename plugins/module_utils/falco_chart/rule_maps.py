# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules files spread over ConfigMaps: each below the size limit, the same way every time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from .problems import FalcoChartError, Problem

#: The API server takes 1 MiB per ConfigMap, etcd a little more per request; names and metadata want some of it.
LIMIT_BYTES = 1_000_000
#: What Kubernetes allows as a key, and what Falco loads from a directory.
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_SUFFIXES = (".yaml", ".yml")


def spread(files: Mapping[str, str], names: Sequence[str], limit: int = LIMIT_BYTES) -> dict[str, dict[str, str]]:
    """ConfigMap name to its data, for every name (with empty data where nothing is left for it).

    Files go into the first ConfigMap that has room, in the order of their names.

    Args:
      files: file name (no directory) to text.
      names: the ConfigMaps that Falco's pods mount.
      limit: bytes per ConfigMap.
    Raises:
      FalcoChartError: a name that Falco would not load, a file that fits nowhere.
    """
    problems = []
    maps: dict[str, dict[str, str]] = {name: {} for name in names}
    used = dict.fromkeys(names, 0)
    for name in sorted(files):
        size = len(files[name].encode()) + len(name)
        if not _KEY.fullmatch(name) or not name.endswith(_SUFFIXES):
            hint = "Use letters, digits, '-', '_' and '.', and end it with .yaml."
            problems.append(Problem(name, "is no file name that a ConfigMap can hold and Falco loads.", hint))
        elif size > limit:
            problems.append(Problem(name, f"has {size} bytes; a ConfigMap holds {limit}.", "Split it."))
        else:
            target = next((candidate for candidate in names if used[candidate] + size <= limit), None)
            if target is None:
                hint = "Name more in falco_own_rules_config_maps and falco_rules_config_maps."
                problems.append(Problem(name, f"fits in none of the {len(names)} ConfigMaps any more.", hint))
            else:
                maps[target][name] = files[name]
                used[target] += size
    if problems:
        raise FalcoChartError(problems)
    return maps


def digests(maps: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """File name to the SHA-256 that Falco reports for it."""
    return {
        name: hashlib.sha256(text.encode()).hexdigest() for data in maps.values() for name, text in sorted(data.items())
    }


def token(maps: Mapping[str, Mapping[str, str]]) -> str:
    """One digest of the whole set."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests(maps).items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]


def as_text(maps: Mapping[str, Mapping[str, str]]) -> str:
    """The whole set as one text, for a diff."""
    files = {name: text for data in maps.values() for name, text in data.items()}
    return "".join(f"--- {name}\n{files[name].rstrip()}\n" for name in sorted(files))
