"""survey_answers as templates call it; tests/unit/awx has the reading itself."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.survey_answers import FilterModule

ANSWERS = FilterModule().filters()["survey_answers"]


def test_answers_become_variables_of_roles() -> None:
    assert ANSWERS({"survey_falco_driver": "kmod", "survey_falco_priority": "", "other": 1}) == {"falco_driver": "kmod"}


def test_an_answer_that_nobody_declares_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="survey_falco_drvier: no role declares falco_drvier"):
        ANSWERS({"survey_falco_drvier": "kmod"})
