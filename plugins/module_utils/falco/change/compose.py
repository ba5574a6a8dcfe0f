# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules files of one site: its own, and those made of what it says as data (switched off, excepted, scoped).

Names that match nothing are errors with the nearest name. What changes rules of Falco's own can only be judged beside
them; without them the result says what is left unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..catalogue.catalogue import Catalogue
from ..codes import ERROR
from ..errors import FalcoError
from ..judge.advice import did_you_mean
from ..judge.findings import findings_of
from ..judge.hiding import Hidden, hidden_rules
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.emit import emit_items
from ..yaml.nesting import deep_nesting
from .scope import Decision, Target, scope

EXCEPTIONS, DISABLED, EXTRA, SCOPE = "zz-exceptions.yaml", "zz-disabled.yaml", "zz-extra.yaml", "zz-scope.yaml"
GENERATED = (DISABLED, EXCEPTIONS, EXTRA, SCOPE)
#: Those that say whether and where rules fire, and nothing of what they do.
LIMITS = (DISABLED, SCOPE)
FIRST_OF_OURS = "zz-"
ALL, OWN = "all", "own"
_EXCEPTION_KEYS = ("name", "fields", "comps", "values")


class WishError(FalcoError):
    """Wishes that cannot be met.

    Attributes:
        problems: each begins with the name of the wish.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Scope:
    """Which rules shall fire where.

    Attributes:
        target: where.
        rules: `all`, `own`, or names and patterns of rules; empty means all, or with `tags` those alone.
        tags: rules with any of these tags, too.
    """

    target: Target
    rules: str | tuple[str, ...] = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What a site says of rules as data.

    Attributes:
        disabled, disabled_tags: rules to switch off.
        exceptions: mappings with `rule` and `exceptions`, as in a rule.
        extra: rules, macros and lists.
        scope: a restriction, or None.
    """

    disabled: tuple[str, ...] = ()
    disabled_tags: tuple[str, ...] = ()
    exceptions: tuple[Mapping[str, Any], ...] = ()
    extra: tuple[Mapping[str, Any], ...] = ()
    scope: Scope | None = None


@dataclass(frozen=True)
class Site:
    """What came out.

    Attributes:
        files: file name to text, the site's own and the generated ones, in the order in which Falco loads them.
        generated: names of those that were made here.
        loaded: the files as Falco would load them, behind the base if that is known; without it, without those that
            change rules of the base.
        disabled: rules that are switched off, those chosen by a tag included.
        decisions: what was done to scope each rule.
        hidden: rules of the site's own that earlier ones hide where Falco stops at the first match.
        unknown: wishes that need Falco's own rules, which are not known.
        rules: whether each rule is switched on, those of the base included; empty if the files do not load.
        base_problem: why the base was left out, if it was given and cannot be loaded here.
    """

    files: dict[str, str]
    generated: tuple[str, ...]
    loaded: Loaded
    disabled: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    unknown: tuple[str, ...] = ()
    rules: Mapping[str, bool] = field(default_factory=dict)
    base_problem: str = ""

    @property
    def judged(self) -> bool:
        """Whether the files load, so that names were checked, rules scoped and hiding looked at."""
        return self.loaded.successful


