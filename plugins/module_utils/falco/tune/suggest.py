# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions that silence noise and nothing else, proven by the evaluator before they are suggested.

An exception asks for who (image, else namespace and container, of audit events the user) and for what was done (the
program, the verb), and for more where that alone would silence others or what must fire. It is refused when a test of
the rule or something that must fire would be silenced, and when no event is found any more on which the rule fires.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from ..condition.nodes import And, Compare, Field, Node, Not, Or, Value
from ..errors import FalcoError
from ..evaluate.comparisons import Test
from ..evaluate.conditions import ConditionCompiler
from ..evaluate.events import Event, FieldMap
from ..load.ruleset import Loaded, Loader, RulesFile
from ..testing.conditions import exceptions_of
from ..testing.model import RuleTests
from ..testing.run import Ruleset, check_names, run
from ..testing.solve import Solver
from ..yaml.emit import emit_items
from ..yaml.nesting import deep_nesting
from .noise import FIELDS, FURTHER, IDENTITY, PROGRAM, WHO, Noise, Profile, program_of, workload_of
from .triggers import events_of

GENERATED = "zz-suggested.yaml"
_WORDS = {
    "container.image.repository": "image",
    "k8s.ns.name": "namespace",
    "container.name": "container",
    "ka.user.name": "user",
    "proc.name": "program",
    "ka.verb": "verb",
    "proc.pname": "parent",
    "proc.exepath": "executable",
    "user.name": "account",
    "ka.target.resource": "resource",
    "ka.target.namespace": "target_namespace",
}
"""What fields are called in the names of exceptions."""
MAX_OTHERS = 5
"""Others that an exception would silence, of which examples are told."""


class Suggestion(NamedTuple):
    """An exception of one rule.

    Attributes:
        rule: the rule.
        name: of the exception.
        fields: that it asks for, all by `=`.
        values: each row silences one kind of noise.
        silenced: recorded alerts of the rule that it silences.
        share: of the rule's recorded alerts, 0 to 1.
        others: recorded alerts that it silences and that are not the noise it was made for.
        examples: some of these, each as its fields.
        workloads: how many different ones it silences.
        tests: cases that pass with it.
        kept: events that must fire and do.
    """

    rule: str
    name: str
    fields: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    silenced: int
    share: float
    others: int
    examples: tuple[dict[str, Any], ...]
    workloads: int
    tests: int
    kept: int

    def entry(self) -> dict[str, Any]:
        """The exception as in a rule."""
        return {
            "name": self.name,
            "fields": list(self.fields),
            "comps": ["="] * len(self.fields),
            "values": [list(row) for row in self.values],
        }


class Refused(NamedTuple):
    """Noise that nothing is suggested for."""

    rule: str
    workload: str
    program: str
    alerts: int
    reason: str


class Dead(NamedTuple):
    """An exception of the ruleset that silenced nothing."""

    rule: str
    exception: str


class Suggestions(NamedTuple):
    """What came out."""

    suggestions: list[Suggestion]
    refused: list[Refused]
    dead: list[Dead]
    unknown: list[str]

    def exceptions(self) -> list[dict[str, Any]]:
        """As the variable `falco_rules_exceptions` takes them."""
        by_rule: dict[str, list[dict[str, Any]]] = {}
        for one in self.suggestions:
            by_rule.setdefault(one.rule, []).append(one.entry())
        return [{"rule": rule, "exceptions": entries} for rule, entries in by_rule.items()]


def with_exceptions(loader: Loader, files: Sequence[RulesFile], entries: Sequence[Mapping[str, Any]]) -> Loaded:
    """The ruleset with exceptions appended, as the role falco_rules appends them.

    Raises:
        FalcoError: it does not load.
    """
    items = [{**entry, "override": {"exceptions": "append"}} for entry in entries]
    loaded = loader.load([*files, RulesFile(GENERATED, emit_items(items))])
    if not loaded.successful:
        raise FalcoError(loaded.results[-1].errors[0].text if loaded.results[-1].errors else "the rules do not load")
    return loaded


