"""Conditions: the grammar with its leniencies, trees printed and read again, spans, depth."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    Value,
    ValueList,
    walk,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse, parse_operand
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import ConditionSyntaxError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nesting import deep_nesting
from hypothesis import given, settings
from hypothesis import strategies as st

from ..conditions import CONDITION


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("existsand", Macro("existsand")),
        ("fd.name existsand x", And((Exists(Field("fd.name")), Macro("x")))),
        ("fd.num<5and x", And((Compare(Field("fd.num"), "<", Value("5")), Macro("x")))),
        ("a.b contains oneof", Compare(Field("a.b"), "contains", Value("oneof"))),
        ("a.b contains oneof (x)", Compare(Field("a.b"), "contains oneof", ValueList(("x",)))),
        ("a.b = oneof and", Compare(Field("a.b"), "=", Value("oneof"))),
        ("and and or or not", Or((And((Macro("and"), Macro("or"))), Macro("not")))),
        ("not not x", Macro("x")),
        ("not(x)and(y)or(z)", Or((And((Not(Macro("x")), Macro("y"))), Macro("z")))),
        ("a.b in(c, 'd e')", Compare(Field("a.b"), "in", ValueList(("c", "d e")))),
        ("a.b inc", Compare(Field("a.b"), "in", Value("c"))),
        ('a.b["c d"] = 1', Compare(Field("a.b", "c d"), "=", Value("1"))),
        ("a.b = val(c.d)", Compare(Field("a.b"), "=", Transformer("val", (Field("c.d"),)))),
        ("concat(a.b,c.d) = x", Compare(Transformer("concat", (Field("a.b"), Field("c.d"))), "=", Value("x"))),
        ('a.b = "\\x41\\"\\n"', Compare(Field("a.b"), "=", Value('A"\n'))),
        ('a.b in ("\\q")', Compare(Field("a.b"), "in", ValueList(()))),
    ],
)
def test_grammar(text: str, tree: Node) -> None:
    if text == "a.b = oneof and":
        with pytest.raises(ConditionSyntaxError):
            parse(text)
        return
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("", 0),
        ("a.b", 3),
        ("a.b = ", 6),
        ("a.b < x", 6),
        ("(a", 2),
        ("a orb", 4),
        ("a b", 2),
        ("a.b = '", 6),
        ("a.b[", 4),
        ("a.b['c = 1", 4),
        ("a.b[c d] = 1", 5),
        ("a.b = val(5)", 10),
        ("a.b = val(c.d e)", 14),
        ("a.b = val(c.d", 13),
        ("a.b in (c, )", 11),
        ("a.b in (c d)", 10),
        ("a.b in 5", 7),
        ("a.b contains anyof 5", 19),
        ("tolower(a.b c) = d", 12),
        ("join(',', (a.b c)) = d", 15),
        ("join(',', (a.b, )) = d", 16),
        ("tolower('a) = b", 8),
        ("m and", 5),
        ("m andn", 5),
        ("a.b =oneof (x)", 11),
    ],
)
def test_refusals_say_where(text: str, index: int) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(text)
    assert caught.value.index == index


#: What makes a level deeper by so many.
DEEPER = {5: "(", 4: "not(", 3: "m and(", 2: "m or("}


def beneath(levels: int, text: str) -> tuple[str, int]:
    """A condition whose part *text* begins so many levels above Falco's bound of 1000, and where it begins."""
    fives, rest = divmod(1000 - levels - 2, 5)
    steps = [5] * fives + [rest] if rest != 1 else [5] * (fives - 1) + [4, 2]
    ways = [DEEPER[step] for step in steps if step]
    return "".join(ways) + text + ")" * len(ways), sum(map(len, ways))


@pytest.mark.parametrize(
    ("text", "refused_at"),
    [
        ("m", (0, 0)),
        ("not m", (0, 0)),
        ("(m)", (0, 0, 1, 1, 1, 1, 1)),
        ("( m)", (0, 0, 1, 2, 2, 2, 2)),
        ("not( m)", (0, 0, 5, 5, 5, 5)),
        ("m and( m)", (0, 0, 7, 7, 7)),
        ("m or( m)", (0, 0, 6, 6)),
        ("m and (m)", (0, 0, 7, 7, 7, 7, 7)),
        ("m or (m)", (0, 0, 6, 6, 6, 6, 6)),
        ("a.b exists", (0, 0, 3)),
        ("a.b  exists", (0, 0, 3)),
        ("a.b =  x", (0, 0, 3, 7, 7)),
        ("a.b =  'x'", (0, 0, 3, 7, 7)),
        ("a.b <  5", (0, 0, 3, 5, 7)),
        ("a.b in  x", (0, 0, 3, 6, 8)),
        ("a.b in ( x)", (0, 0, 3, 6, 9)),
        ("a.b in (x,  y)", (0, 0, 3, 6, 8)),
        ("a.b contains oneof  x", (0, 0, 3, 20)),
        ("a.b contains oneof ( x)", (0, 0, 3, 19, 21)),
        ("a.b =  val( c.d)", (0, 0, 3, 7, 7, 15)),
        ("a.b <  val( c.d)", (0, 0, 3, 5, 7, 15)),
        ("a.b in  val( c.d)", (0, 0, 3, 6, 8, 16)),
        ("a.b =  tolower( c.d)", (0, 0, 3, 7, 7, 16, 16, 19)),
        ("a.b[c]  exists", (0, 0, 3)),
        ("tolower( a.b) exists", (0, 0, 9, 9, 12)),
        ("tolower( tolower( a.b)) exists", (0, 0, 9, 9, 17, 17, 21)),
        ("tolower( 5) exists", (0, 0, 9, 9)),
        ("tolower( ()) exists", (0, 0, 9, 9)),
        ("tolower( ( a.b)) exists", (0, 0, 9, 9, 14)),
        ("tolower( ( tolower( a.b))) exists", (0, 0, 9, 9, 19, 19, 23)),
        ("tolower( 5,  a.b) exists", (0, 0, 9, 9, 16)),
    ],
)
def test_depth_is_bounded_as_in_falco(text: str, refused_at: tuple[int, ...]) -> None:
    """Where each form is refused with one level left, with two and so on, until it is accepted."""
    for levels, offset in enumerate(refused_at, 1):
        condition, begin = beneath(levels, text)
        with pytest.raises(ConditionSyntaxError) as caught:
            parse(condition)
        assert caught.value.index - begin == offset
    parse(beneath(len(refused_at) + 1, text)[0])


