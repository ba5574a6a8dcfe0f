"""Secrets in falco_extra_values: each is refused with the variable that takes it, and shown nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.output_settings import OUTPUT_VARIABLES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import CHART_SETTINGS
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.secret_values import PLACES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values

PLANTED = "planted-in-further-values"
FORMS = {
    "falco.program_output.program": f"curl -d @- https://hooks.slack.com/services/T0/{PLANTED}",
    "falcosidekick.config.some.address": f"https://user:{PLANTED}@example.org/",
    "extra.initContainers": [{"name": "a", "args": [f"-----BEGIN RSA PRIVATE KEY-----{PLANTED}"]}],
    "falco.plugins": [{"name": "okta", "library_path": "a.so", "init_config": {"api_token": PLANTED}}],
    "extra.env": [{"name": "OKTA_API_TOKEN", "value": PLANTED}],
    "falco-talon.config.notifiers.slack.webhook_url": f"https://example.org/{PLANTED}",
    "falcosidekick.config.customheaders": f"Authorization:Bearer {PLANTED}",
}


def nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value  # type: ignore[no-any-return]  # a dictionary by then


def told(extra: dict[str, Any]) -> str:
    try:
        build_values({"extra_values": extra})
    except FalcoChartError as error:
        return str(error)
    return ""


def every_setting() -> list[str]:
    return [
        f"{output}.{setting}"
        for output, settings in OUTPUT_VARIABLES.items()
        for setting in settings
        if setting not in CHART_SETTINGS.get(output, {})
    ]


def test_every_setting_of_every_output_is_refused_with_the_variable_that_takes_it() -> None:
    assert len(every_setting()) > 300
    for path in every_setting():
        refused = told({"falcosidekick": {"config": nested(path, PLANTED)}})
        assert f"falco_extra_values.falcosidekick.config.{path}: is a setting of an output" in refused, path
        assert f"Use falco_outputs.{path}," in refused
        assert PLANTED not in refused


@pytest.mark.parametrize("path", sorted(PLACES))
def test_every_other_place_of_a_secret_is_refused(path: str) -> None:
    refused = told(nested(path, PLANTED))
    assert f"falco_extra_values.{path}: is a secret" in refused
    assert PLACES[path] in refused
    assert PLANTED not in refused


@pytest.mark.parametrize("path", sorted(FORMS))
def test_what_looks_like_a_secret_is_refused_anywhere(path: str) -> None:
    refused = told(nested(path, FORMS[path]))
    assert f"falco_extra_values.{path}" in refused
    assert "is a secret" in refused
    assert PLANTED not in refused


def test_a_password_of_digits_is_one_with_and_without_quotes() -> None:
    for value in (12345, 1.5, "12345"):
        assert "falco_extra_values.x.password: is a secret" in told({"x": {"password": value}})
    assert not told({"x": {"password": True}})


def test_a_variable_of_an_output_is_refused_with_its_setting() -> None:
    entries = [{"name": "SLACK_WEBHOOKURL", "value": PLANTED}]
    refused = told({"falcosidekick": {"config": {"extraEnv": entries}}})
    assert "falco_extra_values.falcosidekick.config.extraEnv[0] (SLACK_WEBHOOKURL)" in refused
    assert "Use falco_outputs.slack.webhookurl" in refused
    assert PLANTED not in refused


@pytest.mark.parametrize(
    "extra",
    [
        {"falcosidekick": {"config": {"slack": {"webhookurl": "", "minimumpriority": ""}}}},
        {"falcosidekick": {"config": {"aws": {"useirsa": True}, "policyreport": {"enabled": True}}}},
        {"falcosidekick": {"config": {"debug": True, "customtags": "a"}}},
        {
            "falcosidekick": {
                "config": {
                    "extraEnv": [
                        {"name": "SLACK_WEBHOOKURL", "valueFrom": {"secretKeyRef": {"name": "a", "key": "token"}}}
                    ]
                }
            }
        },
        {"falco": {"plugins": [{"name": "okta", "library_path": "a", "init_config": {"api_token": "${OKTA}"}}]}},
        {"falco": {"program_output": {"program": "jq . | logger"}}},
        {"extra": {"env": [{"name": "PROXY", "value": "http://proxy:3128"}]}},
        {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123:role/falco"}}},
        {"image": {"tag": "0.44.1@sha256:" + "a" * 64}},
    ],
)
def test_what_is_no_secret_passes(extra: dict[str, Any]) -> None:
    assert told(extra) == ""
