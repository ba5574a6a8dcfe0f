"""The filter falco_secrets: what the role's Secrets hold, what stays in them, and by what pods know of a change."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.falco_secrets import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import decoded
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import fingerprint

from .planted import PLANTED
from .role import given

LABELS = {"app.kubernetes.io/instance": "falco"}
SLACK = {"slack": {"webhookurl": "https://hooks.example/a"}}
VARIABLES = {"SLACK_WEBHOOKURL": "https://hooks.example/a"}
falco_secrets = FilterModule().filters()["falco_secrets"]


def secret(name: str, data: dict[str, str], kind: str = "Opaque") -> dict[str, Any]:
    """As the API server gives it."""
    packed = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "type": kind, "metadata": {"name": name, "uid": "u"}, "data": packed}


def made(own: Any = (), foreign: Any = (), **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = falco_secrets(given(**variables), list(own), list(foreign), LABELS)
    return found


def held(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {one["metadata"]["name"]: decoded(one["data"]) for one in found["manifests"]}


def test_a_secret_is_ours_by_its_labels() -> None:
    manifest = made(outputs=SLACK, namespace="sec", ui_enabled=False)["manifests"]
    assert manifest == [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": "falco-outputs", "namespace": "sec", "labels": LABELS},
            "data": {"SLACK_WEBHOOKURL": base64.b64encode(b"https://hooks.example/a").decode()},
        }
    ]


def test_credentials_that_nobody_gives_are_made_each_for_itself() -> None:
    first = held(made())
    ui, redis = first["falco-ui-credentials"], first["falco-redis-credentials"]
    name, _colon, password = ui["FALCOSIDEKICK_UI_USER"].partition(":")
    assert name == "admin"
    assert len(password) == len(redis["REDIS_PASSWORD"]) == 32
    assert password != redis["REDIS_PASSWORD"]
    assert redis["REDIS_ARGS"] == f"--requirepass {redis['REDIS_PASSWORD']}"
    assert {ui["REDIS_PASSWORD"], ui["FALCOSIDEKICK_UI_REDIS_PASSWORD"]} == {redis["REDIS_PASSWORD"]}
    assert held(made()) != first


def test_credentials_of_before_stay_unless_others_are_given() -> None:
    first = made()
    again = made(first["manifests"])
    assert again["manifests"] == first["manifests"]
    assert again["fingerprints"] == first["fingerprints"]
    assert again["new"] == again["gone"] == []
    assert first["new"] == ["falco-redis-credentials", "falco-ui-credentials"]
    other = held(made(first["manifests"], ui_user="eve", ui_password="a:b", redis_password="c"))
    assert other["falco-ui-credentials"]["FALCOSIDEKICK_UI_USER"] == "eve:a:b"
    assert other["falco-redis-credentials"]["REDIS_PASSWORD"] == "c"
    renamed = held(made(first["manifests"], ui_user="eve"))["falco-ui-credentials"]["FALCOSIDEKICK_UI_USER"]
    assert renamed == held(first)["falco-ui-credentials"]["FALCOSIDEKICK_UI_USER"].replace("admin", "eve")


def test_a_password_with_a_colon_stays_whole() -> None:
    before = secret("falco-ui-credentials", {"FALCOSIDEKICK_UI_USER": "admin:a:b"})
    assert held(made([before]))["falco-ui-credentials"]["FALCOSIDEKICK_UI_USER"] == "admin:a:b"


def test_credentials_outlive_the_ui_and_other_secrets_go() -> None:
    before = [*made(outputs=SLACK)["manifests"], secret("falco-outputs-oncall", {"A": "b"})]
    found = made(before, ui_enabled=False)
    assert found["manifests"] == []
    assert found["gone"] == ["falco-outputs", "falco-outputs-oncall"]


def test_secrets_of_before_can_be_put_back() -> None:
    before = secret("falco-outputs", {"A": "b"}, "kubernetes.io/tls")
    (back,) = made([before], outputs=SLACK)["before"]
    assert (back["type"], decoded(back["data"])) == ("kubernetes.io/tls", {"A": "b"})
    assert back["metadata"] == {"name": "falco-outputs", "namespace": "falco", "labels": LABELS}


MORE = [{"name": "oncall", "outputs": SLACK}, {"name": "theirs", "outputs_existing_secret": "ours"}]


def test_further_instances_have_secrets_of_their_own() -> None:
    foreign = secret("ours", {"X": "y"})
    found = made(foreign=[foreign], sidekick_more=MORE, ui_enabled=False)
    assert held(found) == {"falco-outputs-oncall": VARIABLES}
    assert found["fingerprints"]["more"] == {
        "oncall": fingerprint(VARIABLES, "falco/falco"),
        "theirs": fingerprint(foreign["data"], "falco/falco"),
    }


def test_fingerprints_follow_what_pods_read() -> None:
    first = made(outputs=SLACK, redis_password="a", ui_password="b")["fingerprints"]
    assert first["outputs"] == fingerprint(VARIABLES, "falco/falco")
    assert first["tls"] == ""
    other = made(outputs=SLACK, redis_password="c", ui_password="b")["fingerprints"]
    assert {kind for kind in first if first[kind] != other[kind]} == {"redis", "ui"}
    theirs = [secret("ours", {"X": "y"})]
    assert made(foreign=theirs, outputs_existing_secret="ours")["fingerprints"]["outputs"] == fingerprint(
        theirs[0]["data"], "falco/falco"
    )
    assert made(outputs_existing_secret="ours")["fingerprints"]["outputs"] == ""


@pytest.mark.parametrize(
    ("tls", "kinds"),
    [("off", []), ("server", ["authority", "server", "trust"]), ("mutual", ["authority", "client", "server", "trust"])],
)
def test_certificates_are_made_for_tls_and_stay(tls: str, kinds: list[str]) -> None:
    first = made(sidekick_tls=tls, ui_enabled=False)
    assert sorted(held(first)) == [f"falco-tls-{kind}" for kind in kinds]
    again = made(first["manifests"], sidekick_tls=tls, ui_enabled=False)
    assert again["manifests"] == first["manifests"]
    if kinds:
        assert held(again)["falco-tls-server"] == held(first)["falco-tls-server"]
        assert "PRIVATE KEY" not in held(first)["falco-tls-trust"]["ca.crt"]
        assert first["fingerprints"]["tls"] == again["fingerprints"]["tls"] != ""


def test_certificates_of_others_are_known_by_their_data() -> None:
    ours = [secret("server", {"server.crt": "a"}), secret("client", {"client.crt": "b"})]
    found = made(
        foreign=ours,
        sidekick_tls="mutual",
        sidekick_tls_secret="server",
        sidekick_tls_client_secret="client",
        ui_enabled=False,
    )
    assert found["manifests"] == []
    assert found["fingerprints"]["tls"] == fingerprint({**ours[0]["data"], **ours[1]["data"]}, "falco/falco")


def test_what_is_wrong_is_told_without_what_is_secret() -> None:
    for variables, told in (
        ({"outputs": {"slakc": {"webhookurl": PLANTED}}}, "falco_outputs.slakc"),
        ({"sidekick_tls": "server", "sidekick_tls_days": 1}, "at least 3 days"),
        ({"outputs": PLANTED}, "falco_outputs: must be a mapping"),
    ):
        with pytest.raises(AnsibleFilterError, match=told) as error:
            made(**variables)
        assert PLANTED not in str(error.value)
