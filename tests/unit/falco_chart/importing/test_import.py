"""From values to variables: the role builds what was given, secrets are apart, and the rest is told."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import (
    Imported,
    group_vars,
    import_values,
    read_values,
    vault_vars,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.replaced import REPLACED
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.settings import DEFAULTS
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options

from tests.chart.situations import SITUATIONS, Situation
from tests.unit.falco_chart.importing.notes import told
from tests.unit.falco_chart.planted import PLANTED, every_output

FILES = sorted((Path(__file__).parent / "values").iterdir())


def imported(name: str) -> Imported:
    (path,) = [path for path in FILES if path.stem == name]
    return import_values(read_values(path.read_text()))


def resolved(value: Any, secrets: dict[str, Any]) -> Any:
    """As Ansible templates the variables with those of the vault."""
    if isinstance(value, dict):
        return {key: resolved(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner, secrets) for inner in value]
    if isinstance(value, str) and value.startswith("{{ vault_falco_"):
        return secrets[value[3:-3]]
    return value


def built(result: Imported) -> dict[str, Any]:
    """What the role gives Helm for these variables."""
    settings = {
        name[len("falco_") :]: resolved(value, dict(result.secrets))
        for name, value in result.variables.items()
        if name[len("falco_") :] in DEFAULTS
    }
    return build_values(settings)


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contains(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(contains(one, entry) for one in whole) for entry in part)
    return bool(whole == part)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_secrets_are_in_the_vaults_document_alone(path: Path) -> None:
    result = import_values(read_values(path.read_text()))
    planted = set(re.findall(r"planted[-/\w]*", path.read_text()))
    assert planted
    assert "planted" not in group_vars(result)
    assert "planted" not in repr(result.variables) + repr(result.notes)
    assert [word for word in planted if word not in vault_vars(result)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_variable_is_one_of_the_role(path: Path) -> None:
    result = import_values(read_values(path.read_text()))
    assert set(result.variables) <= set(role_options("falco"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_text_is_what_ansible_reads(path: Path, tmp_path: Path) -> None:
    result = import_values(read_values(path.read_text()))
    (tmp_path / "falco.yml").write_text(group_vars(result))
    assert DataLoader().load_from_file(str(tmp_path / "falco.yml")) == result.variables
    if vault_vars(result):
        (tmp_path / "vault.yml").write_text(vault_vars(result))
        secrets = DataLoader().load_from_file(str(tmp_path / "vault.yml"))
        assert secrets.pop("vault_falco_left_out", {}) == result.left_out
        assert secrets == result.secrets


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_role_builds_holds_what_was_passed_through(path: Path) -> None:
    result = import_values(read_values(path.read_text()))
    assert contains(built(result), result.variables.get("falco_extra_values", {}))


def test_values_of_the_first_charts() -> None:
    result = imported("chart1")
    values = built(result)
    assert values["driver"]["kind"] == "modern_ebpf"
    assert values["mounts"]["volumeMounts"][-1]["mountPath"] == "/etc/certificates"
    assert values["podPriorityClassName"] == "system-node-critical"
    assert values["falco"]["json_output"] is True
    assert values["falco"]["syscall_event_drops"]["actions"] == ["log"]
    assert values["collectors"]["containerEngine"]["engines"]["cri"]["sockets"] == ["/run/containerd/containerd.sock"]
    assert list(result.rules) == ["shells.yaml"]
    assert "{{ this is no template }}" in result.rules["shells.yaml"]
    notes = told(result)
    assert "gRPC is gone" in notes["falco.grpc"]
    assert "k8saudit" in notes["auditLog"]
    assert "modern_ebpf" in notes["driver.kind"]
    assert notes["falco.http_output"].startswith("is set by the role")


def test_values_of_chart_4() -> None:
    result = imported("chart4")
    values = built(result)
    webui = values["falcosidekick"]["webui"]
    assert webui["ingress"] == {
        "enabled": True,
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
        "ingressClassName": "nginx",
        "hosts": [{"host": "falco.example.org", "paths": [{"path": "/"}]}],
        "tls": [{"secretName": "falco-tls", "hosts": ["falco.example.org"]}],
    }
    assert webui["redis"]["storageSize"] == "5Gi"
    assert webui["disableauth"] is True
    assert values["falcosidekick"]["config"]["customfields"] == "environment:production,region:eu"
    assert result.variables["falco_outputs"]["pagerduty"] == {
        "routingkey": "{{ vault_falco_pagerduty_routingkey }}",
        "minimumpriority": "critical",
    }
    assert "is routingkey" in told(result)["falcosidekick.config.pagerduty.routingKey"]
    assert "needs it on" in told(result)["metrics.enabled"]


def test_values_of_chart_6() -> None:
    result = imported("chart6")
    values = built(result)
    original = read_values(next(path for path in FILES if path.stem == "chart6").read_text())
    for key in ("image", "driver", "resources", "controller", "mounts", "serviceMonitor", "imagePullSecrets"):
        assert contains(values[key], original[key]), key
    assert values["falco"]["rules_files"] == original["falco"]["rules_files"]
    assert values["falco"]["append_output"] == original["falco"]["append_output"]
    assert values["falco"]["plugins"] == original["falco"]["plugins"]
    assert values["falcoctl"]["config"]["artifact"]["install"]["refs"] == ["mirror.example.org/falco-rules:4"]
    assert result.variables["falco_outputs"]["slack"]["messageformat"] == "{{ .Rule }} on {{ .Hostname }}"
    assert "messageformat: !unsafe" in group_vars(result)
    assert "teams" not in result.variables["falco_outputs"]


def test_what_the_role_refuses_is_left_out_and_told() -> None:
    result = imported("chart9")
    notes = told(result)
    assert "Leave 8765" in notes["falco.webserver.listen_port"]
    assert "falco_sidekick_tls" in notes["certs.server.key"]
    assert result.left_out["extra.env[0]"] == {"name": "API_TOKEN", "value": "planted-env"}
    assert result.variables["falco_extra_values"]["extra"] == {"env": [{"name": "TZ", "value": "UTC"}]}
    assert "somethingelse" in result.variables["falco_extra_values"]


def test_with_a_chart_its_defaults_and_what_it_does_not_know_are_left_out() -> None:
    defaults = {
        "driver": {"kind": "auto", "sysfsMountPath": "/sys/kernel"},
        "collectors": {"containerEngine": {"labelMaxLen": 100}},
        "falco": {"priority": "debug"},
        "falcosidekick": {"enabled": False},
        "healthChecks": {"startupProbe": {"periodSeconds": 5}},
    }
    chart = Chart(
        "falco", "9.1.0", "0.44.1", defaults, ("{{ .Values.metrics }}{{ .Values.falcoctl }}{{ .Values.mounts }}",)
    )
    given = copy.deepcopy(defaults)
    given["healthChecks"] = {"startupProbe": {"periodSeconds": 9, "failureThreshld": 3}}
    result = import_values(given, chart)
    assert result.variables["falco_extra_values"] == {"healthChecks": {"startupProbe": {"periodSeconds": 9}}}
    assert "has no such value" in told(result)["healthChecks.startupProbe.failureThreshld"]
    assert result.variables["falco_driver"] == "auto"  # the chart's default, and not the role's


@pytest.mark.parametrize("path", sorted(REPLACED))
def test_every_obsolete_value_is_taken_or_explained(path: str) -> None:
    values: Any = {"enabled": True, "kind": "x"} if path in ("ebpf", "docker") else "x"
    for key in reversed(path.split(".")):
        values = {key: values}
    result = import_values({"falcosidekick": {"enabled": True, "webui": {"enabled": True}}} | values)
    left = result.variables.get("falco_extra_values", {})
    for key in path.split("."):
        left = left.get(key, {}) if isinstance(left, dict) else {}
    assert left == {}
    assert [
        note for note in result.notes if note.path.split(".")[0] in (path.split(".")[0], "driver", "collectors")
    ] or set(result.variables) - {"falco_sidekick_enabled", "falco_ui_enabled"}


#: What the role sets up with Secrets of its own, or by a release of its own, which values alone do not show.
NOT_IN_VALUES = (
    "sidekick_more",
    "sidekick_release",
    "sidekick_tls",
    "driver_groups",
    "ca_config_map",
    "proxy",
    "redis_external",
)


@pytest.mark.parametrize(
    "situation",
    [s for s in SITUATIONS if not set(NOT_IN_VALUES) & set(s.variables)],
    ids=lambda s: s.name,
)
def test_what_the_role_built_comes_back_the_same(situation: Situation) -> None:
    first = build_values(situation.variables)
    result = import_values(first)
    settings = {
        name[len("falco_") :]: value
        for name, value in result.variables.items()
        if name[len("falco_") :] in DEFAULTS and name != "falco_extra_values"
    }
    again = build_values(
        {"own_rules_config_maps": situation.variables.get("own_rules_config_maps", []), **settings,
         "extra_values": result.variables.get("falco_extra_values", {})}
    )  # fmt: skip
    for ours in ("existingSecret", "podAnnotations"):
        for tree in (first, again):
            tree["falcosidekick"].get("config", {}).pop(ours, None)
            tree["falcosidekick"].pop(ours, None)
    assert contains(again, first)


def test_values_of_the_chart_falcosidekick_are_taken_for_its_part() -> None:
    result = import_values({"config": {"slack": {"webhookurl": "https://planted"}}, "webui": {"enabled": True}})
    assert result.variables["falco_outputs"] == {"slack": {"webhookurl": "{{ vault_falco_slack_webhookurl }}"}}
    assert result.variables["falco_ui_enabled"] is True
    assert "falco_extra_values" not in result.variables
    assert "of the chart falcosidekick" in told(result)["config"]


def test_older_names_of_one_setting_become_its_variable() -> None:
    for name in ("syscall_buf_size_preset", "syscallBufSizePreset"):
        result = import_values({"falco": {name: 6, "watch_config_files": True}})
        assert result.variables["falco_driver_buffer_preset"] == 6
        assert "falco.watch_config_files" not in told(result)


def test_every_channel_becomes_an_output_again() -> None:
    outputs = every_output()
    result = import_values({"falcosidekick": {"enabled": True, "config": copy.deepcopy(outputs)}})
    assert resolved(result.variables["falco_outputs"], dict(result.secrets)) == outputs
    assert PLANTED not in yaml.safe_dump(
        {name: value for output in result.variables["falco_outputs"].values() for name, value in output.items()
         if name in ("webhookurl", "password", "token", "apikey", "address")}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("USER-SUPPLIED VALUES:\ndriver: {kind: kmod}\n", {"driver": {"kind": "kmod"}}),
        ("COMPUTED VALUES:\r\na: 1\n", {"a": 1}),
        ("USER-SUPPLIED VALUES:\nnull\n", {}),
        ('{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        ("kind: HelmRelease\nspec: {values: {a: 1}}\n", {"a": 1}),
        ("kind: Application\nspec: {source: {helm: {valuesObject: {a: 1}}}}\n", {"a": 1}),
        ("kind: Application\nspec: {source: {helm: {values: 'a: 1'}}}\n", {"a": 1}),
        (
            "kind: Namespace\nmetadata: {name: falco}\n"
            "---\nkind: HelmRelease\nmetadata: {name: falco}\nspec: {values: {a: 1}}\n"
            "---\nkind: HelmRelease\nmetadata: {name: other}\nspec: {values: {b: 1}}\n",
            {"a": 1},
        ),
    ],
)
def test_values_are_found_in_what_users_have(text: str, values: dict[str, Any]) -> None:
    assert read_values(text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [planted\nb", "is no YAML"),
        ("- planted", "must be a mapping, not a list."),
        ("kind: Secret\nspec: {}\n", "Secret carries no values of Helm."),
        ("planted: 1\n---\nb: 1\n", "are in none or several of 2 documents."),
    ],
)
def test_what_holds_no_values_is_told_without_its_text(text: str, message: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        read_values(text)
    assert message in str(error.value)
    assert "planted" not in str(error.value)
