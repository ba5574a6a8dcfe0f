"""Which priority is below which; what is none is below none."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.priorities import PRIORITIES, below


@pytest.mark.parametrize("place", range(len(PRIORITIES)))
def test_each_is_below_those_before_it_and_no_other(place: int) -> None:
    assert [below(PRIORITIES[place], least) for least in PRIORITIES] == [place > other for other in range(8)]


@pytest.mark.parametrize(
    ("priority", "least", "found"),
    [
        ("Notice", "WARNING", True),
        ("info", "Informational", False),
        ("debug", "info", True),
        ("info", "notice", True),
        ("high", "debug", False),
        ("debug", "high", False),
        ("", "", False),
    ],
)
def test_how_it_is_spelt_does_not_matter_and_another_word_is_no_priority(
    priority: str, least: str, found: bool
) -> None:
    assert below(priority, least) is found