def test_what_is_too_deep_says_so() -> None:
    assert parse("(" * 198 + "m" + ")" * 198) == Macro("m")
    for depth in (200, 10_000):
        with pytest.raises(ConditionSyntaxError, match="exceeded max depth limit of 1000"):
            parse("(" * depth + "m" + ")" * depth)


def test_spans_point_at_the_text() -> None:
    text = "evt.type = open and not (proc.name in (a, b) or m)"
    spans = {type(node).__name__: text[node.start : node.end].strip() for node in walk(parse(text))}
    assert spans["ValueList"] == "(a, b)"
    assert spans["Macro"] == "m"
    assert spans["Not"] == "not (proc.name in (a, b) or m)"


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        (
            "join(',', (a.b, 5))[x] = 'y z'",
            ["join(',', (a.b, 5))[x] = 'y z'", "join(',', (a.b, 5))[x]", "','", "(a.b, 5)", "a.b", "5", "'y z'"],
        ),
        ("join(',', ()) = z", ["join(',', ()) = z", "join(',', ())", "','", "()", "z"]),
        (
            "a.b < val(c.d) and a.b in (x)",
            ["a.b < val(c.d) and a.b in (x)", "a.b < val(c.d)", "a.b", "val(c.d)", "c.d"],
        ),
        ("m or not (a.b in (c))", ["m or not (a.b in (c))", "m", "not (a.b in (c))", "a.b in (c)", "a.b", "(c)"]),
    ],
)
def test_each_part_stands_where_it_is_read(text: str, spans: list[str]) -> None:
    assert [text[node.start : node.end] for node in walk(parse(text))][: len(spans)] == spans


@pytest.mark.parametrize(
    ("text", "node", "end"),
    [
        ("proc.aname[1] and more", Field("proc.aname", "1"), 13),
        ("len(proc.name)s", Transformer("len", (Field("proc.name"),)), 14),
    ],
)
def test_an_operand_is_read_from_the_start_and_what_follows_is_left(text: str, node: Node, end: int) -> None:
    found, after = parse_operand(text)
    assert (found, found.start, found.end, after) == (node, 0, end, end)


@pytest.mark.parametrize("text", ["1proc.name", " proc.name", "proc", ""])
def test_what_is_no_operand_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse_operand(text)
    assert caught.value.index == 0


def test_the_transformers_of_an_operand_are_bounded_as_those_of_a_check() -> None:
    def nested(levels: int) -> str:
        return "len(" * levels + "a.b" + ")" * levels

    with deep_nesting():
        assert parse_operand(nested(498))[1] == len(nested(498))
        for parsed in (lambda: parse_operand(nested(499)), lambda: parse(nested(498) + " = 1")):
            with pytest.raises(ConditionSyntaxError, match="exceeded max depth"):
                parsed()
        parse(nested(497) + " = 1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b = ", "expected a string value or a field with a valid transformer"),
        ("a.b in (c, )", "expected a string value"),
    ],
)
def test_a_transformer_is_offered_only_where_one_may_stand(text: str, expected: str) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(text)
    assert caught.value.message == expected


@given(CONDITION)
@settings(max_examples=300, deadline=None)
def test_printing_and_parsing_again_gives_the_same_tree(node: Node) -> None:
    once = parse(to_text(node))
    assert parse(to_text(once)) == once


@given(CONDITION)
@settings(max_examples=100, deadline=None)
def test_what_is_printed_means_the_tree(node: Node) -> None:
    """Up to what the grammar folds: a negated negation, nested conjunctions."""
    assert to_text(parse(to_text(node))) == to_text(node)


@given(st.text(alphabet="ab.()[]'\"=<>, \t\n\\\0éornotandiexs5%", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse(text)
    except ConditionSyntaxError as error:
        assert 0 <= error.index <= len(text)
