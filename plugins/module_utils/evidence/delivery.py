# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether alerts were passed on: from each Falco to Falcosidekick, and from there to each output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.words import counted
from .asked import Asked
from .check import FAILED, SKIPPED, Check, passed_if


def check_delivery(asked: Asked) -> Iterator[Check]:
    """One check for the way to Falcosidekick and one for each output.

    Args:
        asked: C(delivery), what falco_delivery_info returned for the time since the triggers (skipped where there is no
            Falcosidekick).

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    delivery = asked.result("delivery")
    if delivery.skipped or not delivery.values:
        return
    if not delivery.answered:
        yield Check("handover", "Falco hands its alerts over", "Falcosidekick", SKIPPED, delivery.why_not)
        return
    yield _handover(delivery.get("falco", []))
    for name, passing in sorted(delivery.get("outputs", {}).items()):
        yield _output(str(name), passing)


def _handover(pods: Sequence[Mapping[str, Any]]) -> Check:
    sentence, subject = "Falco hands its alerts over", "Falcosidekick"
    lost = [pod for pod in pods if (pod.get("lost") or {}).get("failed")]
    data = {"nodes": sorted({str(pod["node"]) for pod in lost})}
    told = [f"{pod['node']}: {counted(pod['lost']['failed'], 'alert')} lost, {_words(pod['lost'])}" for pod in lost]
    unread = [f"{pod['node']}: its log could not be read ({pod['unread']})" for pod in pods if pod.get("unread")]
    if not lost and (unread or not pods):
        return Check("handover", sentence, subject, SKIPPED, "; ".join(unread) or "no pod of Falco runs", data)
    detail = "; ".join(told) or f"{counted(len(pods), 'Falco')} lost none since the triggers"
    return Check("handover", sentence, subject, passed_if(not lost), detail, data)


def _output(name: str, passing: Mapping[str, Any]) -> Check:
    sentence, failure = "Output takes alerts", passing.get("failure") or {}
    sent = f"{counted(int(passing['sent']), 'alert was', 'alerts were')} taken"
    data = {"kind": failure.get("kind"), "status": failure.get("status"), "host": failure.get("host")}
    if passing.get("failed"):
        return Check("output", sentence, name, FAILED, f"{_words(passing)}; {sent}", data)
    return Check("output", sentence, name, passed_if(bool(passing.get("sent"))), sent, data)


def _words(passing: Mapping[str, Any]) -> str:
    return str((passing.get("failure") or {}).get("words") or "it is not told why")
