# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one Falco process says of itself in its Prometheus metrics: which rules files it runs, by digest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_RULES_FILE = re.compile(r"^falcosecurity_falco_sha256_rules_files_info\{([^}]*)\}", re.MULTILINE)
_SAMPLE = re.compile(r"^(falcosecurity_\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
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


def process_facts(text: str) -> dict[str, Any]:
    """What a Falco process says of itself and of the events that it saw.

    Args:
      text: answer of ``/metrics`` in Prometheus' text format.

    Returns:
      ``events`` and ``dropped`` since its start, ``started_ns`` and ``reloaded_ns`` (nanoseconds since 1970), each None
      if it does not tell; ``version``, ``driver`` and ``kernel``, empty if it does not tell.

    Source: https://falco.org/docs/concepts/metrics/
    """
    values: dict[str, int] = {}
    labels: dict[str, dict[str, str]] = {}
    for name, told, value in _SAMPLE.findall(text):
        labels.setdefault(name, dict(_LABEL.findall(told)))
        try:
            values.setdefault(name, int(value) if value.isdigit() else int(float(value)))
        except ValueError:
            continue
    return {
        "events": values.get("falcosecurity_scap_n_evts_total"),
        "dropped": values.get("falcosecurity_scap_n_drops_total"),
        "started_ns": values.get("falcosecurity_falco_start_timestamp_nanoseconds"),
        "reloaded_ns": values.get("falcosecurity_falco_reload_timestamp_nanoseconds"),
        "version": labels.get("falcosecurity_falco_version_info", {}).get("version", ""),
        "driver": labels.get("falcosecurity_scap_engine_name_info", {}).get("engine_name", ""),
        "kernel": labels.get("falcosecurity_falco_kernel_release_info", {}).get("kernel_release", ""),
    }


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
