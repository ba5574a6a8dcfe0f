# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the variables of the role k8s_audit mean: a release of Falco's chart, its Service, and who may reach that.

Falco's plugin k8saudit serves the API server's webhook: batches of events by POST, over TLS with one file that has
certificate and key. It asks for no client certificate, so who may send is a NetworkPolicy's matter.
Source: https://github.com/falcosecurity/plugins/tree/main/plugins/k8saudit
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..falco_chart.further_values import merge
from ..falco_chart.guards import OWN_RULES_DIRECTORY
from ..falco_chart.names import names_of
from ..falco_chart.problems import FalcoChartError, Problem
from .rules import added, disabled
from .sources import audit_sources, control_plane_nodes, node_address

WEBHOOK = "k8saudit"
#: Where events come from, and the version that our rules need. All but the first read what a provider keeps.
PLUGINS = {WEBHOOK: "0.18", "k8saudit-eks": "0.12", "k8saudit-gke": "0.9", "k8saudit-aks": "0.6"}
PORT = 9765
PATH = "/k8s-audit"
METRICS_PORT = 8765
DIRECTORY = "/etc/k8s-audit-webhook"
#: One file with certificate and key, as the plugin reads it.
PEM = "falco.pem"
#: Annotation of pods, by which they start again when their certificate is a new one.
FINGERPRINT = "falconet.k8s/audit-webhook-certificate"
_CONFIG_MAPS = 4


@dataclass(frozen=True)
class Names:
    """Names of the objects beside the release: Service and NetworkPolicy, and the Secrets of its certificates.

    Attributes:
      service: of the Service and of the NetworkPolicy.
      authority: Secret with the CA, its key, and the CAs that are trusted.
      certificate: Secret that the pods mount.
    """

    service: str
    authority: str
    certificate: str


@dataclass(frozen=True)
class Plan:
    """What is to be there.

    Attributes:
      release, namespace: of the Helm release.
      namespace_labels: of the namespace.
      webhook: whether API servers send to it; else a plugin fetches the events from a provider.
      names: of the objects beside the release.
      labels: of these objects.
      selectors: by which they are found again.
      server_names: names in the certificate, the first of which API servers ask for.
      falco: variables of the role falco for this release, by their names.
      config_maps: that hold the rules.
      rules_extra, rules_disabled: rules as data, and names of those that are switched off.
      service, network_policy: manifests; empty where there is none.
      gone: those of the two that must not be there.
      addresses: of control-plane nodes, by their names in the cluster.
    """

    release: str
    namespace: str
    namespace_labels: Mapping[str, Any]
    webhook: bool
    names: Names
    labels: Mapping[str, str]
    selectors: list[str]
    server_names: list[str]
    falco: Mapping[str, Any]
    config_maps: list[str]
    rules_extra: list[dict[str, Any]]
    rules_disabled: list[str]
    service: Mapping[str, Any]
    network_policy: Mapping[str, Any]
    gone: list[dict[str, str]]
    addresses: Mapping[str, str] = field(default_factory=dict)


def build_plan(
    variables: Mapping[str, Any],
    falco: Mapping[str, Any],
    nodes: Iterable[Mapping[str, Any]] = (),
    fingerprint: str = "",
) -> Plan:
    """What the variables mean.

    Args:
      variables: all of the role's, without their prefix ``k8s_audit_``, with their declared types.
      falco: the same of the role falco, whose chart, images, channels this release shares.
      nodes: Node objects of the cluster.
      fingerprint: of the certificate.
    Raises:
      FalcoChartError: what cannot be installed; all of it at once.
    """
    release, namespace = variables["release_name"], variables["namespace"] or falco["namespace"]
    webhook = variables["plugin"] == WEBHOOK
    names = Names(f"{release}-webhook", f"{release}-webhook-authority", f"{release}-webhook-certificate")
    control_plane = control_plane_nodes(nodes)
    problems = [*_wrong(variables, falco, namespace)]
    if problems:
        raise FalcoChartError(problems)
    labels = {"app.kubernetes.io/managed-by": "falconet.k8s", "app.kubernetes.io/part-of": f"{release}-webhook"}
    service = _service(variables, names.service, namespace, labels) if webhook else {}
    sources = [*audit_sources(control_plane), *variables["sources"]]
    policed = webhook and variables["network_policy"]
    policy = _network_policy(release, names.service, namespace, labels, sources) if policed else {}
    config_maps = [f"{release}-rules-{number}" for number in range(1, _CONFIG_MAPS + 1)]
    domain = f"{names.service}.{namespace}"
    gone = [
        {"api_version": version, "kind": kind, "name": names.service}
        for version, kind, wanted in (("v1", "Service", service), ("networking.k8s.io/v1", "NetworkPolicy", policy))
        if not wanted
    ]
    return Plan(
        release=release,
        namespace=namespace,
        namespace_labels=falco["namespace_labels"],
        webhook=webhook,
        names=names,
        labels=labels,
        selectors=[f"{key}={value}" for key, value in labels.items()],
        server_names=[f"{domain}.svc", f"{domain}.svc.cluster.local", domain, names.service],
        falco=_falco(variables, falco, namespace, names.certificate, config_maps, fingerprint),
        config_maps=config_maps,
        rules_extra=added(variables),
        rules_disabled=disabled(variables),
        service=service,
        network_policy=policy,
        gone=gone,
        addresses={node["metadata"]["name"]: node_address(node) for node in control_plane},
    )


