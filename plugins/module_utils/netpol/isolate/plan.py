# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change that cuts a pod off: labels that it gives up, policies that hold it, and policies that must let it go."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import NetpolError
from ..model.objects import ADMIN, ALLOW, Origin, Policy
from ..model.selectors import Selector
from ..read.policies import POLICY_KINDS, parse_policy
from ..read.reader import Reader
from .labels import escape
from .names import ALERT, BY, LABEL, LABELS, MANAGED_BY, MANAGER, POD, REASON, SINCE, UNTIL, identity, policy_name

#: Kinds whose pods go on under the same name: there is no replacement while the old one is there.
_NAMED = "StatefulSet"
_CONTROLLERS = ("ReplicaSet", "ReplicationController", "DaemonSet", "StatefulSet", "Job")
DNS_PEER = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


class QuarantineError(NetpolError):
    """A pod that cannot be cut off, with the reason."""


@dataclass(frozen=True)
class Wanted:
    """What is asked.

    Attributes:
        namespace, pod: whom to cut off.
        cidrs: blocks that may still reach it and be reached, such as that of a forensics host.
        dns: whether it may still ask the cluster's DNS.
        by, reason, alert: who asked, why, which alert; told in annotations.
        since, until: RFC 3339; until is None for no end.
    """

    namespace: str
    pod: str
    cidrs: tuple[str, ...] = ()
    dns: bool = False
    by: str = ""
    reason: str = ""
    alert: str = ""
    since: str = ""
    until: str | None = None

    @property
    def identity(self) -> str:
        return identity(self.namespace, self.pod)


@dataclass(frozen=True)
class Plan:
    """The change.

    Attributes:
        wanted: what was asked.
        pod: the pod as it will be.
        removed: labels that it gives up.
        policies: the quarantine's own, the NetworkPolicy first.
        amended: NetworkPolicies that select whatever labels a pod has and allow something, as they will be.
        released: Services and controllers that let the pod go, as C(Kind name).
        unheld: what no policy holds, in sentences.
    """

    wanted: Wanted
    pod: Mapping[str, Any]
    removed: Mapping[str, str]
    policies: tuple[Mapping[str, Any], ...]
    amended: tuple[Mapping[str, Any], ...] = ()
    released: tuple[str, ...] = ()
    unheld: tuple[str, ...] = field(default=())

    def overlay(self, objects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """A snapshot as it will be after the change."""
        changed = {_key(item): item for item in (self.pod, *self.policies, *self.amended)}
        kept = [changed.pop(_key(item), item) for item in objects]
        return [*kept, *changed.values()]


def find_pod(objects: Sequence[Mapping[str, Any]], namespace: str, name: str) -> Mapping[str, Any]:
    """The pod in a snapshot.

    Raises:
        QuarantineError: it is not there.
    """
    for item in objects:
        if _key(item) == ("Pod", namespace, name):
            return item
    raise QuarantineError(f"there is no pod {namespace}/{name}")


def plan(
    objects: Sequence[Mapping[str, Any]], wanted: Wanted, admin: tuple[str, str] | None = None, amend: bool = True
) -> Plan:
    """The smallest change after which nothing but what is asked reaches the pod or is reached by it.

    Args:
        objects: a snapshot of the cluster.
        wanted: what is asked.
        admin: apiVersion and kind of a policy above NetworkPolicies that denies as well, where the cluster serves one.
        amend: whether NetworkPolicies may be changed that the pod cannot leave.

    Raises:
        QuarantineError: the pod is not there, has ended, or is on its node's network, where no policy holds it.
    """
    pod = find_pod(objects, wanted.namespace, wanted.pod)
    _see_it_can_be_held(pod, wanted)
    labels = _labels_before(pod)
    added = {LABEL: wanted.identity}
    selecting = list(_selecting(objects, pod, wanted))
    found = escape(labels, [selector for _item, selector in selecting], added)
    before, after = {**labels}, {key: value for key, value in labels.items() if key not in found.keys}
    caught = [selecting[number][0] for number in found.caught]
    released = [
        _title(item)
        for item, selector in selecting
        if item["kind"] not in POLICY_KINDS and selector.matches(before) and not selector.matches({**after, **added})
    ]
    return Plan(
        wanted,
        _labelled(pod, wanted, {**after, **added}, {key: labels[key] for key in found.keys}),
        {key: labels[key] for key in found.keys},
        (own_policy(wanted), *((admin_policy(wanted, *admin),) if admin else ())),
        tuple(_amended(item) for item in caught if amend and item["kind"] == "NetworkPolicy"),
        tuple(released),
        tuple(_unheld(pod, caught, released)),
    )


def own_policy(wanted: Wanted) -> dict[str, Any]:
    """The NetworkPolicy that selects the pod by its new label, and allows what is asked alone."""
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in wanted.cidrs]
    ingress: list[dict[str, Any]] = [{"from": peers}] if peers else []
    egress: list[dict[str, Any]] = [{"to": peers}] if peers else []
    if wanted.dns:
        ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
        egress.append({"to": [DNS_PEER], "ports": ports})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": policy_name(wanted.identity),
            "namespace": wanted.namespace,
            "labels": {LABEL: wanted.identity, MANAGED_BY: MANAGER},
            "annotations": {POD: wanted.pod, **_told(wanted)},
        },
        "spec": {
            "podSelector": {"matchLabels": {LABEL: wanted.identity}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def admin_policy(wanted: Wanted, api_version: str, kind: str) -> dict[str, Any]:
    """A policy that denies before any other of its tier: what is asked first, then everything.

    Neither kind has a peer for addresses outside in its ingress rules, so it never stands alone.
    Source: https://network-policy-api.sigs.k8s.io/reference/spec/

    Args:
        wanted: what is asked.
        api_version, kind: AdminNetworkPolicy, or ClusterNetworkPolicy.
    """
    everyone: dict[str, Any] = {"namespaces": {}}
    egress: list[dict[str, Any]] = []
    if wanted.cidrs:
        egress.append({"name": "asked", "action": _accept(kind), "to": [{"networks": list(wanted.cidrs)}]})
    if wanted.dns:
        pods = {"namespaceSelector": DNS_PEER["namespaceSelector"], "podSelector": DNS_PEER["podSelector"]}
        egress.append({"name": "dns", "action": _accept(kind), "to": [{"pods": pods}]})
    egress.append({"name": "all", "action": "Deny", "to": [everyone, {"networks": ["0.0.0.0/0", "::/0"]}]})
    subject = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": wanted.namespace}},
        "podSelector": {"matchLabels": {LABEL: wanted.identity}},
    }
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": policy_name(wanted.identity),
            "labels": {LABEL: wanted.identity, MANAGED_BY: MANAGER},
            "annotations": {POD: f"{wanted.namespace}/{wanted.pod}", **_told(wanted)},
        },
        "spec": {
            **({"tier": "Admin"} if kind == "ClusterNetworkPolicy" else {}),
            "priority": 0,
            "subject": {"pods": subject},
            "ingress": [{"name": "all", "action": "Deny", "from": [everyone]}],
            "egress": egress,
        },
    }


