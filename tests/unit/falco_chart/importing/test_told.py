"""Values that have no variable, or more than one meaning: what becomes of each, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import (
    Imported,
    import_values,
    vault_vars,
)

#: What is told of every document that does not say it.
DEFAULTS = ("driver.kind", "falco.rule_matching", "falcoctl.artifact.follow.enabled")
OFF = {"falco_sidekick_enabled": False}
SIDEKICK = "falcosidekick: {{enabled: true, {}}}"
UI = "falcosidekick: {{enabled: true, webui: {{enabled: true, {}}}}}"


def imported(text: str) -> Imported:
    return import_values(yaml.safe_load(text))


def variables(result: Imported) -> dict[str, Any]:
    """Those that say more than that Falcosidekick and its UI are on or off."""
    said = ("falco_sidekick_enabled", "falco_ui_enabled", "falco_ui_exposure")
    return {name: value for name, value in result.variables.items() if name not in said}


def told(result: Imported) -> dict[str, str]:
    found: dict[str, str] = {}
    for note in result.notes:
        if "was not given" not in note.message:
            found[note.path] = f"{found.get(note.path, '')} {note.message} {note.hint}".strip()
    return found


def test_no_values_are_the_roles_defaults_and_have_no_secret() -> None:
    result = imported("{}")
    assert dict(result.variables) == OFF
    assert [note.path for note in result.notes] == list(DEFAULTS)
    assert vault_vars(result) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("namespaceOverride: security", {"falco_namespace": "security"}),
        (
            "collectors: {containerEngine: {engines: {podman: {enabled: true}}}}",
            {"falco_container_engine": "podman"},
        ),
        ("driver: {kind: modern-bpf}", {"falco_driver": "modern_ebpf"}),
        ("driver: {kind: module}", {"falco_driver": "kmod"}),
        (
            "falco: {modern_bpf: {cpus_for_each_syscall_buffer: 3}}",
            {"falco_driver_cpus_per_buffer": 3},
        ),
        (SIDEKICK.format("config: {existingSecret: mine}"), {"falco_outputs_existing_secret": "mine"}),
        (UI.format("ttl: 5d"), {"falco_ui_ttl": "5d"}),
        (UI.format("ttl: 0"), {}),
        (
            UI.format("externalRedis: {enabled: true, url: redis.example, port: 6380}"),
            {"falco_redis_external": {"host": "redis.example", "port": 6380}},
        ),
        (
            UI.format("externalRedis: {enabled: true, url: redis.example}"),
            {"falco_redis_external": {"host": "redis.example"}},
        ),
        # What is empty in the chart's own defaults says nothing.
        (
            SIDEKICK.format("config: {kafka: {hostport: 'h:1', topic: t, further: {}}, slack: {webhookurl: ''}}"),
            {"falco_outputs": {"kafka": {"hostport": "h:1", "topic": "t"}}},
        ),
    ],
)
def test_a_value_that_becomes_a_variable_needs_no_word(text: str, expected: dict[str, Any]) -> None:
    result = imported(text)
    assert variables(result) == expected
    assert told(result) == {}


@pytest.mark.parametrize(
    ("text", "expected", "path", "words"),
    [
        (
            "collectors: {containerEngine: {engines: {docker: {sockets: [/a]}, podman: {sockets: [/b]}}}}",
            {},
            "collectors.containerEngine.engines",
            "has 2 engines enabled. The role asks the nodes",
        ),
        (
            "collectors: {containerEngine: {engines: {cri: {sockets: [/run/a.sock, /run/b.sock]}}}}",
            {"falco_container_engine": "containerd"},
            "collectors.containerEngine.engines",
            "has 2 sockets. The role mounts the engine's usual one: falco_container_engine_socket",
        ),
        (
            "{containerd: {enabled: true, socket: /run/c}, docker: {enabled: true}}",
            {},
            "collectors",
            "does not say which one engine the nodes have.",
        ),
        ("driver: {kind: gvisor}", {}, "driver.kind", "was gvisor, which is gone since Falco 0.44"),
        (
            "driver: {modern_bpf: {leastPrivileged: true, bufSizePreset: 2}, modernEbpf: {bufSizePreset: 4}}",
            {"falco_driver_buffer_preset": 4, "falco_driver_least_privileged": True},
            "driver.modern_bpf",
            "is driver.modernEbpf in newer charts.",
        ),
        (
            "{priorityClassName: old, podPriorityClassName: new}",
            {"falco_priority_class": "new"},
            "priorityClassName",
            "is podPriorityClassName in newer charts.",
        ),
        (
            "falco: {load_plugins: [json], plugins: [{name: json, library_path: j.so}, {name: dummy}]}",
            {"falco_plugins": [{"name": "json", "library_path": "j.so"}]},
            "falco.plugins",
            "dummy was not loaded, and is left out.",
        ),
        (
            "falco: {load_plugins: [], plugins: [{name: json, library_path: j.so}]}",
            {},
            "falco.plugins",
            "loads none of them, since load_plugins is empty; they are left out.",
        ),
        ("falco: {load_plugins: [container]}", {}, "falco.load_plugins", "is not set any more"),
        (
            "falcoctl: {config: {artifact: {install: {refs: [a:1]}, follow: {refs: [a:1, b:2]}}}}",
            {"falco_artifacts": ["a:1"]},
            "falcoctl.config.artifact.follow.refs",
            "differ from those installed",
        ),
        (
            "{image: {pullPolicy: Always}, falcosidekick: {enabled: true, image: {pullPolicy: Never}}}",
            {"falco_image_pull_policy": "Always"},
            "image.pullPolicy",
            "differs by image; all have Always now.",
        ),
        (
            SIDEKICK.format("config: {customfields: 'a:b,c'}"),
            {},
            "falcosidekick.config.customfields",
            "has another form than key:value,key:value; it was left out.",
        ),
        (
            UI.format("user: 'admin:admin'"),
            {},
            "falcosidekick.webui.user",
            "was the chart's default login; the role makes a password of its own.",
        ),
        (UI.format("existingSecret: s"), {}, "falcosidekick.webui.existingSecret", "a Secret that the role does not"),
        (
            UI.format("redis: {existingSecret: s}"),
            {},
            "falcosidekick.webui.redis.existingSecret",
            "a Secret that the role does not read; it makes its own. Take the password from there",
        ),
        (
            UI.format("ingress: {enabled: true, hosts: [{host: a.example, paths: [{path: /x}]}, {host: b.example}]}"),
            {"falco_ui_ingress": {"host": "a.example", "path": "/x"}},
            "falcosidekick.webui.ingress.hosts",
            "has several hosts or paths; the first is taken.",
        ),
        (
            UI.format("ingress: {enabled: true}"),
            {},
            "falcosidekick.webui.ingress",
            "has no host of its own. The role makes none without: give falco_ui_ingress a host",
        ),
        (
            UI.format("externalRedis: {enabled: true}"),
            {},
            "falcosidekick.webui.externalRedis",
            "is on and names no Redis. Name it in falco_redis_external",
        ),
    ],
)
def test_a_value_that_is_not_taken_as_it_is_is_told(text: str, expected: dict[str, Any], path: str, words: str) -> None:
    result = imported(text)
    assert variables(result) == expected
    assert words in told(result)[path]


def test_the_usual_files_and_outputs_are_no_variable() -> None:
    files = "[/etc/falco/falco_rules.yaml, /etc/falco/falco_rules.local.yaml, /etc/falco/rules.d]"
    text = (
        f"falco: {{rules_files: {files}, append_output: [{{suggested_output: true}}], http_output: {{enabled: false}}}}"
    )
    assert dict(imported(text).variables) == OFF


def test_plugins_that_are_loaded_and_not_described_stay_as_they_are() -> None:
    text = "falco: {load_plugins: [nowhere], plugins: [{name: json, library_path: j.so}]}"
    assert variables(imported(text)) == {"falco_extra_values": yaml.safe_load(text)}


def test_outputs_beside_a_secret_of_outputs_are_taken_and_the_secret_is_told() -> None:
    result = imported(SIDEKICK.format("config: {existingSecret: mine, slack: {webhookurl: 'https://planted'}}"))
    assert list(variables(result)) == ["falco_outputs"]
    assert "is mine, beside outputs in the values" in told(result)["falcosidekick.config.existingSecret"]


def test_an_output_that_would_send_nothing_is_left_out_and_kept_for_the_vault() -> None:
    result = imported(SIDEKICK.format("config: {slack: {minimumpriority: critical}}"))
    assert variables(result) == {}
    assert dict(result.left_out) == {"falcosidekick.config.slack.minimumpriority": "critical"}
    assert told(result)["falcosidekick.config.slack.webhookurl"] == (
        "is missing; without it slack sends nothing. The output was left out."
    )


def test_a_setting_that_no_output_has_is_told_with_the_nearest_and_kept_for_the_vault() -> None:
    config = "config: {slack: {webhookurl: 'https://planted-1', webhokurl: 'https://planted-2', zzz: 1}}"
    result = imported(SIDEKICK.format(config))
    assert result.variables["falco_outputs"] == {"slack": {"webhookurl": "{{ vault_falco_slack_webhookurl }}"}}
    assert dict(result.left_out) == {
        "falcosidekick.config.slack.webhokurl": "https://planted-2",
        "falcosidekick.config.slack.zzz": 1,
    }
    notes = told(result)
    assert notes["falcosidekick.config.slack.webhokurl"] == (
        "is no setting of slack; it was left out. Did you mean webhookurl?"
    )
    assert notes["falcosidekick.config.slack.zzz"] == "is no setting of slack; it was left out."
    assert "planted" not in repr(result.notes)


def test_variables_of_outputs_leave_the_environment_and_the_rest_stays() -> None:
    webhook = "{name: SLACK_WEBHOOKURL, value: 'https://planted'}"
    alone = variables(imported(SIDEKICK.format(f"config: {{extraEnv: [{webhook}]}}")))
    assert alone == {"falco_outputs": {"slack": {"webhookurl": "{{ vault_falco_slack_webhookurl }}"}}}
    zone = {"name": "TZ", "value": "UTC"}
    both = variables(imported(SIDEKICK.format(f"config: {{extraEnv: [{webhook}, {{name: TZ, value: UTC}}]}}")))
    assert both.pop("falco_extra_values") == {"falcosidekick": {"config": {"extraEnv": [zone]}}}
    assert both == alone


def test_all_of_a_ui_that_is_off_is_kept_for_the_vault() -> None:
    result = imported(SIDEKICK.format("webui: {enabled: false, user: 'a:planted', replicaCount: 2}"))
    assert variables(result) == {}
    assert dict(result.left_out) == {"falcosidekick.webui.user": "a:planted", "falcosidekick.webui.replicaCount": 2}
    assert "was off" in told(result)["falcosidekick.webui"]


def test_the_password_of_an_external_redis_goes_to_the_vault() -> None:
    redis = "externalRedis: {enabled: true, url: redis.example, password: planted}, redis: {password: planted-too}"
    result = imported(UI.format(redis))
    assert result.variables["falco_redis_password"] == "{{ vault_falco_redis_password }}"
    assert dict(result.secrets) == {"vault_falco_redis_password": "planted"}


def test_defaults_of_the_charts_within_a_chart_are_no_variables_either() -> None:
    inner = Chart("falcosidekick", "0.12.0", "2.32.0", {"replicaCount": 2, "nodeSelector": {}}, ("{{ .Values }}",))
    chart = Chart("falco", "9.1.0", "0.44.1", {}, ("{{ .Values }}",), subcharts={"falcosidekick": inner})
    values = {"falcosidekick": {"enabled": True, "replicaCount": 2, "nodeSelector": {"disk": "ssd"}}}
    result = import_values(values, chart)
    assert "falco_sidekick_replicas" not in result.variables
    assert result.variables["falco_extra_values"] == {"falcosidekick": {"nodeSelector": {"disk": "ssd"}}}
