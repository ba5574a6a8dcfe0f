"""Values of the chart: each variable lands where the chart reads it, and what cannot work is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.further_values import merge
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.settings import DEFAULTS
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values
from hypothesis import given
from hypothesis import strategies as st


def at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree[key]
    return tree


@pytest.mark.parametrize(
    ("variables", "path", "value"),
    [
        ({"driver": "kmod"}, "driver.kind", "kmod"),
        ({"chart_digest": "ab"}, "controller.annotations", {"falconet.k8s/chart-digest": "ab"}),
        ({"driver": "none"}, "driver", {"enabled": False}),
        ({"driver": "none"}, "collectors.containerEngine.enabled", False),
        ({"driver_buffer_preset": 6}, "driver.modernEbpf.bufSizePreset", 6),
        ({"driver": "auto", "driver_buffer_preset": 6}, "driver.kmod.bufSizePreset", 6),
        ({"driver_least_privileged": True}, "driver.modernEbpf.leastPrivileged", True),
        ({"kubernetes_metadata": True}, "collectors.kubernetes.enabled", True),
        ({"driver": "none", "kubernetes_metadata": True}, "collectors.kubernetes.enabled", False),
        ({"rule_matching": "first"}, "falco.rule_matching", "first"),
        ({"rule_files": ["/a.yaml"]}, "falco.rules_files", ["/a.yaml", "/etc/falco/rules.d"]),
        (
            {"artifacts_install": False},
            "falcoctl",
            {"artifact": {"install": {"enabled": False}, "follow": {"enabled": False}}},
        ),
        ({"image_registry": "r.example"}, "image.registry", "r.example"),
        ({"image_registry": "r.example"}, "falcosidekick.webui.redis.image.registry", "r.example"),
        ({"images": {"falco": {"tag": "1", "digest": "sha256:ab"}}}, "image.tag", "1@sha256:ab"),
        ({"image_pull_secrets": ["a"]}, "imagePullSecrets", [{"name": "a"}]),
        ({"image_pull_secrets": ["a"]}, "falcosidekick.imagePullSecrets", ["a"]),
        ({"tolerations": []}, "tolerations", []),
        ({"ui_exposure": "node_port"}, "falcosidekick.webui.service", {"type": "NodePort", "nodePort": 30080}),
        ({"ui_exposure": "cluster_ip"}, "falcosidekick.webui.service", {"type": "ClusterIP"}),
        ({"redis_storage": "none"}, "falcosidekick.webui.redis.storageEnabled", False),
        ({"redis_storage_class": "fast"}, "falcosidekick.webui.redis.storageClass", "fast"),
        ({"sidekick_enabled": False}, "falcosidekick", {"enabled": False}),
        ({"sidekick_enabled": False, "sidekick_url": "http://x"}, "falco.http_output.url", "http://x"),
        ({"custom_fields": {"a": 1, "b": "c"}}, "falcosidekick.config.customfields", "a:1,b:c"),
        ({"extra_values": {"falco": {"priority": "info"}}}, "falco.priority", "info"),
        (
            {"proxy": {"https": "http://p:1"}},
            "falcosidekick.config.extraEnv",
            [
                {"name": "HTTPS_PROXY", "value": "http://p:1"},
                {"name": "NO_PROXY", "value": "localhost,127.0.0.1,.svc,.cluster.local,falco-falcosidekick-ui"},
            ],
        ),
        (
            {"redis_external": {"host": "r"}},
            "falcosidekick.webui.externalRedis",
            {"enabled": True, "url": "r", "port": 6379},
        ),
    ],
)
def test_a_variable_lands_where_the_chart_reads_it(variables: dict[str, Any], path: str, value: Any) -> None:
    assert at(build_values(variables), path) == value


def test_only_the_nodes_engine_and_socket_are_mounted() -> None:
    engines = at(build_values({"container_engine": "crio"}), "collectors.containerEngine.engines")
    assert {name for name, engine in engines.items() if engine["enabled"]} == {"cri"}
    assert engines["cri"]["sockets"] == ["/run/crio/crio.sock"]


def test_own_rules_are_one_projected_volume_of_optional_config_maps() -> None:
    values = build_values({"own_rules_config_maps": ["a", "b"]})
    (volume,) = at(values, "mounts.volumes")
    assert [source["configMap"] for source in volume["projected"]["sources"]] == [
        {"name": "a", "optional": True},
        {"name": "b", "optional": True},
    ]
    assert at(values, "mounts.volumeMounts") == [
        {"name": volume["name"], "mountPath": "/etc/falco/rules.d", "readOnly": True}
    ]


def test_redis_password_is_switched_on_without_being_told() -> None:
    redis = at(build_values({"redis_existing_secret": "s"}), "falcosidekick.webui.redis")
    assert redis["existingSecret"] == "s"
    assert redis["password"], "the chart reads the Secret only if this is not empty"


@pytest.mark.parametrize(("storage", "group"), [("storage_class", 999), ("local", None), ("none", None)])
def test_a_prepared_directory_keeps_its_mode(storage: str, group: int | None) -> None:
    security = at(build_values({"redis_storage": storage}), "falcosidekick.webui.redis.podSecurityContext")
    assert (security["runAsUser"], security.get("fsGroup")) == (999, group)


def test_the_charts_default_login_is_never_installed() -> None:
    assert at(build_values({}), "falcosidekick.webui.user") == ""


def test_mutual_tls_reaches_both_ends() -> None:
    values = build_values({"sidekick_tls": "mutual", "sidekick_tls_secret": "s", "sidekick_tls_client_secret": "c"})
    assert values["certs"] == {"existingSecret": "s", "existingClientSecret": "c"}
    assert at(values, "falco.http_output.url").startswith("https://")
    assert at(values, "falco.http_output.mtls") is True
    assert at(values, "falcosidekick.config.tlsserver") == {"deploy": True, "existingSecret": "s", "mutualtls": True}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"drvier": "kmod"}, "falco_drvier: is unknown. Did you mean falco_driver?"),
        ({"driver": "modern-ebpf"}, "falco_driver: must be one of modern_ebpf, kmod, auto, none, not 'modern-ebpf'."),
        ({"driver_buffer_preset": 11}, "falco_driver_buffer_preset"),
        ({"driver_buffer_preset": True}, "falco_driver_buffer_preset"),
        ({"ui_node_port": "30080"}, "falco_ui_node_port: must be a port number"),
        ({"sidekick_replicas": "two"}, "falco_sidekick_replicas: must be a number, not a string."),
        ({"artifacts": "falco-rules:5"}, "falco_artifacts: must be a list, not a string."),
        ({"release_name": "sec"}, "falco_release_name: must contain falco"),
        (
            {"sidekick_enabled": False, "outputs": {"slack": {"webhookurl": "http://a"}}},
            "falco_outputs: needs Falcosidekick",
        ),
        ({"sidekick_tls": "server"}, "falco_sidekick_tls_secret: is missing"),
        ({"ui_exposure": "ingress"}, "falco_ui_ingress: needs a host"),
        ({"extra_values": {"customRules": {"a": "b"}}, "own_rules_config_maps": ["a"]}, "role falco_rules"),
        ({"images": {"falcosidekik": {}}}, "Did you mean falcosidekick?"),
        ({"images": {"falco": {"digest": "sha256:ab"}}}, "falco_images.falco.tag"),
        ({"plugins": [{"name": "json"}]}, "falco_plugins[0]"),
        ({"proxy": {"htps": "x"}}, "falco_proxy: has unknown keys htps."),
    ],
)
def test_what_cannot_work_is_refused_by_name(variables: dict[str, Any], told: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values(variables)
    assert told in str(error.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values({"driver": "x", "priority": "y", "nonsense": 1})
    assert len(error.value.problems) == 3


def test_images_are_pulled_as_is_said_where_the_charts_have_a_value_for_it() -> None:
    """The wait for Redis and the collector of metadata have none, and what the charts do anyway is not said."""
    values = build_values({"image_pull_policy": "Always", "image_registry": "r.example", "kubernetes_metadata": True})
    webui = values["falcosidekick"]["webui"]
    for image in (values["image"], values["falcosidekick"]["image"], webui["image"], webui["redis"]["image"]):
        assert image == {"registry": "r.example", "pullPolicy": "Always"}
    assert webui["initContainer"]["image"] == values["k8s-metacollector"]["image"] == {"registry": "r.example"}
    assert "image" not in build_values({})


def test_no_secret_reaches_the_values() -> None:
    planted = "https://hooks.example/T0/B0/planted"
    values = build_values(
        {"outputs": {"slack": {"webhookurl": planted}, "telegram": {"token": "1:planted", "chatid": 3}}}
    )
    assert "planted" not in repr(values)


trees = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
mappings = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@given(mappings, mappings)
def test_merge_is_helms(base: dict[str, Any], over: dict[str, Any]) -> None:
    merged = merge(base, over)
    assert set(merged) == set(base) | set(over)
    assert merge(merged, over) == merged
    for key, value in over.items():
        if not isinstance(value, dict):
            assert merged[key] == value


@given(
    st.dictionaries(
        st.sampled_from(sorted(DEFAULTS)), st.none() | st.booleans() | st.integers() | st.text(), max_size=4
    )
)
def test_any_input_gives_values_or_a_named_problem(variables: dict[str, Any]) -> None:
    try:
        build_values(variables)
    except FalcoChartError as error:
        assert all(problem.path.startswith("falco_") for problem in error.problems)
