"""Keys of mappings within lists are compared with the roles' declarations, all at once."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.role_variable import (
    FilterModule,
    nested_role_variables,
    role_variable_problems,
)

from ..test_roles import ROOT

TRIGGER = {"name": "x", "rule": "r", "namespace": "prod", "command": ["true"]}


def test_what_is_missing_is_told_with_its_place() -> None:
    found = role_variable_problems({"verify_triggers": [TRIGGER, {"name": "y", "rule": "r"}]})
    assert found == ["verify_triggers[1].namespace: is missing.", "verify_triggers[1].command: is missing."]


def test_what_is_right_has_no_problem() -> None:
    assert role_variable_problems({"verify_triggers": [TRIGGER]}) == []


def test_variables_with_keys_of_their_own_are_told_apart() -> None:
    names = ["falco_namespace", "verify_triggers", "network_policies_namespaces", "strange", "falco_strange"]
    assert nested_role_variables(names) == ["verify_triggers", "network_policies_namespaces"]


def test_options_of_a_role_are_those_of_its_file() -> None:
    of_role = FilterModule().filters()["role_options"]
    text = (ROOT / "roles" / "node_prep" / "meta" / "argument_specs.yml").read_text()
    assert of_role("node_prep") == yaml.safe_load(text)["argument_specs"]["main"]["options"]
    with pytest.raises(AnsibleFilterError, match="this collection has no role nodeprep"):
        of_role("nodeprep")
