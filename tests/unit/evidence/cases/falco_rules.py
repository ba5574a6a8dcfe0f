"""Stage falco_rules."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed

PODS = [
    {"name": "falco-a", "node": "n1", "digests": {"site.yaml": "1" * 64, "falco_rules.yaml": "2" * 64}, "differs": []}
]
GOOD: dict[str, Any] = {
    "namespace": "falco",
    "workload": "falco",
    "config_maps": ["falco-own-rules"],
    "refused": "",
    "digests": {"site.yaml": "1" * 64},
    "rollout": {"pods": PODS, "missing": []},
    "mounted": {"diff": {}},
    "changes_base": False,
    "base_used": False,
    "base_digests": {},
    "base_remark": "",
}
CHANGES = {"changes_base": "true", "base_used": True, "base_digests": {"falco_rules.yaml": "2" * 64}}
OTHER = [{**PODS[0], "digests": {"site.yaml": "1" * 64, "falco_rules.yaml": "3" * 64}}]
MOUNTED = ("mounted", "passed")
BROKEN = "--- a.yaml\n- rule: x\n--- c.yaml\n- macro: y\n--- d.yaml\n- list: z\n"
OURS = "--- b.yaml\n- rule: x\n--- c.yaml\n- macro: z\n--- d.yaml\n- list: z\n"
CASES = [
    Case("as wanted", GOOD, (("loaded", "passed"), MOUNTED), ("1 file by SHA-256 on 1 pod",)),
    Case("refused", changed(GOOD, refused="no such rule"), (("loaded", "failed"), MOUNTED), ("no such rule",)),
    Case(
        "refused, with changes of Falco's own", changed(GOOD, refused="x", **CHANGES), (("loaded", "failed"), MOUNTED)
    ),
    Case(
        "a pod runs others",
        changed(GOOD, rollout={"pods": PODS, "missing": ["pod falco-a runs another site.yaml"]}),
        (("loaded", "failed"), MOUNTED),
        ("another site.yaml",),
    ),
    Case("cannot be asked", changed(GOOD, rollout={"failed": True, "msg": "403"}), (("loaded", "failed"), MOUNTED)),
    Case("not asked", changed(GOOD, rollout={"pods": PODS}), (("loaded", "failed"), MOUNTED), ("did not say",)),
    Case(
        "no pod", changed(GOOD, rollout={"pods": [], "missing": []}), (("loaded", "failed"), MOUNTED), ("no Falco pod",)
    ),
    Case(
        "a file that was not looked for",
        changed(GOOD, digests={"site.yaml": "1" * 64, "more.yaml": "4" * 64}),
        (("loaded", "failed"), MOUNTED),
        ("does not report",),
    ),
    Case(
        "ConfigMaps hold others",
        changed(GOOD, mounted={"diff": {"before": "--- a.yaml\n- rule: x\n", "after": ""}}),
        (("loaded", "passed"), ("mounted", "failed")),
        ("other rules than the inventory: a.yaml is not ours.\n",),
    ),
    Case(
        "ConfigMaps hold what Falco refuses",
        changed(GOOD, mounted={"diff": {"before": BROKEN, "after": OURS}, "present_refused": "LOAD_ERR\n  at 3"}),
        (("loaded", "passed"), ("mounted", "failed")),
        (
            "inventory: a.yaml is not ours, b.yaml is missing, c.yaml differs; Falco refuses them, so that no pod "
            "comes up with them: LOAD_ERR at 3.\n",
        ),
    ),
    Case(
        "a node that has not synced",
        changed(
            GOOD,
            rollout={
                "pods": [{**PODS[0], "differs": ["runs site.yaml 3 instead of 1"]}],
                "missing": ["pod falco-a on n1 runs site.yaml 3 instead of 1"],
            },
        ),
        (("loaded", "failed"), MOUNTED),
        ("instead of 1; the ConfigMaps hold ours: the kubelet there has not brought them yet",),
    ),
    *(
        Case(
            f"a pod differs, and ConfigMaps {name}",
            changed(
                GOOD, rollout={"pods": [{**PODS[0], "differs": ["x"]}], "missing": ["pod falco-a x"]}, mounted=mounted
            ),
            (("loaded", "failed"), ("mounted", "failed")),
            ("exactly our rules: pod falco-a x\n",),
        )
        for name, mounted in (
            ("differ, too", {"diff": {"before": BROKEN, "after": OURS}}),
            ("cannot be read", {"failed": True, "msg": "no"}),
        )
    ),
    Case(
        "ConfigMaps cannot be read",
        changed(GOOD, mounted={"failed": True, "msg": "no right"}),
        (("loaded", "passed"), ("mounted", "failed")),
        ("no right",),
    ),
    Case("changes fit", changed(GOOD, **CHANGES), (("loaded", "passed"), MOUNTED, ("base", "passed"))),
    Case(
        "changes for other rules",
        changed(GOOD, **CHANGES, rollout={"pods": OTHER, "missing": []}),
        (("loaded", "passed"), MOUNTED, ("base", "failed")),
        ("runs another falco_rules.yaml",),
    ),
    Case(
        "changes of unknown rules",
        changed(GOOD, **{**CHANGES, "base_used": False, "base_remark": "no pod runs"}),
        (("loaded", "passed"), MOUNTED, ("base", "failed")),
        ("are not known: no pod runs",),
    ),
]
