"""The compiled evaluator and the reference are of one mind, on conditions and events of every kind."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.checks import check_compare, check_exists
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
    TransformerList,
    Value,
    ValueList,
    walk,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import CheckError, EngineAbortError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.conditions import ConditionCompiler
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import FieldMap
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.reference import reference_holds
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.compiler import CompiledMacro
from hypothesis import assume, given, settings
from hypothesis import strategies as st

TABLES = {name: FieldTable(catalogue(), source) for name, source in catalogue().sources.items()}
# few letters, so that values and constants meet; bytes that are no UTF-8 stand as lone surrogates in constants
LETTERS = st.sampled_from(["a", "b", "A", "/", "*", "?", ".", "-", "é", "=", "[a]", "YQ", "YWE", "\\", "\n"])
TEXT = st.lists(LETTERS, max_size=4).map("".join)
ODD_TEXT = st.one_of(TEXT, st.just("\udcc3"), st.just("é"))
TEXT_FIELDS = ("proc.name", "proc.exe", "fd.name", "evt.arg.path", "proc.args[1]")
NUMBER_FIELDS = ("proc.pid", "proc.ppid", "user.uid", "fd.num", "evt.rawres", "proc.duration")
BOOL_FIELDS = ("evt.failed", "fd.is_server")
ADDRESS_FIELDS = ("fd.sip", "fd.cip")
NET_FIELDS = ("fd.snet", "fd.net", "fd.ip")
PORT_FIELDS = ("fd.sport", "fd.port")
LIST_FIELDS = ("fd.types",)
OTHER_FIELDS = ("evt.buffer", "thread.cpu", "proc.aname", "proc.apid", "evt.time", "evt.rawarg.res",
    "evt.rawarg.path", "evt.rawarg.data")  # fmt: skip
FIELDS = (
    *TEXT_FIELDS, *NUMBER_FIELDS, *BOOL_FIELDS, *ADDRESS_FIELDS, *NET_FIELDS, *PORT_FIELDS, *LIST_FIELDS, *OTHER_FIELDS
)  # fmt: skip
SMALL = st.integers(-2, 3)
ADDRESS = st.sampled_from(["10.0.0.1", "10.0.1.1", "192.168.0.1", "::1", "2001:db8::1", "2001:db8:1::1"])
RECORDED: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXT_FIELDS, TEXT),
    **dict.fromkeys(NUMBER_FIELDS, SMALL),
    **dict.fromkeys(BOOL_FIELDS, st.booleans()),
    **dict.fromkeys(ADDRESS_FIELDS, ADDRESS),
    "fd.sport": st.integers(0, 3),
    "fd.cport": st.integers(0, 3),
    "fd.types": st.lists(TEXT, max_size=3),
    "evt.buffer": TEXT,
    "thread.cpu": st.sampled_from([0, 1, 1.5, 2]),
    "proc.aname[1]": TEXT,
    "proc.aname[2]": TEXT,
    "proc.apid[1]": SMALL,
    "proc.apid[2]": SMALL,
    "evt.time": st.just(1_000_000_000),
    "evt.rawarg.res": SMALL,
    "evt.rawarg.path": TEXT,
    "evt.rawarg.data": TEXT,
}
EVENT = st.fixed_dictionaries({}, optional=RECORDED).map(FieldMap)

FIELD = st.sampled_from(FIELDS).map(
    lambda text: Field(text.split("[")[0], text.split("[")[1][:-1] if "[" in text else None)
)
CONSTANT = st.one_of(
    ODD_TEXT,
    SMALL.map(str),
    ADDRESS,
    ADDRESS.flatmap(lambda a: st.sampled_from([f"{a}/8", f"{a}/24", f"{a}/32"])),
    st.sampled_from(["true", "false", "http", "61", "6162", "00:00:01.000000000", "1", "18446744073709551615"]),
)


def _transformers(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    single = st.builds(
        lambda name, arg: Transformer(name, (arg,)),
        st.sampled_from(("tolower", "toupper", "b64", "basename", "len")),
        inner,
    )
    constant = TEXT.map(Value)
    listed = st.lists(st.one_of(inner, constant), max_size=3).map(lambda items: TransformerList(tuple(items)))
    return st.one_of(
        single,
        st.builds(lambda a, b: Transformer("join", (a, b)), st.one_of(constant, inner), st.one_of(listed, inner)),
        st.lists(st.one_of(constant, inner), min_size=2, max_size=3).map(lambda a: Transformer("concat", tuple(a))),
        st.builds(
            lambda a, b, option: Transformer("getopt", (a, b), option),
            st.one_of(
                listed,
                st.sampled_from([("-a", "b"), ("-ab", "-b"), ("-b",)]).map(
                    lambda words: TransformerList(tuple(map(Value, words)))
                ),
            ),
            st.sampled_from(["a", "ab:", ":a:b", "b"]).map(Value),
            st.sampled_from([None, "a", "b"]),
        ),
    )


OPERAND = st.recursive(FIELD, _transformers, max_leaves=4)
RIGHT = st.one_of(FIELD.map(lambda field: Transformer("val", (field,))), _transformers(FIELD))
PATTERN = st.sampled_from(
    [
        "a",
        "a*",
        ".*",
        "[ab]+",
        "(a|b)*a",
        "^a$",
        "a.b",
        "[^a]",
        "a{1,2}",
        "(ab?)+",
        "[[:alpha:]]+",
        "a$\n^b",
        "",
        "é",
        "\\.",
    ]
)
STRINGS = (
    "=",
    "==",
    "!=",
    "glob",
    "iglob",
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "bcontains",
    "bstartswith",
)
CHECK = st.one_of(
    st.builds(Exists, OPERAND),
    st.builds(Compare, OPERAND, st.sampled_from(STRINGS), st.one_of(CONSTANT.map(Value), RIGHT)),
    st.builds(Compare, OPERAND, st.just("regex"), PATTERN.map(Value)),
    st.builds(Compare, OPERAND, st.sampled_from(("<", "<=", ">", ">=")), st.one_of(SMALL.map(str).map(Value), RIGHT)),
    st.builds(
        Compare,
        OPERAND,
        st.sampled_from(("in", "intersects", "pmatch")),
        st.one_of(st.lists(CONSTANT, max_size=3).map(lambda v: ValueList(tuple(v))), RIGHT),
    ),
    st.builds(
        Compare,
        OPERAND,
        st.builds("{} {}".format, st.sampled_from(STRINGS), st.sampled_from(("oneof", "anyof", "allof"))),
        st.lists(CONSTANT, max_size=3).map(lambda values: ValueList(tuple(values))),
    ),
    st.builds(
        Compare,
        OPERAND,
        st.builds("regex {}".format, st.sampled_from(("oneof", "anyof", "allof"))),
        st.lists(PATTERN, max_size=3).map(lambda values: ValueList(tuple(values))),
    ),
)


def acceptable(node: Node) -> bool:
    """Whether the loader accepts every comparison of a condition."""
    for part in walk(node):
        try:
            if isinstance(part, Compare):
                check_compare(TABLES["syscall"], part, [])
            elif isinstance(part, Exists):
                check_exists(TABLES["syscall"], part)
        except (CheckError, EngineAbortError):
            return False
    return True


def _compound(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(inner, min_size=2, max_size=5).map(tuple)
    return st.one_of(st.builds(And, many), st.builds(Or, many), st.builds(Not, inner), st.just(Macro("m")))


ACCEPTED = CHECK.filter(acceptable)
CONDITION = st.recursive(ACCEPTED, _compound, max_leaves=6)


class _Parsed:
    def __init__(self, node: Node) -> None:
        self.node = node


class _Macro(CompiledMacro):
    def __init__(self, node: Node) -> None:
        self.parsed = _Parsed(node)  # type: ignore[assignment]  # only its node is read


def both(node: Node, macros: dict[str, CompiledMacro], event: FieldMap) -> tuple[bool, bool]:
    table = TABLES["syscall"]
    compiled = ConditionCompiler(table, macros).compile(node).test(event)
    return compiled, reference_holds(table, macros, node, event)


@settings(max_examples=300, deadline=None)
@given(ACCEPTED, st.lists(EVENT, min_size=1, max_size=4))
def test_comparisons_hold_where_the_reference_says(node: Node, events: list[FieldMap]) -> None:
    for event in events:
        compiled, expected = both(node, {}, event)
        assert compiled is expected, to_text(node)


@settings(max_examples=100, deadline=None)
@given(CONDITION, ACCEPTED, EVENT)
def test_conditions_hold_where_the_reference_says(node: Node, macro: Node, event: FieldMap) -> None:
    compiled, expected = both(node, {"m": _Macro(macro)}, event)
    assert compiled is expected, to_text(node)


@settings(max_examples=50, deadline=None)
@given(ACCEPTED)
def test_the_printed_comparison_is_the_same_comparison(node: Node) -> None:
    text = to_text(node)
    assume("\udcc3" not in text)
    assert parse(text) == node
