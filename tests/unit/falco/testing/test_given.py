"""Values of an event as a test file writes them: what they are read as, and how parts are merged."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.given import (
    fields_of,
    is_field_map,
    merged,
    plain,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import Yaml

from .rulesets import LOADER


def node(text: str) -> Yaml:
    (document,) = read_documents(text)
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("1_0", "1_0"),
        ("5.", "5."),
        ("nan", "nan"),
        ("'7'", "7"),
        ('"true"', "true"),
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("[1, ~, {a: b}]", [1, None, {"a": "b"}]),
    ],
)
def test_an_event_as_it_was_recorded_has_values_as_json_has_them(text: str, value: Any) -> None:
    found = plain(node(f"- {text}"))[0]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fd.num: 7", 7),
        ("fd.num: -7", -7),
        ("proc.name: 7", "7"),
        ("proc.name: ~", None),
        ("proc.is_exe_writable: true", True),
        ("proc.is_exe_writable: false", False),
        ("fd.sip: 192.0.2.1", "192.0.2.1"),
        ("fd.sport: 80", 80),
        ("evt.rawres: 0", 0),
        ("fd.dev: fd00", "fd00"),
    ],
)
def test_a_field_has_a_value_of_its_type(text: str, value: Any) -> None:
    (found,) = fields_of(node(text), LOADER.tables["syscall"]).values()
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "fields"), [("{a.b: 1, c.d: 2}", True), ("{a.b: 1, kind: Event}", False), ("[a.b]", False), ("{}", True)]
)
def test_a_field_map_has_a_dot_in_each_key(text: str, fields: bool) -> None:
    assert is_field_map(node(text)) is fields


@pytest.mark.parametrize(
    ("before", "after", "both"),
    [
        ({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "e": 5}, {"a": {"b": 1, "c": 4}, "d": 3, "e": 5}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_a_later_part_says_what_it_says_otherwise(before: Any, after: Any, both: Any) -> None:
    assert merged(before, after) == both
