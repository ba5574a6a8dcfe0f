# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether AWX has what it is to have: differences by object and field. Inputs of credentials are never compared.

What the API tells of related objects (C(summary_fields)):
https://docs.ansible.com/automation-controller/latest/html/controllerapi/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

#: Fields that name other objects.
_NAMED = (
    "organization",
    "credential_type",
    "credential",
    "execution_environment",
    "project",
    "inventory",
    "source_project",
    "unified_job_template",
    "workflow_job_template",
)


def differences(
    wanted: Sequence[Mapping[str, Any]], found: Sequence[Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """What AWX lacks, or has otherwise.

    Args:
      wanted: the objects (C(AwxObject.as_data)).
      found: for each of them, in the same order, what the API lists for its query. A job template has its survey as
        C(survey_spec) beside what the list says.

    Returns:
      C(kind), C(name), C(field), C(wanted), C(found) and C(message); an object that is missing has no C(field).
    """
    identifiers = {
        node["id"]: node["identifier"] for one, listed in zip(wanted, found) if one["kind"] == "node" for node in listed
    }
    told: list[dict[str, Any]] = []
    for one, listed in zip(wanted, found):
        called = f"{one['kind'].replace('_', ' ')} '{one['name']}'"
        if not listed:
            told.append(_told(one, None, None, None, f"{called} is missing."))
            continue
        for field, should, has in _fields(one, listed[0], identifiers):
            if should != has:
                message = f"{called}: {field} is {_shown(has)}, must be {_shown(should)}."
                told.append(_told(one, field, should, has, message))
    return told


def _told(one: Mapping[str, Any], field: str | None, wanted: Any, found: Any, message: str) -> dict[str, Any]:
    return {
        "kind": one["kind"],
        "name": one["name"],
        "field": field,
        "wanted": wanted,
        "found": found,
        "message": message,
    }


def _fields(
    one: Mapping[str, Any], item: Mapping[str, Any], identifiers: Mapping[int, str]
) -> Iterator[tuple[str, Any, Any]]:
    """Each field with what it must be and what it is, in forms that can be compared."""
    related = item.get("summary_fields") or {}
    for field, should in one["fields"].items():
        if one["kind"] == "credential" and field == "inputs":
            continue
        if field in _NAMED:
            yield field, should or "", (related.get(field) or {}).get("name", "")
        elif field in _READERS:
            yield (field, *_READERS[field](should, item, identifiers))
        else:
            yield field, should, item.get(field)


def _credentials(should: Any, item: Mapping[str, Any], _identifiers: Mapping[int, str]) -> tuple[Any, Any]:
    has = (item.get("summary_fields") or {}).get("credentials") or []
    return sorted(should), sorted(one["name"] for one in has)


def _survey(should: Any, item: Mapping[str, Any], _identifiers: Mapping[int, str]) -> tuple[Any, Any]:
    return should or {}, item.get("survey_spec") or {}


def _successors(should: Any, item: Mapping[str, Any], identifiers: Mapping[int, str]) -> tuple[Any, Any]:
    return sorted(should), sorted(identifiers.get(node, str(node)) for node in item.get("success_nodes") or [])


def _approval(should: Any, item: Mapping[str, Any], _identifiers: Mapping[int, str]) -> tuple[Any, Any]:
    has = (item.get("summary_fields") or {}).get("unified_job_template") or {}
    return should, {key: has.get(key, "") for key in should}


def _type_of_project(should: Any, item: Mapping[str, Any], _identifiers: Mapping[int, str]) -> tuple[Any, Any]:
    return ("" if should == "manual" else should), item.get("scm_type")


_READERS: dict[str, Callable[[Any, Mapping[str, Any], Mapping[int, str]], tuple[Any, Any]]] = {
    "credentials": _credentials,
    "survey_spec": _survey,
    "success_nodes": _successors,
    "approval_node": _approval,
    "scm_type": _type_of_project,
}


def _shown(value: Any) -> str:
    """A value for a message; long ones are cut."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:117]}..."
