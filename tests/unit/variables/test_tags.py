"""A tag of the command line that no play has is told: with it, nothing would run, and that would end well."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.filter.tag_problems import tag_problems

KNOWN = ["preflight", "node_prep", "falco", "falco_rules", "network_policies", "verify"]


@pytest.mark.parametrize(
    ("run", "skip"),
    [
        (["all"], []),
        (["falco", "verify"], ["node_prep"]),
        (["tagged"], ["never", "always", "untagged"]),
        (["all"], ["molecule-notest", "notest", "molecule-idempotence-notest"]),
    ],
)
def test_tags_that_there_are(run: list[str], skip: list[str]) -> None:
    assert tag_problems(run, skip, KNOWN) == []


@pytest.mark.parametrize(
    ("run", "skip", "told"),
    [
        (["flaco"], [], "--tags: there is no tag flaco; did you mean falco?"),
        (
            ["verify", "network-policies"],
            [],
            "--tags: there is no tag network-policies; did you mean network_policies?",
        ),
        (["all"], ["nodeprep"], "--skip-tags: there is no tag nodeprep; did you mean node_prep?"),
        (["xyz"], [], f"--tags: there is no tag xyz; there are {', '.join(KNOWN)}."),
    ],
)
def test_a_tag_that_there_is_not(run: list[str], skip: list[str], told: str) -> None:
    assert tag_problems(run, skip, KNOWN) == [told]
