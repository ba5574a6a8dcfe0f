"""Misspelt variables are found and told with the nearest name; everything else is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.filter.unknown_variables import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.variables import unknown_variables
from hypothesis import given
from hypothesis import strategies as st

KNOWN = ["falco_chart_version", "falco_namespace", "node_prep_redis_path"]
PREFIXES = ["falco_", "node_prep_"]
NAMES = st.text("abcdefgh_", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("falco_chart_vresion", "falco_chart_version"),
        ("falco_name_space", "falco_namespace"),
        ("flaco_chart_version", "falco_chart_version"),
        ("node_prep_redis_pth", "node_prep_redis_path"),
    ],
)
def test_misspelt_name_is_reported_with_the_nearest(name: str, nearest: str) -> None:
    (finding,) = unknown_variables([name], KNOWN, PREFIXES)
    assert finding.misspelt
    assert finding.nearest == nearest
    assert name in finding.message
    assert nearest in finding.message


def test_a_users_own_name_is_told_and_is_not_misspelt() -> None:
    first, second = unknown_variables(["falco_zzzzzzzzzzzzzzzzzz", "falco_version"], KNOWN, PREFIXES)
    assert (first.misspelt, first.name, first.nearest) == (False, "falco_version", "falco_chart_version")
    assert first.message == (
        "no role reads 'falco_version'; the most similar one that is read is 'falco_chart_version'"
    )
    assert second.message == "no role reads 'falco_zzzzzzzzzzzzzzzzzz'"
    assert unknown_variables(["falco_version"], KNOWN, []) == []
    assert (second.misspelt, second.nearest) == (False, None)


@pytest.mark.parametrize("name", ["__falco_x", "ansible_user", "my_app_version", "falcon"])
def test_names_of_others_are_left_alone(name: str) -> None:
    assert unknown_variables([name], KNOWN, PREFIXES) == []


@given(st.lists(NAMES), st.lists(NAMES))
def test_declared_names_are_never_reported(names: list[str], known: list[str]) -> None:
    reported = {finding.name for finding in unknown_variables(names, known, ["a"])}
    assert not reported & set(known)
    assert {n for n in names if n.startswith("a")} - set(known) == {n for n in reported if n.startswith("a")}


def test_filter_reads_argument_specs() -> None:
    spec = {"argument_specs": {"main": {"options": {"falco_namespace": {"type": "str"}}}}}
    found = FilterModule().filters()["unknown_variables"](["falco_namespace", "falco_namespcae"], [spec], ["falco_"])
    assert [(f["name"], f["misspelt"], f["nearest"]) for f in found] == [("falco_namespcae", True, "falco_namespace")]


def test_filter_reads_argument_specs_from_their_files() -> None:
    path = str(Path(__file__).resolve().parents[3] / "roles" / "falco" / "meta" / "argument_specs.yml")
    (found,) = FilterModule().filters()["unknown_variables"](["falco_namespace", "falco_namespcae"], [path], ["falco_"])
    assert found["nearest"] == "falco_namespace"
