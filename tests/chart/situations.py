"""Named situations: variables of the role, and what the rendered chart must contain then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.falco_chart.planted import PLANTED as PLANTED_EVERYWHERE
from tests.unit.falco_chart.planted import every_output

from .rendered import Rendered

MONITORING = "monitoring.coreos.com/v1"
OPENSHIFT = "security.openshift.io/v1"
PLANTED = "planted-in-chart-check"
#: What the role always gives.
ROLE = {
    "own_rules_config_maps": ["falco-own-rules-1", "falco-own-rules-2"],
    "ui_existing_secret": "falco-ui-credentials",
    "redis_existing_secret": "falco-redis-credentials",
}
TLS = {"sidekick_tls_secret": "tls-server", "sidekick_tls_client_secret": "tls-client"}


@dataclass(frozen=True)
class Situation:
    name: str
    variables: dict[str, Any]
    check: Callable[[Rendered], bool]
    api_versions: tuple[str, ...] = field(default=())


def env(container: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in container.get("env") or []}


def sockets(r: Rendered) -> set[str]:
    return {path for path in r.host_paths() if path.endswith(".sock")}


def sidekick(r: Rendered) -> dict[str, Any]:
    spec: dict[str, Any] = r.get("Deployment", "falco-falcosidekick")["spec"]["template"]["spec"]["containers"][0]
    return spec


def node_expressions(r: Rendered, daemon_set: str) -> list[tuple[str, str, list[str]]]:
    affinity = r.get("DaemonSet", daemon_set)["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return [(found["key"], found["operator"], found["values"]) for found in term["matchExpressions"]]


def further(r: Rendered, name: str) -> dict[str, Any]:
    deployment = r.get("Deployment", f"falco-falcosidekick-{name}")
    container: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return container


def ui_service(r: Rendered) -> dict[str, Any]:
    spec: dict[str, Any] = r.get("Service", "falco-falcosidekick-ui")["spec"]
    return spec


def redis(r: Rendered) -> dict[str, Any]:
    spec: dict[str, Any] = r.get("StatefulSet", "falco-falcosidekick-ui-redis")["spec"]
    return spec


def mounted(r: Rendered, path: str) -> bool:
    return any(mount["mountPath"] == path for mount in r.container()["volumeMounts"])


SITUATIONS = [
    Situation("defaults", {}, lambda r: r.container()["securityContext"] == {"privileged": True}),
    Situation(
        "least privileged",
        {"driver_least_privileged": True},
        lambda r: set(r.container()["securityContext"]["capabilities"]["add"]) >= {"BPF", "PERFMON"},
    ),
    Situation(
        "kernel module",
        {"driver": "kmod", "driver_buffer_preset": 8},
        lambda r: r.falco_yaml()["engine"]["kmod"]["buf_size_preset"] == 8 and "falco-driver-loader" in r.containers(),
    ),
    Situation("driver chosen by the loader", {"driver": "auto"}, lambda r: "falco-driver-loader" in r.containers()),
    Situation(
        "modern eBPF needs no loader",
        {"driver": "modern_ebpf", "driver_cpus_per_buffer": 4},
        lambda r: (
            "falco-driver-loader" not in r.containers()
            and r.falco_yaml()["engine"]["modern_ebpf"]["cpus_for_each_buffer"] == 4
        ),
    ),
    Situation(
        "another driver on a group of nodes, with everything that a release can have",
        {
            "driver_groups": [
                {"name": "old", "driver": "kmod", "nodes": ["worker07", "worker08"]},
                {"name": "edge", "driver": "auto", "node_labels": {"pool": "edge"}},
            ],
            "kubernetes_metadata": True,
            "service_monitor": True,
            "grafana_dashboard": True,
            "sidekick_tls": "mutual",
            **TLS,
        },
        lambda r: (
            node_expressions(r, "falco")
            == [("kubernetes.io/hostname", "NotIn", ["worker07", "worker08"]), ("pool", "NotIn", ["edge"])]
            and node_expressions(r, "falco-old") == [("kubernetes.io/hostname", "In", ["worker07", "worker08"])]
            and node_expressions(r, "falco-edge") == [("pool", "In", ["edge"])]
            and "kmod" in r.get("ConfigMap", "falco-old")["data"]["falco.yaml"]
            and "https://falco-falcosidekick:2801" in r.get("ConfigMap", "falco-old")["data"]["falco.yaml"]
            and r.find("Deployment", "falco-old-falcosidekick") is None
            and r.get("DaemonSet", "falco-old")["metadata"]["labels"]["falconet.k8s/falco"] == "falco"
        ),
        (MONITORING, OPENSHIFT),
    ),
    Situation(
        "plugins alone, as a Deployment",
        {
            "driver": "none",
            "plugins": [
                {"name": "k8saudit", "library_path": "libk8saudit.so", "open_params": "http://:9765/k8s-audit"}
            ],
            "extra_values": {"controller": {"kind": "deployment"}},
        },
        lambda r: (
            "--disable-source" in r.container()["args"]
            and r.find("DaemonSet", "falco") is None
            and r.falco_yaml()["load_plugins"] == ["k8saudit"]
        ),
    ),
    Situation(
        "containerd", {"container_engine": "containerd"}, lambda r: sockets(r) == {"/run/containerd/containerd.sock"}
    ),
    Situation("CRI-O", {"container_engine": "crio"}, lambda r: sockets(r) == {"/run/crio/crio.sock"}),
    Situation("k3s", {"container_engine": "k3s"}, lambda r: sockets(r) == {"/run/k3s/containerd/containerd.sock"}),
    Situation("Docker", {"container_engine": "docker"}, lambda r: sockets(r) == {"/var/run/docker.sock"}),
    Situation(
        "a socket elsewhere",
        {"container_engine": "containerd", "container_engine_socket": "/opt/c.sock"},
        lambda r: sockets(r) == {"/opt/c.sock"},
    ),
    Situation("no container engine", {"container_engine": "none"}, lambda r: sockets(r) == set()),
    Situation(
        "Kubernetes metadata",
        {"kubernetes_metadata": True},
        lambda r: (
            r.find("Deployment", "falco-k8s-metacollector") is not None and "k8smeta" in r.falco_yaml()["load_plugins"]
        ),
    ),
    Situation(
        "extra output",
        {
            "append_output": [
                {"match": {"source": "syscall"}, "extra_output": "on %evt.hostname", "extra_fields": ["evt.cpu"]}
            ]
        },
        lambda r: r.falco_yaml()["append_output"][-1]["extra_output"] == "on %evt.hostname",
    ),
    Situation(
        "rules files and plugins",
        {"rule_files": ["/etc/falco/falco_rules.yaml"], "plugins": [{"name": "json", "library_path": "libjson.so"}]},
        lambda r: (
            r.falco_yaml()["rules_files"][-1] == "/etc/falco/rules.d" and "json" in r.falco_yaml()["load_plugins"]
        ),
    ),
    Situation(
        "own rules, mounted and changed without a restart",
        {},
        lambda r: (
            mounted(r, "/etc/falco/rules.d")
            and all(
                source["configMap"]["optional"]
                for volume in r.falco_pod()["volumes"]
                for source in volume.get("projected", {}).get("sources", [])
            )
        ),
    ),
    Situation(
        "artifacts, installed and followed",
        {"artifacts_follow": True, "artifacts": ["falco-rules:5", "falco-incubating-rules:5"]},
        lambda r: {"falcoctl-artifact-install", "falcoctl-artifact-follow"} <= r.containers(),
    ),
    Situation(
        "artifacts, never replaced in a running pod",
        {},
        lambda r: "falcoctl-artifact-install" in r.containers() and "falcoctl-artifact-follow" not in r.containers(),
    ),
    Situation(
        "air gap",
        {
            "image_registry": "mirror.example.org",
            "image_pull_secrets": ["mirror"],
            "image_pull_policy": "Always",
            "artifacts_install": False,
            "images": {"falco": {"tag": "0.44.1", "digest": f"sha256:{'a' * 64}"}},
        },
        lambda r: (
            all(image.startswith("mirror.example.org/") for image in r.images())
            and f"mirror.example.org/falcosecurity/falco:0.44.1@sha256:{'a' * 64}" in r.images()
            and not any(name.startswith("falcoctl") for name in r.containers())
            and r.falco_pod()["imagePullSecrets"] == [{"name": "mirror"}]
        ),
    ),
    Situation(
        "what Falco does with events",
        {"priority": "notice", "buffered_outputs": True, "syscall_drop_actions": ["log"], "rule_matching": "first"},
        lambda r: (
            r.falco_yaml()["priority"] == "notice"
            and r.falco_yaml()["rule_matching"] == "first"
            and r.falco_yaml()["syscall_event_drops"]["actions"] == ["log"]
        ),
    ),
    Situation(
        "where Falco runs",
        {
            "resources": {"limits": {"memory": "2Gi"}},
            "tolerations": [{"operator": "Exists"}],
            "node_selector": {"kubernetes.io/os": "linux"},
            "affinity": {"nodeAffinity": {}},
            "priority_class": "system-node-critical",
            "pod_labels": {"team": "security"},
        },
        lambda r: (
            r.falco_pod()["tolerations"] == [{"operator": "Exists"}]
            and r.falco_pod()["priorityClassName"] == "system-node-critical"
            and r.container()["resources"]["limits"]["memory"] == "2Gi"
        ),
    ),
    Situation(
        "Prometheus operator and Grafana",
        {"service_monitor": True, "service_monitor_labels": {"release": "prometheus"}, "grafana_dashboard": True},
        lambda r: (
            r.get("ServiceMonitor", "falco")["metadata"]["labels"]["release"] == "prometheus"
            and r.find("ConfigMap", "falco-grafana-dashboard") is not None
        ),
        (MONITORING,),
    ),
    Situation(
        "proxy and private CA",
        {"proxy": {"https": "http://proxy.example.org:3128", "no": "10.0.0.0/8"}, "ca_config_map": "company-ca"},
        lambda r: (
            env(r.container("falcoctl-artifact-install"))["HTTPS_PROXY"] == "http://proxy.example.org:3128"
            and env(r.container("falcoctl-artifact-install"))["SSL_CERT_FILE"] == "/etc/extra-ca/ca.crt"
            and env(sidekick(r))["NO_PROXY"].startswith("10.0.0.0/8,")
            and env(sidekick(r))["TLSCLIENT_CACERTFILE"] == "/etc/extra-ca/ca.crt"
        ),
    ),
    Situation(
        "a Falcosidekick of one's own",
        {"sidekick_enabled": False, "sidekick_url": "http://alerts.example.org:2801"},
        lambda r: (
            r.falco_yaml()["http_output"]["url"] == "http://alerts.example.org:2801"
            and r.find("Deployment", "falco-falcosidekick") is None
        ),
    ),
    Situation("no Falcosidekick", {"sidekick_enabled": False}, lambda r: not r.falco_yaml()["http_output"]["enabled"]),
    Situation(
        "several alert channels",
        {
            "outputs": {
                "slack": {"webhookurl": f"https://hooks.example/{PLANTED}", "minimumpriority": "warning"},
                "telegram": {"token": f"1:{PLANTED}", "chatid": "-100"},
                "pagerduty": {"routingkey": PLANTED},
                "smtp": {"hostport": "mail:25", "from": "a@b.c", "to": "d@e.f", "password": PLANTED},
                "elasticsearch": {"hostport": "https://es:9200", "apikey": PLANTED},
                "loki": {"hostport": "http://loki:3100", "grafanaDashboard": {"enabled": False}},
            },
            "outputs_existing_secret": "falco-outputs",
            "outputs_fingerprint": "0123",
        },
        lambda r: (
            PLANTED not in r.text()
            and sidekick(r)["envFrom"][-1] == {"secretRef": {"name": "falco-outputs"}}
            and "0123" in r.text()
        ),
    ),
    Situation(
        "secrets planted in every channel there is",
        {"outputs": every_output(), "outputs_existing_secret": "falco-outputs"},
        lambda r: PLANTED_EVERYWHERE not in r.text(),
    ),
    Situation(
        "secrets planted in every channel of a release of its own and of a further instance",
        {
            "sidekick_release": "own",
            "outputs": {name: given for name, given in every_output().items() if name != "webhook"},
            "outputs_existing_secret": "falco-outputs",
            "sidekick_more": [{"name": "all", "outputs": every_output()}],
        },
        lambda r: PLANTED_EVERYWHERE not in r.text() and r.find("Deployment", "falco-falcosidekick-all") is not None,
    ),
    Situation(
        "two channels of one kind, the second for what is critical",
        {
            "outputs": {"slack": {"webhookurl": f"https://hooks.example/all/{PLANTED}"}},
            "outputs_existing_secret": "falco-outputs",
            "sidekick_more": [
                {
                    "name": "oncall",
                    "outputs": {
                        "slack": {
                            "webhookurl": f"https://hooks.example/oncall/{PLANTED}",
                            "minimumpriority": "critical",
                        }
                    },
                    "replicas": 2,
                }
            ],
        },
        lambda r: (
            PLANTED not in r.text()
            and env(sidekick(r))["WEBHOOK_ADDRESS"] == "http://falco-falcosidekick-oncall:2801"
            and env(sidekick(r))["WEBHOOK_MINIMUMPRIORITY"] == "critical"
            and further(r, "oncall")["envFrom"][-1] == {"secretRef": {"name": "falco-outputs-oncall"}}
            and r.get("Deployment", "falco-falcosidekick-oncall")["spec"]["replicas"] == 2
            and r.get("Service", "falco-falcosidekick-oncall")["spec"]["ports"][0]["port"] == 2801
        ),
    ),
    Situation(
        "two channels of one kind, over mutual TLS and with a private CA",
        {
            "sidekick_tls": "mutual",
            **TLS,
            "sidekick_tls_ca_secret": "tls-ca",
            "ca_config_map": "company-ca",
            "sidekick_more": [{"name": "oncall", "outputs_existing_secret": "mine"}],
        },
        lambda r: (
            env(sidekick(r))["WEBHOOK_ADDRESS"] == "https://falco-falcosidekick-oncall:2801"
            and env(sidekick(r))["MUTUALTLSCLIENT_CERTFILE"] == "/etc/certs/client/client.crt"
            and env(sidekick(r))["TLSCLIENT_CACERTFILE"] == "/etc/certs/server/ca.crt"
            and env(sidekick(r))["SSL_CERT_DIR"] == "/etc/extra-ca"
            and {m["mountPath"] for m in sidekick(r)["volumeMounts"]}
            == {"/etc/certs/server", "/etc/certs/client", "/etc/extra-ca"}
            and env(further(r, "oncall"))["TLSSERVER_MUTUALTLS"] == "true"
            and {"name": "certs-volume", "secret": {"secretName": "tls-ca"}} in r.falco_pod()["volumes"]
        ),
    ),
    Situation(
        "Falcosidekick as a release of its own",
        {
            "sidekick_release": "own",
            "outputs_existing_secret": "falco-outputs",
            "images": {"falcosidekick": {"registry": "mirror.example.org"}},
        },
        lambda r: (
            r.falco_yaml()["http_output"]["url"] == "http://falco-falcosidekick:2801"
            and r.falco_yaml()["json_output"] is True
            and sidekick(r)["image"].startswith("mirror.example.org/")
            and sidekick(r)["envFrom"][-1] == {"secretRef": {"name": "falco-outputs"}}
            and ui_service(r)["ports"][0]["nodePort"] == 30080
            and redis(r)["volumeClaimTemplates"][0]["metadata"]["name"] == "falco-falcosidekick-ui-redis-data"
            and "FALCOSIDEKICK_UI_USER" not in r.get("Secret", "falco-falcosidekick-ui")["data"]
        ),
    ),
    Situation(
        "Falcosidekick as a release of its own, over TLS",
        {"sidekick_release": "own", "sidekick_tls": "server", **TLS},
        lambda r: (
            r.falco_yaml()["http_output"]["url"] == "https://falco-falcosidekick:2801"
            and env(sidekick(r))["TLSSERVER_DEPLOY"] == "true"
        ),
    ),
    Situation(
        "fields for every alert",
        {"custom_fields": {"cluster": "prod-1"}, "templated_fields": {"who": "{{ .proc }}"}},
        lambda r: (
            env(sidekick(r))["CUSTOMFIELDS"] == "cluster:prod-1"
            and env(sidekick(r))["TEMPLATEDFIELDS"] == "who:{{ .proc }}"
        ),
    ),
    Situation(
        "TLS to Falcosidekick",
        {"sidekick_tls": "server", **TLS},
        lambda r: (
            r.falco_yaml()["http_output"]["url"] == "https://falco-falcosidekick:2801"
            and mounted(r, "/etc/falco/certs")
            and env(sidekick(r))["TLSSERVER_DEPLOY"] == "true"
        ),
    ),
    Situation(
        "mutual TLS to Falcosidekick",
        {"sidekick_tls": "mutual", **TLS},
        lambda r: (
            r.falco_yaml()["http_output"]["mtls"]
            and mounted(r, "/etc/falco/certs/client")
            and env(sidekick(r))["TLSSERVER_MUTUALTLS"] == "true"
        ),
    ),
    Situation(
        "UI on a NodePort",
        {},
        lambda r: (ui_service(r)["type"], ui_service(r)["ports"][0]["nodePort"]) == ("NodePort", 30080),
    ),
    Situation("UI by port-forward", {"ui_exposure": "cluster_ip"}, lambda r: ui_service(r)["type"] == "ClusterIP"),
    Situation(
        "UI on a load balancer", {"ui_exposure": "load_balancer"}, lambda r: ui_service(r)["type"] == "LoadBalancer"
    ),
    Situation(
        "UI behind an Ingress",
        {"ui_exposure": "ingress", "ui_ingress": {"host": "falco.example.org", "class": "nginx", "tls_secret": "tls"}},
        lambda r: r.get("Ingress", "falco-falcosidekick-ui")["spec"]["tls"][0]["secretName"] == "tls",
    ),
    Situation("no UI", {"ui_enabled": False}, lambda r: r.find("StatefulSet", "falco-falcosidekick-ui-redis") is None),
    Situation(
        "no default login, and a password for Redis",
        {},
        lambda r: (
            "FALCOSIDEKICK_UI_USER" not in r.get("Secret", "falco-falcosidekick-ui")["data"]
            and redis(r)["template"]["spec"]["containers"][0]["envFrom"]
            == [{"secretRef": {"name": "falco-redis-credentials"}}]
            and "REDIS_PASSWORD" in r.get("ConfigMap", "falco-falcosidekick-ui-redis")["data"]["ping-redis.sh"]
        ),
    ),
    Situation(
        "Redis on a prepared directory",
        {"redis_storage": "local", "redis_storage_class": "falco-redis-local"},
        lambda r: (
            redis(r)["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "falco-redis-local"
            and "fsGroup" not in redis(r)["template"]["spec"]["securityContext"]
        ),
    ),
    Situation(
        "Redis on the default StorageClass",
        {"redis_storage": "storage_class", "redis_storage_size": "5Gi"},
        lambda r: (
            redis(r)["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "5Gi"
            and "storageClassName" not in redis(r)["volumeClaimTemplates"][0]["spec"]
        ),
    ),
    Situation("Redis in memory", {"redis_storage": "none"}, lambda r: "volumeClaimTemplates" not in redis(r)),
    Situation(
        "a Redis of one's own",
        {"redis_external": {"host": "redis.example.org", "port": 6380}},
        lambda r: (
            r.find("StatefulSet", "falco-falcosidekick-ui-redis") is None and "redis.example.org:6380" in r.text()
        ),
    ),
    Situation(
        "OpenShift",
        {},
        lambda r: r.get("SecurityContextConstraints", "falco")["allowPrivilegedContainer"] is True,
        (OPENSHIFT,),
    ),
    Situation(
        "any further value",
        {
            "extra_values": {
                "healthChecks": {"startupProbe": {"failureThreshold": 60}},
                "falco": {"falco_libs": {"snaplen": 256}},
            }
        },
        lambda r: (
            r.container()["startupProbe"]["failureThreshold"] == 60 and r.falco_yaml()["falco_libs"]["snaplen"] == 256
        ),
    ),
]

#: Values that were right for a chart of this major, and what must be told about them.
OLD_VALUES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "4": (
        {"driver": {"kind": "ebpf"}, "collectors": {"docker": {"enabled": True}}},
        ["driver.kind", "collectors.containerEngine"],
    ),
    "6": (
        {"falcotalon": {"enabled": True}, "collectors": {"cri": {"socket": "/a"}}},
        ["falco-talon", "collectors.containerEngine"],
    ),
    "7": ({"falco": {"grpc": {"enabled": True}, "grpc_output": {"enabled": True}}}, ["falco.http_output"]),
    "8": ({"driver": {"kind": "gvisor", "gvisor": {"runsc": {}}}}, ["driver.kind", "driver.gvisor"]),
}
