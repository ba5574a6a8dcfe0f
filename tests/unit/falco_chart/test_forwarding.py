"""Further Falcosidekicks and one with a release of its own: values, who feeds whom, and what cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.forwarding import FORWARDERS, lowest_priority
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.output_settings import OUTPUT_VARIABLES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import PRIORITIES
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_sidekick_releases,
    build_values,
)
from hypothesis import given
from hypothesis import strategies as st

ONCALL = {
    "name": "oncall",
    "outputs": {"slack": {"webhookurl": "https://hooks.example/planted-oncall", "minimumpriority": "critical"}},
}
SLACK = {"slack": {"webhookurl": "https://hooks.example/planted-all"}}


def env(values: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in values["config"].get("extraEnv", [])}


def test_two_slack_channels_are_two_instances_and_the_first_feeds_the_second() -> None:
    variables = {"outputs": SLACK, "sidekick_more": [ONCALL], "sidekick_more_fingerprints": {"oncall": "ab"}}
    assert env(build_values(variables)["falcosidekick"]) == {
        "WEBHOOK_ADDRESS": "http://falco-falcosidekick-oncall:2801",
        "WEBHOOK_MINIMUMPRIORITY": "critical",
    }
    (release,) = build_sidekick_releases(variables)
    assert (release["name"], release["secret"]) == ("falco-falcosidekick-oncall", "falco-outputs-oncall")
    values = release["values"]
    assert values["config"]["existingSecret"] == "falco-outputs-oncall"
    assert values["webui"] == {"enabled": False}
    assert "extraEnv" not in values["config"]
    assert values["podAnnotations"] == {"falconet.k8s/secret-fingerprint": "ab"}
    assert values["customLabels"] == {"falconet.k8s/falco": "falco"}


def test_an_output_with_a_destination_of_its_own_is_not_used_for_handing_on() -> None:
    webhook = {"webhook": {"address": "https://siem.example.org"}}
    more = [ONCALL, {**ONCALL, "name": "audit", "minimum_priority": "Debug"}]
    first = env(build_values({"outputs": webhook, "sidekick_more": more})["falcosidekick"])
    assert first == {
        "NODERED_ADDRESS": "http://falco-falcosidekick-oncall:2801",
        "NODERED_MINIMUMPRIORITY": "critical",
        "TEKTON_EVENTLISTENER": "http://falco-falcosidekick-audit:2801",
        "TEKTON_MINIMUMPRIORITY": "debug",
    }
    kept_by_others = {"outputs_existing_secret": "s", "outputs_existing_variables": ["WEBHOOK_ADDRESS"]}
    assert "NODERED_ADDRESS" in env(build_values({**kept_by_others, "sidekick_more": [ONCALL]})["falcosidekick"])


def test_forwarders_are_outputs_of_falcosidekick() -> None:
    known = {variable for settings in OUTPUT_VARIABLES.values() for variable in settings.values()}
    for output, variable in FORWARDERS.items():
        assert variable in OUTPUT_VARIABLES[output].values()
        assert f"{output.upper()}_MINIMUMPRIORITY" in known


@pytest.mark.parametrize(
    ("outputs", "lowest"),
    [
        ({"slack": {"minimumpriority": "critical"}, "telegram": {"minimumpriority": "Warning"}}, "warning"),
        ({"slack": {"minimumpriority": "critical"}, "telegram": {}}, ""),
        ({"aws": {"s3": {"bucket": "b", "minimumpriority": "error"}}}, "error"),
        ({"aws": {"s3": {"bucket": "b", "minimumpriority": "error"}, "sns": {"topicarn": "a"}}}, ""),
        ({"statsd": {"forwarder": "a:1"}}, ""),
        ({}, ""),
    ],
)
def test_nothing_that_a_destination_wants_is_held_back(outputs: dict[str, Any], lowest: str) -> None:
    assert lowest_priority(outputs) == lowest


@given(st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=3))
def test_the_lowest_of_several_is_handed_on(priorities: list[str]) -> None:
    names = ("slack", "discord", "telegram")
    outputs = {name: {"minimumpriority": priority} for name, priority in zip(names, priorities)}
    assert all(PRIORITIES.index(lowest_priority(outputs)) >= PRIORITIES.index(priority) for priority in priorities)
    assert lowest_priority(outputs) in priorities


def test_a_release_of_its_own_has_the_names_that_it_had_in_falcos() -> None:
    variables = {"sidekick_release": "own", "sidekick_chart_digest": "d", "outputs_existing_secret": "s"}
    values = build_values(variables)
    assert values["falcosidekick"] == {"enabled": False}
    assert values["falco"]["http_output"] == {"enabled": True, "url": "http://falco-falcosidekick:2801"}
    (release,) = build_sidekick_releases(variables)
    in_chart = build_values({"outputs_existing_secret": "s"})["falcosidekick"]
    assert release["name"] == "falco-falcosidekick"
    assert "enabled" not in release["values"]
    assert release["values"]["webui"] == in_chart["webui"]
    assert release["values"]["config"] == in_chart["config"]
    assert release["values"]["customAnnotations"] == {"falconet.k8s/chart-digest": "d"}


def test_further_values_of_falcosidekick_follow_it_into_its_own_release() -> None:
    extra = {"falcosidekick": {"priorityClassName": "high"}, "falco": {"priority": "info"}}
    variables = {"sidekick_release": "own", "extra_values": extra, "images": {"falcosidekick": {"tag": "9"}}}
    assert build_values(variables)["falcosidekick"] == {"enabled": False}
    (release,) = build_sidekick_releases(variables)
    assert release["values"]["priorityClassName"] == "high"
    assert release["values"]["image"]["tag"] == "9"


def test_without_falcosidekick_there_is_no_release_of_it() -> None:
    assert build_sidekick_releases({"sidekick_enabled": False, "sidekick_release": "own"}) == []
    assert build_sidekick_releases({}) == []


def test_further_instances_are_asked_over_tls_where_falco_asks_the_first_so() -> None:
    tls = {"sidekick_tls_secret": "s", "sidekick_tls_client_secret": "c", "sidekick_more": [ONCALL]}
    first = build_values({**tls, "sidekick_tls": "mutual", "ca_config_map": "company"})["falcosidekick"]
    assert env(first)["WEBHOOK_ADDRESS"] == "https://falco-falcosidekick-oncall:2801"
    assert env(first)["WEBHOOK_MUTUALTLS"] == "true"
    assert env(first)["SSL_CERT_DIR"] == "/etc/extra-ca"
    assert first["config"]["tlsclient"] == {"cacertfile": "/etc/certs/server/ca.crt"}
    assert first["config"]["mutualtlsclient"]["keyfile"] == "/etc/certs/client/client.key"
    assert {mount["mountPath"] for mount in first["extraVolumeMounts"]} == {"/etc/certs/client", "/etc/extra-ca"}
    (release,) = build_sidekick_releases({**tls, "sidekick_tls": "mutual"})
    assert release["values"]["config"]["tlsserver"] == {"deploy": True, "existingSecret": "s", "mutualtls": True}
    assert "WEBHOOK_MUTUALTLS" not in env(build_values({**tls, "sidekick_tls": "server"})["falcosidekick"])


def test_a_proxy_is_not_asked_for_what_is_in_the_cluster() -> None:
    first = build_values({"proxy": {"https": "http://p:1"}, "sidekick_more": [ONCALL]})["falcosidekick"]
    assert {"falco-falcosidekick-ui", "falco-falcosidekick-oncall"} <= set(env(first)["NO_PROXY"].split(","))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["oncall"], "falco_sidekick_more[0]: must be a mapping with name and outputs, not a string."),
        ([{**ONCALL, "output": {}}], "falco_sidekick_more[0].output: is unknown. Did you mean outputs?"),
        ([{**ONCALL, "replicas": "2"}], "falco_sidekick_more[0].replicas: must be of type int, not a string."),
        ([{**ONCALL, "name": "On Call"}], "falco_sidekick_more[0].name: must be at most 20 small letters"),
        ([{**ONCALL, "name": "ui"}], "ui is the name of an object of the first Falcosidekick."),
        ([ONCALL, ONCALL], "falco_sidekick_more[1].name: oncall is the name of another instance."),
        ([{"name": "oncall"}], "needs outputs or outputs_existing_secret, one of them."),
        ([{**ONCALL, "outputs_existing_secret": "s"}], "needs outputs or outputs_existing_secret, one of them."),
        ([{"name": "a", "outputs": {"slakc": {}}}], "falco_sidekick_more[0].outputs.slakc: Falcosidekick has no such"),
        ([{**ONCALL, "minimum_priority": "warn"}], "minimum_priority: is no priority: 'warn'. Did you mean warning?"),
        (
            [{**ONCALL, "name": name} for name in "abcd"],
            "has 4 instances, and the first Falcosidekick can feed 3. Each needs one of its outputs webhook, nodered, "
            "tekton, n8n for handing on; webhook has a destination of its own: give it to a further instance instead.",
        ),
    ],
)
def test_what_cannot_work_is_told(more: list[Any], told: str) -> None:
    with pytest.raises(FalcoChartError) as error:
        build_values({"outputs": {"webhook": {"address": "https://a.example"}}, "sidekick_more": more})
    assert told in str(error.value)
    assert "planted" not in str(error.value)


def test_further_instances_need_a_first() -> None:
    with pytest.raises(FalcoChartError, match="needs a first Falcosidekick"):
        build_values({"sidekick_enabled": False, "sidekick_more": [ONCALL]})


def test_no_secret_is_in_any_value() -> None:
    variables = {"outputs": SLACK, "sidekick_more": [ONCALL], "sidekick_release": "own"}
    assert "planted" not in repr([build_values(variables), build_sidekick_releases(variables)])
