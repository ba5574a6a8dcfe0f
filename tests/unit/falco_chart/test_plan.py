"""The filter falco_plan: from the role's variables, a cluster's answer and charts to all that is to be installed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.plan import ChartFile, Cluster, build_plan
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.settings import CHOICES, DEFAULTS
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options

from ..test_roles import ROOT
from .planted import PLANTED, every_output
from .role import answer, falco_plan, given, node, typed

CHARTS = {
    "falco": {"path": "/c/falco.tgz", "name": "falco", "version": "9.1.0", "digest": "0" * 64},
    "falcosidekick": {"path": "/c/falcosidekick", "name": "falcosidekick", "version": "0.12.1", "digest": "1" * 64},
}
#: Settings of values that follow from others, from the cluster, its Secrets and the charts; no variable of the role.
FOLLOWING = {
    "chart_digest", "nodes", "outputs_existing_variables", "outputs_fingerprint", "proxy_fingerprint",
    "redis_existing_secret", "redis_fingerprint", "sidekick_chart_digest", "sidekick_more_fingerprints",
    "sidekick_tls_ca_secret", "sidekick_tls_fingerprint", "ui_existing_secret", "ui_fingerprint",
}  # fmt: skip


def wrong(cluster: dict[str, Any], **variables: Any) -> str:
    with pytest.raises(AnsibleFilterError) as error:
        falco_plan(given(**variables), cluster)
    return str(error.value)


def test_defaults_that_modules_need_as_well_are_those_of_the_role() -> None:
    declared = {name.removeprefix("falco_"): option.get("default") for name, option in role_options("falco").items()}
    assert sorted(DEFAULTS.keys() - declared.keys()) == sorted(FOLLOWING)
    ours = {name: default for name, default in DEFAULTS.items() if name not in FOLLOWING}
    # The role asks the nodes, and mounts the ConfigMaps that the role falco_rules writes.
    special = {"container_engine": "auto", "own_rules_config_maps": declared["own_rules_config_maps"]}
    assert {**ours, **special} == {name: declared[name] for name in ours}


def test_choices_that_modules_need_as_well_are_those_of_the_role() -> None:
    declared = {name.removeprefix("falco_"): option for name, option in role_options("falco").items()}
    assert {name for name, option in declared.items() if "choices" in option} == set(CHOICES)
    for name, choices in CHOICES.items():
        assert set(declared[name]["choices"]) - {"auto"} == set(choices) - {"auto"}, name


def test_the_role_asks_for_nothing_that_a_plan_does_not_have() -> None:
    plan = falco_plan(given(), answer())
    for path in (ROOT / "roles" / "falco").rglob("*.*"):
        for dotted in re.findall(r"__falco_plan\.([a-z_.]+)", path.read_text()):
            found: Any = plan
            for part in dotted.rstrip(".").split("."):
                assert part in found, f"{path.name}: __falco_plan.{dotted}"
                found = found[part]


def test_variables_alone_give_names_and_what_the_cluster_must_have() -> None:
    plan = falco_plan(given(namespace="sec", release_name="falco-a", outputs_existing_secret="ours"))
    assert plan["of"] == "sec/falco-a"
    assert plan["releases"] == []
    assert plan["names"]["ui_secret"] == "falco-a-ui-credentials"
    assert plan["names"]["redis_claim"] == "falco-a-falcosidekick-ui-redis-data-falco-a-falcosidekick-ui-redis-0"
    assert {"kind": "Secret", "name": "ours", "variable": "falco_outputs_existing_secret", "namespace": "sec"} in plan[
        "subjects"
    ]
    assert plan["foreign_secrets"] == ["ours"]


def test_what_is_wrong_is_judged_with_the_cluster_so_that_uninstalling_needs_no_right_variables() -> None:
    outputs: dict[str, Any] = {"slakc": {}}
    assert falco_plan(given(outputs=outputs))["names"]["sidekick"] == "falco-falcosidekick"
    assert "Did you mean slack?" in wrong(answer(), outputs=outputs)


@pytest.mark.parametrize(
    ("variables", "workloads"),
    [
        ({}, ["DaemonSet falco", "Deployment falco-falcosidekick", "Deployment falco-falcosidekick-ui",
              "StatefulSet falco-falcosidekick-ui-redis"]),
        ({"sidekick_enabled": "no"}, ["DaemonSet falco"]),
        ({"ui_enabled": False}, ["DaemonSet falco", "Deployment falco-falcosidekick"]),
        ({"redis_external": {"host": "r"}, "driver_groups": [{"name": "old", "driver": "kmod", "nodes": ["a"]}]},
         ["DaemonSet falco", "DaemonSet falco-old", "Deployment falco-falcosidekick",
          "Deployment falco-falcosidekick-ui"]),
        ({"extra_values": {"controller": {"kind": "deployment"}}, "sidekick_enabled": False}, ["Deployment falco"]),
        ({"ui_enabled": False, "sidekick_more": [{"name": "more", "outputs": {"slack": {"webhookurl": "https://x"}}}]},
         ["DaemonSet falco", "Deployment falco-falcosidekick", "Deployment falco-falcosidekick-more"]),
    ],
)  # fmt: skip
def test_workloads(variables: dict[str, Any], workloads: list[str]) -> None:
    plan = falco_plan(given(**variables))
    assert [f"{one['kind']} {one['name']}" for one in plan["workloads"]] == workloads


def test_all_workloads_are_waited_for_and_the_pods_of_each_falco() -> None:
    plan = falco_plan(given(driver_groups=[{"name": "old", "driver": "kmod", "nodes": ["a"]}]))
    assert plan["rollouts"] == [
        {"falco": "falco", "workloads": plan["workloads"]},
        {"falco": "falco-old", "workloads": [{"kind": "DaemonSet", "name": "falco-old"}]},
    ]


def test_every_release_has_its_chart() -> None:
    groups = [{"name": "old", "driver": "kmod", "nodes": ["a"]}]
    plan = falco_plan(given(sidekick_release="own", driver_groups=groups), answer(), charts=CHARTS)
    assert [(one["name"], one["path"], one["chart"]) for one in plan["releases"]] == [
        ("falco", "/c/falco.tgz", "falco-9.1.0"),
        ("falco-old", "/c/falco.tgz", "falco-9.1.0"),
        ("falco-falcosidekick", "/c/falcosidekick", "falcosidekick-0.12.1"),
    ]
    assert plan["releases"][0]["values"]["controller"]["annotations"] == {"falconet.k8s/chart-digest": "0" * 16}
    assert plan["releases"][2]["values"]["customAnnotations"] == {"falconet.k8s/chart-digest": "1" * 16}
    assert [chart["name"] for chart in plan["charts"]] == ["falco", "falcosidekick"]
    assert [chart["name"] for chart in falco_plan(given())["charts"]] == ["falco"]


def test_strings_of_a_survey_are_what_they_mean() -> None:
    plan = falco_plan(given(driver_buffer_preset="6", ui_enabled="False", tolerations=""), answer())
    values = plan["releases"][0]["values"]
    assert values["driver"]["modernEbpf"]["bufSizePreset"] == 6
    assert "tolerations" not in values
    assert values["falcosidekick"]["webui"] == {"enabled": False}
    told = wrong(answer(), ui_node_port="x", ui_enabled="perhaps")
    assert "falco_ui_node_port: must be a whole" in told
    assert "falco_ui_enabled: must be true" in told


def test_a_variable_that_the_role_does_not_declare_is_not_read() -> None:
    assert falco_plan({**given(), "falco_of_ours": 1, "falco_evidence": []}) == falco_plan(given())


@pytest.mark.parametrize(("engine", "socket"), [("containerd://1", "containerd"), ("cri-o://1", "crio")])
def test_the_engine_is_what_the_nodes_report(engine: str, socket: str) -> None:
    plan = falco_plan(given(), answer(node("a", engine)))
    engines = plan["releases"][0]["values"]["collectors"]["containerEngine"]["engines"]
    assert engines["cri"]["sockets"] == [f"/run/{socket}/{socket}.sock"]
    assert "falco_container_engine: cannot be found out" in wrong(answer(node("a"), node("b", "cri-o://1")))


def test_labels_that_no_node_has() -> None:
    told = wrong(answer(), node_selector={"no": "node"})
    assert told == (
        "falco_node_selector: no node of the cluster has these labels, so no Falco would run there. Its nodes are a, b."
    )
    assert falco_plan(given(node_selector={"disk": "1"}), answer(node("a", disk="1")))["releases"]


def test_outputs_of_two_places() -> None:
    outputs = {"slack": {"webhookurl": f"https://x/{PLANTED}"}}
    told = wrong(answer(), outputs=outputs, outputs_existing_secret="ours")
    assert told == "falco_outputs: and falco_outputs_existing_secret (ours) are both set. Give one of them."


LOCAL = {"redis_storage": "local"}


def test_nodes_for_redis_come_from_the_inventory_or_a_variable() -> None:
    groups = {"redis_nodes": ["a", "b", "c"]}
    hostvars = {"a": {"kube_cluster": "here"}, "b": {"kube_cluster": "there"}, "c": {}}
    nodes = {"groups": groups, "hostvars": hostvars, "host": "here"}
    assert falco_plan(given(**LOCAL), **nodes)["redis_nodes"] == ["a", "c"]
    assert falco_plan(given(**LOCAL, redis_nodes="b"), **nodes)["redis_nodes"] == ["b"]
    with pytest.raises(AnsibleFilterError, match=r"is local, but c is no node of this cluster. It has a, b."):
        falco_plan(given(**LOCAL), answer(), **nodes)
    plan = falco_plan(given(**LOCAL, redis_nodes=["a"]), answer(), **nodes)
    assert plan["releases"][0]["values"]["falcosidekick"]["webui"]["redis"]["storageClass"] == "falco-redis-local"


def test_local_data_need_a_node_and_only_where_there_is_a_redis() -> None:
    told = wrong(answer(), **LOCAL)
    assert "is local, but no node is named. Put one into the group redis_nodes" in told
    assert "or falco_redis_storage: storage_class" in told
    assert falco_plan(given(**LOCAL, ui_enabled=False), answer())["releases"]


def service(name: str, port: int, kind: str = "NodePort") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": {"type": kind, "ports": [{"nodePort": port}]}}


@pytest.mark.parametrize(
    ("there", "variables", "told"),
    [
        (service("x", 30080), {}, "falco_ui_node_port: 30080 belongs to Service ns/x. Choose another port."),
        (service("x", 30080, "LoadBalancer"), {}, "belongs to Service ns/x"),
        (service("x", 3008), {}, ""),
        (service("falco-falcosidekick-ui", 30080), {}, ""),
        (service("x", 30080), {"ui_exposure": "cluster_ip"}, ""),
        (service("x", 30080), {"ui_enabled": False}, ""),
        ({"metadata": {"name": "x", "namespace": "ns"}, "spec": {"type": "ExternalName"}}, {}, ""),
    ],
)
def test_a_port_that_is_anothers(there: dict[str, Any], variables: dict[str, Any], told: str) -> None:
    cluster = answer(services=[there])
    if told:
        assert told in wrong(cluster, **variables)
    else:
        assert falco_plan(given(**variables), cluster)["releases"]


def test_all_that_is_wrong_is_told_at_once_and_each_once() -> None:
    told = wrong(
        answer(services=[service("x", 30080)]), node_selector={"no": "node"}, outputs={"slakc": {}}, proxy={"x": 1}
    )
    assert [line.split(":")[0] for line in told.splitlines()] == [
        "falco_node_selector", "falco_ui_node_port", "falco_outputs.slakc", "falco_proxy",
    ]  # fmt: skip


def test_subjects_follow_what_is_installed() -> None:
    def kinds(**variables: Any) -> list[str]:
        return [one["kind"] for one in falco_plan(given(**variables))["subjects"] if one["name"] or one.get("default")]

    assert kinds() == ["StorageClass"]
    assert kinds(redis_storage="none") == []
    assert kinds(ui_exposure="ingress", ui_ingress={"host": "h", "class": "nginx"}) == ["StorageClass", "IngressClass"]
    more = [{"name": "m", "outputs_existing_secret": "theirs"}]
    assert kinds(ui_enabled=False, image_pull_secrets="p,q", sidekick_more=more) == ["Secret", "Secret", "Secret"]
    assert falco_plan(given())["apis"] == []
    (api,) = falco_plan(given(service_monitor="yes"))["apis"]
    assert api["kind"] == "ServiceMonitor"


def test_services_that_are_named_must_exist_unless_they_come_with_the_release() -> None:
    addresses = {"a": "http://x.other.svc", "b": "http://falco-falcosidekick.falco.svc:1"}
    plan = falco_plan(given(redis_storage="none", outputs={"webhook": addresses}))
    assert [one for one in plan["subjects"] if one["kind"] == "Service"] == [
        {"kind": "Service", "name": "x", "namespace": "other", "variable": "falco_outputs.webhook.a"}
    ]


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://<any node>:30080"),
        ({"ui_exposure": "ingress", "ui_ingress": {"host": "h"}}, "https://h"),
        ({"ui_exposure": "cluster_ip"}, "kubectl -n falco port-forward svc/falco-falcosidekick-ui 2802"),
        ({"ui_enabled": False}, ""),
    ],
)
def test_the_way_to_the_ui(variables: dict[str, Any], address: str) -> None:
    assert falco_plan(given(**variables))["ui_address"] == address


def test_openshift_is_known_by_its_labels() -> None:
    assert not falco_plan(given(), answer())["openshift"]
    assert falco_plan(given(), answer(node("a", node__openshift__io="")))["openshift"] is False
    marked = node("a")
    marked["metadata"]["labels"]["node.openshift.io/os_id"] = "rhcos"
    assert falco_plan(given(), answer(marked))["openshift"]


def test_certificates_are_made_unless_somebody_else_makes_them() -> None:
    made = build_plan(typed(sidekick_tls="mutual"), Cluster([node("a")]), {"falco": ChartFile()})
    assert made.tls_made
    assert made.releases[0].values["certs"] == {
        "existingSecret": "falco-tls-trust",
        "existingClientSecret": "falco-tls-client",
    }
    others = build_plan(typed(sidekick_tls="server", sidekick_tls_secret="ours"), Cluster([node("a")]))
    assert not others.tls_made
    assert others.releases[0].values["certs"] == {"existingSecret": "ours"}
    with pytest.raises(FalcoChartError, match="falco_sidekick_tls_secret: is missing"):
        build_plan(typed(sidekick_tls="server", sidekick_tls_client_secret="ours"), Cluster([node("a")]))


@pytest.mark.parametrize("output", sorted(every_output()))
def test_a_plan_holds_nothing_secret(output: str) -> None:
    outputs = {output: every_output()[output]}
    secret = {"ui_password": PLANTED, "redis_password": PLANTED, "chart_password": PLANTED, "chart_username": PLANTED}
    plan = falco_plan(given(outputs=outputs, **secret), answer(), charts=CHARTS)
    assert PLANTED not in yaml.safe_dump(plan)
    more = [{"name": "more", "outputs": outputs}]
    assert PLANTED not in yaml.safe_dump(falco_plan(given(sidekick_more=more, **secret), answer(), charts=CHARTS))
