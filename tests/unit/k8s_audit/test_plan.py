"""The filters of the role k8s_audit: from variables to a release, a way to it, and who may use that."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.falco_plan import falco_plan
from ansible_collections.falconet.k8s.plugins.filter.k8s_audit_plan import (
    k8s_audit_plan,
    k8s_audit_secrets,
    k8s_audit_server,
)

from ..falco_chart.role import answer, given
from ..test_roles import ROOT
from .nodes import node

NODES = [node("cp01", "192.0.2.11"), node("w1", "192.0.2.21", control_plane=False)]


def plan(falco: dict[str, Any] | None = None, **variables: Any) -> dict[str, Any]:
    return k8s_audit_plan({f"k8s_audit_{name}": value for name, value in variables.items()}, falco or {}, NODES)


def wrong(falco: dict[str, Any] | None = None, **variables: Any) -> str:
    with pytest.raises(AnsibleFilterError) as error:
        plan(falco, **variables)
    return str(error.value)


def values(made: dict[str, Any], **falco: Any) -> dict[str, Any]:
    """What the role falco gives to Helm for the release."""
    found = falco_plan({**given(**falco), **made["falco"]}, answer())
    [release] = found["releases"]
    assert found["kind"] == "Deployment"
    return dict(release["values"])


def test_one_deployment_without_a_driver_with_the_plugins_the_certificate_and_our_rules_alone() -> None:
    made = plan(replicas=2)
    found = values(made)
    assert found["controller"] == {"kind": "deployment", "deployment": {"replicas": 2}}
    assert found["driver"] == {"enabled": False}
    falco = found["falco"]
    assert falco["load_plugins"] == ["k8saudit", "json"]
    assert falco["plugins"][0]["open_params"] == "https://:9765/k8s-audit"
    pem = falco["plugins"][0]["init_config"]["sslCertificate"]
    mount = next(one for one in found["mounts"]["volumeMounts"] if one["name"] == "audit-webhook")
    assert pem == f"{mount['mountPath']}/falco.pem"
    volume = next(one for one in found["mounts"]["volumes"] if one["name"] == "audit-webhook")
    assert volume["secret"]["secretName"] == made["names"]["certificate"]
    assert falco["rules_files"] == ["/etc/falco/rules.d"]
    assert falco["rule_matching"] == "all"
    assert "podAntiAffinity" in found["affinity"]
    own = next(one for one in found["mounts"]["volumes"] if one["name"] == "own-rules")
    assert [source["configMap"]["name"] for source in own["projected"]["sources"]] == made["config_maps"]
    assert set(made["config_maps"]).isdisjoint(falco_plan(given(), answer())["workloads"][0])


def test_what_the_inventory_says_of_chart_images_and_registry_holds_for_it_too() -> None:
    mirror = {"image_registry": "mirror.example", "image_pull_secrets": ["mirror"]}
    assert values(plan(), **mirror)["image"]["registry"] == "mirror.example"


def test_what_is_for_system_calls_alone_is_not_taken_over() -> None:
    falco = {
        "driver_groups": [{"name": "old", "driver": "kmod", "nodes": ["worker01"]}],
        "kubernetes_metadata": True,
        "append_output": [{"match": {"source": "syscall"}, "extra_output": "x"}],
        "sidekick_more": [{"name": "oncall", "outputs": {"slack": {"webhookurl": "https://hooks.example/x"}}}],
        "outputs": {"slack": {"webhookurl": "https://hooks.example/x"}},
        "grafana_dashboard": True,
    }
    made = k8s_audit_plan({}, given(**falco), NODES)
    found = values(made, **falco)
    assert found["falcosidekick"] == {"enabled": False}
    assert "grafana" not in found
    assert found["falco"]["http_output"] == {"enabled": True, "url": "http://falco-falcosidekick:2801"}


def test_alerts_go_to_the_falcosidekick_that_there_is_by_its_scheme_and_certificates() -> None:
    falco = {"sidekick_tls": "mutual"}
    made = k8s_audit_plan({}, given(**falco), NODES)
    found = values(made, **falco)
    assert found["falco"]["http_output"]["url"] == "https://falco-falcosidekick:2801"
    assert found["certs"] == {"existingSecret": "falco-tls-trust", "existingClientSecret": "falco-tls-client"}
    elsewhere = plan(namespace="audit")["falco"]
    assert elsewhere["falco_sidekick_url"] == "http://falco-falcosidekick.falco:2801"
    outside = given(sidekick_enabled=False, ui_enabled=False, sidekick_url="http://sidekick.example:2801")
    assert plan(outside)["falco"]["falco_sidekick_url"] == "http://sidekick.example:2801"
    assert "is shared by TLS, whose certificates pods in audit do not see" in wrong(given(**falco), namespace="audit")
    nobody = given(sidekick_enabled=False, ui_enabled=False)
    assert "k8s_audit_alerts: is shared, but there is no Falcosidekick" in wrong(nobody)
    assert plan(nobody, alerts="none")["falco"]["falco_sidekick_url"] == ""


def test_certificates_are_named_only_where_they_are_the_collection_s_own() -> None:
    def named(**falco: Any) -> dict[str, Any]:
        found = k8s_audit_plan({}, given(**falco), NODES)["falco"]
        return {name: value for name, value in found.items() if name.startswith("falco_sidekick_tls_")}

    trust, client = (
        {"falco_sidekick_tls_secret": "falco-tls-trust"},
        {"falco_sidekick_tls_client_secret": "falco-tls-client"},
    )
    assert named() == {}
    assert named(sidekick_tls="server") == trust
    assert named(sidekick_tls="mutual") == {**trust, **client}
    assert named(sidekick_tls="mutual", sidekick_tls_secret="mine") == {}


def test_a_falcosidekick_of_its_own_has_outputs_of_its_own_or_the_same() -> None:
    both = given(outputs={"slack": {"webhookurl": "https://hooks.example/first"}})
    other = {"slack": {"webhookurl": "https://hooks.example/audit"}}
    assert plan(both, alerts="own")["falco"]["falco_outputs"]["slack"]["webhookurl"].endswith("/first")
    own = plan(both, alerts="own", outputs=other)
    assert own["falco"]["falco_outputs"] == other
    secret = plan(both, alerts="own", outputs_existing_secret="audit-outputs")["falco"]
    assert (secret["falco_outputs"], secret["falco_outputs_existing_secret"]) == ({}, "audit-outputs")
    found = falco_plan({**both, **own["falco"]}, answer())
    assert found["names"]["outputs_secret"] == "falco-k8s-audit-outputs"
    assert not found["with_ui"]


def test_none_but_control_plane_nodes_may_send_and_metrics_stay_readable() -> None:
    policy = plan(sources=["198.51.100.0/24"])["network_policy"]
    assert policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "falco-k8s-audit"
    events, metrics = policy["spec"]["ingress"]
    assert [block["ipBlock"]["cidr"] for block in events["from"]] == ["192.0.2.11/32", "198.51.100.0/24"]
    assert [port["port"] for port in events["ports"]] == [9765]
    assert metrics == {"ports": [{"port": 8765, "protocol": "TCP"}]}


def test_without_a_known_source_nobody_may_send_rather_than_everybody() -> None:
    policy = k8s_audit_plan({}, {}, [])["network_policy"]
    assert [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]] == [8765]


def test_the_service_and_what_must_not_be_there() -> None:
    made = plan()
    assert made["service"]["spec"]["type"] == "ClusterIP"
    assert "clusterIP" not in made["service"]["spec"]
    assert made["gone"] == []
    assert plan(cluster_ip="10.96.0.50")["service"]["spec"]["clusterIP"] == "10.96.0.50"
    spec = plan(exposure="node_port", node_port=30007)["service"]["spec"]
    assert (spec["type"], spec["ports"][0]["nodePort"], spec["externalTrafficPolicy"]) == ("NodePort", 30007, "Local")
    assert [one["kind"] for one in plan(network_policy=False)["gone"]] == ["NetworkPolicy"]


def test_a_managed_cluster_has_its_plugin_and_nothing_that_listens() -> None:
    made = plan(plugin="k8saudit-eks", plugin_open_params="shop", plugin_init_config={"region": "eu-central-1"})
    assert (made["webhook"], made["service"], made["network_policy"]) == (False, {}, {})
    assert [one["kind"] for one in made["gone"]] == ["Service", "NetworkPolicy"]
    found = values(made)
    first = {"name": "k8saudit-eks", "library_path": "libk8saudit-eks.so", "open_params": "shop"}
    assert found["falco"]["plugins"][0] == {**first, "init_config": {"region": "eu-central-1"}}
    assert made["falco"]["falco_artifacts"] == ["k8saudit-eks:0.12", "json:0.7"]
    said = wrong(plugin="k8saudit-gke")
    assert "k8s_audit_plugin_open_params: is needed by k8saudit-gke: the Pub/Sub subscription" in said


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"node_port": 65536}, "k8s_audit_node_port: must be a port number, not 65536"),
        ({"release_name": "audit"}, "must contain falco, 'audit' does not. For example falco-audit."),
        ({"release_name": "falco"}, "It would take the place of the one for system calls"),
        ({"replicas": 0}, "k8s_audit_replicas: must be 1 or more, not 0"),
        ({"node_port": 0}, "k8s_audit_node_port: must be a port number, not 0"),
        ({"exposure": "loadbalancer"}, "k8s_audit_exposure"),
    ],
)
def test_what_cannot_be_is_told(variables: dict[str, Any], said: str) -> None:
    assert said in wrong(**variables)


@pytest.mark.parametrize("port", [1, 65535])
def test_the_first_and_the_last_port_are_ports(port: int) -> None:
    assert plan(exposure="node_port", node_port=port)["service"]["spec"]["ports"][0]["nodePort"] == port


def test_what_the_site_says_of_pods_and_artifacts_stands() -> None:
    affinity: dict[str, Any] = {"nodeAffinity": {}}
    assert plan(affinity=affinity, replicas=2)["falco"]["falco_affinity"] == affinity
    assert plan(artifacts=["k8saudit:0.19"])["falco"]["falco_artifacts"] == ["k8saudit:0.19"]


def test_pods_are_apart_by_the_greatest_weight_that_kubernetes_takes() -> None:
    rules = plan(replicas=2)["falco"]["falco_affinity"]["podAntiAffinity"]
    ((one,),) = rules.values()
    assert (one["weight"], one["podAffinityTerm"]["topologyKey"]) == (100, "kubernetes.io/hostname")
    assert plan(replicas=1)["falco"]["falco_affinity"] == {}


def test_what_a_release_for_audit_events_has_no_use_for_is_off() -> None:
    found = plan()["falco"]
    off = ("artifacts_follow", "grafana_dashboard", "kubernetes_metadata", "ui_enabled")
    assert [found[f"falco_{name}"] for name in off] == [False] * 4
    assert [mount["readOnly"] for mount in found["falco_extra_values"]["mounts"]["volumeMounts"]] == [True]


def test_rules_are_in_config_maps_that_are_counted_from_one() -> None:
    assert plan()["config_maps"] == [f"falco-k8s-audit-rules-{number}" for number in (1, 2, 3, 4)]


def test_api_servers_are_told_an_address() -> None:
    assert k8s_audit_server({}, "10.96.0.50", "192.0.2.11") == "https://10.96.0.50:9765/k8s-audit"
    node_port = {"k8s_audit_exposure": "node_port"}
    assert k8s_audit_server(node_port, "10.96.0.50", "192.0.2.11") == "https://192.0.2.11:30765/k8s-audit"
    assert k8s_audit_server({}, "fd00::50", "") == "https://[fd00::50]:9765/k8s-audit"
    other = {"k8s_audit_webhook_host": "audit.example"}
    assert k8s_audit_server(other, "10.96.0.50", "") == "https://audit.example:9765/k8s-audit"
    with pytest.raises(AnsibleFilterError, match="the node has no InternalIP"):
        k8s_audit_server(node_port, "10.96.0.50", "")


def decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_certificates_are_made_once_and_their_file_has_both_parts() -> None:
    made = plan()
    first = k8s_audit_secrets(made, [], 397)
    authority, certificate = map(decoded, first["manifests"])
    assert authority["ca.crt"] == first["trust"] == authority["trust.crt"]
    assert certificate["falco.pem"] == certificate["server.crt"] + certificate["server.key"]
    assert "ca.key" not in certificate
    again = k8s_audit_secrets(made, first["manifests"], 397)
    assert again == first
    assert "PRIVATE" not in first["fingerprint"]
    # Those of role falco's Secrets are found by the release's label, and what is none of its own goes.
    assert "app.kubernetes.io/instance" not in first["manifests"][0]["metadata"]["labels"]


def test_a_certificate_for_another_service_is_a_new_one_and_pods_start_again() -> None:
    first = k8s_audit_secrets(plan(), [], 397)
    held = [{**one, "metadata": {**one["metadata"], "name": one["metadata"]["name"]}} for one in first["manifests"]]
    moved = k8s_audit_secrets({**plan(), "server_names": ["other.svc"]}, held, 397)
    assert moved["trust"] == first["trust"]
    assert moved["fingerprint"] != first["fingerprint"]
    with pytest.raises(AnsibleFilterError, match="k8s_audit_tls_days"):
        k8s_audit_secrets(plan(), [], 1)
    pods = k8s_audit_plan({}, {}, NODES, moved["fingerprint"])["falco"]["falco_pod_annotations"]
    assert pods == {"falconet.k8s/audit-webhook-certificate": moved["fingerprint"]}


def test_the_role_asks_for_nothing_that_a_plan_does_not_have() -> None:
    found = plan()
    for path in (ROOT / "roles" / "k8s_audit").rglob("*.yml"):
        for dotted in re.findall(r"__k8s_audit_(?:plan|planned|kept)\.([a-z_.]+)", path.read_text()):
            place: Any = found
            for part in dotted.rstrip(".").split("."):
                assert part in place, f"{path.name}: {dotted}"
                place = place[part]


def test_no_task_shows_the_secrets_of_channels_that_variables_and_plan_have() -> None:
    secret = plan({"falco_outputs": {"slack": {"webhookurl": "https://chat.example/planted"}}}, alerts="own")
    assert "planted" in str(secret), "then a task may show it"
    shown = [
        f"{path.name}: {task['name']}"
        for path in sorted((ROOT / "roles" / "k8s_audit" / "tasks").glob("*.yml"))
        for task in yaml.safe_load(path.read_text())
        if re.search(r"__k8s_audit_(planned|declared|falco)\b", str(task.get("ansible.builtin.set_fact")))
        and task.get("no_log") is not True
    ]
    assert shown == []
