"""falco_extra_values: lists are appended to, and what would undo another stage's work is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.guards import GUARDS
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values

ROLE = {"own_rules_config_maps": ["falco-own-rules-1"], "ca_config_map": "company-ca"}
MINE = {"name": "mine", "emptyDir": {}}


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[no-any-return]  # a dictionary by then


def told(extra: dict[str, Any], **variables: Any) -> str:
    try:
        build_values({**ROLE, **variables, "extra_values": extra})
    except FalcoChartError as error:
        return str(error)
    return ""


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["name"] for entry in entries]


def test_volumes_are_added_to_the_roles_own() -> None:
    mount = {"name": "mine", "mountPath": "/mine"}
    values = build_values({**ROLE, "extra_values": {"mounts": {"volumes": [MINE], "volumeMounts": [mount]}}})
    assert names(values["mounts"]["volumes"]) == ["own-rules", "extra-ca", "mine"]
    assert names(values["mounts"]["volumeMounts"]) == ["own-rules", "extra-ca", "mine"]


def test_every_list_that_the_role_fills_is_added_to() -> None:
    mount = {"name": "mine", "mountPath": "/mine"}
    variable = {"name": "MINE", "value": "1"}
    plugin = {"name": "mine", "library_path": "libmine.so"}
    values = build_values(
        {
            **ROLE,
            "proxy": {"https": "http://proxy:3128"},
            "driver": "kmod",
            "image_pull_secrets": ["a"],
            "plugins": [{"name": "json", "library_path": "libjson.so"}],
            "append_output": [{"extra_output": "x"}],
            "extra_values": {
                "driver": {"loader": {"initContainer": {"env": [variable]}}},
                "falco": {"plugins": [plugin], "load_plugins": ["mine"], "append_output": [{"extra_output": "y"}]},
                "falcoctl": {"artifact": {"install": {"env": [variable], "mounts": {"volumeMounts": [mount]}}}},
                "falcosidekick": {
                    "config": {"extraEnv": [variable]},
                    "extraVolumes": [MINE],
                    "extraVolumeMounts": [mount],
                    "imagePullSecrets": ["b"],
                },
                "imagePullSecrets": [{"name": "b"}],
            },
        }
    )
    assert names(values["driver"]["loader"]["initContainer"]["env"])[-2:] == ["NO_PROXY", "MINE"]
    assert names(values["falco"]["plugins"]) == ["json", "mine"]
    assert values["falco"]["load_plugins"] == ["json", "mine"]
    assert [entry.get("extra_output") for entry in values["falco"]["append_output"]] == [None, "x", "y"]
    assert names(values["falcoctl"]["artifact"]["install"]["env"])[-2:] == ["SSL_CERT_FILE", "MINE"]
    assert names(values["falcoctl"]["artifact"]["install"]["mounts"]["volumeMounts"]) == ["extra-ca", "mine"]
    assert names(values["falcosidekick"]["config"]["extraEnv"])[-2:] == ["NO_PROXY", "MINE"]
    assert names(values["falcosidekick"]["extraVolumes"]) == ["extra-ca", "mine"]
    assert names(values["falcosidekick"]["extraVolumeMounts"]) == ["extra-ca", "mine"]
    assert values["falcosidekick"]["imagePullSecrets"] == ["a", "b"]
    assert names(values["imagePullSecrets"]) == ["a", "b"]


def test_an_entry_that_the_role_has_already_is_not_there_twice() -> None:
    same = {"name": "extra-ca", "mountPath": "/etc/extra-ca", "readOnly": True}
    values = build_values({**ROLE, "extra_values": {"mounts": {"volumeMounts": [same]}}})
    assert names(values["mounts"]["volumeMounts"]) == ["own-rules", "extra-ca"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            {"mounts": {"volumes": [{"name": "own-rules", "emptyDir": {}}]}},
            "falco_extra_values.mounts.volumes[0].name: own-rules is one of the role's own entries",
        ),
        (
            {"mounts": {"volumeMounts": [{"name": "a", "mountPath": "/etc/falco/rules.d/"}]}},
            "volumeMounts[0].mountPath: /etc/falco/rules.d is one of the role's own",
        ),
        (
            {"mounts": {"volumeMounts": [{"name": "a", "mountPath": "/etc/falco"}]}},
            "/etc/falco would hide /etc/falco/rules.d",
        ),
        ({"mounts": {"volumeMounts": [{"name": "a", "mountPath": "/etc/falco/falco.yaml"}]}}, "would hide"),
        (
            {"mounts": {"volumeMounts": [{"name": "a", "mountPath": "/etc/falco/rules.d/mine.yaml"}]}},
            "Give rules to the role falco_rules.",
        ),
        (
            {"falcosidekick": {"extraVolumeMounts": [{"name": "a", "mountPath": "/etc/extra-ca/more"}]}},
            "is inside of /etc/extra-ca",
        ),
        ({"falcosidekick": {"config": {"extraEnv": [{"name": "NO_PROXY", "value": "*"}]}}}, "NO_PROXY is one of"),
    ],
)
def test_an_entry_that_takes_the_place_of_the_roles_is_refused(extra: dict[str, Any], message: str) -> None:
    assert message in told(extra, proxy={"https": "http://proxy:3128"})


#: For each guarded value, one that would undo something, and one that is as the others need it.
VALUES: dict[str, tuple[Any, Any]] = {
    "nameOverride": ("watcher", "falco"),
    "fullnameOverride": ("watcher", "falco"),
    "namespaceOverride": ("security", ""),
    "podLabels": ({"app.kubernetes.io/name": "x"}, {"team": "security"}),
    "controller.kind": ("deployment", "daemonset"),
    "controller.daemonset.updateStrategy.type": ("OnDelete", "RollingUpdate"),
    "driver.enabled": (False, True),
    "driver.kind": ("kmod", "modern_ebpf"),
    "collectors.enabled": (False, True),
    "collectors.containerEngine.enabled": (False, True),
    "collectors.kubernetes.enabled": (True, False),
    "metrics.enabled": (False, True),
    "falco.metrics.enabled": (False, True),
    "falco.webserver.enabled": (False, True),
    "falco.webserver.prometheus_metrics_enabled": (None, True),
    "falco.webserver.listen_port": (9999, 8765),
    "falco.webserver.listen_address": ("127.0.0.1", "0.0.0.0"),
    "falco.webserver.ssl_enabled": (True, False),
    "falco.watch_config_files": (False, True),
    "falco.rules_files": (["/etc/falco/falco_rules.yaml"], ["/etc/falco/falco_rules.yaml", "/etc/falco/rules.d/"]),
    "falco.rule_matching": ("first", "all"),
    "falco.json_output": (False, True),
    "falco.json_include_output_property": (False, True),
    "falco.json_include_output_fields_property": (False, True),
    "falco.stdout_output.enabled": (False, True),
    "falco.log_stderr": (False, True),
    "falco.http_output.enabled": (False, True),
    "falco.http_output.url": ("http://elsewhere", ""),
    "falco.engine": ({"kind": "kmod"}, None),
    "falcoctl.artifact.install.enabled": (False, True),
    "falcoctl.artifact.follow.enabled": (True, False),
    "falcoctl.config.artifact.install.refs": (["other:1"], ["falco-rules:5"]),
    "falcoctl.config.artifact.follow.refs": (["other:1"], ["falco-rules:5"]),
    "certs.existingSecret": ("other", ""),
    "certs.existingClientSecret": ("other", ""),
    "falcosidekick.enabled": (False, True),
    "falcosidekick.nameOverride": ("alerts", "falcosidekick"),
    "falcosidekick.fullnameOverride": ("alerts", "falco-falcosidekick"),
    "falcosidekick.listenport": ("2803", "2801"),
    "falcosidekick.listenPort": (2803, ""),
    "falcosidekick.service.port": (80, 2801),
    "falcosidekick.config.existingSecret": ("other", "outputs"),
    "falcosidekick.config.customfields": ("a:b", ""),
    "falcosidekick.config.templatedfields": ("a:b", ""),
    "falcosidekick.config.tlsserver.deploy": (False, True),
    "falcosidekick.config.tlsserver.existingSecret": ("other", "tls"),
    "falcosidekick.webui.enabled": (False, True),
    "falcosidekick.webui.existingSecret": ("other", "ui"),
    "falcosidekick.webui.service.type": ("ClusterIP", "NodePort"),
    "falcosidekick.webui.service.nodePort": (31000, 30080),
    "falcosidekick.webui.service.port": (80, 2802),
    "falcosidekick.webui.service.targetPort": (80, 2802),
    "falcosidekick.webui.ingress.enabled": (True, False),
    "falcosidekick.webui.externalRedis.enabled": (True, False),
    "falcosidekick.webui.externalRedis.url": ("redis", ""),
    "falcosidekick.webui.redis.enabled": (False, True),
    "falcosidekick.webui.redis.existingSecret": ("other", "redis"),
    "falcosidekick.webui.redis.storageEnabled": (False, True),
    "falcosidekick.webui.redis.storageClass": ("slow", "fast"),
    "falcosidekick.webui.redis.storageSize": ("9Gi", "1Gi"),
    "falcosidekick.webui.redis.service.port": (80, 6379),
    "falcosidekick.webui.redis.service.targetPort": (80, 6379),
    "k8s-metacollector.nameOverride": ("x", ""),
    "k8s-metacollector.namespaceOverride": ("x", ""),
}
AS_THE_ROLE_SETS_THEM = {
    "custom_fields": {"a": "c"},
    "templated_fields": {"a": "c"},
    "outputs_existing_secret": "outputs",
    "sidekick_tls": "server",
    "sidekick_tls_secret": "tls",
    "ui_existing_secret": "ui",
    "redis_existing_secret": "redis",
    "redis_storage_class": "fast",
}


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.path)
def test_what_others_rely_on_is_refused_by_name(guard: Any) -> None:
    wrong, right = VALUES[guard.path]
    refused = told(nested(guard.path, wrong), **AS_THE_ROLE_SETS_THEM)
    assert f"falco_extra_values.{guard.path}: is not for you to set so. {guard.why} {guard.instead}" in refused
    if right is not None:
        assert told(nested(guard.path, right), **AS_THE_ROLE_SETS_THEM) == ""


@pytest.mark.parametrize(
    ("extra", "variables"),
    [
        ({"controller": {"kind": "deployment"}}, {"driver": "none"}),
        ({"collectors": {"enabled": False}}, {"container_engine": "none"}),
        ({"falco": {"engine": {"kind": "replay"}}}, {"driver": "none"}),
        ({"falco": {"http_output": {"enabled": True, "url": "http://elsewhere"}}}, {"sidekick_enabled": False}),
        ({"falco": {"rules_files": ["/etc/mine"]}}, {"own_rules_config_maps": []}),
        ({"certs": {"existingSecret": "mine"}}, {}),
        ({"falcosidekick": {"config": {"customfields": "a:b"}}}, {}),
    ],
)
def test_what_nobody_relies_on_passes(extra: dict[str, Any], variables: dict[str, Any]) -> None:
    assert told(extra, **variables) == ""


@pytest.mark.parametrize(
    "arguments", [["-o", "json_output=false"], ["-ojson_output=false"], ["--option=json_output=false"]]
)
def test_options_of_falco_are_no_way_around(arguments: list[str]) -> None:
    assert "holds -o json_output" in told({"extra": {"args": arguments}})
    assert told({"extra": {"args": ["-o", "json_output=true", "-o", "webserver.listen_port=8765", "-v"]}}) == ""


def test_an_older_name_of_a_driver_is_left_to_the_check_of_the_chart() -> None:
    assert told({"driver": {"kind": "ebpf"}}) == ""
