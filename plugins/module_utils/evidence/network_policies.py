# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage network_policies: policies are as declared and enforced, and each flow passes or does not, as declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.words import counted
from .asked import Asked, Result
from .check import FAILED, PASSED, SKIPPED, Check, passed_if

Row = Mapping[str, Any]
#: Places in which an object is not as declared that are told.
_MOST_PLACES = 3


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of a cluster's policies.

    Args:
        asked: C(check_mode); C(set_name); C(plan), what netpol_apply returned for C(state=planned);
            C(canary_wanted) and C(canary), what netpol_probe returned for C(question=enforcement);
            C(probe_wanted) and C(probe), what it returned for the flows; C(flows), all declared flows,
            and C(later), names of those that are not to be tried yet;
            C(unproven), what an unproven flow is: C(fail) or C(warn); C(compare), whether the network is compared with
            the analysis, and C(compared), the namespaces in which it is.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    yield _as_declared(asked)
    yield from _left_out(asked)
    yield from _absent(asked)
    yield from _by_policies(asked)
    yield _enforced(asked)
    if asked.flag("probe_wanted") and not asked.flag("check_mode"):
        yield from _connections(asked)


def _as_declared(asked: Asked) -> Check:
    sentence, subject, plan = (
        "Policies in the cluster are those that are declared",
        f"set {asked.text('set_name')}",
        asked.result("plan"),
    )
    if not plan.answered:
        return Check("declared", sentence, subject, FAILED, plan.why_not)
    objects = list(plan.get("objects", []))
    other = [_changed(entry) for entry in objects if entry["action"] != "none"]
    detail = "; ".join(other) or f"{counted(len(objects), 'object is', 'objects are')} as declared"
    return Check("declared", sentence, subject, passed_if(not other), detail, {"objects": objects})


def _named_object(entry: Row) -> str:
    return "/".join(str(entry[part]) for part in ("namespace", "name") if entry.get(part))


def _changed(entry: Row) -> str:
    """What an object that is not as declared is otherwise; where this is long, the first places."""
    name = _named_object(entry)
    words = {"create": "is missing", "delete": "is there and is not declared"}.get(str(entry["action"]))
    differs = [str(text) for text in entry.get("differs") or ()]
    more = f" and {len(differs) - _MOST_PLACES} more" if len(differs) > _MOST_PLACES else ""
    return f"{name} {words or 'would change'}" + (f": {'; '.join(differs[:_MOST_PLACES])}{more}" if differs else "")


def _by_policies(asked: Asked) -> Iterator[Check]:
    """Whether the policies in the cluster, whoever made them, say what the flows say; the network was not asked yet."""
    plan, sentence = asked.result("plan"), "Policies in the cluster say what the flow says"
    if not plan.answered:
        return
    ours = {_named_object(entry) for entry in plan.get("objects", [])}
    violations = list(plan.get("violations", []))
    for violation in violations:
        policy = str(violation.get("policy") or "")
        foreign = bool(policy) and policy.rpartition(" ")[2] not in ours
        whose = f" {policy} is not of set {asked.text('set_name')}: somebody else made it." if foreign else ""
        data = {name: violation.get(name) for name in ("policy", "from", "to", "ports", "fix")}
        detail = f"{violation['message']}{whose}"
        yield Check("policies", sentence, str(violation["flow"]), FAILED, detail, data)
    flows = asked.items("flows")
    if flows and not violations:
        detail = f"{counted(len(flows), 'flow holds', 'flows hold')} by the policies that there are"
        yield Check("policies", sentence, f"set {asked.text('set_name')}", PASSED, detail)


def _left_out(asked: Asked) -> Iterator[Check]:
    """Policies of other APIs and the like, about which the other checks say nothing."""
    for note in asked.result("plan").get("notes", []):
        yield Check("left_out", "All that bears on connections is analysed", "cluster", SKIPPED, str(note))


def _absent(asked: Asked) -> Iterator[Check]:
    """Flows that hold only because what they name does not exist."""
    for flow in asked.result("plan").get("idle_flows", []):
        if not flow.get("empty"):
            detail = f"{flow.get('kind')} flow: {flow.get('why')}"
            yield Check("flow", "What the flow names exists", str(flow.get("flow")), FAILED, detail)


