"""What is no cause of a red check is not called one: two faults at once, or one that explains nothing."""

from __future__ import annotations

from typing import Callable

import pytest

from .cases import verify
from .planted import (
    EVERYWHERE,
    RULE,
    Cluster,
    ask,
    deliver,
    differs_on,
    done_nowhere,
    drop_on,
    from_two_nodes,
    judged,
    lose_on,
    missing,
    no_pod_on,
    observe,
    part,
    path,
    refusing,
    sound,
    violate,
)

#: Two faults at once, or one that explains nothing: what must not be said.
UNRELATED = [
    ((part("-falcosidekick", 1, 2), missing("slack")), "because Falcosidekick"),
    ((part("-ui", 0), missing("slack")), "because Falcosidekick's UI"),
    ((part("-falcosidekick", 0), missing("log")), "because Falcosidekick"),
    ((part("-redis", 1, 2), part("-ui", 0)), "because Redis"),
    ((ask("node_prep", driver={"driver": "none"}), part("-ui", 0)), "no driver can run"),
    ((no_pod_on("n2"), EVERYWHERE), "does not watch"),
    ((no_pod_on("n2"), done_nowhere), "does not watch"),
    ((no_pod_on("n1"), from_two_nodes, EVERYWHERE), "does not watch"),
    ((lose_on("n1"), from_two_nodes, missing("slack")), "did not hand it over"),
    ((drop_on("n1"), from_two_nodes, EVERYWHERE), "drops events there"),
    ((differs_on("n2", "reports another own.yaml", "falco_rules"), EVERYWHERE), "does not run our rules"),
    ((no_pod_on("n1"), part("falco", 1, 2)), "pods are not ready"),
    ((part("falco", 1, 2), differs_on("n1", "reports another x", "falco_rules")), "pods are not ready"),
    ((observe(priority="warning"), EVERYWHERE), "priority"),
    ((observe(rules={}, priority="error"), EVERYWHERE), "priority"),
    ((observe(hidden=[{"rule": RULE, "by": "Any read"}]), EVERYWHERE), "hides"),
    ((observe(rule_matching="first", hidden=[{"rule": "Other", "by": "x"}]), EVERYWHERE), "hides"),
    ((observe(scope={"namespaces": ["pr*"]}), EVERYWHERE), "alone"),
    ((observe(scope={"namespaces": ["x"]}, scoped=[]), EVERYWHERE), "alone"),
    ((observe(scope={"namespaces": ["x"]}, scoped=[{"rule": RULE, "action": "none"}]), EVERYWHERE), "alone"),
    ((observe(scoped=[{"rule": "Other", "action": "append", "silenced": "x"}]), EVERYWHERE), "never fires"),
    ((observe(rules={}), EVERYWHERE), "loads no rule"),
    ((observe(outputs={"webui": {"minimumpriority": "critical"}}), missing("slack")), "falco_outputs"),
    (
        (ask("falco_rules", mounted={"diff": {"before": "--- a.yaml\n", "after": ""}}), part("-ui", 0)),
        "because the Conf",
    ),
    ((ask("falco", claim={"resources": [{"status": {"phase": "Pending"}}]}), part("-ui", 0)), "volume is missing"),
    ((drop_on("n1"), done_nowhere), "drops events there"),
    (
        (path("Falco to Falcosidekick", "n1", "address"), path("Falco to cluster DNS", "n2", "address")),
        "because Falco to",
    ),
    (
        (
            lambda cluster: violate(cluster, "denied", "allowed"),
            lambda cluster: cluster["network_policies"]["plan"].update(
                violations=[{"flow": "g", "policy": "NetworkPolicy prod/open", "message": "g: a -> b is allowed"}]
            ),
        ),
        "because the policies say so",
    ),
    (
        (
            ask("network_policies", canary={"enforced": False, "why": "no"}),
            lambda cluster: violate(cluster, "allowed", "denied"),
            lambda cluster: cluster["network_policies"]["probe"]["results"].append(
                {**cluster["network_policies"]["probe"]["results"][0], "expected": "denied", "status": "met"}
            ),
        ),
        "because policies are not enforced",
    ),
    ((deliver(webhook=refusing("no", "status")), missing("slack")), "did not take"),
    ((lose_on("n2"), missing("slack")), "did not hand it over"),
    ((lose_on("n1"), missing("log")), "did not hand it over"),
    ((path("Falco to Falcosidekick", "n2", "policy"), lose_on("n1")), "does not pass"),
    ((path("Falcosidekick to cluster DNS", "n1", "away"), deliver(slack=refusing("x", "status"))), "does not pass"),
    ((path("Falcosidekick to its UI", "n1", "policy"), deliver(slack=refusing("x", "silent"))), "does not pass"),
    ((path("Falcosidekick to its UI", "n1", "policy"), deliver(slack=refusing("x", "no_dns"))), "does not pass"),
    ((path("Falcosidekick to its UI", "n1", "policy"), lose_on("n1")), "does not pass"),
    ((path("Falcosidekick to cluster DNS", "n1", "away"), deliver(webui=refusing("x", "silent"))), "does not pass"),
    ((path("Falco to cluster DNS", "n1", "away"), deliver(slack=refusing("x", "no_dns"))), "does not pass"),
    (
        (path("Falco to Falcosidekick", "n1", "policy"), path("Falco to cluster DNS", "n1", "policy")),
        "because Falco to",
    ),
    ((part("-ui", 0), deliver(slack=refusing("x", "silent"))), "because Falcosidekick's UI"),
    ((part("-falcosidekick", 1, 2), lose_on("n1")), "because Falcosidekick has no"),
    ((drop_on("n2"), EVERYWHERE), "drops events there"),
    ((drop_on("n1"), missing("slack")), "drops events there"),
    (
        (
            ask("network_policies", canary={"enforced": False, "why": "no"}),
            lambda cluster: violate(cluster, "allowed", "denied"),
        ),
        "because policies are not enforced",
    ),
]


@pytest.mark.parametrize(("plants", "words"), UNRELATED)
def test_what_is_no_cause_is_not_called_one(plants: tuple[Callable[[Cluster], None], ...], words: str) -> None:
    cluster = sound()
    for plant in plants:
        plant(cluster)
    failed = [one for one in judged(cluster) if one["status"] == "failed"]
    assert failed
    assert [one["detail"] for one in failed if words in one["detail"]] == []


def test_what_falco_raised_on_a_node_has_another_cause_there() -> None:
    cluster = sound()
    from_two_nodes(cluster)
    for node, place in (("n1", "falco"), ("n2", "slack")):
        (trigger,) = cluster["verify"]["run"]["triggers"]
        next(one for one in trigger["nodes"] if one["node"] == node)["places"][place] = verify.place(False)
    log, slack = [one for one in judged(cluster) if one["status"] == "failed"]
    assert log["data"]["missing_on"] == ["n1"]
    assert slack["data"]["missing_on"] == ["n2"]
    assert "did not raise it" not in slack["detail"]
