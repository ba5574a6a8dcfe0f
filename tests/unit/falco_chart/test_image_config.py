"""What Falco's image holds in config.d: hidden, not read, or told before Falco stops with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.image_config import loaded_twice_or_unknown
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rendered import check_rendered
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values

CONTAINER = {"name": "container", "library_path": "libcontainer.so"}
OVER = [{"name": "none", "mountPath": "/etc/falco/config.d/"}]
AIR_GAP = {"artifacts_install": False, "driver": "modern_ebpf"}


@pytest.mark.parametrize(
    ("variables", "config_files"),
    [
        ({}, None),
        (AIR_GAP, []),
        ({**AIR_GAP, "driver": "none"}, []),
        ({**AIR_GAP, "container_engine": "none"}, []),
        # The driver loader writes there what Falco must read, and the chart mounts an emptyDir for it.
        ({**AIR_GAP, "driver": "kmod"}, None),
        ({**AIR_GAP, "driver": "auto"}, None),
        ({**AIR_GAP, "driver": "auto", "extra_values": {"driver": {"loader": {"enabled": False}}}}, []),
        ({"artifacts_install": False, "artifacts_follow": True}, None),
        ({**AIR_GAP, "extra_values": {"mounts": {"volumeMounts": OVER}}}, None),
        ({**AIR_GAP, "extra_values": {"mounts": {"volumeMounts": ["/etc/falco"]}}}, []),
        ({**AIR_GAP, "extra_values": {"mounts": {"volumeMounts": "x"}}}, []),
        ({**AIR_GAP, "extra_values": {"falco": {"config_files": ["/etc/mine"]}}}, ["/etc/mine"]),
    ],
)
def test_the_images_directory_is_read_only_where_something_is_mounted_over_it(
    variables: dict[str, Any], config_files: list[str] | None
) -> None:
    assert build_values(variables)["falco"].get("config_files") == config_files


@pytest.mark.parametrize(
    ("config", "mounts", "says"),
    [
        ({"load_plugins": ["container"], "plugins": [CONTAINER]}, [], []),
        (
            {"config_files": ["/etc/falco/config.d"], "load_plugins": ["container"], "plugins": [CONTAINER]},
            [],
            ["found another plugin with name container"],
        ),
        (
            {"config_files": ["/etc/falco/config.d"], "load_plugins": ["container"], "plugins": [CONTAINER]},
            OVER,
            [],
        ),
        (
            {"config_files": ["/etc/falco/config.d"], "load_plugins": ["container"], "plugins": [CONTAINER]},
            [{"name": "a", "mountPath": "/etc/falco/config.d", "subPath": "one.yaml"}],
            ["found another plugin with name container"],
        ),
        (
            {
                "config_files": [{"path": "/etc/falco/config.d", "strategy": "override"}],
                "load_plugins": ["container"],
                "plugins": [CONTAINER],
            },
            [],
            [],
        ),
        (
            {"config_files": [{"path": "/etc/falco/config.d"}], "load_plugins": ["j"], "plugins": [{"name": "j"}]},
            [],
            ["Cannot load plugin 'container': plugin config not found"],
        ),
        ({"load_plugins": ["j", "j"], "plugins": [{"name": "j"}]}, [], ["found another plugin with name j"]),
    ],
)
def test_what_falco_will_say(config: dict[str, Any], mounts: list[dict[str, str]], says: list[str]) -> None:
    assert [found[1] for found in loaded_twice_or_unknown(config, mounts)] == says


def manifests(config: str = "config_files: [/etc/falco/config.d]\n") -> list[dict[str, Any]]:
    """What the chart renders, as far as it matters."""
    config += "load_plugins: [container]\nplugins: [{name: container}]\n"
    mounts = [{"name": "falco-yaml", "mountPath": "/etc/falco/falco.yaml", "subPath": "falco.yaml"}]
    pod = {
        "containers": [{"name": "falco", "volumeMounts": mounts}],
        "volumes": [{"name": "falco-yaml", "configMap": {"name": "falco"}}],
    }
    return [
        {"kind": "ConfigMap", "metadata": {"name": "falco"}, "data": {"falco.yaml": config}},
        {"kind": "DaemonSet", "metadata": {"name": "falco"}, "spec": {"template": {"spec": pod}}},
        {"kind": "Service", "metadata": {"name": "falco"}, "spec": {"ports": []}},
    ]


def told(objects: list[dict[str, Any]]) -> str:
    try:
        check_rendered(objects)
    except FalcoChartError as error:
        return str(error)
    return ""


def test_a_rendered_falco_that_would_stop_is_refused() -> None:
    assert told(manifests(config="")) == ""
    refused = told(manifests())
    assert "DaemonSet falco, plugin container" in refused
    assert "found another plugin with name container" in refused
    assert "/etc/falco/config.d/falco.container_plugin.yaml" in refused
    assert "falco.config_files" in refused


@pytest.mark.parametrize(
    ("volumes", "mounts", "message"),
    [
        ([{"name": "falco-yaml"}], [], "has two volumes falco-yaml."),
        ([{"name": "a"}], [{"name": "a", "mountPath": "/etc/falco/falco.yaml"}], "mounts /etc/falco/falco.yaml twice"),
        ([], [{"name": "gone", "mountPath": "/a"}], "mounts the volume gone, which the pod does not have."),
        ([{"name": "a"}], [{"name": "a", "mountPath": "/a"}], ""),
    ],
)
def test_a_pod_that_could_not_be_made_is_refused(
    volumes: list[dict[str, Any]], mounts: list[dict[str, Any]], message: str
) -> None:
    objects = copy.deepcopy(manifests(config=""))
    pod = objects[1]["spec"]["template"]["spec"]
    pod["volumes"] += volumes
    pod["containers"][0]["volumeMounts"] += mounts
    refused = told(objects)
    assert message in refused
    assert bool(message) == bool(refused)


@pytest.mark.parametrize("config", ["[1]", "a: [", "plugins: 1", "load_plugins: 1", "plugins: [a, {}]"])
def test_a_configuration_of_another_form_is_left_to_falco(config: str) -> None:
    objects = manifests(config="")
    for one in objects:
        if one["kind"] == "ConfigMap":
            one["data"]["falco.yaml"] = config
    assert told(objects) == ""


@pytest.mark.parametrize(
    "pod",
    [
        {"containers": "a", "volumes": {"a": "b"}},
        {"containers": [{}, "a", {"name": "falco", "volumeMounts": ["a"]}], "initContainers": 1},
        {"volumes": [{"configMap": "falco", "name": "c"}], "containers": None},
    ],
)
def test_a_rendered_pod_of_another_form_is_left_to_the_api_server(pod: dict[str, Any]) -> None:
    spec = {"template": {"spec": pod}, "volumeClaimTemplates": [None, {"metadata": "a"}]}
    assert told([{"kind": "DaemonSet", "metadata": None, "spec": spec}]) == ""
