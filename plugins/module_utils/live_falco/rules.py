# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules in a cluster: ConfigMaps written, every pod proven to run them, the set before restored if one does not.

A rollout keeps a journal: before anything changes, the set that was proven last is copied to a ConfigMap of its own
per ConfigMap, and these copies go when every pod has reported the new digests. Copies that a killed run left behind
tell the next run that the present set is unproven, and what to go back to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..falco.load.told import told
from ..falco_chart.diagnosis import is_ready
from ..falco_chart.rule_maps import digests, token
from ..kube.client import Client
from ..kube.errors import ExecError, KubeError
from ..kube.exec import Command, run
from ..kube.resource import KNOWN
from .rollout import PODS, State, Wanted, look, sync, wait

CONFIG_MAPS = KNOWN[("v1", "ConfigMap")]
JOURNAL = "-previous"
REFUSAL_STANDS_SECONDS = 10.0
"""After a killed run, how long a refusal must stand: kubelets may still bring what that run wrote."""
LABELS = {"app.kubernetes.io/managed-by": "falconet.k8s", "app.kubernetes.io/component": "falco-rules"}
Maps = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Present:
    """What the cluster has.

    Attributes:
        maps: the rules' ConfigMaps with their data; those that do not exist have none.
        journal: the set before an unfinished rollout, or None if there is no such.
    """

    maps: Maps
    journal: Maps | None


def read(client: Client, namespace: str, names: Sequence[str]) -> Present:
    """The ConfigMaps and the journal, in one call.

    Raises:
        KubeError: they cannot be read.
    """
    found = {m["metadata"]["name"]: m.get("data") or {} for m in client.list_all(CONFIG_MAPS, namespace)}
    maps = {name: dict(found.get(name, {})) for name in names}
    copies = {name: dict(found[name + JOURNAL]) for name in names if name + JOURNAL in found}
    # The last copy is written before the first change, so an incomplete journal means that nothing has changed yet.
    return Present(maps, copies if len(copies) == len(names) else None)


def second_opinion(client: Client, wanted: Wanted, files: Mapping[str, str], base: str) -> str:
    """What a running Falco says of the files with its own ``-V``.

    Args:
        files: file name to text, in the order of their names as Falco loads a directory.
        base: rules file in the image that holds the macros that ours may use.
    Returns:
        Empty if Falco accepts them; otherwise what it said.
    Raises:
        ExecError: it could not be asked; that is no verdict.
    """
    pods = [pod for pod in falco_pods(client, wanted) if is_ready(pod)]
    if not pods:
        raise ExecError("no Falco pod is ready")
    joined = "\n---\n".join(files[name] for name in sorted(files))
    argv = ("falco", "-V", base, "-V", "/dev/stdin") if base else ("falco", "-V", "/dev/stdin")
    name = pods[0]["metadata"]["name"]
    answer = run(
        client, Command(wanted.namespace, name, wanted.container, argv, joined.encode(), 30.0, close_stdin=True)
    )
    return "" if answer.exit_code == 0 else told(f"{answer.stdout}\n{answer.stderr}")[:4000]


def falco_pods(client: Client, wanted: Wanted) -> list[dict[str, Any]]:
    """Pods of Falco's workload; empty if it does not exist."""
    workload = next((entry for entry in wanted.workloads if entry[1] == wanted.falco), None)
    found = workload and client.get(KNOWN[("apps/v1", workload[0])], workload[1], wanted.namespace)
    if not found:
        return []
    selector = ",".join(f"{k}={v}" for k, v in sorted(found["spec"]["selector"]["matchLabels"].items()))
    return client.list_all(PODS, wanted.namespace, label_selector=selector)


def proof(wanted: Wanted, maps: Maps, before: Maps) -> Wanted:
    """The wait that proves this set: its digests reported, files that it no longer has not reported any more."""
    kept = digests(maps)
    return replace(wanted, digests=kept, absent=tuple(sorted(set(digests(before)) - set(kept))))


def roll_out(client: Client, wanted: Wanted, maps: Maps, present: Present, timeout_seconds: float, since: str) -> State:
    """Write the ConfigMaps and wait until every pod runs them; if one does not, restore the set before.

    Raises:
        KubeError: a pod refused the rules, or time is over; the set before is in place again.
    """
    before = present.journal if present.journal is not None else present.maps
    if present.journal is None and present.maps != maps:
        for name, data in before.items():
            write(client, wanted.namespace, name + JOURNAL, data, keep=True)
    try:
        stands = REFUSAL_STANDS_SECONDS if present.journal is not None else 0.0
        state = _apply(client, wanted, maps, _merged(present.maps, before), timeout_seconds, since, stands)
    except KubeError as error:
        if before == maps:
            raise
        told = restore(client, wanted, before, maps, timeout_seconds, since)
        raise KubeError(f"{error}\n{told}") from error
    drop_journal(client, wanted.namespace, maps)
    return state


def restore(client: Client, wanted: Wanted, before: Maps, refused: Maps, timeout_seconds: float, since: str) -> str:
    """Put the set before back and say how that went."""
    try:
        _apply(client, wanted, before, refused, timeout_seconds, since)
    except KubeError as error:
        return f"The rules of before are written again, but it could not be proven that every pod runs them: {error}"
    drop_journal(client, wanted.namespace, before)
    count = len(digests(before))
    return f"The rules of before ({count} files) are in place again, and every pod was proven to run them."


def drop_journal(client: Client, namespace: str, maps: Maps) -> None:
    """Forget the set before: the present one is proven."""
    for name in maps:
        client.delete(CONFIG_MAPS, name + JOURNAL, namespace)


def write(client: Client, namespace: str, name: str, data: Mapping[str, str], keep: bool = False) -> None:
    """One ConfigMap as given; without data it is deleted unless it is to be kept."""
    if not data and not keep:
        client.delete(CONFIG_MAPS, name, namespace)
        return
    metadata = {"name": name, "namespace": namespace, "labels": LABELS}
    client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)})


def unproven(client: Client, wanted: Wanted, maps: Maps) -> State:
    """The state now, against this set."""
    return look(client, proof(wanted, maps, {}))


def _apply(
    client: Client, wanted: Wanted, maps: Maps, before: Maps, timeout_seconds: float, since: str, stands: float = 0.0
) -> State:
    for name, data in maps.items():
        write(client, wanted.namespace, name, data)
    sync(client, wanted, token(maps))
    return wait(client, proof(wanted, maps, before), timeout_seconds, since, stands)


def _merged(*sets: Maps) -> Maps:
    merged: Maps = {}
    for maps in sets:
        for name, data in maps.items():
            merged.setdefault(name, {}).update(data)
    return merged
