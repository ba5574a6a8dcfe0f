"""Plugins that are described by hand, and what a version knows of events and words."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue import falco_0_44 as data
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import (
    FieldInfo,
    Plugin,
    catalogue,
    catalogue_before,
    described_plugins,
    plugin_from_mapping,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.language import language_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import CheckError, FalcoError


def field(**said: Any) -> FieldInfo:
    (info,) = plugin_from_mapping({"name": "bell", "fields": [{"name": "bell.x", **said}]}).fields
    return info


def test_a_description_that_says_no_more_than_a_name() -> None:
    bare = Plugin("bell", "0.0.0")
    empty = {"version": None, "source": "", "fields": None, "extracts": None, "events": None}
    assert plugin_from_mapping({"name": "bell"}) == plugin_from_mapping({"name": "bell", **empty}) == bare
    assert field() == field(type=None, argument=None) == FieldInfo("bell.x", "charbuf", origin="bell")


@pytest.mark.parametrize(
    ("said", "info"),
    [
        ({"type": "string"}, FieldInfo("bell.x", "charbuf", origin="bell")),
        ({"type": "uint64", "list": True}, FieldInfo("bell.x", "uint64", is_list=True, origin="bell")),
        ({"argument": "none"}, FieldInfo("bell.x", "charbuf", origin="bell")),
        ({"argument": "index"}, FieldInfo("bell.x", "charbuf", "optional", index=True, origin="bell")),
        ({"argument": "Key, required"}, FieldInfo("bell.x", "charbuf", "required", key=True, origin="bell")),
    ],
)
def test_a_field_as_it_is_described(said: dict[str, Any], info: FieldInfo) -> None:
    assert field(**said) == info


@pytest.mark.parametrize("descriptions", ["bell", {"name": "bell"}, 5, None])
def test_descriptions_that_are_no_list_are_refused(descriptions: Any) -> None:
    with pytest.raises(FalcoError, match="list of mappings"):
        described_plugins(descriptions)


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ({"name": "bell", "fields": "x"}, "'fields' is a list; this one is str"),
        ({"name": "bell", "events": 5}, "'events' is a list; this one is int"),
        ({"name": "bell", "fields": [{"name": "x", "argument": "index perhaps"}]}, "argument 'index perhaps'; words"),
        ({"name": "bell", "fields": [{"name": "x", "type": "int"}]}, "has type 'int'; types are string, "),
    ],
)
def test_what_a_description_cannot_have_is_refused(description: dict[str, Any], told: str) -> None:
    with pytest.raises(FalcoError, match=told):
        plugin_from_mapping(description)


def table(argument: str) -> FieldTable:
    described = plugin_from_mapping({"name": "bell", "fields": [{"name": "bell.x", "argument": argument}]})
    known = catalogue().with_plugins([described])
    return FieldTable(known, known.sources["syscall"])


@pytest.mark.parametrize(
    ("argument", "text"),
    [("index", "bell.x[3]"), ("index, key", "bell.x[front]"), ("key", "bell.x[front]"), ("key", "bell.x[3]")],
)
def test_an_argument_that_a_plugins_field_takes(argument: str, text: str) -> None:
    assert table(argument).need(text).name == "bell.x"


@pytest.mark.parametrize(
    ("argument", "text", "told"),
    [
        ("index", "bell.x[front]", "invalid index argument: front"),
        ("key", "bell.x[", "terminates with incomplete argument brackets"),
        ("key", "bell.x[a", "has unbalanced argument brackets"),
        ("none", "bell.x[a]", "does not allow nor require an argument but one is provided: a"),
        ("required", "bell.x", "requires an argument but none provided"),
    ],
)
def test_an_argument_that_it_does_not_take(argument: str, text: str, told: str) -> None:
    with pytest.raises(CheckError, match=told):
        table(argument).find(text)


def test_each_event_has_the_codes_of_its_name_but_for_the_generic_call() -> None:
    known = catalogue()
    for name in data.EVENTS:
        codes = [code for code, other in enumerate(data.EVENTS) if other == name and code > 1]
        assert known.events[name] == sum(1 << code for code in codes)
    assert known.all_events == sum(1 << code for code in range(len(data.EVENTS)))


def test_of_plugins_that_are_given_an_older_version_has_those_that_it_knows() -> None:
    given = ("okta", "nobody", "json", "container")
    assert list(catalogue_before("0.41", given).plugins) == ["okta", "json", "container"]
    assert list(catalogue_before("0.40", given).plugins) == ["okta", "json"]
    assert catalogue_before("0.41", None).plugins == catalogue("0.41").plugins


def test_each_parameter_of_an_event_can_be_asked_for() -> None:
    syscall = FieldTable(catalogue(), catalogue().sources["syscall"])
    for name, kind in data.PARAMETERS:
        assert syscall.need(f"evt.rawarg.{name}").type == kind


def test_a_version_has_neither_the_words_that_came_later_nor_those_that_went() -> None:
    assert "regex" not in language_of("0.38").operators
    assert "regex" in language_of("0.39").operators
    assert [language_of(falco).schema_requires_exception_values for falco in ("0.40", "0.41", NEWEST)] == [
        True,
        False,
        False,
    ]
