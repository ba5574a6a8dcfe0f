"""Limits of responses are refused with everything that is wrong, whatever kind their values have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.settings import read_limits


@pytest.mark.parametrize("odd", [5, True, {"hold": 1}, "hold", [5]])
def test_a_list_of_steps_that_is_none_is_refused(odd: Any) -> None:
    with pytest.raises(RespondError, match="approved: a list of texts"):
        read_limits({"approved": odd})


def test_a_step_that_there_is_not_is_refused_beside_the_rest() -> None:
    with pytest.raises(RespondError) as told:
        read_limits({"approved": ["hold", "shout"], "share_up": 2})
    assert "approved: no step is called 'shout'" in str(told.value)
    assert "share_up: a number from 0 to 1, not 2" in str(told.value)
