"""The inventory's word on a cluster's connection and the environment's are not mixed."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.variables.connections import problems_of_connections

TOKEN = {"K8S_AUTH_HOST": "https://192.0.2.1", "K8S_AUTH_API_KEY": "planted-token", "K8S_AUTH_VERIFY_SSL": "False"}
FILE = {"K8S_AUTH_KUBECONFIG": "/runner/env/tmp1"}


@pytest.mark.parametrize(
    ("named", "environment"),
    [
        ([], {}),
        ([], TOKEN),
        ([], FILE),
        (["cluster_context"], FILE),
        (["cluster_kubeconfig"], FILE),  # an option of a module beats the variable of the same meaning
        (["cluster_kubeconfig", "cluster_context"], {}),
        (["cluster_host", "cluster_username"], {}),
        (["cluster_host"], {"K8S_AUTH_API_KEY": "planted-token"}),
        (["cluster_kubeconfig"], {"K8S_AUTH_HOST": ""}),
    ],
)
def test_one_word_is_right(named: list[str], environment: dict[str, str]) -> None:
    assert problems_of_connections({"production": named}, environment) == []


@pytest.mark.parametrize(
    ("named", "environment", "begin"),
    [
        (
            ["cluster_kubeconfig"],
            TOKEN,
            "Cluster production: cluster_kubeconfig is in the inventory and K8S_AUTH_HOST, K8S_AUTH_API_KEY in the",
        ),
        (
            ["cluster_context"],
            {"K8S_AUTH_API_KEY": "planted-token"},
            "Cluster production: cluster_context is in the inventory and K8S_AUTH_API_KEY in the environment",
        ),
        (
            ["cluster_host"],
            FILE,
            "Cluster production: cluster_host is in the inventory and K8S_AUTH_KUBECONFIG in the environment",
        ),
    ],
)
def test_two_words_are_told(named: list[str], environment: dict[str, str], begin: str) -> None:
    (problem,) = problems_of_connections({"production": named}, environment)
    assert problem.startswith(begin)
    assert "planted-token" not in problem


def test_one_file_may_have_several_clusters() -> None:
    assert problems_of_connections({"south": [], "north": []}, FILE) == []


def test_one_address_is_one_cluster() -> None:
    (problem,) = problems_of_connections({"south": [], "north": [], "own": ["cluster_host"]}, TOKEN)
    assert problem.startswith("Clusters north, south: K8S_AUTH_HOST in the environment is one API server")
