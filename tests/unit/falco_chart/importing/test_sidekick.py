"""Falcosidekick's values: outputs with their secrets apart, the UI, its Redis, and what cannot be taken."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import Imported, import_values

from tests.unit.falco_chart.importing.notes import told


def config(**settings: Any) -> Imported:
    return import_values({"falcosidekick": {"enabled": True, "config": settings}})


def ui(**settings: Any) -> Imported:
    return import_values({"falcosidekick": {"enabled": True, "webui": {"enabled": True, **settings}}})


CONFIG = "falcosidekick.config"
UI = "falcosidekick.webui"
SLACK = {"webhookurl": "https://example.org/planted"}


@pytest.mark.parametrize(
    ("output", "settings", "left", "path", "note"),
    [
        (
            "slack",
            {"webhookurl": "planted"},
            {"slack.webhookurl": "planted"},
            "slack.webhookurl",
            "must be an http:// or https:// URL (its text is not shown: it is a secret). The output was left out.",
        ),
        (
            "slack",
            "https://example.org/planted",
            {"slack": "https://example.org/planted"},
            "slack",
            "must be a mapping of settings, not a string; it was left out.",
        ),
    ],
)
def test_an_output_that_cannot_be_is_left_out_with_its_settings_in_the_vault(
    output: str, settings: Any, left: dict[str, Any], path: str, note: str
) -> None:
    result = config(**{output: settings})
    assert "falco_outputs" not in result.variables
    assert result.left_out == {f"{CONFIG}.{place}": value for place, value in left.items()}
    assert told(result)[f"{CONFIG}.{path}"] == note


def test_what_the_chart_itself_reads_of_an_output_stays_in_its_values() -> None:
    result = config(loki={"grafanaDashboard": {"enabled": True}})
    assert "falco_outputs" not in result.variables
    assert result.variables["falco_extra_values"] == {
        "falcosidekick": {"config": {"loki": {"grafanaDashboard": {"enabled": True}}}}
    }


def test_variables_of_outputs_are_settings_and_others_stay() -> None:
    zone = {"name": "TZ", "value": "UTC"}
    referring = {"name": "SLACK_CHANNEL", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    odd = {"name": ["TZ"], "value": "UTC"}
    result = config(extraEnv=[{"name": "SLACK_WEBHOOKURL", "value": SLACK["webhookurl"]}, zone, referring, odd, "x"])
    assert result.variables["falco_outputs"] == {"slack": {"webhookurl": "{{ vault_falco_slack_webhookurl }}"}}
    assert result.variables["falco_extra_values"]["falcosidekick"]["config"]["extraEnv"] == [zone, referring, odd, "x"]
    assert told(result)[f"{CONFIG}.extraEnv"] == "had SLACK_WEBHOOKURL, which is falco_outputs.slack.webhookurl now."


def test_a_variable_fills_what_the_values_have_as_a_text() -> None:
    result = config(
        aws={"cloudwatchlogs": "planted", "region": "eu-central-1"},
        extraEnv=[{"name": "AWS_CLOUDWATCHLOGS_LOGGROUP", "value": "group"}],
    )
    assert result.secrets["vault_falco_aws_cloudwatchlogs_loggroup"] == "group"
    assert result.left_out == {f"{CONFIG}.aws.cloudwatchlogs": "planted"}


@pytest.mark.parametrize("fields", ["environment", ":production", {"environment": "production"}, 5])
def test_fields_of_another_form_are_left_out(fields: Any) -> None:
    result = config(customfields=fields)
    assert "falco_custom_fields" not in result.variables
    assert list(result.left_out.values()) == ["production" if isinstance(fields, dict) else fields]
    assert told(result)[f"{CONFIG}.customfields"] == ("has another form than key:value,key:value; it was left out.")


def test_a_value_of_a_field_may_have_colons() -> None:
    result = config(templatedfields="url: http://example.org, b:")
    assert result.variables["falco_templated_fields"] == {"url": " http://example.org", "b": ""}


def test_a_falcosidekick_that_is_no_mapping_is_off() -> None:
    result = import_values({"falcosidekick": "planted"})
    assert result.variables["falco_sidekick_enabled"] is False
    assert result.left_out == {"falcosidekick": "planted"}


@pytest.mark.parametrize(
    ("login", "user", "password", "note"),
    [
        ("operator:planted:too", "operator", "planted:too", ""),
        ("operator", "operator", None, "has no password; the role makes one. It is written user:password."),
        (":planted", None, "planted", ""),
    ],
)
def test_the_login_is_taken_apart(login: str, user: str | None, password: str | None, note: str) -> None:
    result = ui(user=login)
    assert result.variables.get("falco_ui_user") == user
    assert result.secrets.get("vault_falco_ui_password") == password
    assert ("falco_ui_password" in result.variables) is (password is not None)
    assert told(result).get(f"{UI}.user", "") == note


@pytest.mark.parametrize(
    ("service", "exposure", "port"),
    [
        ({}, "cluster_ip", None),
        ({"type": "NodePort"}, "node_port", 30282),  # the chart's default
        ({"type": "NodePort", "nodePort": 31000}, "node_port", 31000),
        ({"type": "LoadBalancer", "nodePort": 31000}, "load_balancer", None),
    ],
)
def test_how_the_ui_is_reached(service: dict[str, Any], exposure: str, port: int | None) -> None:
    variables = ui(service=service).variables
    assert variables["falco_ui_exposure"] == exposure
    assert variables.get("falco_ui_node_port") == port


@pytest.mark.parametrize(
    ("ingress", "wanted"),
    [
        ({"hosts": ["a.example.org"]}, {"host": "a.example.org"}),
        ({"hosts": "a.example.org", "ingressClassName": "nginx"}, {"host": "a.example.org", "class": "nginx"}),
        ({"hosts": {"host": "a.example.org", "paths": "/ui"}}, {"host": "a.example.org", "path": "/ui"}),
        ({"hosts": ["a.example.org"], "tls": ["certificate"], "annotations": ["a=b"]}, {"host": "a.example.org"}),
        (
            {"hosts": [{"host": "a.example.org"}], "tls": {"secretName": "certificate"}},
            {"host": "a.example.org", "tls_secret": "certificate"},
        ),
    ],
)
def test_an_ingress_is_taken_in_each_form_that_is_written(ingress: dict[str, Any], wanted: dict[str, Any]) -> None:
    variables = ui(ingress={"enabled": True, **ingress}).variables
    assert variables["falco_ui_exposure"] == "ingress"
    assert variables["falco_ui_ingress"] == wanted


def test_of_several_paths_the_first_is_taken_and_told() -> None:
    result = ui(ingress={"enabled": True, "hosts": [{"host": "a.example.org", "paths": ["/", "/ui"]}]})
    assert result.variables["falco_ui_ingress"] == {"host": "a.example.org"}
    assert told(result)[f"{UI}.ingress.hosts"] == "has several hosts or paths; the first is taken."


@pytest.mark.parametrize("hosts", [[], None, {"a.example.org": None}])
def test_an_ingress_without_a_host_is_left_out(hosts: Any) -> None:
    result = ui(ingress={"enabled": True, "hosts": hosts})
    assert result.variables["falco_ui_exposure"] == "cluster_ip"
    assert "falco_ui_ingress" not in result.variables
    assert told(result)[f"{UI}.ingress"].startswith("has no host of its own.")
