"""An operator that the evaluator does not know is refused, and not taken for another."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.predicates import pair_test, value_test


def test_an_operator_that_is_none_compares_no_values_with_each_other() -> None:
    with pytest.raises(ValueError, match="no comparison of two values: nearly"):
        pair_test("nearly", "charbuf")


def test_an_operator_that_is_none_compares_no_value_with_a_constant() -> None:
    with pytest.raises(ValueError, match="no comparison: nearly"):
        value_test("nearly", "charbuf", "a")