@deep_nesting()
def compose(
    own: Mapping[str, str],
    wishes: Wishes,
    base: Sequence[RulesFile] | None = None,
    known: Catalogue | None = None,
    minimum_priority: str = "debug",
) -> Site:
    """Put a site's rules files together.

    Args:
        own: file name to text of the site's own files.
        wishes: what it says as data.
        base: what Falco loads before them; None when that is not known. One that does not load here, such as rules
            for a plugin that the catalogue does not have, is left out and told in the result.
        known: fields and plugins.
        minimum_priority: Falco's `priority`.

    Raises:
        FalcoError: file names that collide.
        WishError: names that match nothing; all of them in one message.
    """
    _check_names(own)
    loader = Loader(known)
    texts = dict(own)
    if wishes.extra:
        texts[EXTRA] = emit_items(wishes.extra)
    loaded = loader.load([*(base or ()), *_in_order(texts)])
    if base is not None and not loaded.successful:
        problem = _problem_of_base(loader, base)
        if problem:
            return replace(compose(own, wishes, None, known, minimum_priority), base_problem=problem)
    ours = _own_rules(loaded, {*own, EXTRA})
    unknown: list[str] = []
    disabled = list(dict.fromkeys(wishes.disabled))
    if loaded.successful:
        _check_wishes(loaded, wishes, base is not None)
        tagged = [name for name, rule in loaded.collector.rules.items() if rule.tags & set(wishes.disabled_tags)]
        disabled = list(dict.fromkeys([*disabled, *tagged]))
        if wishes.disabled_tags and base is None:
            unknown.append("disabled_tags")
    changes: dict[str, str] = {}
    if disabled:
        changes[DISABLED] = emit_items([_switched_off(name) for name in disabled])
    if wishes.exceptions:
        changes[EXCEPTIONS] = emit_items([_excepted(entry) for entry in wishes.exceptions])
    if not loaded.successful:
        return _site({**texts, **changes}, loaded, disabled)
    # Without the base, its rules cannot be changed here: the running Falco judges that.
    judged = {**texts, **(changes if base is not None else {})}
    decisions: tuple[Decision, ...] = ()
    if wishes.scope is not None:
        if base is None and not _only_ours(wishes.scope, ours):
            unknown.append("scope")
        else:
            content, decisions = _scoped([*(base or ()), *_in_order(judged)], wishes.scope, ours, known)
            if content:
                changes[SCOPE] = judged[SCOPE] = content
    if judged.keys() != texts.keys():
        loaded = loader.load([*(base or ()), *_in_order(judged)])
    if base is not None:
        _check_generated(loaded)
    hidden = hidden_rules(loaded, ours, minimum_priority) if loaded.successful else []
    rules = {name: rule.enabled for name, rule in loaded.collector.rules.items()} if loaded.successful else {}
    return _site({**texts, **changes}, loaded, disabled, decisions, tuple(hidden), tuple(unknown), rules)


def _problem_of_base(loader: Loader, base: Sequence[RulesFile]) -> str:
    """Why the base does not load by itself; empty if it does."""
    errors = (finding for finding in findings_of(loader.load(base)) if finding.severity == ERROR)
    return next((f"{one.file}:{one.line}: {one.code}: {one.message}" for one in errors), "")


def _site(texts: Mapping[str, str], loaded: Loaded, disabled: Sequence[str], *more: Any) -> Site:
    files = {file.name: file.text for file in _in_order(texts)}
    return Site(files, tuple(name for name in files if name in GENERATED), loaded, tuple(disabled), *more)


def _in_order(texts: Mapping[str, str]) -> list[RulesFile]:
    """As Falco loads a directory."""
    return [RulesFile(name, texts[name]) for name in sorted(texts)]


def _check_names(own: Mapping[str, str]) -> None:
    late = sorted(name for name in own if name >= FIRST_OF_OURS)
    if late:
        raise FalcoError(
            f"{', '.join(late)}: Falco loads it after {DISABLED} and what else is made of data; give it a name that "
            f"sorts before '{FIRST_OF_OURS}'"
        )


def _own_rules(loaded: Loaded, names: Iterable[str]) -> set[str]:
    """Rules that the site's own files define, not those that they only change."""
    files = set(names)
    return {
        change.name
        for change in loaded.collector.changes
        if change.kind == "rule" and change.file in files and change.action in ("define", "redefine")
    }


def _switched_off(name: str) -> dict[str, Any]:
    return {"rule": name, "enabled": False, "override": {"enabled": "replace"}}


def _excepted(entry: Mapping[str, Any]) -> dict[str, Any]:
    exceptions = [{key: one[key] for key in _EXCEPTION_KEYS if one.get(key) is not None} for one in entry["exceptions"]]
    return {"rule": entry["rule"], "exceptions": exceptions, "override": {"exceptions": "append"}}


