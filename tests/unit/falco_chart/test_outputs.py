"""Outputs: Falcosidekick's own names, checked, all of them in one Secret, none of them in a message."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.output_settings import OUTPUT_VARIABLES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import (
    REQUIRED,
    build_outputs,
    fingerprint,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from hypothesis import given, settings
from hypothesis import strategies as st

SLACK = {"webhookurl": "https://hooks.example/services/T0/B0/x", "minimumpriority": "warning"}


def test_slack_and_telegram_become_variables() -> None:
    outputs = build_outputs({"slack": SLACK, "telegram": {"token": "123:ab-C_d", "chatid": -100}})
    assert outputs.secret == {
        "SLACK_WEBHOOKURL": SLACK["webhookurl"],
        "SLACK_MINIMUMPRIORITY": "warning",
        "TELEGRAM_TOKEN": "123:ab-C_d",
        "TELEGRAM_CHATID": "-100",
    }
    assert outputs.values == {}


def test_nested_settings_and_booleans() -> None:
    outputs = build_outputs(
        {"aws": {"region": "eu", "useirsa": False, "s3": {"bucket": "b"}, "sns": {"rawjson": True}}}
    )
    assert outputs.secret == {"AWS_REGION": "eu", "AWS_S3_BUCKET": "b", "AWS_SNS_RAWJSON": "true"}
    assert outputs.values == {"aws": {"useirsa": False}}


def test_a_variable_that_the_chart_calls_otherwise_is_set_by_both_names() -> None:
    secret = build_outputs({"telegram": {"token": "1:a", "chatid": 1, "messagethreadid": 7}}).secret
    assert secret["TELEGRAM_MESSAGE_THREAD_ID"] == secret["TELEGRAM_MESSAGETHREADID"] == "7"


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({"slakc": {}}, "falco_outputs.slakc: Falcosidekick has no such output. Did you mean slack?"),
        ({"email": {}}, "Did you mean smtp?"),
        ({"msteams": {}}, "Did you mean teams?"),
        ({"slack": "https://x"}, "falco_outputs.slack: must be a mapping of settings, not a string."),
        ({"slack": {"webhook_url": "https://x"}}, "Did you mean webhookurl?"),
        ({"slack": {}}, "falco_outputs.slack.webhookurl: is missing; without it slack sends nothing."),
        ({"slack": {"webhookurl": "hooks.example"}}, "must be an http:// or https:// URL"),
        ({"slack": {**SLACK, "minimumpriority": "warn"}}, "Did you mean warning?"),
        ({"slack": {**SLACK, "channel": ["#a"]}}, "must be a string, number or boolean, not a list."),
        ({"telegram": {"token": "abc", "chatid": 1}}, "falco_outputs.telegram.token: is no bot token"),
        ({"telegram": {"token": "1:a", "chatid": "my group"}}, "falco_outputs.telegram.chatid"),
        ({"telegram": {"token": "1:a"}}, "falco_outputs.telegram.chatid: is missing"),
        ({"loki": {"hostport": "loki:3100"}}, "must be a URL such as"),
        ({"loki": {"hostport": "http://l:1", "checkcert": "no"}}, "must be true or false, not a string."),
        ({"aws": {"useirsa": "yes"}}, "falco_outputs.aws.useirsa: must be a bool"),
    ],
)
def test_what_is_wrong_is_named(outputs: dict[str, Any], told: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        build_outputs(outputs)
    assert told in str(error.value)


@pytest.mark.parametrize("setting", ["webhookurl", "token", "address"])
def test_no_message_shows_a_secret(setting: str) -> None:
    output = {"webhookurl": "slack", "token": "telegram", "address": "webhook"}[setting]
    with pytest.raises(FalcoChartError) as error:
        build_outputs({output: {setting: "planted-secret"}})
    assert "planted-secret" not in str(error.value)


@pytest.mark.parametrize("output", sorted(OUTPUT_VARIABLES))
def test_every_setting_of_every_output_has_a_variable_of_its_own(output: str) -> None:
    assert all(variable for variable in OUTPUT_VARIABLES[output].values())
    assert len(set(OUTPUT_VARIABLES[output].values())) == len(OUTPUT_VARIABLES[output])


@pytest.mark.parametrize("output", sorted(REQUIRED))
def test_required_settings_exist(output: str) -> None:
    assert set(REQUIRED[output]) <= set(OUTPUT_VARIABLES[output])


@settings(max_examples=10, deadline=None)  # each is slow on purpose
@given(st.dictionaries(st.text(), st.text(), max_size=4))
def test_fingerprints_follow_the_data(data: dict[str, str]) -> None:
    assert fingerprint(data, "a") == fingerprint(dict(reversed(data.items())), "a")
    assert fingerprint({**data, "k": "1"}, "a") != fingerprint({**data, "k": "2"}, "a")
    assert fingerprint(data, "a") != fingerprint(data, "b")
