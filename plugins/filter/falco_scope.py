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
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import Catalogue
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.learned import Said
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


def texts(name: str, value: object) -> tuple[str, ...]:
    """A list of texts, as an argument of a filter.

    Raises:
        FalcoError: it is something else; a single text would otherwise be taken for the list of its letters.
    """
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    if isinstance(value, str):
        raise FalcoError(f"{name} is a list of texts; write a single one as ['{value}']")
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise FalcoError(f"{name} is a list of texts, not {type(value).__name__}")
    for entry in value:
        if not isinstance(entry, str):
            raise FalcoError(f"{name} is a list of texts; {entry!r} in it is {type(entry).__name__}, put it in quotes")
    return tuple(sorted(value) if isinstance(value, (set, frozenset)) else value)


def labels_of(value: object) -> dict[str, str]:
    """Labels, as an argument of a filter.

    Raises:
        FalcoError: they are no mapping of texts to texts.
    """
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FalcoError(f"labels maps names to values, as in {{'app': 'web'}}; it is {type(value).__name__}")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise FalcoError(f"labels maps texts to texts; put '{name}: {text}' in quotes")
    return {str(name): str(text) for name, text in value.items()}


def catalogue_of(version: object, descriptions: object, printed: object, files: Sequence[RulesFile]) -> Catalogue:
    """The catalogue for some rules, as arguments of a filter; warnings of what is not known.

    Args:
        version: Falco's.
        descriptions: of plugins.
        printed: what a Falco prints, text by name.
        files: the rules.

    Raises:
        FalcoError: the version is no text (YAML reads 0.40 as the number 0.4) or not known, a description is none, or a
            text is not what Falco prints.
    """
    from ansible.utils.display import Display
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import unpacked
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.known import known_for

    if not isinstance(version, str):
        raise FalcoError(f"falco_version is a text: write it in quotes, as in '0.44'; {version!r} is none")
    given: Any = descriptions or ()
    texts = [file.text for file in unpacked(files)[0]]
    known = known_for(texts, version, None, given, said_in(printed) if printed else None)
    if known.note:
        Display().warning(known.note)
    for name in known.assumed:
        Display().warning(
            f"nothing is known of plugin '{name}', so its rules are taken as they stand: describe it in "
            "plugin_descriptions, or give falco_output of a Falco that loads it"
        )
    return known


def said_in(printed: object) -> Said:
    """What a Falco prints, as an argument of a filter.

    Raises:
        FalcoError: it is no mapping of the commands that are known to their output.
    """
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.learned import Said
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    names = ("version", "fields", "events", "plugins")
    if not isinstance(printed, Mapping) or not set(printed) <= set(names):
        raise FalcoError(f"falco_output maps some of {', '.join(names)} to what Falco prints")
    return Said(**{name: _text(text) for name, text in printed.items()})


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
    plugin_descriptions: Sequence[Mapping[str, Any]] = (),
    falco_output: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An override file that restricts rules; see falco_scope.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import (
        LABEL_FIELDS,
        NAMESPACE_FIELDS,
        Target,
        scope,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    try:
        target = Target(
            namespaces=texts("namespaces", namespaces),
            labels=labels_of(labels),
            containers=texts("containers", containers),
            namespace_field=namespace_field or NAMESPACE_FIELDS[0],
            label_field=label_field or LABEL_FIELDS[0],
        )
        files = rules_files(data)
        known = catalogue_of(falco_version, plugin_descriptions, falco_output, files)
        scoped = scope(files, target, texts("rules", rules), texts("tags", tags), known)
    except FalcoError as error:
        raise AnsibleFilterError(f"falco_scope: {error}") from error
    decisions = [
        {
            "rule": one.rule,
            "action": one.action,
            "reason": one.reason,
            "condition": one.condition,
            "silenced": one.silenced,
        }
        for one in scoped.decisions
    ]
    return {"content": scoped.content, "decisions": decisions}


def falco_merge(
    data: object,
    falco_version: str = "0.44",
    plugin_descriptions: Sequence[Mapping[str, Any]] = (),
    falco_output: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Several rules files as one; see falco_merge.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import merge
    from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError

    try:
        files = rules_files(data)
        merged = merge(files, catalogue_of(falco_version, plugin_descriptions, falco_output, files))
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
