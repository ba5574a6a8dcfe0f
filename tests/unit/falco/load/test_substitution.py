"""Names of lists replaced in a condition, and exceptions joined to it: the text that Falco parses."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.substitution import (
    Lists,
    substitute,
    with_exceptions,
)


@pytest.mark.parametrize(
    ("condition", "text", "replaced"),
    [
        ("l", "x", "x "),
        ("l or a", "x", "x or a"),
        ("l = a ", "x", "x = a "),
        ("a = l", "x", "a = x "),
        ("a in (l)", "x, y", "a in ( x, y )"),
        ("(l)", "x", "( x )"),
        ("a  in  (b,  l  , c)", "x", "a  in  (b, x , c)"),
        ("a in (sl, ls, l)", "x", "a in (sl, ls, x )"),
        ("a in (l,l)", "l", "a in ( l , l )"),
        # with nothing in a list a comma goes, too: the one before, or else that behind
        ("a in (b, l)", "", "a in (b  )"),
        ("a in (l, b)", "", "a in (   b)"),
        (",l", "", " "),
        ("l,", "", " "),
        ("a in (ll)", "x", None),
        ("a", "x", None),
    ],
)
def test_a_name_is_replaced_where_it_stands_by_itself(condition: str, text: str, replaced: str | None) -> None:
    assert substitute(condition, "l", text) == replaced


@pytest.mark.parametrize(
    ("items", "condition", "replaced"),
    [
        ({"a b": ["x"]}, "in (a b)", "in ( x )"),
        ({"": ["x"]}, "in ()", "in ()"),
        ({"l": ["", "x y", "", "z"]}, "in (l)", 'in ( "x y", , z )'),
        ({"l": ["'x y'", '"z"']}, "in (l)", "in ( 'x y', \"z\" )"),
        # a list that comes later is seen in what an earlier one was replaced by
        ({"l": ["m"], "m": ["x"]}, "in (l)", "in ( x )"),
        ({"m": ["x"], "l": ["m"]}, "in (l)", "in ( m )"),
    ],
)
def test_lists_are_replaced_in_their_order(items: dict[str, list[str]], condition: str, replaced: str) -> None:
    assert Lists(items, set()).apply(condition) == replaced


@pytest.mark.parametrize(
    ("exception", "joined"),
    [
        ("fields: [proc.name, fd.name], values: [[a b, c]]", '(( proc.name = "a b" and  fd.name = c))'),
        ("fields: [proc.name], comps: [in], values: [[[a b, c]], [(d)], [e]]",
         '(( proc.name in ("a b", c)) or ( proc.name in (d)) or ( proc.name in (e)))'),
        ("fields: proc.name, values: [a b, c]", '(proc.name in ("a b", c))'),
        ("fields: proc.name, comps: pmatch, values: [/a]", "(proc.name pmatch (/a))"),
    ],
)  # fmt: skip
def test_values_of_exceptions_are_quoted_where_they_need_it(exception: str, joined: str) -> None:
    rule = "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
    loaded = load([RulesFile("f", f"{rule}  exceptions: [{{name: e, {exception}}}]\n")])
    assert loaded.successful
    assert with_exceptions(loaded.collector.rules["R"]) == f"(evt.type = open) and not {joined}"
