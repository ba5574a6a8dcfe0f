"""Falco's own values: what becomes a variable, what cannot, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import import_values

from tests.unit.falco_chart.importing.notes import told


def test_a_name_without_falco_stays_out_since_no_release_may_have_it() -> None:
    result = import_values({"fullnameOverride": "detector"})
    assert "falco_release_name" not in result.variables
    assert "It was left out. Name the release in falco_release_name." in told(result)["fullnameOverride"]


@pytest.mark.parametrize(
    ("driver", "variables"),
    [
        ({"enabled": False, "kind": "kmod"}, {"falco_driver": "none"}),
        ({"kind": "kmod", "kmod": {"bufSizePreset": 5}}, {"falco_driver": "kmod", "falco_driver_buffer_preset": 5}),
        # the preset of the driver that runs, and not the other's
        (
            {"kind": "kmod", "kmod": {"bufSizePreset": 5}, "modernEbpf": {"bufSizePreset": 3}},
            {
                "falco_driver": "kmod",
                "falco_driver_buffer_preset": 5,
                "falco_extra_values": {"driver": {"modernEbpf": {"bufSizePreset": 3}}},
            },
        ),
    ],
)
def test_the_driver_with_its_buffers(driver: dict[str, Any], variables: dict[str, Any]) -> None:
    found = import_values({"driver": driver}).variables
    assert {name: found[name] for name in found if name.startswith(("falco_driver", "falco_extra"))} == variables


def engines(**engines: Any) -> dict[str, Any]:
    return {"collectors": {"containerEngine": {"engines": engines}}}


@pytest.mark.parametrize(
    ("values", "engine", "socket", "note"),
    [
        (engines(docker={"enabled": True}), "docker", None, ""),
        (engines(cri={"enabled": True, "sockets": ["/run/crio/crio.sock"]}), "crio", "/run/crio/crio.sock", ""),
        (engines(cri={"sockets": "/run/k3s/containerd.sock"}), "containerd", "/run/k3s/containerd.sock", ""),
        (
            engines(docker={"enabled": False}, lxc={"enabled": True}),
            None,
            None,
            "has 0 engines enabled. The role asks the nodes which one they have (auto).",
        ),
    ],
)
def test_one_engine_with_one_socket_is_taken_and_else_the_nodes_are_asked(
    values: dict[str, Any], engine: str | None, socket: str | None, note: str
) -> None:
    result = import_values(values)
    assert result.variables.get("falco_container_engine") == engine
    assert result.variables.get("falco_container_engine_socket") == socket
    assert told(result).get("collectors.containerEngine.engines", "") == note


def test_where_metadata_of_containers_are_off_no_engine_is_taken() -> None:
    values = engines(docker={"enabled": True})
    values["collectors"]["containerEngine"]["enabled"] = False
    assert import_values(values).variables["falco_container_engine"] == "none"


JSON = {"name": "json", "library_path": "libjson.so"}
OKTA = {"name": "okta", "library_path": "libokta.so"}


@pytest.mark.parametrize(
    ("plugins", "loaded", "wanted"),
    [
        ([JSON, OKTA], ["okta", "json"], [OKTA, JSON]),
        ([JSON], ["container", "json"], [JSON]),  # the role loads it anyway
    ],
)
def test_plugins_that_were_loaded_are_taken_in_their_order(
    plugins: list[Any], loaded: list[Any], wanted: list[Any]
) -> None:
    result = import_values({"falco": {"plugins": plugins, "load_plugins": loaded}})
    assert result.variables["falco_plugins"] == wanted
    assert "falco.plugins" not in told(result)
    assert "falco_extra_values" not in result.variables


@pytest.mark.parametrize(
    ("plugins", "loaded"),
    [
        ([{**JSON, "name": ["json"]}], ["json"]),
        ([JSON], [{"json": None}]),
    ],
)
def test_plugins_that_do_not_fit_what_is_loaded_stay_as_they_are(plugins: list[Any], loaded: list[Any]) -> None:
    values = {"falco": {"plugins": plugins, "load_plugins": loaded}}
    assert import_values(values).variables["falco_extra_values"] == values


def test_no_plugin_needs_no_word() -> None:
    result = import_values({"falco": {"plugins": [], "load_plugins": []}})
    assert "falco_plugins" not in result.variables
    assert "falco_extra_values" not in result.variables
    assert not {"falco.plugins", "falco.load_plugins"} & set(told(result))


@pytest.mark.parametrize(
    ("install", "follow", "artifacts", "differ"),
    [
        (["a:1", "b:2"], ["b:2", "a:1"], ["a:1", "b:2"], False),
        (None, ["a:1"], ["a:1"], False),
        ([{"a": 1}, "b"], ["b"], ["{'a': 1}", "b"], True),  # a space behind the colon
    ],
)
def test_artifacts_are_those_that_are_installed(
    install: list[Any] | None, follow: list[Any], artifacts: list[str], differ: bool
) -> None:
    steps = {"follow": {"refs": follow}, **({"install": {"refs": install}} if install else {})}
    result = import_values({"falcoctl": {"config": {"artifact": steps}}})
    assert result.variables["falco_artifacts"] == artifacts
    assert ("falcoctl.config.artifact.follow.refs" in told(result)) is differ


@pytest.mark.parametrize(
    ("falco", "variables"),
    [
        ({"rules_files": ["/etc/falco/rules.d/"]}, {}),
        ({"rules_files": ["/a.yaml", "/etc/falco/rules.d"]}, {"falco_rule_files": ["/a.yaml"]}),
        ({"append_output": [{"extra_output": "x"}]}, {"falco_append_output": [{"extra_output": "x"}]}),
        ({"priority": "WARN"}, {"falco_priority": "warning"}),
    ],
)
def test_what_the_role_has_anyway_becomes_no_variable(falco: dict[str, Any], variables: dict[str, Any]) -> None:
    found = import_values({"falco": falco}).variables
    assert {name: value for name, value in found.items() if not name.endswith("_enabled")} == variables


def test_a_tag_with_a_digest_is_taken_apart() -> None:
    result = import_values({"image": {"tag": "0.44.1@sha256:ab"}})
    assert result.variables["falco_images"] == {"falco": {"tag": "0.44.1", "digest": "sha256:ab"}}


def test_pull_secrets_of_all_pods_are_named_once_and_only_where_they_have_a_name() -> None:
    values = {
        "imagePullSecrets": [{"name": "mirror"}, {"nmae": "typo"}, None],
        "falcosidekick": {"enabled": True, "imagePullSecrets": ["other", {"name": "mirror"}]},
    }
    assert import_values(values).variables["falco_image_pull_secrets"] == ["mirror", "other"]
    assert "falco_image_pull_secrets" not in import_values({"imagePullSecrets": [None]}).variables


def test_rules_without_the_names_of_their_files_are_told() -> None:
    result = import_values({"customRules": ["- rule: a"]})
    assert dict(result.rules) == {}
    assert result.left_out == {"customRules[0]": "- rule: a"}
    assert told(result)["customRules"] == "must be a mapping of files to texts, not a list; left out."