def _accept(kind: str) -> str:
    """The word for letting through: ClusterNetworkPolicy has another one."""
    return "Accept" if kind == "ClusterNetworkPolicy" else ALLOW


def _see_it_can_be_held(pod: Mapping[str, Any], wanted: Wanted) -> None:
    name = f"{wanted.namespace}/{wanted.pod}"
    if (pod.get("spec") or {}).get("hostNetwork"):
        raise QuarantineError(
            f"{name} is on its node's network, where no NetworkPolicy holds it: delete it, or cordon its node"
        )
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        raise QuarantineError(f"{name} has run to its end: there is nothing to hold")


def _labels_before(pod: Mapping[str, Any]) -> dict[str, str]:
    """The pod's labels without a quarantine: those that an earlier run took away count as if they were there."""
    metadata = pod["metadata"]
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != LABEL}
    return {**taken_away(pod), **labels}


def taken_away(pod: Mapping[str, Any]) -> dict[str, str]:
    """The labels that a quarantine took from a pod; none where somebody broke the annotation that holds them."""
    text = (pod["metadata"].get("annotations") or {}).get(LABELS)
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _selecting(
    objects: Sequence[Mapping[str, Any]], pod: Mapping[str, Any], wanted: Wanted
) -> Iterator[tuple[Mapping[str, Any], Selector]]:
    """What the pod is to leave, each with its selector: policies that allow, Services, controllers."""
    references = pod["metadata"].get("ownerReferences") or ()
    owner: Mapping[str, Any] = next((one for one in references if one.get("controller")), {})
    for item in objects:
        kind, namespace, name = _key(item)
        if namespace not in ("", wanted.namespace):
            continue
        if kind in POLICY_KINDS and name != policy_name(wanted.identity):
            policy = parse_policy(item, Origin(), lambda *_: None)
            if policy is not None and _allows(policy) and _in_its_namespaces(policy, objects, wanted.namespace):
                yield item, policy.subject.pods
        elif kind == "Service" and (item.get("spec") or {}).get("selector"):
            yield item, _selector({"matchLabels": item["spec"]["selector"]})
        elif kind in _CONTROLLERS and (kind, name) == (owner.get("kind"), owner.get("name")):
            selector = (item.get("spec") or {}).get("selector") or {}
            yield item, _selector(selector if kind != "ReplicationController" else {"matchLabels": selector})


