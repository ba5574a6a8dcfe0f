"""What the role network_policies asks for: flows of now, what the cluster must have, what cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.network_policies import FilterModule
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options

ROLE = "network_policies"
PULL = "network_policies_probe_image_pull_secrets"
WORK = "network_policies_probe_work_namespace"


def plan(
    policies: list[dict[str, Any]] | None = None, to_come: list[str] | None = None, **given: Any
) -> dict[str, Any]:
    defaults = {name: option["default"] for name, option in role_options(ROLE).items() if "default" in option}
    variables = {**defaults, **{f"{ROLE}_{name}": value for name, value in given.items()}}
    found: dict[str, Any] = FilterModule().filters()["network_policies_plan"](variables, policies or [], to_come or [])
    return found


def names(found: dict[str, Any], kind: str = "Namespace") -> list[str]:
    return [one["name"] for one in found["subjects"] if one["kind"] == kind]


def test_flows_of_later_are_left_out_and_one_that_is_none_is_told() -> None:
    flows = [{"name": "web"}, {"name": "db"}, {}]
    found = plan(required_flows=flows, forbidden_flows=[{"name": "visitor"}], later_flows="db,visitor")
    assert (found["required"], found["forbidden"], found["problems"]) == ([{"name": "web"}, {}], [], [])
    (told,) = plan(required_flows=flows, later_flows=["dbb"])["problems"]
    assert told == "network_policies_later_flows: no flow is called dbb. Names of flows: web, db."
    assert plan(later_flows=["dbb"])["problems"][0].endswith("Names of flows: none.")


def test_namespaces_must_be_there_unless_somebody_makes_them() -> None:
    namespaces = [{"name": "prod", "create": False}, {"name": "dev"}]
    assert names(plan(namespaces=namespaces, state_namespace="kept")) == ["prod", "kept"]
    assert names(plan(namespaces=namespaces, state_namespace="kept"), "Secret") == []
    assert names(plan(namespaces=namespaces, state_namespace="kept", probe_work_namespace="dev")) == ["prod", "kept"]
    found = plan(namespaces=namespaces, state_namespace="kept", probe_work_namespace="work")
    assert names(found) == ["prod", "kept", "work"]
    assert found["subjects"][0]["hint"] == "Without create: false, this role makes it."
    come = plan(to_come=["prod", "work"], namespaces=namespaces, state_namespace="kept", probe_work_namespace="work")
    assert names(come) == ["kept"]


@pytest.mark.parametrize("tries", [{"mode": "audit"}, {"canary": "no", "probe": False}])
def test_what_only_a_probe_needs_is_not_asked_for_without_one(tries: dict[str, Any]) -> None:
    given: dict[str, Any] = {"probe_image_pull_secrets": ["pull"], "state_namespace": "kept"}
    found = plan(probe_work_namespace="work", **given, **tries)
    assert (names(found), names(found, "Secret")) == (["kept"], [])
    assert plan(probe_work_namespace="", **given, **tries)["problems"] == []
    asked: list[dict[str, Any]] = [{}, {"canary": False, "probe": True}, {"canary": True, "probe": False}]
    for one in asked:
        found = plan(probe_work_namespace="work", **given, **one)
        assert (names(found, "Secret"), found["problems"]) == (["pull"], [])
    (told,) = plan(probe_work_namespace="", **given)["problems"]
    assert names(plan(probe_work_namespace="", **given), "Secret") == []
    assert told.startswith(f"{PULL} names pull, but a probe without {WORK} works in a namespace of its own")


def test_kinds_that_not_every_cluster_serves() -> None:
    cluster_wide = {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"}
    policies = [{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}, cluster_wide]
    (api,) = plan(policies)["apis"]
    assert (api["api_version"], api["kind"]) == ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy")
    assert api["variable"].endswith("policy ?")
    (api,) = plan([{**cluster_wide, "metadata": {"name": "all"}}])["apis"]
    assert api["variable"].endswith("policy all")


def test_namespaces_are_compared_if_that_is_asked() -> None:
    assert plan(namespaces=[{"name": "a"}], compare_with_analysis="true")["compared"] == ["a"]
    assert plan(namespaces=[{"name": "a"}], compare_with_analysis="false")["compared"] == []


def test_a_variable_of_another_type_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="network_policies_namespaces"):
        plan(namespaces=5)
