# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of policies as one change: applied together, pruned by label, and put back if it does not prove itself.

What stood before is written into the cluster before the first object changes, so that a run that was killed in between
can be finished or undone by the next one.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.difference import differences
from ..kube.client import Client
from ..kube.errors import ApiError, KubeError
from ..kube.resource import KNOWN

SET_LABEL = "falconet.k8s/policy-set"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "falconet.k8s"
NAMESPACE_KIND = "Namespace"
POLICY_KINDS = ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")

_POLICY = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]
_CONFIG_MAP = KNOWN["v1", "ConfigMap"]
# What the server writes and nobody declares.
_SERVER_FIELDS = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")

Key = tuple[str, str, str, str]


def key_of(item: dict[str, Any]) -> Key:
    """Identity of an object: apiVersion, kind, namespace, name."""
    metadata = item["metadata"]
    return (item["apiVersion"], item["kind"], metadata.get("namespace") or "", metadata["name"])


def title(key: Key) -> str:
    """An object's name for people."""
    return f"{key[1]} {key[2]}/{key[3]}" if key[2] else f"{key[1]} {key[3]}"


def tidy(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """An object without what the server adds to it."""
    if item is None:
        return None
    metadata = {k: v for k, v in item["metadata"].items() if k not in _SERVER_FIELDS}
    return {k: v for k, v in dict(item, metadata=metadata).items() if k != "status"}


@dataclass
class Step:
    """What happens to one object. C(before) or C(after) is None where it did not or will not exist."""

    key: Key
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def action(self) -> str:
        if self.before is None:
            return "create" if self.after is not None else "none"
        if self.after is None:
            return "delete"
        return "none" if self.before == self.after else "change"

    def row(self) -> dict[str, Any]:
        row = {"kind": self.key[1], "namespace": self.key[2] or None, "name": self.key[3], "action": self.action}
        return {**row, "differs": self.differs()} if self.action == "change" else row

    def differs(self) -> list[str]:
        """Where the object in the cluster is otherwise than it would be, in words."""
        return [str(one) for one in differences(self.before, self.after)]


@dataclass
class Changes:
    """All steps of a change, namespaces first, then policies, then what is pruned."""

    steps: list[Step] = field(default_factory=list)

    @property
    def real(self) -> list[Step]:
        return [step for step in self.steps if step.action != "none"]

    def overlay(self, snapshot: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """A snapshot as it will be after the change."""
        after = {key_of(item): item for item in snapshot}
        for step in self.steps:
            if step.after is None:
                after.pop(step.key, None)
            else:
                after[step.key] = step.after
        return list(after.values())


class PolicySet:
    """The policies that one owner declares in one cluster.

    Args:
        client: connection to the cluster.
        owner: value of the label that marks them; two owners in one cluster do not see each other.
        state_namespace: where what stood before is kept while a change is not proven.
        field_manager: owner of the fields in server-side apply.
    """

    def __init__(
        self, client: Client, owner: str, state_namespace: str = "default", field_manager: str = MANAGER
    ) -> None:
        self.client = client
        self.owner = owner
        self.state_namespace = state_namespace
        self.field_manager = field_manager
        self.journal_name = f"falconet-policies-{owner}"

    # Planning

    def plan(self, definitions: Sequence[dict[str, Any]], prune: bool) -> Changes:
        """Find out what would change, asking the server for its defaults without storing anything.

        Args:
            definitions: Namespaces and policies as they are to be.
            prune: remove policies with our label that are not among them.

        Raises:
            KubeError: a definition is of another kind, has no namespace, or occurs twice.
        """
        wanted = self._checked(definitions)
        present = set(self._namespaces(wanted))
        steps = [self._step(item, present) for item in wanted]
        if prune:
            keep = {step.key for step in steps}
            for item in self.owned():
                if key_of(item) not in keep:
                    steps.append(Step(key_of(item), tidy(item), None))
        return Changes(steps)

    def _checked(self, definitions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: set[Key] = set()
        namespaces: list[dict[str, Any]] = []
        policies: list[dict[str, Any]] = []
        for number, item in enumerate(definitions):
            where = f"definitions[{number}]"
            if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
                raise KubeError(f"{where} is no object with apiVersion, kind and metadata")
            kind = item.get("kind")
            if kind != NAMESPACE_KIND and kind not in POLICY_KINDS:
                raise KubeError(
                    f"{where}: {kind} is no policy", f"One of {', '.join((NAMESPACE_KIND, *POLICY_KINDS))}."
                )
            if not item["metadata"].get("name"):
                raise KubeError(f"{where}: metadata.name is missing")
            if kind == "NetworkPolicy" and not item["metadata"].get("namespace"):
                raise KubeError(
                    f"{where}: NetworkPolicy {item['metadata']['name']} names no namespace",
                    "Set metadata.namespace; a policy without one would land wherever the kubeconfig points.",
                )
            key = key_of(item)
            if key in seen:
                raise KubeError(f"{where}: {title(key)} is declared twice", "Rename one of them.")
            seen.add(key)
            (namespaces if kind == NAMESPACE_KIND else policies).append(item)
        return namespaces + [self._labelled(item) for item in policies]

    def _labelled(self, item: dict[str, Any]) -> dict[str, Any]:
        labels = dict(item["metadata"].get("labels") or {}, **{SET_LABEL: self.owner, MANAGED_BY: MANAGER})
        return dict(item, metadata=dict(item["metadata"], labels=labels))

    def _namespaces(self, wanted: list[dict[str, Any]]) -> Iterable[str]:
        """Those of the namespaces in question that exist."""
        names = {item["metadata"]["namespace"] for item in wanted if item["kind"] == "NetworkPolicy"}
        made = {item["metadata"]["name"] for item in wanted if item["kind"] == NAMESPACE_KIND}
        for name in sorted(names):
            if self.client.get(KNOWN["v1", NAMESPACE_KIND], name):
                yield name
            elif name not in made:
                raise KubeError(
                    f"there is no namespace {name}, and none of that name is declared",
                    "Declare it with the policies, or create it first.",
                )

    def _step(self, item: dict[str, Any], present: set[str]) -> Step:
        before = tidy(self._read(key_of(item)))
        namespace = item["metadata"].get("namespace")
        if namespace and namespace not in present:
            return Step(key_of(item), None, item)
        after = tidy(self.client.apply(item, self.field_manager, dry_run=True))
        return Step(key_of(item), before, after)

    def _read(self, key: Key) -> dict[str, Any] | None:
        return self.client.get(self.client.resource(key[0], key[1]), key[3], key[2] or None)

    def owned(self) -> list[dict[str, Any]]:
        """All policies in the cluster that carry this owner's label."""
        selector = f"{SET_LABEL}={self.owner}"
        found = self.client.list_all(_POLICY, label_selector=selector)
        for version in self.client.versions("policy.networking.k8s.io"):
            for kind, resource in self.client.served(f"policy.networking.k8s.io/{version}").items():
                if kind in POLICY_KINDS:
                    found += self.client.list_all(resource, label_selector=selector)
        return found

    # Changing

    def apply(self, changes: Changes, prune_first: bool = False) -> None:
        """Carry out a change, after having written down what stands now."""
        real = changes.real
        if not real:
            return
        self._remember(real)
        # New permissions come before old ones go, so that a needed connection is not cut in between.
        order = sorted(real, key=lambda step: (step.action == "delete") != prune_first)
        for step in order:
            self._put(step.key, step.after)

    def _put(self, key: Key, item: dict[str, Any] | None) -> None:
        resource = self.client.resource(key[0], key[1])
        if item is None:
            self.client.delete(resource, key[3], key[2] or None)
        else:
            self.client.apply(item, self.field_manager)

    # The journal

    def journal(self) -> list[Step]:
        """What stood before the change that is not proven yet; empty if there is none."""
        found = self.client.get(_CONFIG_MAP, self.journal_name, self.state_namespace)
        if not found:
            return []
        try:
            packed = base64.b64decode((found.get("binaryData") or {}).get("before", ""))
            entries = json.loads(gzip.decompress(packed)) if packed else []
            return [Step(tuple(entry["key"]), entry["before"], None) for entry in entries]
        except (KeyError, TypeError, ValueError, RecursionError, OSError, EOFError, zlib.error) as error:
            raise KubeError(
                f"ConfigMap {self.state_namespace}/{self.journal_name}, in which an unfinished run wrote what stood "
                f"before it, cannot be read: {error}",
                "Look at the policies that it changed, then delete it.",
            ) from error

    def _remember(self, steps: list[Step]) -> None:
        # What an unfinished run has written down is older, so it stays.
        entries = {step.key: step.before for step in steps}
        entries.update({step.key: step.before for step in self.journal()})
        content = [{"key": list(key), "before": before} for key, before in sorted(entries.items())]
        packed = base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0)).decode()
        self.client.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": self.journal_name,
                    "namespace": self.state_namespace,
                    "labels": {MANAGED_BY: MANAGER, SET_LABEL: self.owner},
                },
                "binaryData": {"before": packed},
            },
            self.field_manager,
        )

    def keep(self) -> bool:
        """The change has proven itself: forget what stood before. True if there was something to forget."""
        return self.client.delete(_CONFIG_MAP, self.journal_name, self.state_namespace)

    def restore(self) -> Changes:
        """Put back what stood before the change. Namespaces get their labels back, none is deleted."""
        steps = []
        for entry in self.journal():
            now = tidy(self._read(entry.key))
            if entry.key[1] == NAMESPACE_KIND and entry.before is None:
                continue
            step = Step(entry.key, now, entry.before)
            if step.action != "none":
                self._replace(step)
            steps.append(step)
        self.keep()
        return Changes(steps)

    def _replace(self, step: Step) -> None:
        """Make an object exactly what it was; an apply would leave fields of other managers."""
        if step.after is None or step.before is None:
            self._put(step.key, step.after)
            return
        resource = self.client.resource(step.key[0], step.key[1])
        try:
            self.client.call("PUT", resource, step.key[2] or None, step.key[3], body=step.after)
        except ApiError as error:
            if error.status != 404:
                raise
            self._put(step.key, step.after)