def _allows(policy: Policy) -> bool:
    """Whether a policy can let something through that the quarantine's own policy denies."""
    rules = (*policy.ingress, *policy.egress)
    if policy.kind == "NetworkPolicy":
        return bool(rules)
    return policy.tier == ADMIN and any(rule.action == ALLOW for rule in rules)


def _in_its_namespaces(policy: Policy, objects: Sequence[Mapping[str, Any]], namespace: str) -> bool:
    if policy.subject.namespaces is None:
        return policy.subject.namespace == namespace
    labels = next(
        (item["metadata"].get("labels") or {} for item in objects if _key(item)[::2] == ("Namespace", namespace)), {}
    )
    return policy.subject.namespaces.matches(labels)


def _selector(spec: Mapping[str, Any]) -> Selector:
    """A selector that the API server has accepted."""
    return Reader(lambda *_: None).selector(spec, "selector")


def _amended(item: Mapping[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy that no longer selects pods in quarantine."""
    changed = copy.deepcopy(dict(item))
    selector = changed.setdefault("spec", {}).setdefault("podSelector", {})
    expressions = [one for one in selector.get("matchExpressions") or [] if one.get("key") != LABEL]
    selector["matchExpressions"] = [*expressions, {"key": LABEL, "operator": "DoesNotExist"}]
    return changed


def restored(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """A NetworkPolicy as it was before it let pods in quarantine go; None if it never did."""
    expressions = ((item.get("spec") or {}).get("podSelector") or {}).get("matchExpressions") or []
    kept = [one for one in expressions if one.get("key") != LABEL]
    if kept == expressions:
        return None
    changed = copy.deepcopy(dict(item))
    changed["spec"]["podSelector"]["matchExpressions"] = kept
    if not kept:
        del changed["spec"]["podSelector"]["matchExpressions"]
    return changed


def _labelled(
    pod: Mapping[str, Any], wanted: Wanted, labels: Mapping[str, str], removed: Mapping[str, str]
) -> dict[str, Any]:
    changed = copy.deepcopy(dict(pod))
    annotations = changed["metadata"].setdefault("annotations", None) or {}
    told = {LABELS: json.dumps(dict(removed), sort_keys=True), **_told(wanted)}
    if annotations.get(SINCE):
        told[SINCE] = annotations[SINCE]
    changed["metadata"]["annotations"] = {**annotations, **told}
    changed["metadata"]["labels"] = dict(labels)
    return changed


def _told(wanted: Wanted) -> dict[str, str]:
    told = {SINCE: wanted.since, UNTIL: wanted.until, BY: wanted.by, REASON: wanted.reason, ALERT: wanted.alert}
    return {key: value for key, value in told.items() if value}


def _unheld(pod: Mapping[str, Any], caught: Sequence[Mapping[str, Any]], released: Sequence[str]) -> Iterator[str]:
    yield "connections that are open already may stay until they end: the network plugin decides whether they are cut"
    node = (pod.get("spec") or {}).get("nodeName") or "its node"
    yield f"{node} itself, with its kubelet and pods on the host network there, reaches the pod and is reached by it"
    for item in caught:
        if item["kind"] in POLICY_KINDS and item["kind"] != "NetworkPolicy":
            yield f"{_title(item)} allows it whatever its labels are, and stands above NetworkPolicies"
        elif item["kind"] not in POLICY_KINDS:
            yield f"{_title(item)} keeps the pod: its selector asks for no label that the pod could give up"
    owner = next((one for one in pod["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    if owner is None:
        yield "no controller owns the pod, so nothing starts in its place"
    elif owner["kind"] == _NAMED:
        yield f"{_NAMED} {owner['name']} starts no replacement while a pod of this name is there"
    elif f"{owner['kind']} {owner['name']}" not in released:
        yield f"{owner['kind']} {owner['name']} keeps the pod, so nothing starts in its place"


def _key(item: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = item.get("metadata") or {}
    return (str(item.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name")))


def _title(item: Mapping[str, Any]) -> str:
    return f"{item['kind']} {item['metadata']['name']}"
