"""What follows from a condition without events: what can never hold, what always does, what implies what."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.logic import (
    MAX_PARTS,
    Facts,
    allowed_values,
    conjuncts,
    contradiction,
    matches_anything,
    truth,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Macro, Node
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text

from .tables import table

MACROS = {"shell": "proc.name in (sh, bash)", "self": "self or a", "both": "proc.name = a and proc.name = b"}


def resolve(name: str) -> Node | None:
    return parse(MACROS[name]) if name in MACROS else None


def parts(text: str) -> list[Node]:
    return conjuncts(parse(text), resolve)


def test_a_condition_is_split_into_what_must_hold() -> None:
    assert [to_text(part) for part in parts("a and (b and not (c or d)) and shell and not (not e)")] == [
        *("a", "b", "not c", "not d", "proc.name in (sh, bash)", "e"),
    ]
    assert [to_text(part) for part in parts("not (a and b)")] == ["not (a and b)"]


def test_of_a_condition_with_too_many_parts_the_rest_is_left_whole() -> None:
    rest = " and ".join(f"b{number}" for number in range(4))
    found = parts(" and ".join(f"a{number}" for number in range(MAX_PARTS)) + f" and ({rest})")
    assert len(found) == MAX_PARTS + 1
    assert to_text(found[-1]) == rest


def test_parts_that_wait_count_too() -> None:
    pairs = " and ".join(f"(a{number} and b{number})" for number in range(MAX_PARTS // 2 + 50))
    assert len(parts(pairs)) == MAX_PARTS + 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("proc.name = a", {"a"}),
        ("proc.name in (a, b)", {"a", "b"}),
        ("evt.is_io = true", {"true"}),
        ("proc.name != a", None),
        ("proc.name = val(proc.pname)", None),
        ("tolower(proc.name) = a", None),
        ("fd.num = 1", None),  # 1, 01 and +1 are the same number
        ("fd.types in (file)", None),
        ("proc.name in shells", None),
        ("proc.name pmatch (a, b)", None),
        ("proc.name != anyof (a)", None),
        ("proc.name = anyof (a, b)", {"a", "b"}),
        ("nosuch.field = a", None),
        ("evt.arg = a", None),  # Falco refuses it, since it says not which
        ("m", None),
    ],
)
def test_the_values_that_a_check_leaves(text: str, values: set[str] | None) -> None:
    found = allowed_values(parse(text), table())
    assert (set(found.values) if found else None) == values


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("proc.name = a and proc.name = b", False),
        ("proc.name in (a, b) and proc.name in (b, c)", None),
        ("proc.name in (a, b) and proc.name in (b, c) and proc.name = a", False),
        ("fd.num > 1 and not fd.num > 1", False),
        ("proc.name = a and not proc.name in (a, b)", False),
        ("proc.name in (a, c) and not proc.name in (a, b)", None),
        ("m and not m", False),
        ("a or not a", True),
        ("a or b", None),
        ("a or not b", None),
        ("not (a or not a)", False),
        # a field that is missing makes both false
        ("proc.name = a or proc.name != a", None),
        ("both", False),
        ("both or a", None),
        ("both or not both", True),
        ("(a or not a) and (b or not b)", True),
        ("both or both", False),
        ("proc.name in () and a", None),
        ("proc.name = a and not m", None),
        ("proc.name = a and not proc.pname = b", None),
        ("proc.name in (a, b) and not proc.name in (b, a)", False),
        ("self", None),
        ("not unknown", None),
    ],
)
def test_what_never_or_always_holds(text: str, holds: bool | None) -> None:
    assert truth(parse(text), table(), resolve) is holds


def test_a_contradiction_names_the_two_parts() -> None:
    for text, wanted in [
        ("m and proc.name = a and proc.name in (b, c)", ["proc.name = a", "proc.name in (b, c)"]),
        ("fd.num > 1 and m and not fd.num > 1", ["fd.num > 1", "not fd.num > 1"]),
        ("proc.name = a and not proc.name in (a, b)", ["proc.name = a", "not proc.name in (a, b)"]),
    ]:
        pair = contradiction(parts(text), table())
        assert pair is not None
        assert [to_text(one) for one in pair] == wanted
    assert contradiction(parts("m and proc.name = a"), table()) is None


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ("proc.name in (sh, bash)", True),
        ("fd.num > 1", True),
        ("fd.num > 0", False),  # of numbers nothing is told
        ("proc.name exists", True),
        ("fd.name exists", False),
        ("proc.name in (sh, bash, zsh)", True),
        ("proc.name intersects (sh, bash)", True),
        ("proc.name in (sh)", False),
        ("proc.name in shells", False),
        ("proc.name != zsh", True),
        ("proc.name != sh", False),
        ("proc.name contains s", True),
        ("proc.name icontains H", True),
        ("proc.name endswith sh", True),
        ("proc.name startswith b", False),
        ("proc.name glob *s?", True),
        ("proc.name glob *[s]?", False),  # a bracket may be read otherwise
        ("proc.name pmatch (sh, bash)", True),
        ("proc.name regex .*", False),
        ("proc.name = val(proc.pname)", False),
        ("proc.name contains anyof (s, x)", True),
        ("proc.name contains allof (s, h)", True),
        ("proc.name contains allof (s, b)", False),
        ("proc.name contains oneof (s, x)", False),  # exactly one, which is not counted
        ("proc.name contains anyof ()", False),
        ("proc.name contains allof ()", False),
        ("proc.name glob x*", False),
        ("proc.pname = sh", False),
        ("fd.num > 1 and proc.name exists", True),
        ("fd.num > 1 and m", False),
        ("m or proc.name exists", True),
        ("m or fd.name exists", False),
        ("m", False),
        ("not m", False),
    ],
)
def test_what_holds_wherever_the_facts_do(text: str, implied: bool) -> None:
    facts = Facts(parts("proc.name in (sh, bash, x) and proc.name in (sh, bash) and shell and fd.num > 1"), table())
    assert facts.imply(parse(text)) is implied


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ("fd.name = /etc/shadow", True),
        ("fd.name == /etc/shadow", True),
        ("fd.name = /etc", False),
        ("fd.name == /etc", False),
        ("fd.name pmatch (/etc/shadow)", True),
        ("fd.name pmatch (/etc)", True),
        ("fd.name pmatch (/etc/)", True),
        ("fd.name pmatch (/et)", False),
    ],
)
def test_what_one_value_implies(text: str, implied: bool) -> None:
    assert Facts(parts("fd.name in (/etc/shadow)"), table()).imply(parse(text)) is implied


def test_values_that_exclude_each_other_imply_nothing() -> None:
    facts = Facts(parts("proc.name = a and proc.name = b"), table())
    assert not facts.imply(parse("proc.name exists"))
    assert not facts.imply(parse("proc.name = c"))


@pytest.mark.parametrize(
    ("text", "anything"),
    [
        ("proc.name startswith ''", True),
        ("proc.name contains a", False),
        ("proc.name glob **", True),
        ("proc.name glob ''", False),
        ("proc.name iglob *a", False),
        ("proc.name = ''", False),
        ("proc.name = *", False),
        ("proc.name in ('')", False),
    ],
)
def test_a_check_that_holds_for_every_value(text: str, anything: bool) -> None:
    assert matches_anything(parse(text)) is anything


def test_a_macro_is_no_check() -> None:
    assert not matches_anything(Macro("m"))