def _enforced(asked: Asked) -> Check:
    sentence, canary = "Policies are enforced", asked.result("canary")
    if asked.flag("check_mode"):
        return Check("enforced", sentence, "cluster", SKIPPED, "check mode starts no pods")
    if not asked.flag("canary_wanted"):
        why = "network_policies_canary is off, so nothing is claimed"
        return Check("enforced", sentence, "cluster", SKIPPED, why)
    nodes = ", ".join(canary.get("nodes", [])) or "unknown"
    # What is known of the plugin is told beside the canary's answer and never changes it.
    plugins = [str(entry["name"]) for entry in canary.get("cni", [])]
    seen = f". Network plugin seen: {', '.join(plugins)}" if plugins else ""
    detail = str(canary.get("why") or (canary.why_not if not canary.answered else "the canary gave no answer")) + seen
    data = {name: canary.get(name, empty) for name, empty in (("checks", []), ("cni", []), ("cni_unread", {}))}
    enforced = canary.answered and canary.get("enforced") is True
    return Check("enforced", sentence, f"nodes {nodes}", passed_if(enforced), detail, data)


def _connections(asked: Asked) -> Iterator[Check]:
    probe = asked.result("probe")
    if not probe.answered or probe.get("results") is None:
        why = probe.why_not if not probe.answered else "the network was not asked"
        yield Check("flow", "Connections are as declared", "live network", FAILED, why)
        return
    rows = list(probe.get("results", []))
    tried: dict[str, list[Row]] = {}
    for row in [*rows, *(row for row in probe.get("not_probed", []) if row.get("expected"))]:
        if row.get("flow"):
            tried.setdefault(str(row["flow"]), []).append(row)
    for flow in sorted(tried):
        yield _flow(flow, tried[flow], asked.text("unproven"))
    for name in dict.fromkeys(str(flow.get("name")) for flow in asked.items("flows") if flow.get("name")):
        if name not in tried:
            yield Check("flow", "Flow was tried", name, FAILED, "the probe said nothing about it")
    for name in asked.items("later"):
        yield Check(
            "flow", "Flow is tried", str(name), SKIPPED, "its pods come later: see network_policies_later_flows"
        )
    if asked.flag("compare"):
        compared = [row for row in rows if not row.get("flow") and row.get("expected")]
        if compared:
            yield _agrees(asked, probe, compared)


def _flow(flow: str, rows: Sequence[Row], unproven_is: str) -> Check:
    passes = rows[0]["expected"] == "allowed"
    sentence = "Flow passes" if passes else "Flow does not pass"
    data = {"connections": list(rows)}
    wrong = next((row for row in rows if row.get("status") == "violated"), None)
    if wrong:
        return Check("flow", sentence, flow, FAILED, f"{_named(wrong)} is {wrong['conclusion']}", data)
    # What could not even be tried has a reason instead of a status.
    open_one = next((row for row in rows if row.get("status") != "met"), None)
    if open_one:
        status = SKIPPED if unproven_is == "warn" else FAILED
        why = open_one.get("detail") or open_one.get("why") or "unproven"
        return Check("flow", sentence, flow, status, f"{open_one['from']} -> {open_one['to']}: {why}", data)
    return Check("flow", sentence, flow, PASSED, f"{counted(len(rows), 'connection')} tried", data)


def _agrees(asked: Asked, probe: Result, rows: Sequence[Row]) -> Check:
    sentence = "The network does what the policies say"
    subject = f"namespaces {', '.join(map(str, asked.items('compared')))}"
    data = {name: probe.get(name) for name in ("counts", "seconds", "latency_ms", "method")}
    wrong = next((row for row in rows if row["status"] == "violated"), None)
    if wrong:
        detail = f"{_named(wrong)} is {wrong['conclusion']}, but {wrong.get('because')}"
        return Check("agreement", sentence, subject, FAILED, detail, data)
    met = sum(row["status"] == "met" for row in rows)
    rest = "" if met == len(rows) else ", the others prove nothing"
    detail = f"{met} of {len(rows)} connections agree with the analysis{rest}"
    return Check("agreement", sentence, subject, PASSED if met else SKIPPED, detail, data)


def _named(row: Row) -> str:
    return f"{row['from']} -> {row['to']} on {row['port']}/{row['protocol']}"
