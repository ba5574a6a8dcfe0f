"""Reading of variables by their declared types: every text means its value, what is none is refused by name."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.role_variable import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError, read_variable
from hypothesis import given
from hypothesis import strategies as st

role_variable = FilterModule().filters()["role_variable"]
ENTRY = {
    "name": {"type": "str", "required": True},
    "replicas": {"type": "int", "default": 1},
    "driver": {"type": "str", "choices": ["kmod", "auto"]},
    "nodes": {"type": "list", "elements": "str"},
}
ENTRIES = {"type": "list", "elements": "raw", "options": ENTRY, "default": []}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        *[({"type": "bool"}, word, True) for word in ("true", "True", "yes", "on", "1", " TRUE ")],
        *[({"type": "bool"}, word, False) for word in ("false", "False", "no", "off", "0", "n")],
        ({"type": "bool"}, 1, True),
        ({"type": "int"}, "4", 4),
        ({"type": "int"}, " -4 ", -4),
        ({"type": "float"}, "0.1", 0.1),
        ({"type": "float"}, 2, 2.0),
        ({"type": "str"}, 30, "30"),
        ({"type": "str"}, "", ""),
        ({"type": "str", "choices": ["off", "server"]}, False, "off"),
        ({"type": "list"}, '[{"a": 1}]', [{"a": 1}]),
        ({"type": "list"}, "[{'a': None, 'b': True}]", [{"a": None, "b": True}]),
        ({"type": "list", "elements": "str"}, "a, b", ["a", "b"]),
        ({"type": "list", "elements": "str"}, "a", ["a"]),
        ({"type": "list", "elements": "str"}, ["a", 5], ["a", "5"]),
        ({"type": "list", "elements": "int"}, ["5"], [5]),
        ({"type": "dict"}, '{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ({"type": "dict"}, "{'a': 'it\\'s'}", {"a": "it's"}),
        (
            ENTRIES,
            '[{"name": "a", "replicas": "2", "nodes": "x,y"}]',
            [{"name": "a", "replicas": 2, "nodes": ["x", "y"]}],
        ),
        ({"type": "raw"}, "[1]", "[1]"),
        (ENTRIES, [{"name": "a", "replicas": None}], [{"name": "a", "replicas": None}]),
    ],
)
def test_a_text_means_its_value(kind: dict[str, Any], text: Any, value: Any) -> None:
    found = read_variable("v", text, kind)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("nothing", [None, "", "  "])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"type": "int", "default": 4}, 4),
        ({"type": "bool", "default": True}, True),
        ({"type": "float"}, None),
        ({"type": "list", "default": ["a"]}, []),
        ({"type": "list"}, None),
        ({"type": "dict", "default": {}}, {}),
    ],
)
def test_nothing_is_what_is_declared_for_it(nothing: Any, option: dict[str, Any], value: Any) -> None:
    assert read_variable("v", nothing, option) == value


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ({"type": "bool"}, "maybe", "v: must be true or false, not a string that is none."),
        ({"type": "bool"}, 2, "v: must be true or false, not a number."),
        ({"type": "bool"}, [], "v: must be true or false, not a list."),
        ({"type": "int"}, "two", "v: must be a whole number, not a string that is none."),
        ({"type": "int"}, "4.5", "v: must be a whole number"),
        ({"type": "int"}, 4.5, "v: must be a whole number, not a number."),
        ({"type": "int"}, True, "v: must be a whole number, not a boolean."),
        ({"type": "float"}, "nan", "v: must be a number"),
        ({"type": "float"}, False, "v: must be a number, not a boolean."),
        ({"type": "str"}, True, "v: must be a string, in quotes, not a boolean."),
        ({"type": "str"}, ["a"], "v: must be a string, not a list."),
        ({"type": "list"}, "a,b", "v: must be a list, or one as JSON, not a string that is none."),
        ({"type": "list"}, {"a": 1}, "v: must be a list, or one as JSON, not a mapping."),
        ({"type": "list", "elements": "str"}, "[1", "v: must be a list, not a string that is none."),
        ({"type": "list", "elements": "str"}, [["a"]], "v[0]: must be a string, not a list."),
        ({"type": "dict"}, "a=b", "v: must be a mapping, or one as JSON, not a string that is none."),
        ({"type": "dict"}, "[1]", "v: must be a mapping"),
        ({"type": "dict"}, "__import__('os')", "v: must be a mapping"),
        (
            {"type": "str", "choices": ["kmod", "auto"]},
            "kmodd",
            "v: must be one of kmod, auto, not 'kmodd'. Did you mean kmod?",
        ),
        ({"type": "str", "choices": ["a"], "no_log": True}, "planted", "v: must be one of a."),
        (ENTRIES, [{"nmae": "a"}], "v[0].nmae: is unknown. Did you mean name?"),
        (ENTRIES, [{"replicas": 1}], "v[0].name: is missing."),
        (ENTRIES, ["a"], "v[0]: must be a mapping"),
        (ENTRIES, [{"name": "a"}, None], "v[1]: is empty; write what it is, or take its dash away."),
        (ENTRIES, [""], "v[0]: is empty"),
        ({"type": "list", "elements": "str"}, ["a", None], "v[1]: is empty"),
        (
            {**ENTRIES, "options": {"words": {"type": "list", "required": True}}},
            [{"words": ""}],
            "v[0].words: is missing.",
        ),
        (ENTRIES, '[{"name": "a", "replicas": "many"}]', "v[0].replicas: must be a whole number"),
        (ENTRIES, [{"name": "a", "driver": "ebpf"}], "v[0].driver: must be one of kmod, auto, not 'ebpf'."),
    ],
)
def test_what_is_no_such_value_is_refused_by_name(option: dict[str, Any], value: Any, told: str) -> None:
    with pytest.raises(VariableError) as error:
        read_variable("v", value, option)
    assert told in str(error.value)


def test_all_problems_of_a_variable_are_told_at_once() -> None:
    with pytest.raises(VariableError) as error:
        read_variable("v", [{"nmae": "a"}, {"name": "b", "replicas": "x"}], ENTRIES)
    assert len(error.value.problems) == 3


@pytest.mark.parametrize("kind", ["bool", "int", "float", "list", "dict"])
def test_no_value_is_told(kind: str) -> None:
    with pytest.raises(VariableError) as refused:
        read_variable("v", "{'a': 'planted'", {"type": kind})
    assert "planted" not in str(refused.value)
    assert refused.value.__cause__ is refused.value.__context__ is None


def test_no_secret_is_told_by_the_filter() -> None:
    with pytest.raises(
        AnsibleFilterError, match="falco_outputs: must be a mapping, or one as JSON, not a string"
    ) as error:
        role_variable("{'slack': 'planted'", "falco_outputs")
    assert "planted" not in str(error.value)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TYPED = {
    "bool": st.booleans(),
    "int": st.integers(-(10**17), 10**17),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "list": st.lists(plain, max_size=3),
    "dict": st.dictionaries(st.text(), plain, max_size=3),
}


@pytest.mark.parametrize("kind", sorted(TYPED))
@given(data=st.data())
def test_a_value_survives_its_text(kind: str, data: st.DataObject) -> None:
    value = data.draw(TYPED[kind])
    for text in (value, json.dumps(value), repr(value)):
        assert read_variable("v", text, {"type": kind, "default": value}) == value


@given(
    value=plain, kind=st.sampled_from([*TYPED, "str", "raw"]), elements=st.sampled_from(["str", "int", "dict", "raw"])
)
def test_any_value_is_of_its_type_or_refused(value: Any, kind: str, elements: str) -> None:
    types = {"bool": bool, "int": int, "float": float, "list": list, "dict": dict, "str": str, "raw": object}
    try:
        found = read_variable("v", value, {"type": kind, "elements": elements})
    except VariableError as error:
        assert all(problem.startswith("v") for problem in error.problems)
    else:
        assert found is None or isinstance(found, types[kind])
        assert not isinstance(found, float) or math.isfinite(found) or kind == "raw"


def test_a_variable_of_no_role_is_a_mistake_of_the_author() -> None:
    with pytest.raises(AnsibleFilterError, match="no role of this collection declares falco_nonsense"):
        role_variable(1, "falco_nonsense")


def test_the_longest_role_name_is_the_variables_role() -> None:
    assert role_variable("a,b", "falco_rules_disabled") == ["a", "b"]
    assert role_variable("a,b", "falco_rule_files") == ["a", "b"]


def test_a_roles_own_variables_are_those_that_it_declares() -> None:
    names = ["falco_outputs", "falco_rules_disabled", "falco_of_ours", "falco_evidence"]
    assert FilterModule().filters()["role_variables"](names, "falco") == ["falco_outputs"]
    with pytest.raises(AnsibleFilterError, match="has no role falcon"):
        FilterModule().filters()["role_variables"](names, "falcon")
