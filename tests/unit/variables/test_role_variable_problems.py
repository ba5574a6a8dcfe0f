"""Keys of mappings within lists are compared with the roles' declarations, all at once."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.filter.role_variable import nested_role_variables, role_variable_problems

TRIGGER = {"name": "x", "rule": "r", "namespace": "prod", "command": ["true"]}


def test_what_is_missing_is_told_with_its_place() -> None:
    found = role_variable_problems({"verify_triggers": [TRIGGER, {"name": "y", "rule": "r"}]})
    assert found == ["verify_triggers[1].namespace: is missing.", "verify_triggers[1].command: is missing."]


def test_what_is_right_has_no_problem() -> None:
    assert role_variable_problems({"verify_triggers": [TRIGGER]}) == []


def test_variables_with_keys_of_their_own_are_told_apart() -> None:
    names = ["falco_namespace", "verify_triggers", "network_policies_namespaces", "strange", "falco_strange"]
    assert nested_role_variables(names) == ["verify_triggers", "network_policies_namespaces"]