def _check_wishes(loaded: Loaded, wishes: Wishes, complete: bool) -> None:
    """Names that match nothing. Without Falco's own rules only the form of the wishes can be checked."""
    rules = loaded.collector.rules
    tags = sorted({tag for rule in rules.values() for tag in rule.tags})
    problems = [*_form_of_exceptions(wishes.exceptions), *_form_of_scope(wishes.scope)]
    named = [("disabled", name) for name in wishes.disabled]
    named += [
        (f"exceptions[{number}]", str(entry["rule"]))
        for number, entry in enumerate(wishes.exceptions)
        if entry.get("rule")
    ]
    if wishes.scope is not None and isinstance(wishes.scope.rules, tuple):
        plain = [name for name in wishes.scope.rules if not {"*", "?"} & set(name)]
        named += [("scope.rules", name) for name in plain]
    if complete:
        for where, name in named:
            if name not in rules:
                problems.append(f"{where}: no rule is called '{name}'; {did_you_mean(name, rules) or 'check the name'}")
        wanted = [("disabled_tags", tag) for tag in wishes.disabled_tags]
        wanted += [("scope.tags", tag) for tag in (wishes.scope.tags if wishes.scope else ())]
        for where, tag in wanted:
            if tag not in tags:
                problems.append(f"{where}: no rule has the tag '{tag}'; {did_you_mean(tag, tags) or 'check the tag'}")
        problems += _values_of_new_exceptions(loaded, wishes.exceptions)
    if problems:
        raise WishError(problems)


def _form_of_scope(wanted: Scope | None) -> list[str]:
    if wanted is None or isinstance(wanted.rules, tuple) or wanted.rules in ("", ALL, OWN):
        return []
    return [f"scope.rules is 'all', 'own' or a list of names, not '{wanted.rules}'; write one name as [{wanted.rules}]"]


def _form_of_exceptions(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = []
    for number, entry in enumerate(entries):
        for key in entry:
            if key not in ("rule", "exceptions"):
                hint = did_you_mean(key, ("rule", "exceptions")) or "it has rule and exceptions"
                problems.append(f"exceptions[{number}]: unknown key '{key}'; {hint}")
        if not entry.get("rule") or not isinstance(entry.get("exceptions"), list) or not entry["exceptions"]:
            problems.append(f"exceptions[{number}]: needs 'rule' and a list 'exceptions'")
            continue
        for place, one in enumerate(entry["exceptions"]):
            where = f"exceptions[{number}].exceptions[{place}]"
            if not isinstance(one, Mapping) or not one.get("name"):
                problems.append(f"{where}: needs a 'name'")
                continue
            for key in one:
                if key not in _EXCEPTION_KEYS:
                    hint = did_you_mean(key, _EXCEPTION_KEYS) or f"it has {', '.join(_EXCEPTION_KEYS)}"
                    problems.append(f"{where}: unknown key '{key}'; {hint}")
    return problems


def _values_of_new_exceptions(loaded: Loaded, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """An exception that the rule does not have yet needs its fields."""
    problems = []
    for number, entry in enumerate(entries):
        rule = loaded.collector.rules.get(str(entry.get("rule")))
        if rule is None or not isinstance(entry.get("exceptions"), list):
            continue
        present = [exception.name for exception in rule.exceptions]
        for place, one in enumerate(entry["exceptions"]):
            if isinstance(one, Mapping) and one.get("name") and one["name"] not in present and not one.get("fields"):
                hint = did_you_mean(str(one["name"]), present) or "give it 'fields', 'comps' and 'values'"
                problems.append(
                    f"exceptions[{number}].exceptions[{place}]: rule '{rule.name}' has no exception "
                    f"'{one['name']}' to add values to; {hint}"
                )
    return problems


def _check_generated(whole: Loaded) -> None:
    """Refusals of the generated files are told with the wish that they come from."""
    for finding in findings_of(whole):
        if finding.severity == ERROR and finding.file in (EXCEPTIONS, DISABLED, SCOPE):
            wish = {EXCEPTIONS: "exceptions", DISABLED: "disabled", SCOPE: "scope"}[finding.file]
            hint = f" ({finding.hint})" if finding.hint else ""
            raise WishError([f"{wish}: {finding.item}: {finding.code}: {finding.message}{hint}"])


def _only_ours(wanted: Scope, ours: set[str]) -> bool:
    """Whether Falco's own rules do not matter."""
    return not wanted.tags and (
        wanted.rules == OWN or (bool(wanted.rules) and isinstance(wanted.rules, tuple) and set(wanted.rules) <= ours)
    )


def _scoped(
    files: Sequence[RulesFile], wanted: Scope, ours: set[str], known: Catalogue | None
) -> tuple[str, tuple[Decision, ...]]:
    rules, tags = wanted.rules, wanted.tags
    names = rules if isinstance(rules, tuple) else ()
    try:
        scoped = scope(
            files, wanted.target, names, () if rules == ALL else tags, known, exactly=ours if rules == OWN else None
        )
    except FalcoError as error:
        raise WishError([f"scope: {error}"]) from error
    return scoped.content, scoped.decisions
