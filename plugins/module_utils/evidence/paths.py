# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether alerts can pass: from Falco to Falcosidekick, on to its UI and Redis, and names from cluster DNS.

Each connection was tried to the pods at the other end and to their Service's address, so that a policy between them, a
node that does not serve the address, and a network that does not carry it are told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.words import counted
from .asked import Asked
from .check import FAILED, PASSED, SKIPPED, Check

Row = Mapping[str, Any]
#: How a flow ends that asks a Service's address and not its pods.
BY_SERVICE = " by its Service's address"
#: What a failed check's data name as cause.
POLICY, NETWORK, ADDRESS, AWAY = "policy", "network", "address", "away"


def check_paths(asked: Asked) -> Iterator[Check]:
    """One check for each connection that alerts need.

    Args:
        asked: C(paths), the flows that were asked (empty if none was to be); C(probe), what netpol_probe returned for
            them; C(namespace).

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    names = [str(flow["name"]) for flow in asked.items("paths")]
    if not names:
        return
    sentence, probe = "Alerts can pass", asked.result("probe")
    if not probe.answered or probe.get("results") is None:
        why = probe.why_not if not probe.answered else "the network was not asked"
        yield Check("path", sentence, asked.text("namespace"), SKIPPED, f"could not be tried: {why}")
        return
    rows: dict[str, list[Row]] = {name: [] for name in names}
    gaps: dict[str, list[str]] = {name: [] for name in names}
    for row in probe.get("results", []):
        rows.get(str(row.get("flow")), []).append(row)
    for row in probe.get("not_probed", []):
        gaps.get(str(row.get("flow")), []).append(str(row.get("why")))
    for name in names:
        if not name.endswith(BY_SERVICE):
            service = name + BY_SERVICE
            yield _connection(name, rows[name], rows.get(service, []), gaps[name] + gaps.get(service, []))


def _connection(name: str, pods: Sequence[Row], service: Sequence[Row], gaps: Sequence[str]) -> Check:
    sentence = "Alerts can pass"
    wrong = [row for row in (*pods, *service) if row.get("status") == "violated"]
    denied = [row for row in wrong if row.get("by_policies") == "denied"]
    if denied:
        why = f"a policy is between them: {denied[0].get('because')}"
        return _failed(sentence, name, POLICY, denied, f"{why} (from {_nodes(denied)})")
    direct = [row for row in pods if row.get("status") == "violated"]
    if direct:
        why = f"{direct[0]['to']} does not answer, although the policies let it pass ({direct[0].get('verdict')})"
        return _failed(sentence, name, NETWORK, direct, f"from {_nodes(direct)}: {why}")
    if wrong:
        address = f"the address {wrong[0].get('address')} of {wrong[0]['to']}"
        verb = "do not serve" if len({row.get("from_node") for row in wrong}) > 1 else "does not serve"
        why = f"its pods answer there: see kube-proxy, or what takes its place, on {_nodes(wrong)}"
        return _failed(sentence, name, ADDRESS, wrong, f"{_nodes(wrong)} {verb} {address}; {why}")
    if service and not pods and gaps and name.endswith("DNS"):
        return _failed(sentence, name, AWAY, service, f"cluster DNS has no pod that runs: {gaps[0]}")
    open_rows = [row for row in (*pods, *service) if row.get("status") != "met"]
    if open_rows or gaps or not (pods or service):
        row = open_rows[0] if open_rows else {}
        why = str(row.get("detail") or row.get("verdict") or "") or (gaps[0] if gaps else "nothing was tried")
        return Check("path", sentence, name, SKIPPED, f"nothing can be concluded: {why}", {"nodes": []})
    detail = f"{counted(len(pods) + len(service), 'connection')} tried, from {_nodes([*pods, *service])}"
    return Check("path", sentence, name, PASSED, detail, {"nodes": []})


def _failed(sentence: str, name: str, cause: str, rows: Sequence[Row], detail: str) -> Check:
    nodes = sorted({str(row.get("from_node")) for row in rows})
    return Check("path", sentence, name, FAILED, detail, {"nodes": nodes, "cause": cause})


def _nodes(rows: Sequence[Row]) -> str:
    return ", ".join(sorted({str(row.get("from_node")) for row in rows}))
