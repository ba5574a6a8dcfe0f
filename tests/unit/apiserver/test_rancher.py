"""k3s and RKE2: a file of settings of its own, and what stands in its way."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError, ConflictError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.rancher import (
    K3S,
    RKE2,
    check_settings,
    flags_of,
    settings_text,
)

from .manifests import BOTH, FOLDER, LOG_ALONE, WEBHOOK_ALONE


def test_k3s_gets_flags_that_add_to_the_user_s() -> None:
    text = settings_text(K3S, BOTH)
    assert yaml.safe_load(text) == {
        "kube-apiserver-arg+": [f"{name}={value}" for name, value in BOTH.all_flags.items()]
    }
    assert "sha256:00ff" in text
    assert K3S.config == "/etc/rancher/k3s/config.yaml"
    assert K3S.own == "/etc/rancher/k3s/config.yaml.d/zz-falconet-audit.yaml"


def test_rke2_gets_the_policy_by_its_own_key_and_mounts() -> None:
    found = yaml.safe_load(settings_text(RKE2, BOTH))
    assert found["audit-policy-file"] == f"{FOLDER}/policy.yaml"
    assert not any("audit-policy-file" in one for one in found["kube-apiserver-arg+"])
    log = "/var/log/kubernetes/falconet-audit"
    assert found["kube-apiserver-extra-mount+"] == [f"{FOLDER}:{FOLDER}:ro", f"{log}:{log}"]


@pytest.mark.parametrize("distribution", [K3S, RKE2])
def test_the_flags_are_read_back(distribution: object) -> None:
    text = settings_text(RKE2 if distribution is RKE2 else K3S, BOTH)
    assert sorted(flags_of(text, "f")) == sorted(f"--{name}={value}" for name, value in BOTH.all_flags.items())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.yaml", "kube-apiserver-arg:\n- v=2\n- audit-log-path=/x\n", "config.yaml:3:3: audit-log-path=/x"),
        ("config.yaml", "kube-apiserver-arg: --audit_log_path=/x\n", "config.yaml:1:21: --audit_log_path=/x"),
        ("a.yaml", 'kube-apiserver-arg+: ["audit-log-path=/x"]\n', "a.yaml:1:23: audit-log-path=/x"),
        ("a.yaml", "audit-policy-file: /p\n", "a.yaml:1:20: audit-policy-file: /p"),
        (
            "zzz.yaml",
            "kube-apiserver-arg:\n- v=2\n",
            "zzz.yaml:1:1: kube-apiserver-arg here takes all earlier ones away",
        ),
        ("a.yaml", "kube-apiserver-arg: {a: b}\n", "a.yaml:1:21: kube-apiserver-arg must be a list or a text"),
        ("a.yaml", "- a\n", "a.yaml: must hold one mapping"),
    ],
)
def test_what_stands_in_the_way_is_named(name: str, text: str, words: str) -> None:
    with pytest.raises(ApiServerError) as told:
        check_settings(LOG_ALONE, {name: text})
    assert words in str(told.value)


def test_what_does_not_is_left() -> None:
    others = {
        "config.yaml": "token: x\nkube-apiserver-arg:\n- v=2\n- audit-log-path=/x\n",
        "a.yaml": "# nothing\nkube-apiserver-arg:\n",
        "b.yaml": "\n",
        "zzz.yaml": "kube-apiserver-arg+:\n- v=3\n",
    }
    check_settings(WEBHOOK_ALONE, others)
    with pytest.raises(ConflictError):
        check_settings(BOTH, others)
