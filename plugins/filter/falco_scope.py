# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters falco_scope and falco_merge: rulesets made from rulesets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.
if TYPE_CHECKING:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile


def rules_files(data: object) -> list[RulesFile]:
    """Rules files from a text, a mapping of name to text, or a list of texts or of mappings with `content`.

    Raises:
        FalcoError: the data has none of these shapes.
    """
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

    if isinstance(data, str):
        return [RulesFile("rules.yaml", data)]
    if isinstance(data, Mapping):
        return [RulesFile(str(name), _text(text)) for name, text in data.items()]
    if not isinstance(data, Sequence):
        raise FalcoError("give rules as a text, a mapping of file names to texts, or a list")
    files = []
    for number, entry in enumerate(data, 1):
        if isinstance(entry, Mapping):
            files.append(RulesFile(str(entry.get("name", f"rules{number}.yaml")), _text(entry.get("content"))))
        else:
            files.append(RulesFile(f"rules{number}.yaml", _text(entry)))
    return files


def _text(value: object) -> str:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    if not isinstance(value, str):
        raise FalcoError(f"a rules file is text, not {type(value).__name__}")
    return value


def falco_scope(
    data: object,
    namespaces: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    containers: Sequence[str] = (),
    rules: Sequence[str] = (),
    tags: Sequence[str] = (),
    namespace_field: str = "",
    label_field: str = "",
    falco_version: str = "0.44",
) -> dict[str, Any]:
    """An override file that restricts rules; see falco_scope.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import (
        LABEL_FIELDS,
        NAMESPACE_FIELDS,
        Target,
        scope,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    try:
        target = Target(
            namespaces=tuple(namespaces),
            labels=dict(labels or {}),
            containers=tuple(containers),
            namespace_field=namespace_field or NAMESPACE_FIELDS[0],
            label_field=label_field or LABEL_FIELDS[0],
        )
        scoped = scope(rules_files(data), target, rules, tags, catalogue(falco_version))
    except FalcoError as error:
        raise AnsibleFilterError(f"falco_scope: {error}") from error
    decisions = [
        {"rule": one.rule, "action": one.action, "reason": one.reason, "condition": one.condition}
        for one in scoped.decisions
    ]
    return {"content": scoped.content, "decisions": decisions}


def falco_merge(data: object, falco_version: str = "0.44") -> dict[str, Any]:
    """Several rules files as one; see falco_merge.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import merge
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    try:
        merged = merge(rules_files(data), catalogue(falco_version))
    except FalcoError as error:
        raise AnsibleFilterError(f"falco_merge: {error}") from error
    conflicts = [
        {"kind": one.kind, "name": one.name, "files": list(one.files), "same": one.same} for one in merged.conflicts
    ]
    return {"content": merged.content, "conflicts": conflicts}


class FilterModule:
    """Makes the filters known to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"falco_scope": falco_scope, "falco_merge": falco_merge}
