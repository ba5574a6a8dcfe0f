"""Which version is taken for which, and that what is put together from differences is what the facts say."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.history import of_field, of_word, plugin_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.language import language_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import (
    NEWEST,
    OLDEST,
    TABLES,
    VERSIONS,
    data_of,
    patched,
    resolve,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from hypothesis import given
from hypothesis import strategies as st

from tools import tables


@pytest.mark.parametrize("falco", VERSIONS)
def test_a_version_is_what_its_facts_say(falco: str) -> None:
    data = data_of(falco)
    facts = tables.tables_of(tables.FACTS, falco)
    assert (data.FALCO, set(facts)) == (falco, set(TABLES))
    for name in TABLES:
        assert list(getattr(data, name)) == list(facts[name]), name


def test_every_version_with_facts_is_known_in_order() -> None:
    assert list(VERSIONS) == [row["falco"] for row in tables.versions(tables.FACTS)]
    assert next(iter(VERSIONS)) == OLDEST
    assert list(VERSIONS)[-1] == NEWEST


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
def test_differences_make_the_older_table_of_the_newer_one(newer: list[int], older: list[int]) -> None:
    assert patched(tuple(newer), tuple(tables.differences(newer, older))) == tuple(older)


@pytest.mark.parametrize("asked", ["0.45", "0.45.2", "1.0.0", "v0.46.0-rc1"])
def test_a_newer_version_is_taken_as_the_newest_and_said(asked: str) -> None:
    found = resolve(asked)
    assert found.falco == NEWEST
    assert asked in found.note
    assert NEWEST in found.note
    assert catalogue(asked).note == found.note
    assert catalogue(asked).falco == NEWEST


@pytest.mark.parametrize("asked", ["0.44", "0.44.1", "v0.38.2", "0.41.0-rc1"])
def test_a_known_version_needs_no_word(asked: str) -> None:
    assert resolve(asked).note == ""


@pytest.mark.parametrize(("asked", "told"), [("0.37", "0.37"), ("0.9.0", "0.9.0"), ("newest", "newest"), ("", "''")])
def test_an_older_version_and_no_version_are_refused_by_name(asked: str, told: str) -> None:
    with pytest.raises(FalcoError, match=told):
        catalogue(asked)


def test_fields_of_containers_are_built_in_before_0_41_and_the_plugin_s_since() -> None:
    before, since = catalogue("0.40"), catalogue("0.41")
    assert "container.id" in before.sources["syscall"].builtin
    assert "container" not in before.plugins
    assert "container.id" not in since.sources["syscall"].builtin
    assert "container.id" in since.sources["syscall"].plugin
    with pytest.raises(FalcoError, match="its fields are built in"):
        catalogue("0.40", ("container",))


def test_the_history_of_a_field() -> None:
    assert plugin_of("container.id") == "container"
    assert plugin_of("evt.dir") == plugin_of("evt.type") == ""
    assert of_field("container.id", language_of("0.44")) == (
        "since Falco 0.41 it is a field of the plugin 'container': load that"
    )
    assert of_field("proc.aargs", language_of("0.40")) == "'proc.aargs' came with Falco 0.41; this is 0.40"
    assert of_field("span.id", language_of("0.42")) == "'span.id' went with Falco 0.42, and nothing replaces it"
    assert of_field("evt.type", language_of("0.42")) == of_field("no.such", language_of("0.42")) == ""


def test_the_history_of_a_word() -> None:
    assert of_word("regex", language_of("0.38")) == "the operator 'regex' came with Falco 0.39; this is 0.38"
    assert of_word("regex", language_of("0.39")) == of_word("rubbish", language_of("0.38")) == ""
