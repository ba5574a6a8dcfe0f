# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage k8s_audit: a Falco gets the API servers' audit events by TLS, runs our rules, and its alerts arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.words import counted
from . import falco_rules
from .asked import Asked, Result
from .audit_alerts import check_audit_alerts
from .check import FAILED, SKIPPED, Check, passed_if

STAGE = "k8s_audit"
#: A certificate with less time left is told as a failure, since nobody has renewed it in time.
LEAST_DAYS = 14.0


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of the Falco for audit events.

    Args:
        asked: C(namespace); C(release); C(webhook), whether API servers send to it (else a provider keeps the events);
            C(releases), what falco_release_info returned for it; C(rollout), what falco_rollout returned;
            C(certificate), what the filter k8s_audit_certificate returned; C(policy_wanted), the NetworkPolicy that is
            asked for (empty for none), and C(policy), a result with those that are there; C(servers), what
            kube_apiserver_audit returned in check mode for each machine, as C(item); C(machines), the control plane's
            in the inventory; C(refused), C(digests), C(config_maps) and C(mounted) as falco_rules reads them; and what
            C(check_audit_alerts) reads.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    yield _release(asked)
    yield from _workloads(asked)
    if asked.flag("webhook"):
        yield _certificate(asked)
        yield _policy(asked)
        yield from _servers(asked)
    about = {**asked.values, "workload": asked.text("release"), "changes_base": False}
    yield from falco_rules.judge(Asked(STAGE, about))
    yield from check_audit_alerts(asked)


def _subject(asked: Asked) -> str:
    return f"{asked.text('namespace')}/{asked.text('release')}"


def _release(asked: Asked) -> Check:
    sentence, releases = "Helm has installed the release", asked.result("releases")
    if not releases.answered:
        return Check("release", sentence, _subject(asked), SKIPPED, releases.why_not)
    found = [one.get("release") for one in releases.get("releases", []) if one["name"] == asked.text("release")]
    deployed = found[0] if found else None
    if not deployed:
        why = "Helm has no deployed release of this name: run playbooks/k8s_audit.yml"
        return Check("release", sentence, _subject(asked), FAILED, why)
    data = {key: deployed.get(key) for key in ("chart", "app_version", "revision")}
    detail = f"{deployed.get('chart')}, revision {deployed.get('revision')}"
    return Check("release", sentence, _subject(asked), passed_if(True), detail, data)


def _workloads(asked: Asked) -> Iterator[Check]:
    rollout = asked.result("rollout")
    if not rollout.answered:
        yield Check("workloads", "Workload is ready", _subject(asked), FAILED, rollout.why_not)
    for workload in rollout.get("workloads", []):
        missing = [str(text) for text in [*workload["missing"], *(workload.get("reasons") or [])]]
        if not workload["wanted"]:
            missing.append("wants no pod")
        detail = "; ".join(missing) or f"{workload['ready']} of {workload['wanted']} pods are ready"
        subject = f"{asked.text('namespace')}/{workload['kind']}/{workload['name']}"
        data = {"wanted": workload["wanted"], "ready": workload["ready"]}
        yield Check("workloads", "Workload is ready", subject, passed_if(not missing), detail, data)


def _certificate(asked: Asked) -> Check:
    """What the API servers' TLS rests on; an API server that refuses it sends nothing and says so in its log alone."""
    sentence, told = "The webhook's certificate is valid", asked.mapping("certificate")
    data = {key: told.get(key) for key in ("until", "days_left")}
    if told.get("problem"):
        return Check("certificate", sentence, _subject(asked), FAILED, str(told["problem"]), data)
    left = float(told["days_left"])
    detail = f"until {told['until']}, {left:.1f} days"
    few = left < min(LEAST_DAYS, float(told["days"]) / 3)
    renew = ": run playbooks/k8s_audit.yml, which renews it" if few else ""
    return Check("certificate", sentence, _subject(asked), passed_if(not few), detail + renew, data)


def _policy(asked: Asked) -> Check:
    sentence, wanted = "None but API servers may send events", asked.mapping("policy_wanted")
    if not wanted:
        return Check("policy", sentence, _subject(asked), SKIPPED, "k8s_audit_network_policy is false")
    found, name = asked.result("policy"), str(wanted["metadata"]["name"])
    subject = f"{asked.text('namespace')}/{name}"
    if not found.answered:
        return Check("policy", sentence, subject, FAILED, found.why_not)
    there = [one for one in found.get("resources", []) if one["metadata"]["name"] == name]
    if not there:
        return Check("policy", sentence, subject, FAILED, "there is no such NetworkPolicy")
    other = [part for part in sorted(wanted["spec"]) if there[0]["spec"].get(part) != wanted["spec"][part]]
    detail = f"it is other than declared in {', '.join(other)}" if other else _senders(wanted["spec"])
    return Check("policy", sentence, subject, passed_if(not other), detail)


def _senders(spec: Mapping[str, Any]) -> str:
    blocks = [peer["ipBlock"]["cidr"] for rule in spec["ingress"] for peer in rule.get("from") or ()]
    return f"{counted(len(blocks), 'address', 'addresses')} may: {', '.join(blocks)}"


def _servers(asked: Asked) -> Iterator[Check]:
    """One check for each API server: flags, policy and the webhook's kubeconfig are those that were asked for."""
    sentence = "The API server is told to send its events"
    told = {str(one.get("item")): Result(one) for one in asked.items("servers")}
    machines = [str(name) for name in asked.items("machines")]
    silent = Result({"failed": True, "msg": asked.text("refused") or "was not asked"})
    if not machines:
        why = "the group control_plane of the inventory has no machine of this cluster, so none was asked"
        yield Check("api_server", sentence, "control_plane", SKIPPED, why)
    for machine in machines:
        found = told.get(machine, silent)
        if found.get("unreachable"):
            yield Check("api_server", sentence, machine, FAILED, f"the machine does not answer: {found.why_not}")
        elif not found.answered:
            yield Check("api_server", sentence, machine, FAILED, found.why_not)
        else:
            yield _told_to_send(sentence, machine, found)


def _told_to_send(sentence: str, machine: str, found: Result) -> Check:
    files = [str(name) for name in found.get("files", [])]
    wrong = [f"{', '.join(files)} not as asked for"] if files else []
    if found.get("cluster_configuration") == "changed":
        wrong.append("kubeadm's ClusterConfiguration lacks it, so that the next kubeadm upgrade would undo it")
    detail = "; ".join(wrong) or "flags, policy and the webhook's kubeconfig are as asked for"
    return Check("api_server", sentence, machine, passed_if(not wrong), detail, {"files": files})