def server_url(variables: Mapping[str, Any], cluster_ip: str, own_address: str) -> str:
    """Where an API server sends its events: an address, since the cluster's DNS is none of its resolvers.

    Args:
      variables: the role's, without their prefix.
      cluster_ip: of the Service.
      own_address: of the API server's node, for a NodePort.
    Raises:
      FalcoChartError: there is no address.
    """
    port = variables["node_port"] if variables["exposure"] == "node_port" else PORT
    host = variables["webhook_host"] or (own_address if variables["exposure"] == "node_port" else cluster_ip)
    if not host:
        what = "the node has no InternalIP" if variables["exposure"] == "node_port" else "the Service has no address"
        raise FalcoChartError([Problem("k8s_audit_webhook_host", f"is needed: {what}.")])
    return f"https://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


def _wrong(variables: Mapping[str, Any], falco: Mapping[str, Any], namespace: str) -> Iterator[Problem]:
    release = variables["release_name"]
    if "falco" not in release:
        hint = f"For example falco-{release}."
        yield Problem("k8s_audit_release_name", f"must contain falco, {release!r} does not.", hint)
    if release == falco["release_name"]:
        hint = "It would take the place of the one for system calls."
        yield Problem("k8s_audit_release_name", f"is the release of the role falco, {release}.", hint)
    if variables["replicas"] < 1:
        yield Problem("k8s_audit_replicas", f"must be 1 or more, not {variables['replicas']}.")
    if not 1 <= variables["node_port"] <= 65535:
        yield Problem("k8s_audit_node_port", f"must be a port number, not {variables['node_port']}.")
    if variables["plugin"] in ("k8saudit-eks", "k8saudit-gke") and not variables["plugin_open_params"]:
        what = "the cluster's name" if variables["plugin"].endswith("eks") else "the Pub/Sub subscription"
        yield Problem("k8s_audit_plugin_open_params", f"is needed by {variables['plugin']}: {what}.")
    if variables["alerts"] == "shared":
        if not falco["sidekick_enabled"] and not falco["sidekick_url"]:
            hint = "Set falco_sidekick_enabled or falco_sidekick_url, or k8s_audit_alerts to own or none."
            yield Problem("k8s_audit_alerts", "is shared, but there is no Falcosidekick.", hint)
        if falco["sidekick_tls"] != "off" and namespace != falco["namespace"]:
            hint = f"They are in {falco['namespace']}: leave k8s_audit_namespace, or set k8s_audit_alerts to own."
            yield Problem(
                "k8s_audit_alerts", f"is shared by TLS, whose certificates pods in {namespace} do not see.", hint
            )


