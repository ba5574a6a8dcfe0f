"""The site that integration tests run against: the inventory and the cluster of the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .cluster import Cluster
from .playbook import ROOT, Site


@pytest.fixture(scope="session")
def site() -> Site:
    kubeconfig = os.environ.get("KUBECONFIG")
    if not kubeconfig:
        pytest.fail("KUBECONFIG is not set: `make integration` boots the sandbox and sets it")
    inventory = Path(os.environ.get("INVENTORY") or ROOT / "inventory" / "sandbox")
    return Site(inventory, Path(kubeconfig))


@pytest.fixture(scope="session")
def cluster(site: Site) -> Cluster:
    return Cluster(site.kubeconfig)


@pytest.fixture(scope="session", autouse=True)
def enforced(cluster: Cluster) -> None:
    """A test that was killed while enforcement was off has left it off."""
    if "INVENTORY" not in os.environ:
        cluster.sandbox("enforcement", "on")
