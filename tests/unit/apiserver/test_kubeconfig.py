"""The webhook's kubeconfig, how it is shown, and an administrator's that is read."""

from __future__ import annotations

import base64
import re

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.kubeconfig import (
    Webhook,
    access,
    shown,
    webhook_kubeconfig,
)

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n"
URL = "https://10.96.0.50:9765/k8s-audit"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_all_of_it_is_inside() -> None:
    text = webhook_kubeconfig(Webhook(URL, CERTIFICATE, CERTIFICATE, KEY, "falco.falco.svc"))
    found = yaml.safe_load(text)
    assert found["clusters"][0]["cluster"] == {
        "server": URL,
        "tls-server-name": "falco.falco.svc",
        "certificate-authority-data": encoded(CERTIFICATE),
    }
    assert found["users"][0]["user"] == {
        "client-certificate-data": encoded(CERTIFICATE),
        "client-key-data": encoded(KEY),
    }
    assert found["contexts"] == [{"name": "falco", "context": {"cluster": "falco", "user": "kube-apiserver"}}]
    assert found["current-context"] == "falco"


def test_without_certificates_there_is_an_empty_user() -> None:
    found = yaml.safe_load(webhook_kubeconfig(Webhook("http://127.0.0.1:9765/k8s-audit")))
    assert found["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:9765/k8s-audit"}
    assert found["users"] == [{"name": "kube-apiserver", "user": {}}]


def test_what_is_shown_tells_a_change_and_no_secret() -> None:
    text = webhook_kubeconfig(Webhook(URL, CERTIFICATE, CERTIFICATE, KEY))
    other = webhook_kubeconfig(Webhook(URL, CERTIFICATE, CERTIFICATE, KEY.replace("MHcC", "MHcD")))
    assert URL in shown(text)
    for secret in (KEY, CERTIFICATE):
        assert encoded(secret) not in shown(text)
    assert shown(text) != shown(other)
    assert re.search(r"^    client-key-data: \(sha256 [0-9a-f]{12}\)$", shown(text), re.MULTILINE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Webhook("10.96.0.50:9765"), "it must be a URL such as https://"),
        (Webhook("ftp://a/b"), "it must be a URL such as https://"),
        (Webhook("https:///b"), "it must be a URL such as https://"),
        (Webhook("https://a:x/b"), "webhook.server is https://a:x/b: "),
        (Webhook("https://[::1/b"), "webhook.server is https://[::1/b: "),
        (Webhook("https://a:0/b"), "it must be a URL such as https://"),
        (Webhook("https://u:p@a/b"), "neither user, password"),
        (Webhook("https://u@a/b"), "neither user, password"),
        (Webhook("https://:p@a/b"), "neither user, password"),
        (Webhook("https://a/b?c=d"), "neither user, password"),
        (Webhook("https://a/b#c"), "neither user, password"),
        (Webhook("http://10.96.0.50:9765/k8s-audit"), "they are sent by https alone"),
        (Webhook("http://falco/k8s-audit"), "they are sent by https alone"),
        (Webhook("http://localhost/k8s-audit", CERTIFICATE), "http shows no certificate"),
        (Webhook("http://[::1]/k8s-audit", "", CERTIFICATE, KEY), "http shows no certificate"),
        (Webhook(URL, "/etc/ca.crt"), "webhook.ca: it must be the text of a PEM file"),
        (Webhook(URL, "", KEY, KEY), "webhook.client_certificate: it must be the text of a PEM file"),
        (Webhook(URL, "", CERTIFICATE, CERTIFICATE), "webhook.client_key: it must be the text of a PEM file"),
        (Webhook(URL, "", CERTIFICATE), "client_certificate and client_key belong together"),
        (Webhook(URL, "", "", KEY), "client_certificate and client_key belong together"),
        (Webhook(URL, tls_server_name="a b"), "webhook.tls_server_name is a b: it must be a DNS name"),
    ],
)
def test_what_cannot_be_is_refused_without_a_secret_in_the_words(given: Webhook, words: str) -> None:
    with pytest.raises(ApiServerError) as told:
        webhook_kubeconfig(given)
    assert words in str(told.value)
    assert "MHcC" not in str(told.value)


ADMIN = {
    "current-context": "admin@kubernetes",
    "contexts": [{"name": "admin@kubernetes", "context": {"cluster": "kubernetes", "user": "admin"}}],
    "clusters": [
        {"name": "kubernetes", "cluster": {"server": "https://a:6443", "certificate-authority-data": encoded("CA")}}
    ],
    "users": [
        {"name": "admin", "user": {"client-certificate-data": encoded("CRT"), "client-key-data": encoded("KEY")}}
    ],
}


def test_an_administrators_is_read() -> None:
    found = access(yaml.safe_dump(ADMIN), "admin.conf")
    assert (found.server, found.ca, found.certificate, found.key) == ("https://a:6443", "CA", "CRT", "KEY")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("current-context: admin@kubernetes", "a: b", "admin.conf: there is no current context in contexts"),
        ("cluster: kubernetes", "cluster: other", "admin.conf: there is no other in clusters"),
        ("server: https://a:6443", "other: x", "server is missing"),
        ("server: https://a:6443", "server: ''", "server is missing"),
        ("user: admin", "user: admin-", "admin.conf: there is no admin- in users"),
        (encoded("KEY"), "'*'", "client-key-data is not the base64 of a PEM text"),
        (encoded("KEY"), "'\u00e9'", "client-key-data is not the base64 of a PEM text"),
        ("client-key-data", "client-key", "client-key-data is missing"),
    ],
)
def test_one_that_lacks_something_is_told(before: str, after: str, words: str) -> None:
    text = yaml.safe_dump(ADMIN)
    assert before in text
    with pytest.raises(ApiServerError) as told:
        access(text.replace(before, after), "admin.conf")
    assert words in str(told.value)


def test_what_has_no_name_or_is_no_mapping_is_nobody_s_context() -> None:
    unnamed = {**ADMIN, "current-context": "", "contexts": [{"context": {"cluster": "kubernetes", "user": "admin"}}]}
    with pytest.raises(ApiServerError, match="there is no current context in contexts"):
        access(yaml.safe_dump(unnamed), "admin.conf")
    empty = {**ADMIN, "contexts": [{"name": "admin@kubernetes", "context": None}]}
    with pytest.raises(ApiServerError, match="there is no admin@kubernetes in contexts"):
        access(yaml.safe_dump(empty), "admin.conf")
