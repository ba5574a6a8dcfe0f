"""Policies that the API server's node takes: those that come with the collection above all."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.policy import check_policy
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_collection_s_own_policies_are_read_on_a_node_without_pyyaml(name: str) -> None:
    check_policy(PRESETS[name], name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Policy\n", "p.yaml:1:1: apiVersion must be audit.k8s.io/v1"),
        ("apiVersion: audit.k8s.io/v1beta1\nkind: Policy\n", "p.yaml:1:13: apiVersion must be audit.k8s.io/v1"),
        ("apiVersion: audit.k8s.io/v1\nkind: Polic\n", "p.yaml:2:7: kind must be Policy"),
        ("apiVersion: audit.k8s.io/v1\nkind: Policy\n", "p.yaml:1:1: rules must be a list with at least one rule"),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n",
            "p.yaml:1:1: rules must be a list with at least one rule",
        ),
        ("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: {level: None}\n", "p.yaml:3:8: rules must be a list"),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- verbs: [get]\n",
            "p.yaml:4:3: level must be None, Metadata, Request or RequestResponse",
        ),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n- level: metadata\n",
            "p.yaml:5:10: level must be None, Metadata, Request or RequestResponse",
        ),
        (
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [Metadata]\n",
            "p.yaml:3:9: must be a mapping, with the key level",
        ),
    ],
)
def test_with_what_the_api_server_would_not_start_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ApiServerError) as told:
        check_policy(text, "p.yaml")
    assert words in str(told.value)
