# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as metrics, for node_exporter's textfile collector or a push gateway.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from .check import PASSED, STATUSES
from .views import alerts


def metrics(report: Mapping[str, Any]) -> str:
    """The report in Prometheus' text format.

    Args:
        report: as C(report.report) returns it.
    """
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    cluster = {"cluster": report["cluster"]}
    yield from _head("falconet_proof_passed", "Whether the last proof of the cluster passed (1) or failed (0).")
    yield _sample("falconet_proof_passed", cluster, int(report["verdict"] == PASSED))
    yield from _head("falconet_proof_timestamp_seconds", "When the last proof was taken, in seconds since 1970.")
    yield _sample("falconet_proof_timestamp_seconds", cluster, _seconds(str(report["time"])))
    yield from _head("falconet_proof_checks", "Checks of the last proof by stage and status.")
    for stage in report["stages"]:
        for status in STATUSES:
            labels = {**cluster, "stage": stage["name"], "status": status}
            yield _sample("falconet_proof_checks", labels, stage[status])
    yield from _head("falconet_proof_alert_latency_seconds", "From a trigger's action to its alert at a destination.")
    for trigger in alerts(report["checks"])["triggers"]:
        for place, cell in trigger["cells"].items():
            if cell["latency_ms"] is not None:
                labels = {**cluster, "trigger": trigger["subject"], "destination": place}
                yield _sample("falconet_proof_alert_latency_seconds", labels, cell["latency_ms"] / 1000)


def _head(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"


def _sample(name: str, labels: Mapping[str, object], value: float) -> str:
    told = ",".join(f'{key}="{_escaped(str(text))}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _seconds(time: str) -> int:
    return round(datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp())
