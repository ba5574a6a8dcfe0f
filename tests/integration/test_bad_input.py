"""Bad input and absent machines: a clear message that names the thing, a non-zero exit code, and nothing changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import Cluster
from .playbook import Site

pytestmark = pytest.mark.cluster

BROKEN_RULES = """\
- rule: Broken
  desc: The field does not exist.
  condition: evt.type = open and fd.nmae = /etc/shadow
  output: read
  priority: WARNING
"""
FALCOS_OWN_RULES = """\
- rule: Read of passwd
  desc: One of Falco's own.
  condition: evt.type = openat and fd.name = /etc/passwd
  output: read
  priority: WARNING
"""
RED_TEST = """\
rulesets: {own: [rules.yaml]}
cases:
  - name: another file
    given: {evt.type: open, fd.name: /etc/hosts}
    expect: Broken
"""
CUTS_A_REQUIRED_FLOW = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "nobody-reaches-anybody", "namespace": "prod"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}
CLUSTER_WIDE = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "everywhere"},
    "spec": {"priority": 5, "subject": {"namespaces": {}}},
}

#: Variables, and what is said of each, since the cluster has nothing of that name.
NOT_IN_THE_CLUSTER: list[tuple[dict[str, Any], str]] = [
    ({"falco_priority_class": "system-node-crtical"}, "did you mean system-node-critical?"),
    (
        {"falco_image_pull_secrets": ["nobody-made-it"]},
        "falco_image_pull_secrets: there is no Secret nobody-made-it",
    ),
    (
        {"verify_triggers": [{"name": "x", "rule": "Any", "namespace": "prodd", "command": ["true"]}]},
        "verify_triggers: there is no Namespace prodd in the cluster; did you mean prod?",
    ),
    (
        {"falco_redis_storage": "storage_class", "falco_redis_storage_class": "sandbox-defualt"},
        "falco_redis_storage_class: there is no StorageClass sandbox-defualt",
    ),
    (
        {"falco_ui_exposure": "ingress", "falco_ui_ingress": {"host": "ui.example.com", "class": "ngnix"}},
        "falco_ui_ingress.class: there is no IngressClass ngnix",
    ),
    (
        {"falco_service_monitor": True},
        "falco_service_monitor: the cluster does not serve ServiceMonitor of monitoring.coreos.com/v1",
    ),
    (
        {"falco_outputs": {"alertmanager": {"hostport": "http://kube-dsn.kube-system.svc:9093"}}},
        "falco_outputs.alertmanager.hostport: there is no Service kube-dsn in namespace kube-system; "
        "did you mean kube-dns?",
    ),
    (
        {"network_policies_namespaces": [{"name": "prdo", "create": False}]},
        "network_policies_namespaces: there is no Namespace prdo in the cluster; did you mean prod?",
    ),
    (
        {"network_policies_definitions": [CLUSTER_WIDE]},
        "policy everywhere: the cluster does not serve AdminNetworkPolicy of policy.networking.k8s.io/v1alpha1; it "
        "has no API group policy.networking.k8s.io. Network plugins that enforce such policies bring these CRDs",
    ),
    (
        {"network_policies_state_namespace": "defualt"},
        "network_policies_state_namespace: there is no Namespace defualt in the cluster; did you mean default?",
    ),
    (
        {
            "network_policies_probe_image_pull_secrets": ["pull"],
            "network_policies_probe_work_namespace": "prod",
        },
        "network_policies_probe_image_pull_secrets: there is no Secret pull in namespace prod",
    ),
    (
        {
            "verify_alert_destinations": [
                {"name": "slack", "receiver": {"namespace": "prod", "service": "backedn", "port": 80, "path": "/"}}
            ]
        },
        "verify_alert_destinations: there is no Service backedn in namespace prod; did you mean backend?",
    ),
]


def refused(site: Site, *arguments: str, extra: dict[str, Any] | None = None) -> str:
    """Run the site with bad input and return its output; it must fail and must not change anything."""
    outcome = site.run("site.yml", *arguments, extra=extra)
    assert outcome.returncode != 0
    assert outcome.total_changed == 0, outcome.output
    # The deprecation of a module is no business of the reader of an error; line breaks of YAML output are none, either.
    return " ".join(outcome.output.split())


def test_misspelt_variables(site: Site) -> None:
    output = refused(site, extra={"falco_namespcae": "x", "node_prep_drivr": "x"})
    assert "'falco_namespcae' is not a variable of any role: did you mean 'falco_namespace'?" in output
    assert "'node_prep_drivr' is not a variable of any role: did you mean 'node_prep_driver'?" in output
    assert "Nothing was changed" in output


def test_variables_of_the_wrong_type(site: Site) -> None:
    extra = {"falco_ui_node_port": "thirty", "falco_redis_storage": "nfs", "verify_triggers": [{"name": "x"}]}
    output = refused(site, extra=extra)
    words = ["falco_ui_node_port", "int", "falco_redis_storage", "local", "nfs", "verify_triggers", "command"]
    assert [word for word in words if word not in output] == []
    assert "Nothing was changed" in output


def test_a_rule_that_does_not_do_what_its_test_says(site: Site, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(BROKEN_RULES.replace("fd.nmae", "fd.name"))
    tests = tmp_path / "tests.yaml"
    tests.write_text(RED_TEST)
    output = refused(site, extra={"falco_rules_tests": [str(tests)]})
    assert f"{tests}:5:13: FT002: rule 'Broken' did not fire" in output
    assert "fd.name = /etc/shadow: fd.name is '/etc/hosts'" in output


def test_a_rule_with_an_unknown_field(site: Site, tmp_path: Path) -> None:
    rules = tmp_path / "broken.yaml"
    rules.write_text(BROKEN_RULES)
    output = refused(site, extra={"falco_rules_files": [str(rules)]})
    assert "broken.yaml:3" in output
    assert "fd.nmae" in output
    assert "fd.name" in output


def test_a_rule_that_is_no_yaml(site: Site, tmp_path: Path) -> None:
    rules = tmp_path / "broken.yaml"
    rules.write_text("- rule: [unclosed\n")
    assert "broken.yaml" in refused(site, extra={"falco_rules_files": [str(rules)]})


def test_a_policy_that_cuts_a_required_flow(site: Site, cluster: Cluster) -> None:
    before = cluster.digest()
    outcome = site.run(
        "network_policies.yml",
        extra={"network_policies_files": [], "network_policies_definitions": [CUTS_A_REQUIRED_FLOW]},
    )
    assert outcome.returncode != 0
    output = " ".join(outcome.output.split())
    assert "frontend" in output
    assert "backend" in output
    assert "8080" in output
    assert cluster.digest() == before


def test_an_api_server_that_is_away(site: Site, tmp_path: Path) -> None:
    config = yaml.safe_load(site.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    away = tmp_path / "kubeconfig"
    away.write_text(yaml.safe_dump(config))
    output = refused(site, extra={"cluster_kubeconfig": str(away), "falconet_connect_timeout_seconds": 10})
    assert "The API server of cluster sandbox" in output
    assert str(away) in output


def test_a_kubeconfig_that_is_missing(site: Site, tmp_path: Path) -> None:
    output = refused(site, extra={"cluster_kubeconfig": str(tmp_path / "nowhere")})
    assert "nowhere" in output


def test_a_node_without_ssh(site: Site, tmp_path: Path) -> None:
    inventory = tmp_path / "more.yml"
    node = {"ansible_host": "127.0.0.1", "ansible_port": 1, "kube_cluster": "sandbox"}
    inventory.write_text(yaml.safe_dump({"workers": {"hosts": {"worker99": node}}}))
    output = refused(site, "-i", str(inventory), extra={"falconet_connect_timeout_seconds": 3})
    assert "Node worker99" in output
    assert "127.0.0.1:1" in output
    assert "Nothing was changed" in output


def test_a_flow_of_a_namespace_that_does_not_exist(site: Site) -> None:
    flow = {"name": "visitor", "from": {"namespace": "defualt"}, "to": {"namespace": "prod"}, "ports": [8080]}
    output = refused(site, extra={"network_policies_forbidden_flows": [flow]})
    assert "forbidden flow 'visitor'" in output
    assert "defualt" in output
    assert "default" in output
    later = {"network_policies_forbidden_flows": [flow], "network_policies_later_flows": ["visitor"]}
    assert site.run("preflight.yml", extra=later).returncode == 0
    output = refused(site, extra={**later, "network_policies_later_flows": ["visitr"]})
    assert "no flow is called visitr. Names of flows:" in output


def test_a_trigger_on_a_rule_that_does_not_exist(site: Site, tmp_path: Path) -> None:
    # Falco's own rules are given: they would else be known only once Falco runs.
    base = tmp_path / "falco_rules.yaml"
    base.write_text(FALCOS_OWN_RULES)
    trigger = {"name": "x", "rule": "Read of ect shadow", "namespace": "prod", "command": ["true"]}
    extra = {"falco_rules_base_files": [str(base)], "verify_triggers": [{**trigger, "expect_alert": False}]}
    output = refused(site, extra=extra)
    assert "neither Falco's own rules nor yours have a rule" in output
    assert "Read of etc shadow" in output


def test_a_node_selector_that_no_node_has(site: Site) -> None:
    output = refused(site, extra={"falco_node_selector": {"no": "node"}})
    assert "falco_node_selector: no node of the cluster has these labels" in output


def test_a_group_that_is_misspelt(site: Site, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"cluster": {"hosts": {"sandbox": {"ansible_connection": "local"}}}}))
    outcome = dataclasses.replace(site, inventory=inventory).run("site.yml")
    assert outcome.returncode != 0
    said = " ".join(outcome.output.split())
    assert "there is no group clusters" in said
    assert "did you mean it by cluster?" in said


def test_a_context_that_does_not_exist(site: Site) -> None:
    output = refused(site, extra={"cluster_context": "sandbx"})
    assert "Its contexts are" in output


def test_all_that_variables_name_and_the_cluster_has_not_is_told_at_once(site: Site) -> None:
    output = refused(site, extra={name: value for extra, _ in NOT_IN_THE_CLUSTER for name, value in extra.items()})
    assert [told for _, told in NOT_IN_THE_CLUSTER if told not in output] == []


def test_pull_secrets_in_a_namespace_that_does_not_last(site: Site) -> None:
    output = refused(site, extra={"network_policies_probe_image_pull_secrets": ["pull"]})
    assert "a probe without network_policies_probe_work_namespace works in a namespace of its own" in output


def test_tags_that_are_misspelt(site: Site) -> None:
    arguments = ["--tags", "flaco", "--skip-tags", "network-policies"]
    output = refused(site, *arguments)
    assert "--tags: there is no tag flaco; did you mean falco?" in output
    assert "--skip-tags: there is no tag network-policies" in output
    assert "Nothing was changed" in output
    known = {"falconet_known_tags": ["flaco", "network-policies"]}
    assert site.run("preflight.yml", *arguments, extra=known).returncode == 0


def test_a_helm_that_is_missing(site: Site, tmp_path: Path) -> None:
    output = refused(site, extra={"falco_helm_binary": str(tmp_path / "helm")})
    assert f"falco_helm_binary: there is no program {tmp_path}/helm. Helm 3.8 or newer is needed" in output
