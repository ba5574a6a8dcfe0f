# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what Helm has recorded to what is planned: which releases change, which go, and how a failed run is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Look = Mapping[str, Any]
"""A release as the module falco_release_info tells it: ``name``, ``release`` (deployed, or None), ``unfinished``."""


@dataclass(frozen=True)
class Changes:
    """What Helm must do.

    Attributes:
      install: planned releases that are not so yet, each with what is ``deployed`` of it (None: nothing).
      remove: releases that nobody wants any more.
      recover: names of planned releases that a killed or failed Helm left unfinished.
      moving: workloads that one release loses and another gets. Nobody may change their selectors.
    """

    install: Sequence[Mapping[str, Any]]
    remove: Sequence[Look]
    recover: Sequence[str]
    moving: Sequence[str]


def find_changes(plan: Mapping[str, Any], looks: Sequence[Look]) -> Changes:
    """Compare a plan with Helm's records.

    Args:
      plan: ``names``, ``releases`` and ``own_sidekick`` of a plan.Plan.
      looks: its releases and those beside its first, the first being first.
    """
    by_name = {look["name"]: look for look in looks}
    wanted = [release["name"] for release in plan["releases"]]
    install = []
    for release in plan["releases"]:
        deployed = by_name[release["name"]]["release"]
        if not deployed or any(deployed[key] != release[key] for key in ("chart", "values")):
            install.append({**release, "deployed": deployed})
    names = plan["names"]
    moves = looks and looks[0]["release"] and (names["sidekick"] in by_name_beside(looks)) != plan["own_sidekick"]
    return Changes(
        install=install,
        remove=[look for look in looks if look["name"] not in wanted],
        recover=[name for name in wanted if by_name[name]["unfinished"]],
        moving=[names[kind] for kind in ("sidekick", "ui", "redis")] if moves else [],
    )


def manifests_to_try(objects: Iterable[Mapping[str, Any]], moving: Collection[str]) -> list[Mapping[str, Any]]:
    """Objects that the API server can try, without secrets, which a difference would show.

    Args:
      objects: what Helm rendered.
      moving: names of workloads that move: they are deleted before they are made.
    """
    return [one for one in objects if one["kind"] != "Secret" and one["metadata"]["name"] not in moving]


def by_name_beside(looks: Iterable[Look]) -> set[str]:
    """Releases that have workloads beside the first release's."""
    return {look["name"] for look in looks if look["beside"]}


def tell_way_back(
    reason: str, place: str, changed: bool, roll_back: bool, steps: Mapping[str, Mapping[str, Any]]
) -> str:
    """Why Falco did not come up, and what it is now.

    Args:
      reason: what failed.
      place: cluster, namespace and release, for people.
      changed: whether this run changed a release.
      roll_back: whether it is taken back.
      steps: results of the tasks that take back: ``rolled_back``, ``uninstalled``, ``returned`` over releases, and
        those over Secrets.
    """
    return "\n".join([f"Falco did not come up on {place}.", reason, *_outcome(changed, roll_back, steps)])


def _outcome(changed: bool, roll_back: bool, steps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    results = [result for step in steps.values() for result in _of(step)]
    obstacles = [str(result.get("msg", "no reason given")) for result in results if result.get("failed")]
    if not changed:
        yield "The releases were already so before this run; nothing was taken back."
        return
    if not roll_back:
        yield "The releases are left as they are (falco_rollback_on_failure is false)."
        return
    if obstacles:
        yield f"They could not be taken back now, the next run does that: {'; '.join(obstacles)}"
        return
    for result in _of(steps["rolled_back"]):
        revision = result["item"]["deployed"]["revision"]
        done = f"It was rolled back to revision {revision}." if result.get("changed") else "It had not changed."
        yield f"{result['item']['name']}: {done}"
    for result in _of(steps["uninstalled"]):
        first = "It was the first installation and has been uninstalled."
        yield f"{result['item']['name']}: {first if result.get('changed') else 'It had not been installed.'}"
    for result in _of(steps["returned"]):
        yield f"{result['item']['name']}: It is there again, as revision {result['item']['release']['revision']} was."
    yield "Secrets are as before this run."


def _of(step: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Results of a loop; none where it was skipped."""
    return step.get("results") or ()
