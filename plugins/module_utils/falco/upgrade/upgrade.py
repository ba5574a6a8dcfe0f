# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a ruleset when Falco is another version: what it refuses, what never fires again, what to write.

Both versions load the ruleset as they would; each entry is asked by itself as well, because Falco stops at the first
error and says nothing of a rule that loads and never fires.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...common.finding import Finding
from ..catalogue.catalogue import Catalogue
from ..codes import ERROR, severity
from ..condition.nodes import Compare, Exists, Macro, Node, walk
from ..condition.printer import to_text
from ..judge.findings import findings_of
from ..load.compiler import Compiled
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.nesting import deep_nesting
from .constants import settled, truth
from .entries import Entries
from .steps import BROKEN, CHANGED, DEPRECATED, REFUSED, SILENT, Step

_OWN_WORDS = ("LOAD_DEPRECATED_ITEM",)
"""Warnings of the new version that the entries themselves tell better."""
_ORDER = (BROKEN, REFUSED, SILENT, CHANGED, DEPRECATED)


@deep_nesting()
def upgrade(files: Sequence[RulesFile], old: Catalogue, new: Catalogue, ruleset: str = "") -> list[Step]:
    """Say what another version of Falco makes of a ruleset.

    Args:
        files: the ruleset's files, in order.
        old: the version that runs.
        new: the version to come; an older one is judged just as well.
        ruleset: the ruleset's name, for findings.

    Returns:
        What to do, the gravest first: nothing when the ruleset means the same in both.
    """
    before = Loader(old).load(files)
    after = Loader(new).load(files)
    entries = Entries(before, new, ruleset)
    steps = [step for change in before.collector.changes for step in entries.steps(change)]
    silent = _silent(before, new, entries)
    # A check that makes its rule silent needs no word of its own.
    places = {(step.finding.file, step.finding.line, step.finding.column) for step in silent}
    steps = [
        step
        for step in steps
        if step.finding.code != CHANGED or (step.finding.file, step.finding.line, step.finding.column) not in places
    ]
    steps += silent + _broken(before, ruleset) + _loaded_otherwise(before, after, steps, ruleset)
    unique = {
        (one.finding.code, one.finding.file, one.finding.line, one.finding.column, one.finding.message): one
        for one in steps
    }
    return sorted(unique.values(), key=lambda step: _ORDER.index(step.finding.code))


def _broken(before: Loaded, ruleset: str) -> list[Step]:
    """What the version that runs does not load: nothing can be said of the rest of that file."""
    return [
        Step(_retold(BROKEN, one, f"Falco {before.catalogue.falco} does not load this either: {one.message}"))
        for one in findings_of(before, ruleset)
        if one.severity == ERROR
    ]


def _loaded_otherwise(before: Loaded, after: Loaded, steps: list[Step], ruleset: str) -> list[Step]:
    """Errors and warnings of the new version that the old one does not have and no entry told of."""
    told = {(step.finding.file, step.finding.line) for step in steps if step.finding.code == REFUSED}
    items = {(step.finding.file, step.finding.item) for step in steps if step.finding.code == REFUSED}
    known = {(one.code, one.file, one.line, one.column) for one in findings_of(before, ruleset)}
    found = []
    for one in findings_of(after, ruleset):
        if (one.code, one.file, one.line, one.column) in known or one.code in _OWN_WORDS:
            continue
        if one.severity == ERROR:
            if (one.file, one.line) not in told and (one.file, one.item) not in items and not _in_macro(one, steps):
                found.append(Step(_retold(REFUSED, one, f"{one.code}: {one.message}")))
        elif after.successful:
            found.append(
                Step(_retold(CHANGED, one, f"{one.code} is new with Falco {after.catalogue.falco}: {one.message}"))
            )
    return found


def _in_macro(error: Finding, steps: list[Step]) -> bool:
    """Whether an error of a rule is that of a macro in it, which was told where the macro stands."""
    return any(
        step.finding.code == REFUSED and step.finding.item.startswith("macro ") and step.finding.item in error.way
        for step in steps
    )


def _retold(code: str, one: Finding, message: str) -> Finding:
    return Finding(
        code, severity(code), one.file, one.line, one.column, one.item, message, one.hint, one.excerpt, one.ruleset
    )


def _silent(before: Loaded, new: Catalogue, entries: Entries) -> list[Step]:
    """Rules that could fire with the version that runs and cannot with the version to come."""
    old = before.catalogue
    seen_old: dict[str, bool | None] = {}
    seen_new: dict[str, bool | None] = {}

    def resolve(name: str) -> Node | None:
        macro = before.compiler.macros.get(name)
        return macro.parsed.node if macro else None

    found = []
    for compiled in before.compiler.rules.values():
        if compiled.rule.source != "syscall":
            continue
        if truth(compiled.node, new, resolve, seen_new) is not False:
            continue
        if truth(compiled.node, old, resolve, seen_old) is not False:
            found.append(_silent_step(compiled, before, new, entries))
    return found


def _silent_step(compiled: Compiled, before: Loaded, new: Catalogue, entries: Entries) -> Step:
    rule = compiled.rule
    changes = [one for one in before.collector.changes if one.kind == "rule" and one.name == rule.name]
    own = [(change, step) for change in changes for step in entries.steps(change) if step.holds is False]
    if own:
        change, step = own[0]
        words = f"the rule loads and never fires again: {step.finding.message}"
        place = (step.finding.line, step.finding.column)
        return Step(entries.finding(SILENT, change, place, words, step.finding.hint), step.key, step.instead)
    mark = rule.condition_context.locations[-1].mark
    culprit = _culprit(compiled.node, before, new)
    words = f"the rule loads and never fires again with Falco {new.falco}{culprit}"
    hint = "change the macro, which is told of where it stands" if culprit else ""
    return Step(entries.finding(SILENT, changes[-1], (mark.line + 1, mark.column + 1), words, hint))


def _culprit(node: Node, before: Loaded, new: Catalogue) -> str:
    """The macro, of those that a condition names, that holds a check which is always false."""
    waiting = [part.name for part in walk(node) if isinstance(part, Macro)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        macro = before.compiler.macros.get(name)
        if name in seen or macro is None or macro.parsed.node is None:
            continue
        seen.add(name)
        for part in walk(macro.parsed.node):
            if isinstance(part, (Compare, Exists)) and settled(part, new) is False:
                return f": '{to_text(part)}' in macro '{name}' is always false"
        waiting += [reference.name for reference in macro.parsed.macros]
    return ""
