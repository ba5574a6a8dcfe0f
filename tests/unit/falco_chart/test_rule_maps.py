"""Rules files over ConfigMaps."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rule_maps import digests, spread, token
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[a-z0-9]{1,6}\.ya?ml", fullmatch=True)
filesets = st.dictionaries(names, st.text(alphabet="aé\n", max_size=30), max_size=8)


@given(filesets, st.integers(40, 200))
def test_nothing_is_lost_and_no_map_is_too_big(files: dict[str, str], limit: int) -> None:
    try:
        maps = spread(files, ["a", "b", "c"], limit)
    except FalcoChartError:
        return
    assert {name: text for data in maps.values() for name, text in data.items()} == files
    for data in maps.values():
        assert sum(len(text.encode()) + len(name) for name, text in data.items()) <= limit


@given(filesets)
def test_the_same_files_give_the_same_maps_in_any_order(files: dict[str, str]) -> None:
    again = dict(reversed(files.items()))
    assert spread(files, ["a", "b"]) == spread(again, ["a", "b"])
    assert token(spread(files, ["a", "b"])) == token(spread(again, ["a", "b"]))


def test_digests_are_of_the_exact_bytes() -> None:
    maps = spread({"a.yaml": "x\n"}, ["m"])
    assert digests(maps) == {"a.yaml": "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"}


@pytest.mark.parametrize("name", ["a.txt", "a b.yaml", "é.yaml", ".yaml" * 60])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(FalcoChartError, match="no file name that a ConfigMap can hold"):
        spread({name: ""}, ["m"])


def test_too_many_files_say_what_to_do() -> None:
    with pytest.raises(FalcoChartError, match="falco_own_rules_config_maps"):
        spread({"a.yaml": "x" * 20, "b.yaml": "x" * 20}, ["m"], 30)
