# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod of a cluster cut off and let go again, in an order that a killed run leaves safe.

The policies come first: they select nobody until the pod has the quarantine's label, which it gets in the same request
in which it gives its own labels up. So at every moment the pod is either as before or held, and the next run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ..kube.client import Client
from ..kube.errors import ApiError, KubeError
from ..kube.resource import KNOWN
from ..kube.snapshot import take_snapshot
from ..netpol.isolate.names import ALERT, BY, LABEL, LABELS, POD, REASON, SINCE, UNTIL, policy_name
from ..netpol.isolate.plan import Plan, QuarantineError, Wanted, find_pod, plan, restored, taken_away
from ..netpol.isolate.proof import Left, open_connections
from .policy_set import tidy

_POD = KNOWN["v1", "Pod"]
_SETS = KNOWN["apps/v1", "ReplicaSet"]
_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
_ADMIN_GROUP = "policy.networking.k8s.io"
_ADMIN_KINDS = ("ClusterNetworkPolicy", "AdminNetworkPolicy")
_MERGE = "application/merge-patch+json"
_ATTEMPTS = 5
_ANNOTATIONS = (LABELS, SINCE, UNTIL, BY, REASON, ALERT)


@dataclass
class Outcome:
    """What was done, or would be.

    Attributes:
        plan: the change; None where a pod was let go.
        left: connections that are open after it, those that were asked for included.
        steps: what is different, in the order in which it is done.
        notes: what a reader must know.
        objects: the cluster as it is then.
    """

    plan: Plan | None = None
    left: list[Left] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)

    @property
    def unasked(self) -> list[Left]:
        return [one for one in self.left if not one.asked]


