"""A tag of the command line that no play has is told: with it, nothing would run, and that would end well."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.tag_problems import stage_names, stages_to_come, tag_problems

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


STAGES = ["falco", "falco_rules", "network_policies", "verify"]


@pytest.mark.parametrize(
    ("run", "skip", "left"),
    [
        (["all"], [], STAGES),
        (["preflight"], [], STAGES),
        (["tagged"], ["falco"], STAGES[1:]),
        (["always"], [], STAGES),
        (["verify", "falco"], [], ["falco", "verify"]),
        (["verify", "falco"], ["verify"], ["falco"]),
        (["node_prep"], [], []),
    ],
)
def test_stages_that_a_run_comes_to(run: list[str], skip: list[str], left: list[str]) -> None:
    assert stages_to_come(STAGES, run, skip) == left


def test_stages_are_those_of_the_list() -> None:
    assert stage_names(["node", "cluster"]) == KNOWN[1:]
    assert "respond" in stage_names(["further"])
    with pytest.raises(AnsibleFilterError, match="stage_names: nodes: the kinds are node, cluster, further"):
        stage_names(["nodes"])
