"""What a condition amounts to: for which events it can hold, its first refusal, what Falco warns of."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Macro
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.summary import Summarizer, Summary

from .tables import table

SUMMARIZER = Summarizer(table())
ALL = SUMMARIZER.all
OPEN = SUMMARIZER.codes(("open",))


def summary(text: str, macros: dict[str, str] | None = None, source: str = "syscall") -> Summary:
    summarizer = SUMMARIZER if source == "syscall" else Summarizer(table(source=source))

    def macro(node: Macro) -> Summary:
        return summarizer.summarize(parse((macros or {})[node.name]), macro)

    return summarizer.summarize(parse(text), macro)


def test_the_events_of_a_condition_and_of_its_negation() -> None:
    assert OPEN
    assert OPEN != ALL
    for text, events, negated in [
        ("evt.type = open", OPEN, ALL & ~OPEN),
        ("evt.type != open", ALL & ~OPEN, OPEN),
        ("not evt.type = open", ALL & ~OPEN, OPEN),
        ("evt.type in (open, open)", OPEN, ALL & ~OPEN),
        ("evt.type = open and proc.name = a", OPEN, ALL),
        ("evt.type = open or proc.name = a", ALL, ALL & ~OPEN),
        ("evt.type = open or evt.type != open", ALL, 0),
        ("evt.type = open or evt.type = open", OPEN, ALL & ~OPEN),
        ("evt.type = open and evt.type = open", OPEN, ALL & ~OPEN),
        ("fd.num = 0", ALL, ALL),
        ("opened and proc.name = a", OPEN, ALL),
        ("evt.type exists", ALL, 0),
        ("syscall.type exists", ALL, 0),
        ("proc.name exists", ALL, ALL),
        ("evt.type startswith op", ALL, ALL),
        ("tolower(proc.name) = open", ALL, ALL),
    ]:
        found = summary(text, {"opened": "evt.type = open"})
        assert (text, found.events, found.negated_events) == (text, events, negated)


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        ("= 0", False), ("== 0", False), ("= 1", None), ("!= 0", True), ("!= 1", None),
        ("< 0", False), ("< 1", False), ("< 2", None), ("<= 0", False), ("<= 1", None),
        ("> 0", True), ("> 1", None), (">= 0", True), (">= 1", True), (">= 2", None),
        ("in (0, ' 0')", False), ("in (0, 1)", None), ("in (0, x)", None), ("in ()", False), ("in zero", None),
        ("intersects (0)", None), ("= x", None), ("= val(fd.num)", None),
        # C reads as many bits as there are: -1 is the greatest number, and what is greater still is as great
        ("< -1", None), ("= -18446744073709551616", None), ("> 99999999999999999999", None),
    ],
)  # fmt: skip
def test_the_number_of_an_event_is_never_zero(check: str, holds: bool | None) -> None:
    """A ruleset switches a macro off with `evt.num = 0`: then no event is left to it."""
    found = summary(f"evt.num {check}")
    assert (found.events, found.negated_events) == ((ALL, ALL) if holds is None else (ALL, 0) if holds else (0, ALL))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch.field exists", "filter_check called with nonexistent field nosuch.field"),
        ("proc.name = a and evt.around exists", "filter syntax error: evt.around"),
        ("fd.num = x or nosuch.field = a", "x is not a valid number"),
        ("not fd.num = x", "x is not a valid number"),
        ("evt.type = opne", "unknown event type opne"),
        ("fd.num = 1", None),
    ],
)
def test_the_first_refusal_is_kept(text: str, message: str | None) -> None:
    failure = summary(text).failure
    assert (failure.message if failure else None) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("evt.type = val(proc.name)", "right-hand field comparisons on evt.type are not supported"),
        ("tolower(evt.type) = open", "event code search does not support `evt.type` checks with transformers"),
        (
            "join(',', (proc.name, evt.type)) = a",
            "event code search does not support `evt.type` checks with transformers",
        ),
        (
            "proc.name = a and tolower(evt.type) = open",
            "event code search does not support `evt.type` checks with transformers",
        ),
        (
            "tolower(evt.type) = open or proc.name = a",
            "event code search does not support `evt.type` checks with transformers",
        ),
        ("join(',', ()) = a", None),
        ("tolower(evt.type) exists", "event code search does not support `evt.type` checks with transformers"),
        ("join(',', (evt.type, proc.name)) = a", None),  # it looks at the last of a list alone
        ("tolower(evt.type) startswith op", None),
    ],
)
def test_an_event_type_that_falco_cannot_search_for_ends_it(text: str, message: str | None) -> None:
    assert summary(text).event_failure == message


@pytest.mark.parametrize(
    ("text", "unsafe"),
    [
        ("ka.verb = <NA>", True),
        ("ka.verb in (get, <NA>)", True),
        ("not ka.verb != <NA>", True),
        ("ka.verb = get or ka.verb = <NA>", True),
        ("ka.verb = <NA> and ka.verb = get", True),
        ("tolower(ka.verb) = <NA>", True),
        ("ka.verb = get or ka.verb = list", False),
        ("evt.type = <NA>", False),
        ("ka.verb startswith <NA>", False),
        ("ka.verb = get", False),
        ("ka.verb = val(ka.user.name)", False),
    ],
)
def test_an_audit_field_that_is_compared_with_the_word_for_no_value(text: str, unsafe: bool) -> None:
    assert summary(text, source="k8s_audit").unsafe_na is unsafe


def test_deprecated_fields_are_gathered_from_all_parts() -> None:
    assert summary("proc.name = a and evt.dir = <").deprecated == {"evt.dir"}
    assert summary("tolower(evt.dir) = a or evt.latency exists").deprecated == {"evt.dir", "evt.latency"}
    assert summary("concat(evt.dir, proc.name) = a").deprecated == {"evt.dir"}


def test_a_system_call_without_an_event_of_its_own_has_the_general_ones() -> None:
    names = SUMMARIZER.catalogue.syscalls
    without = next(name for name in sorted(names) if not SUMMARIZER.catalogue.events.get(name))
    assert SUMMARIZER.codes((without,)) == 3
    assert SUMMARIZER.codes((without, "open")) == OPEN | 3
    assert SUMMARIZER.codes(("nosuch",)) == 0


def test_warnings_are_gathered_in_order_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "proc.name regex ^a$ or proc.name = b or proc.name regex ^c$ or proc.name regex ^d$"
    monkeypatch.setattr(f"{Summarizer.__module__}.MAX_WARNINGS", 2)
    assert [message.split("'")[1] for _node, message in summary(text).warnings] == ["^a$", "^c$"]