class Tuner:
    """Suggests exceptions for one ruleset."""

    @deep_nesting()
    def __init__(
        self,
        loader: Loader,
        files: Sequence[RulesFile],
        tests: Sequence[RuleTests] = (),
        keep: Sequence[Event] = (),
        triggers: Sequence[Mapping[str, Any]] = (),
        trigger_image: str = "",
        own: Sequence[RulesFile] | None = None,
    ) -> None:
        """Args:
            loader: what the rules are loaded with.
            files: rules that load.
            tests: test files of these rules, which must pass with the exceptions as they do without.
            keep: events on which rules must go on to fire that do so without the exceptions, such as those of attacks.
            triggers: as the variable `verify_triggers` has them; what expects no alert does not count.
            trigger_image: image of their pods.
            own: those of the files that are one's own; None for all of them. The tests are of these alone, and
                exceptions that stand in others are not called dead.

        Raises:
            FalcoError: the rules do not load, or a test fails without any exception.
        """
        self.loader = loader
        self.files = files
        self.tests = tests
        self.before = Ruleset("before", loader.load(files))
        self.own = files if own is None else own
        self.tested = self.before if own is None else Ruleset("own", loader.load(own))
        self.keep = [(f"the event in line {event.number}, which must fire,", event) for event in keep]
        self.untried: list[str] = []
        for trigger in triggers:
            if trigger.get("expect_alert", True):
                events = events_of(trigger, trigger_image, self.before)
                self.keep += [(f"the trigger '{trigger['name']}'", event) for event in events]
                if not events:
                    self.untried.append(str(trigger["name"]))
        for one in tests:
            for finding in check_names(one, "files", self.tested):
                raise FalcoError(f"{finding.file}:{finding.line}: {finding.message}")
        outcomes = self._outcomes(self.tested)
        for outcome in outcomes:
            for failure in outcome.failures:
                raise FalcoError(f"{failure.file}:{failure.line}: {failure.message}")
        self.passing = sum(one.passed for one in outcomes)

    def _outcomes(self, ruleset: Ruleset) -> list[Any]:
        return [
            one for tests in self.tests for name in tests.rulesets or ("files",) for one in run(tests, name, ruleset)
        ]

    def _outcomes_after(self, rule: str, entry: Mapping[str, Any], after: Ruleset) -> list[Any]:
        """The tests with an exception; there is none of a rule that is not one's own."""
        if self.tested is self.before:
            return self._outcomes(after)
        if rule not in self.tested.engine().rules:
            return []
        return self._outcomes(Ruleset("after", with_exceptions(self.loader, self.own, [entry])))

    @deep_nesting()
    def suggest(self, noise: Noise, minimum: int, share: float) -> Suggestions:
        """Look at each rule of a recording.

        Args:
            noise: the recording.
            minimum: alerts of one workload and program that are noise.
            share: of the rule's alerts that these must be, 0 to 1.
        """
        result = Suggestions([], [], [], [])
        for rule, total in sorted(noise.rules.items(), key=lambda pair: (-pair[1], pair[0])):
            if rule not in self.before.engine().rules:
                result.unknown.append(rule)
                continue
            profiles = noise.profiles[rule]
            rows: dict[tuple[str, ...], dict[tuple[str, ...], set[Profile]]] = {}
            for group, alerts in _groups(profiles):
                if alerts < minimum or alerts < share * total:
                    continue
                found = self._smallest(rule, profiles, group)
                if isinstance(found, str):
                    first = next(iter(group))
                    result.refused.append(Refused(rule, workload_of(first), program_of(first), alerts, found))
                else:
                    fields, values = found
                    rows.setdefault(fields, {}).setdefault(values, set()).update(group)
            proven = [self._proven(rule, profiles, fields, values_of) for fields, values_of in rows.items()]
            # each row was tried by itself; together they must leave something, too
            whole = {"rule": rule, "exceptions": [one.entry() for one in proven]}
            problem = self._problem(rule, whole) if proven else None
            if problem is None:
                result.suggestions.extend(proven)
            else:
                result.refused.extend(
                    Refused(rule, workload_of(first), program_of(first), sum(profiles[each] for each in group), problem)
                    for values_of in rows.values()
                    for group in values_of.values()
                    for first in [next(iter(group))]
                )
        result.dead.extend(self._dead(noise))
        return result

    def _smallest(
        self, rule: str, profiles: Counter[Profile], group: set[Profile]
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | str:
        """Fields and values of the exception for one kind of noise, or why there is none."""
        source = self.before.engine().rules[rule].rule.source
        table = self.before.loaded.compiler.tables[source]
        same = {
            name: next(iter(group))[at]
            for at, name in enumerate(FIELDS)
            if len({profile[at] for profile in group}) == 1
            and isinstance(next(iter(group))[at], str)
            and next(iter(group))[at]
            and table.find(name) is not None
        }
        who = next((names for names in WHO if same.keys() >= set(names)), None)
        if who is None:
            return "the alerts name neither an image nor a workload; what is left an attacker chooses"
        start = [*who, *(name for name in PROGRAM if name in same)]
        if len(start) == len(who):
            return (
                "the alerts do not name the program, and an exception on the image alone would silence anything in it"
            )
        more = [name for name in (*IDENTITY, *FURTHER) if name in same and name not in start]
        reason = ""
        best: tuple[int, tuple[str, ...]] | None = None
        for size in range(min(len(more), 3) + 1):
            for added in combinations(more, size):
                fields = tuple(name for name in FIELDS if name in start or name in added)
                values = tuple(str(same[name]) for name in fields)
                silenced = _silenced(profiles, fields, {values})
                others = sum(profiles[profile] for profile in silenced if profile not in group)
                if best is not None and others >= best[0]:
                    continue
                problem = self._problem(rule, _entry(rule, fields, [values]))
                if problem is None:
                    best = (others, fields)
                else:
                    reason = reason or problem
            if best is not None and best[0] == 0:
                break
        if best is None:
            return reason
        return best[1], tuple(str(same[name]) for name in best[1])

    def _problem(self, rule: str, entry: Mapping[str, Any]) -> str | None:
        """Why an exception must not be; None when nothing speaks against it.

        Args:
            rule: the rule.
            entry: its exceptions, as in the variable.
        """
        try:
            after = Ruleset("after", with_exceptions(self.loader, self.files, [entry]))
        except FalcoError as error:
            return f"it does not load: {error}"
        wanted = [_meant(one) for one in entry["exceptions"]]
        if [node for _exception, node in exceptions_of(after.loaded.compiler.rules[rule])][-len(wanted) :] != wanted:
            return "Falco reads one of its values as something else, such as the name of a list"
        for outcome in self._outcomes_after(rule, entry, after):
            if outcome.failures:
                return f"the case '{outcome.case.name}' ({outcome.case.place}) would fail"
        was, now = self.before.engine().rules[rule], after.engine().rules[rule]
        for words, event in self.keep:
            if event.source == was.rule.source and was.test(event.fields) and not now.test(event.fields):
                return f"{words} would be silenced"
        compiled = after.loaded.compiler
        if next(Solver(compiled.tables[now.rule.source], compiled).solutions(compiled.rules[rule].node), None) is None:
            return "no event is found any more on which the rule fires"
        return None

    def _proven(
        self,
        rule: str,
        profiles: Counter[Profile],
        fields: tuple[str, ...],
        values_of: Mapping[tuple[str, ...], set[Profile]],
    ) -> Suggestion:
        """The exception of all rows, with what the evaluator says of it on the recording."""
        name = _free_name(self.before, rule, fields)
        entry = {"rule": rule, "exceptions": [{**_exception(fields, sorted(values_of)), "name": name}]}
        after = with_exceptions(self.loader, self.files, [entry])
        test = _last_exception(after, rule)
        silenced = {profile for profile in profiles if test(FieldMap(dict(zip(FIELDS, profile))))}
        meant = set().union(*values_of.values())
        others = sorted((silenced - meant), key=lambda profile: -profiles[profile])
        count = sum(profiles[profile] for profile in silenced)
        return Suggestion(
            rule,
            name,
            fields,
            tuple(sorted(values_of)),
            count,
            count / sum(profiles.values()),
            sum(profiles[profile] for profile in others),
            tuple(
                {key: value for key, value in zip(FIELDS, profile) if value is not None}
                for profile in others[:MAX_OTHERS]
            ),
            len({workload_of(profile) for profile in silenced}),
            self.passing if rule in self.tested.engine().rules else 0,
            sum(self.before.engine().rules[rule].test(event.fields) for _words, event in self.keep),
        )

    def _dead(self, noise: Noise) -> Iterator[Dead]:
        """One's own exceptions that no recorded alert of their rule meets."""
        compiler = self.before.loaded.compiler
        own = {file.name for file in self.own}
        for rule, compiled in compiler.rules.items():
            if rule not in noise.profiles:
                continue
            conditions = ConditionCompiler(compiler.tables[compiled.rule.source], compiler.macros)
            for exception, negation in exceptions_of(compiled):
                asked = [exception.fields.plain()] if not exception.fields.is_list else exception.fields.plain()
                if exception.context.file not in own or not set(asked) <= set(FIELDS):
                    continue  # it is not ours to remove, or the recording's counts do not tell
                test = conditions.compile(negation).test
                if all(test(FieldMap(dict(zip(FIELDS, profile)))) for profile in noise.profiles[rule]):
                    yield Dead(rule, exception.name)


def _groups(profiles: Counter[Profile]) -> list[tuple[set[Profile], int]]:
    """Alerts of one workload and program, the most frequent first."""
    found: dict[Profile, set[Profile]] = {}
    for profile in profiles:
        found.setdefault(profile[: len(IDENTITY) + len(PROGRAM)], set()).add(profile)
    counted = [(group, sum(profiles[profile] for profile in group)) for group in found.values()]
    return sorted(counted, key=lambda pair: (-pair[1], repr(sorted(map(repr, pair[0])))))


def _silenced(profiles: Iterable[Profile], fields: Sequence[str], rows: set[tuple[str, ...]]) -> set[Profile]:
    places = [FIELDS.index(name) for name in fields]
    return {profile for profile in profiles if tuple(profile[at] for at in places) in rows}


def _exception(fields: Sequence[str], rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    return {"fields": list(fields), "comps": ["="] * len(fields), "values": [list(row) for row in rows]}


def _entry(rule: str, fields: Sequence[str], rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    return {"rule": rule, "exceptions": [{"name": "suggested_trial", **_exception(fields, rows)}]}


def _meant(exception: Mapping[str, Any]) -> Node:
    """What an exception is to become in its rule's condition.

    Falco puts values into a condition as text, and programs are named by whoever runs them: `a)or(proc.pname=x` must
    not become a check of its own.
    """
    rows = tuple(
        And(tuple(Compare(Field(name), "=", Value(value)) for name, value in zip(exception["fields"], row)))
        for row in exception["values"]
    )
    return Not(Or(rows) if len(rows) > 1 else rows[0])


def _free_name(ruleset: Ruleset, rule: str, fields: Sequence[str]) -> str:
    taken = {one.name for one in ruleset.loaded.compiler.rules[rule].rule.exceptions}
    name = plain = "suggested_" + "_".join(_WORDS[field] for field in fields)
    number = 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    return name


def _last_exception(loaded: Loaded, rule: str) -> Test:
    """Whether a rule's last exception holds."""
    compiled = loaded.compiler.rules[rule]
    negation = exceptions_of(compiled)[-1][1]
    test = (
        ConditionCompiler(loaded.compiler.tables[compiled.rule.source], loaded.compiler.macros).compile(negation).test
    )
    return lambda fields: not test(fields)
