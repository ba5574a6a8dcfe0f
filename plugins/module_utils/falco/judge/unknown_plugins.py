# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins that rules require and that nobody described: what of the rules could therefore not be judged."""

from __future__ import annotations

from ...common.finding import Finding
from ..catalogue.catalogue import FURTHER, Plugin
from ..load.expand import fields_of
from ..load.ruleset import Loaded
from .findings import describe
from .told import Told

UNKNOWN_PLUGIN = "FN019"
_NAMED = 3
"""Rules of a plugin are named up to this number."""
_HINT = "describe it in plugin_descriptions, or give falco_output of a Falco that loads it: then they are judged"


def unknown_plugins(loaded: Loaded, ruleset: str) -> list[Finding]:
    """A finding at each requirement of a plugin that was taken as the rules use it.

    Args:
        loaded: the ruleset; which plugins were assumed, its catalogue says.
        ruleset: its name, for the findings.
    """
    told = Told(loaded, ruleset)
    for plugin in loaded.catalogue.assumed.values():
        for requirement in loaded.collector.requirements:
            if plugin.name in (name for name, _version in requirement.alternatives):
                context = requirement.context
                told.add(
                    UNKNOWN_PLUGIN,
                    context.file,
                    context.locations[-1].mark,
                    describe(context),
                    _message(loaded, plugin),
                    _HINT,
                )
                break
    return told.findings


def _message(loaded: Loaded, plugin: Plugin) -> str:
    fields = {info.name for info in plugin.fields}
    taken = [f"the event source {plugin.source}"] if plugin.source else []
    if plugin.name in FURTHER:
        version, _source, _extracts, _fields = FURTHER[plugin.name][:4]
        return f"the fields of plugin '{plugin.name}' are known of version {version}, and {plugin.version} is required"
    if fields:
        taken.append(f"the fields {', '.join(sorted(fields))}")
    users = [
        name
        for name, one in loaded.compiler.rules.items()
        if one.rule.source == plugin.source
        or any(f"%{field}" in one.rule.output for field in fields)
        or fields.intersection(fields_of(one.node, loaded.compiler))
    ]
    rules = ", ".join(f"'{name}'" for name in users[:_NAMED])
    rules += f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
    used = f", which {'rules use' if len(users) > 1 else 'a rule uses'}: {rules}" if users else ""
    what = f"{' and '.join(taken)} are taken as they stand{used}" if taken else "no rule here uses anything of it"
    return f"nothing is known of plugin '{plugin.name}': {what}"
