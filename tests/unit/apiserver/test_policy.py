"""Policies that the API server's node takes: those that come with the collection above all."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.policy import check_policy
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_collection_s_own_policies_are_read_on_a_node_without_pyyaml(name: str) -> None:
    check_policy(PRESETS[name], name)