def _service(variables: Mapping[str, Any], name: str, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    port: dict[str, Any] = {"name": "webhook", "port": PORT, "targetPort": PORT, "protocol": "TCP"}
    spec: dict[str, Any] = {"selector": _pods(variables["release_name"]), "ports": [port]}
    if variables["exposure"] == "node_port":
        port["nodePort"] = variables["node_port"]
        # Who comes from outside keeps its address, by which the NetworkPolicy refuses it. The nodes' own packets are
        # sent to pods of all nodes nevertheless.
        spec.update(type="NodePort", externalTrafficPolicy="Local")
    else:
        spec["type"] = "ClusterIP"
    if variables["cluster_ip"]:
        spec["clusterIP"] = variables["cluster_ip"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": spec,
    }


def _network_policy(
    release: str, name: str, namespace: str, labels: Mapping[str, str], sources: Iterable[str]
) -> dict[str, Any]:
    blocks = [{"ipBlock": {"cidr": source}} for source in dict.fromkeys(sources)]
    # Without any block the rule would be for everybody.
    events = [{"from": blocks, "ports": [{"port": PORT, "protocol": "TCP"}]}] if blocks else []
    metrics = {"ports": [{"port": METRICS_PORT, "protocol": "TCP"}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "podSelector": {"matchLabels": _pods(release)},
            "policyTypes": ["Ingress"],
            "ingress": [*events, metrics],
        },
    }


def _pods(release: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": release}


def _falco(
    variables: Mapping[str, Any],
    falco: Mapping[str, Any],
    namespace: str,
    certificate: str,
    config_maps: list[str],
    fingerprint: str,
) -> dict[str, Any]:
    """Variables of the role falco; what is not here, such as chart and images, is that of its own release."""
    webhook = variables["plugin"] == WEBHOOK
    init: dict[str, Any] = {"sslCertificate": f"{DIRECTORY}/{PEM}"} if webhook else {}
    plugin = {
        "name": variables["plugin"],
        "library_path": f"lib{variables['plugin']}.so",
        "init_config": {**init, **variables["plugin_init_config"]},
        "open_params": f"https://:{PORT}{PATH}" if webhook else variables["plugin_open_params"],
    }
    own: dict[str, Any] = {
        "affinity": variables["affinity"] or _apart(variables),
        "append_output": [],
        "artifacts": variables["artifacts"] or [f"{variables['plugin']}:{PLUGINS[variables['plugin']]}", "json:0.7"],
        "artifacts_follow": False,
        "container_engine": "none",
        "driver": "none",
        "driver_groups": [],
        "extra_values": merge(_values(variables, certificate), variables["extra_values"]),
        "grafana_dashboard": False,
        "kubernetes_metadata": False,
        "namespace": namespace,
        "node_selector": variables["node_selector"],
        "own_rules_config_maps": config_maps,
        "plugins": [plugin, {"name": "json", "library_path": "libjson.so", "init_config": ""}],
        "pod_annotations": {FINGERPRINT: fingerprint} if fingerprint else {},
        "pod_labels": {},
        "priority": "debug",
        "release_name": variables["release_name"],
        "resources": variables["resources"],
        "rule_files": [OWN_RULES_DIRECTORY],
        "rule_matching": "all",
        "sidekick_more": [],
        "tolerations": variables["tolerations"],
        "ui_enabled": False,
        **_channels(variables, falco, namespace),
    }
    return {f"falco_{name}": value for name, value in own.items()}


def _apart(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Several pods on several nodes, where that can be."""
    if variables["replicas"] < 2:
        return {}
    term = {"labelSelector": {"matchLabels": _pods(variables["release_name"])}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _values(variables: Mapping[str, Any], certificate: str) -> dict[str, Any]:
    values: dict[str, Any] = {"controller": {"kind": "deployment", "deployment": {"replicas": variables["replicas"]}}}
    if variables["plugin"] == WEBHOOK:
        volume = {"name": "audit-webhook", "secret": {"secretName": certificate}}
        mount = {"name": "audit-webhook", "mountPath": DIRECTORY, "readOnly": True}
        values["mounts"] = {"volumes": [volume], "volumeMounts": [mount]}
    return values


def _channels(variables: Mapping[str, Any], falco: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Where alerts go: to the Falcosidekick that there is, to one of the release's own, or to the log alone."""
    none = {"outputs": {}, "outputs_existing_secret": "", "sidekick_enabled": False, "sidekick_url": ""}
    if variables["alerts"] == "own":
        given = variables["outputs"] or variables["outputs_existing_secret"]
        both = ("outputs", "outputs_existing_secret")
        outputs = {name: (variables if given else falco)[name] for name in both}
        return {**none, **outputs, "sidekick_enabled": True, "sidekick_release": "chart"}
    if variables["alerts"] == "none":
        return {**none, "custom_fields": {}, "templated_fields": {}, "sidekick_tls": "off"}
    if not falco["sidekick_enabled"]:
        return {**none, "sidekick_url": falco["sidekick_url"]}
    names = names_of(falco["release_name"])
    tls = falco["sidekick_tls"] != "off"
    host = names.sidekick if namespace == falco["namespace"] else f"{names.sidekick}.{falco['namespace']}"
    shared: dict[str, Any] = {**none, "sidekick_url": f"{'https' if tls else 'http'}://{host}:2801"}
    if tls and not falco["sidekick_tls_secret"]:
        shared["sidekick_tls_secret"] = names.tls["trust"]
        if falco["sidekick_tls"] == "mutual":
            shared["sidekick_tls_client_secret"] = names.tls["client"]
    return shared