class Quarantine:
    """Quarantines in one cluster.

    Args:
        client: connection to the cluster.
        now: the time, with its zone.
    """

    def __init__(self, client: Client, now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self.client = client
        self.now = now

    # Holding

    def hold(
        self,
        wanted: Wanted,
        minutes: int | None,
        admin: bool,
        change: bool,
        before_change: Callable[[], object] = lambda: None,
    ) -> Outcome:
        """Cut a pod off.

        Args:
            wanted: whom, and what is asked; its times are set here.
            minutes: how long; None for no end. A quarantine that is there keeps its end.
            admin: whether a policy above NetworkPolicies is used where the cluster serves one.
            change: whether anything is changed.
            before_change: waits for what must be over before anything changes, while all else goes on.

        Raises:
            QuarantineError: the pod cannot be held, or more than what is asked would stay open; nothing was changed.
            KubeError: the API server is away, or a permission is missing.
        """
        for attempt in range(_ATTEMPTS):
            objects = take_snapshot(self.client)
            made = self._planned(objects, self._timed(objects, wanted, minutes), self._admin() if admin else None)
            left = open_connections(made.overlay(objects), made.wanted)
            outcome = Outcome(made, left, list(self._different(made)), list(made.unheld), objects)
            if outcome.unasked:
                told = "; ".join(map(str, outcome.unasked[:5]))
                raise QuarantineError(f"nothing was changed, because the pod would still have connections: {told}")
            if not change or not outcome.steps:
                return outcome
            before_change()
            try:
                self._put(made)
            except ApiError as error:
                # Somebody changed the pod or a policy since the snapshot.
                if error.status != 409 or attempt == _ATTEMPTS - 1:
                    raise
                continue
            now = take_snapshot(self.client)
            return replace(outcome, left=open_connections(now, made.wanted), objects=now)
        raise KubeError(f"{wanted.namespace}/{wanted.pod} was changed by others {_ATTEMPTS} times while it was held")

    def _timed(self, objects: list[dict[str, Any]], wanted: Wanted, minutes: int | None) -> Wanted:
        annotations = find_pod(objects, wanted.namespace, wanted.pod)["metadata"].get("annotations") or {}
        if annotations.get(SINCE) and LABELS in annotations:
            said = {"by": BY, "reason": REASON, "alert": ALERT}
            kept = {name: annotations.get(key, "") for name, key in said.items()}
            return replace(wanted, since=annotations[SINCE], until=annotations.get(UNTIL), **kept)
        since = self.now()
        until = None if minutes is None else _written(since + timedelta(minutes=minutes))
        return replace(wanted, since=_written(since), until=until)

    def _planned(self, objects: list[dict[str, Any]], wanted: Wanted, admin: tuple[str, str] | None) -> Plan:
        """The smallest plan: policies of others are changed only if the pod stays open without."""
        made = plan(objects, wanted, admin, amend=False)
        if all(one.asked for one in open_connections(made.overlay(objects), wanted)):
            return made
        return plan(objects, wanted, admin)

    def _admin(self) -> tuple[str, str] | None:
        """apiVersion and kind of the policy above NetworkPolicies that the cluster serves."""
        for version in self.client.versions(_ADMIN_GROUP):
            served = self.client.served(f"{_ADMIN_GROUP}/{version}")
            for kind in _ADMIN_KINDS:
                if kind in served:
                    return f"{_ADMIN_GROUP}/{version}", kind
        return None

    def _different(self, made: Plan) -> Iterator[str]:
        for manifest in made.policies:
            resource = self.client.resource(manifest["apiVersion"], manifest["kind"])
            metadata = manifest["metadata"]
            there = tidy(self.client.get(resource, metadata["name"], metadata.get("namespace")))
            if there is None or there != tidy(self.client.apply(dict(manifest), dry_run=True)):
                yield f"{'change' if there else 'create'} {manifest['kind']} {metadata['name']}"
        for manifest in made.amended:
            yield f"change NetworkPolicy {manifest['metadata']['name']}: it no longer selects pods in quarantine"
        patch = self._pod_patch(made)
        if patch:
            gone = ", ".join(key for key, value in patch.get("labels", {}).items() if value is None)
            yield f"change Pod {made.wanted.pod}: " + (f"without the labels {gone}" if gone else "its annotations")

    def _pod_patch(self, made: Plan) -> dict[str, Any]:
        """What of the pod's metadata is different; empty if nothing is."""
        there = self.client.get(_POD, made.wanted.pod, made.wanted.namespace)
        if there is None:
            raise QuarantineError(f"pod {made.wanted.namespace}/{made.wanted.pod} is gone")
        found: dict[str, Any] = {}
        for part in ("labels", "annotations"):
            now, then = there["metadata"].get(part) or {}, made.pod["metadata"].get(part) or {}
            changed = {key: then.get(key) for key in {*now, *then} if now.get(key) != then.get(key)}
            if changed:
                found[part] = changed
        if found:
            found["resourceVersion"] = made.pod["metadata"].get("resourceVersion")
        return found

    def _put(self, made: Plan) -> None:
        # First, so that nothing is left of a pod that is gone meanwhile.
        patch = self._pod_patch(made)
        for manifest in made.policies:
            self.client.apply(dict(manifest))
        for manifest in made.amended:
            self._select(manifest)
        if patch:
            self._merge(made.wanted.namespace, made.wanted.pod, patch)

    def _select(self, manifest: Mapping[str, Any]) -> None:
        """Give a NetworkPolicy another selector, if it is as it was read."""
        metadata = manifest["metadata"]
        expressions = manifest["spec"]["podSelector"].get("matchExpressions")
        body = {
            "metadata": {"resourceVersion": metadata.get("resourceVersion")},
            "spec": {"podSelector": {"matchExpressions": expressions}},
        }
        self.client.call("PATCH", _POLICY, metadata["namespace"], metadata["name"], body=body, content_type=_MERGE)

    def _merge(self, namespace: str, pod: str, metadata: dict[str, Any]) -> None:
        self.client.call("PATCH", _POD, namespace, pod, body={"metadata": metadata}, content_type=_MERGE)

    # Letting go

    def release(self, namespace: str, name: str, change: bool) -> Outcome:
        """Give a pod its labels back and remove what held it; what an earlier run left is tidied as well.

        Args:
            namespace, name: the pod, which may be gone.
            change: whether anything is changed.

        Raises:
            KubeError: the API server is away, or a permission is missing.
        """
        outcome = Outcome()
        wanted = Wanted(namespace, name)
        pod = self.client.get(_POD, name, namespace)
        if pod is not None:
            self._give_back(pod, outcome, change)
        for api_version, kind, where in self._own_kinds(namespace):
            resource = self.client.resource(api_version, kind)
            if self.client.get(resource, policy_name(wanted.identity), where):
                outcome.steps.append(f"delete {kind} {policy_name(wanted.identity)}")
                if change:
                    self.client.delete(resource, policy_name(wanted.identity), where)
        self._widen(namespace, name, outcome, change)
        return outcome

    def _give_back(self, pod: dict[str, Any], outcome: Outcome, change: bool) -> None:
        metadata = pod["metadata"]
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        taken = taken_away(pod)
        patch: dict[str, Any] = {}
        if LABEL in labels or taken:
            patch["labels"] = {**{key: value for key, value in taken.items() if key not in labels}, LABEL: None}
        ours = {key: None for key in _ANNOTATIONS if key in annotations}
        if ours:
            patch["annotations"] = ours
        if not patch:
            return
        names = ", ".join(sorted(taken)) or "none"
        outcome.steps.append(f"change Pod {metadata['name']}: with its labels again ({names})")
        if any(one.get("controller") for one in metadata.get("ownerReferences") or ()):
            outcome.notes.append("its controller never let the pod go")
        elif taken:
            outcome.notes.append(
                "a controller whose selector matches adopts the pod again, and removes one where it has too many"
            )
        if change:
            patch["resourceVersion"] = metadata.get("resourceVersion")
            self._merge(metadata["namespace"], metadata["name"], patch)

    def _own_kinds(self, namespace: str) -> Iterator[tuple[str, str, str | None]]:
        yield _POLICY.api_version, _POLICY.kind, namespace
        admin = self._admin()
        if admin:
            yield (*admin, None)

    def _widen(self, namespace: str, name: str, outcome: Outcome, change: bool) -> None:
        """Policies select every pod again, once no other pod of the namespace is held."""
        others = self.client.list_all(_POD, namespace, label_selector=LABEL)
        if any(one["metadata"]["name"] != name for one in others):
            return
        for item in self.client.list_all(_POLICY, namespace):
            before = restored(item)
            if before is None or item["metadata"].get("labels", {}).get(LABEL):
                continue
            outcome.steps.append(f"change NetworkPolicy {item['metadata']['name']}: it selects every pod again")
            if change:
                self._select(before)

    # Who is held

    def pods_of(self, namespace: str, kind: str, name: str) -> list[str]:
        """Pods that a workload owns, those between which a ReplicaSet stands included.

        Args:
            namespace: of the workload.
            kind, name: such as C(Deployment) and C(frontend).

        Raises:
            QuarantineError: it owns none.
            KubeError: the API server is away, or a permission is missing.
        """
        owners = {(kind, name)}
        if kind == "Deployment":
            sets = self.client.list_all(_SETS, namespace)
            owners |= {("ReplicaSet", one["metadata"]["name"]) for one in sets if (kind, name) == _controller(one)}
        pods = self.client.list_all(_POD, namespace)
        found = sorted(one["metadata"]["name"] for one in pods if _controller(one) in owners)
        if not found:
            raise QuarantineError(f"{kind} {namespace}/{name} owns no pod")
        return found

    def held(self, namespace: str | None = None) -> list[dict[str, Any]]:
        """Pods in quarantine, and policies whose pod is gone, each as plain data."""
        pods = self.client.list_all(_POD, namespace, label_selector=LABEL)
        found = {(one["metadata"]["namespace"], one["metadata"]["name"]): self._row(one, True) for one in pods}
        for item in self.client.list_all(_POLICY, namespace, label_selector=LABEL):
            name = (item["metadata"].get("annotations") or {}).get(POD)
            if name:
                found.setdefault((item["metadata"]["namespace"], name), self._row(item, False, name))
        return [found[key] for key in sorted(found)]

    def _row(self, item: dict[str, Any], there: bool, name: str | None = None) -> dict[str, Any]:
        metadata = item["metadata"]
        annotations = metadata.get("annotations") or {}
        until = annotations.get(UNTIL)
        taken = taken_away(item) if there else {}
        now = metadata.get("labels") or {}
        return {
            "namespace": metadata["namespace"],
            "pod": name or metadata["name"],
            "there": there,
            "since": annotations.get(SINCE),
            "until": until,
            "expired": until is not None and _read(until) <= self.now(),
            "by": annotations.get(BY, ""),
            "reason": annotations.get(REASON, ""),
            "alert": annotations.get(ALERT, ""),
            "labels": taken,
            "slipped": sorted(key for key, value in taken.items() if now.get(key) == value),
        }


def _controller(item: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of what controls an object; empty where nothing does."""
    references = item["metadata"].get("ownerReferences") or ()
    return next(((str(one["kind"]), str(one["name"])) for one in references if one.get("controller")), ("", ""))


def _written(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(text: str) -> datetime:
    """A time of ours; one that somebody broke is over, so that nobody is held for ever by it."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)
