"""A proxy's URL is in the pods' environment, and one with credentials in a Secret alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import build_secrets
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.proxy import proxy_environment, proxy_secret
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_driver_releases,
    build_sidekick_releases,
    build_values,
)
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import typed_variables

from .role import given

WITH_PASSWORD = {"http": "http://p:1", "https": "http://falco:planted@p:1", "no": "10.0.0.0/8"}
REFERENCE = {"secretKeyRef": {"name": "falco-proxy-credentials", "key": "HTTPS_PROXY"}}


@pytest.mark.parametrize(
    ("proxy", "secret"),
    [
        ({}, {}),
        ({"https": "http://p:1"}, {}),
        ({"https": "http://p:1/a@b"}, {}),
        ({"no": "a:b@c"}, {}),
        ({"https": "http://falco@p:1"}, {"HTTPS_PROXY": "http://falco@p:1"}),
        (WITH_PASSWORD, {"HTTPS_PROXY": WITH_PASSWORD["https"]}),
    ],
)
def test_a_url_with_credentials_is_for_a_secret(proxy: dict[str, Any], secret: dict[str, str]) -> None:
    assert proxy_secret(proxy) == secret


def test_the_environment_names_the_secret_instead_of_the_url() -> None:
    assert proxy_environment(WITH_PASSWORD, "falco-proxy-credentials") == [
        {"name": "HTTP_PROXY", "value": "http://p:1"},
        {"name": "HTTPS_PROXY", "valueFrom": REFERENCE},
        {"name": "NO_PROXY", "value": "10.0.0.0/8,localhost,127.0.0.1,.svc,.cluster.local"},
    ]


@pytest.mark.parametrize("release", ["chart", "own"])
@pytest.mark.parametrize("driver", ["kmod", "modern_ebpf"])
def test_no_values_hold_the_password(release: str, driver: str) -> None:
    variables = {
        "proxy": WITH_PASSWORD,
        "proxy_fingerprint": "ab",
        "driver": driver,
        "sidekick_release": release,
        "sidekick_more": [{"name": "second", "outputs_existing_secret": "theirs"}],
    }
    built = [build_values(variables), build_sidekick_releases(variables), build_driver_releases(variables)]
    assert "planted" not in repr(built)
    assert repr(REFERENCE) in repr(built[0])


def test_pods_that_use_the_proxy_restart_when_its_credentials_change() -> None:
    values = build_values({"proxy": WITH_PASSWORD, "proxy_fingerprint": "ab", "outputs_fingerprint": "cd"})
    annotation = {"falconet.k8s/proxy-fingerprint": "ab"}
    assert values["podAnnotations"] == annotation
    assert values["falcosidekick"]["podAnnotations"] == {"falconet.k8s/secret-fingerprint": "cd", **annotation}


def test_the_role_keeps_the_secret_and_its_fingerprint_follows_it() -> None:
    def kept(url: str) -> Any:
        typed = typed_variables("falco", given(ui_enabled=False, proxy={"https": url}))
        return build_secrets(typed, {}, {}, {}, lambda: "made")

    first, second, without = (kept(url) for url in ("http://a:b@p:1", "http://a:c@p:1", "http://p:1"))
    assert first.data == {"falco-proxy-credentials": {"HTTPS_PROXY": "http://a:b@p:1"}}
    assert first.fingerprints.proxy != second.fingerprints.proxy != ""
    assert without.data == {}
    assert without.fingerprints.proxy == ""
