# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one Falco process says of itself in its Prometheus metrics: which rules files it runs, by digest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_RULES_FILE = re.compile(r"^falcosecurity_falco_sha256_rules_files_info\{([^}]*)\}", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def rules_digests(text: str) -> dict[str, str]:
    """File name (no directory) to SHA-256 of each rules file that the process has loaded.

    Args:
      text: answer of ``/metrics`` in Prometheus' text format.
    """
    digests = {}
    for labels in _RULES_FILE.findall(text):
        values = dict(_LABEL.findall(labels))
        if "file_name" in values and "sha256" in values:
            digests[values["file_name"]] = values["sha256"]
    return digests


def differences(running: Mapping[str, str], wanted: Mapping[str, str], absent: Iterable[str] = ()) -> list[str]:
    """What a process still runs otherwise than wanted, in words; empty if it runs exactly these bytes.

    Args:
      running: as rules_digests returns it.
      wanted: file name to SHA-256.
      absent: file names that must not be loaded any more.
    """
    found = []
    for name, digest in sorted(wanted.items()):
        if name not in running:
            found.append(f"has not loaded {name}")
        elif running[name] != digest:
            found.append(f"runs {name} {running[name][:12]} instead of {digest[:12]}")
    return found + [f"still runs {name}" for name in sorted(set(absent) - set(wanted)) if name in running]
