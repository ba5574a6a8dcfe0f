"""Where a finding is, and what a refusal says of several."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding, Fix, place, refusal

FINDING = Finding("C", "error", "a.yaml", 3, 7, "rule 'R'", "is wrong")


@pytest.mark.parametrize(
    ("line", "column", "told"), [(3, 7, "a.yaml:3:7"), (3, None, "a.yaml:3"), (None, None, "a.yaml")]
)
def test_a_place_is_what_is_known_of_it(line: int | None, column: int | None, told: str) -> None:
    assert place(Finding("C", "error", "a.yaml", line, column, "", "m")) == told


def test_a_refusal_is_the_first_finding_and_how_many_more() -> None:
    hinted = Finding("C", "error", "", None, None, "rule 'R'", "is wrong", "do this")
    assert refusal([FINDING]) == "a.yaml:3:7: C: is wrong"
    assert refusal([hinted]) == "rule 'R': C: is wrong (do this)"
    assert refusal([FINDING, hinted]) == "a.yaml:3:7: C: is wrong, and 1 more"
    assert refusal([FINDING, hinted, hinted]) == "a.yaml:3:7: C: is wrong, and 2 more"


def test_as_data_it_has_each_of_its_fields() -> None:
    fixed = Finding("C", "error", "a.yaml", 3, 7, "", "m", way=("macro 'a'",), fix=Fix(3, 7, 9, "ok"))
    assert fixed.to_dict().keys() == vars(fixed).keys()
    assert fixed.to_dict()["fix"] == {"line": 3, "column": 7, "end_column": 9, "text": "ok"}
    assert (FINDING.to_dict()["fix"], fixed.to_dict()["way"]) == (None, ["macro 'a'"])
