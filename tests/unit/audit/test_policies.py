"""What is wrong with a policy by itself, and that the presets are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.audit.bodies import SECRETS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.check import check
from ansible_collections.falconet.k8s.plugins.module_utils.audit.document import read
from ansible_collections.falconet.k8s.plugins.module_utils.audit.kubernetes import METHODS, VERBS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import Level, Request
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import load
from ansible_collections.falconet.k8s.plugins.module_utils.files.rules import read_rules_files

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
RULES = Path(__file__).resolve().parents[3] / "inventory" / "files" / "audit_rules"


def told(rules: str) -> list[str]:
    return [f"{one.code} {one.line} {one.message}" for one in check(HEAD + rules, name="p.yaml").findings]


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ("- level: Request\n  resources: [{resources: [secrets]}]\n", ["the data of Secrets"]),
        ("- level: Request\n  resources: [{resources: [secrets]}]\n  verbs: [get, delete]\n", []),
        ("- level: RequestResponse\n  resources: [{resources: [secrets]}]\n  verbs: [get]\n", ["the data of Secrets"]),
        ("- level: RequestResponse\n  resources: [{resources: [secrets]}]\n  verbs: [watch]\n", []),
        ("- level: RequestResponse\n  resources: [{resources: ['*']}]\n  verbs: [deletecollection]\n",
         ["the data of Secrets"]),
        ("- level: Metadata\n  resources: [{resources: [secrets]}]\n- level: Request\n  resources: [{}]\n", []),
        ("- level: Request\n  resources: [{resources: [serviceaccounts/token]}]\n", []),
        ("- level: RequestResponse\n  resources: [{resources: ['*/token']}]\n", ["tokens of service accounts"]),
        ("- level: Request\n  resources: [{group: authentication.k8s.io}]\n", ["the tokens that are reviewed"]),
    ],
)  # fmt: skip
def test_a_policy_that_records_secrets_is_told_what_of_it(rules: str, what: list[str]) -> None:
    found = [one for one in told(rules) if one.startswith("FA003")]
    assert [one.partition(" ")[2][2:].partition(" would")[0] for one in found] == what
    assert not check(HEAD + rules, secret_bodies=True).findings


def test_everything_at_request_names_each_kind_of_secret_once_per_rule() -> None:
    def kinds(level: str) -> list[str]:
        found = [one for one in told(f"- level: {level}\n") if one.startswith("FA003")]
        return [one.partition(" ")[2][2:].partition(" would")[0] for one in found]

    sent = [
        "the data of Secrets",
        "the tokens that are reviewed",
        "OpenShift's access tokens",
        "OpenShift's authorization codes",
        "the secrets of OpenShift's OAuth clients",
        "private keys of OpenShift's routes",
    ]
    assert kinds("Request") == sent
    # A token is made by the API server, and stands in its answer alone.
    assert kinds("RequestResponse") == [sent[0], "tokens of service accounts", *sent[1:]]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (
            "- level: Metadata\n- level: None\n",
            ["FA004 5 no request comes to this rule: what it matches is decided by p.yaml:4"],
        ),
        (
            "- {level: Metadata, verbs: [get]}\n- {level: None, verbs: [list, watch]}\n"
            "- {level: None, verbs: [get, list], users: [a]}\n",
            ["FA004 6 no request comes to this rule: what it matches is decided by p.yaml:4, p.yaml:5"],
        ),
        ("- {level: Metadata, verbs: [get]}\n- {level: None, verbs: [get, list]}\n", []),
        ("- {level: None, nonResourceURLs: ['/a*']}\n- {level: Metadata, nonResourceURLs: ['/a/b', '/b']}\n", []),
        (
            "- {level: None, nonResourceURLs: ['/a*']}\n- {level: Metadata, nonResourceURLs: ['/a/b*']}\n",
            ["FA004 5 no request comes to this rule: what it matches is decided by p.yaml:4"],
        ),
        ("- {level: None, verbs: [exec]}\n", ["FA005 4 no request has the verb 'exec'"]),
        (
            "- level: None\n  resources: [{resources: ['*/*', 'pods/']}]\n",
            ["FA005 4 '*/*' matches nothing", "FA005 4 'pods/' matches nothing"],
        ),
        (
            "- level: None\n  resources: [{resources: [deployments]}]\n",
            ["FA005 4 'deployments' is not in the API group '' but in 'apps'"],
        ),
        ("- level: None\n  resources: [{resources: [pod]}]\n", ["FA005 4 the core group has no resource 'pod'"]),
        ("- level: None\n  resources: [{group: example.com, resources: [things]}]\n", []),
    ],
)
def test_rules_that_do_nothing_are_told(rules: str, found: list[str]) -> None:
    assert told(rules) == found


@pytest.mark.parametrize(
    ("rules", "hint"),
    [
        ("- level: Metadata\n- level: None\n", "put it before them, or remove it"),
        ("- {level: None, verbs: [gte]}\n", "did you mean get?"),
        ("- {level: None, verbs: [x]}\n", f"verbs are {', '.join((*VERBS, *METHODS))}"),
        ("- {level: None, verbs: [x], namespaces: [a]}\n", f"verbs are {', '.join(VERBS)}"),
        ("- {level: None, verbs: [x], nonResourceURLs: [/a]}\n", f"verbs are {', '.join(METHODS)}"),
        ("- level: None\n  resources: [{resources: ['*/*']}]\n", "write '*', which matches subresources as well"),
        ("- level: None\n  resources: [{resources: [pods/]}]\n", "write pods, or pods/* with its subresources"),
        ("- level: None\n  resources: [{resources: [deployments]}]\n", "write group: 'apps'"),
        (
            "- level: None\n  resources: [{group: apps, resources: [events]}]\n",
            "write group: '' or 'events.k8s.io'",
        ),
        ("- level: None\n  resources: [{resources: [pod]}]\n", "did you mean pods?"),
        ("- level: None\n  resources: [{resources: [things]}]\n", "say in which API group it is"),
    ],
)
def test_what_helps_where_a_rule_does_nothing_is_told(rules: str, hint: str) -> None:
    assert [one.hint for one in check(HEAD + rules).findings] == [hint]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_no_finding_and_records_no_secret(name: str) -> None:
    assert check(PRESETS[name]).findings == []
    policy = read(PRESETS[name]).policy
    assert policy is not None
    for secret in SECRETS:
        for verb in VERBS:
            for user, groups in (("alice", ()), ("kubernetes-admin", ("system:masters",)), ("system:apiserver", ())):
                asked = Request(
                    verb, user, frozenset(groups), "", "prod", secret.group, secret.resource, secret.subresource, "x"
                )
                level = decide(policy, asked).level
                assert level < (Level.REQUEST if secret.sent else Level.REQUEST_RESPONSE), (asked, level)


def test_recommended_has_no_response_and_bodies_of_few_resources() -> None:
    policy = read(PRESETS["recommended"]).policy
    assert policy is not None
    assert max(rule.level for rule in policy.rules) == Level.REQUEST
    assert {verb for rule in policy.rules if rule.level == Level.REQUEST for verb in rule.verbs} == {
        "create", "update", "patch",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("full", {"recorded": 46, "never": 1}),
        ("recommended", {"recorded": 46, "never": 1}),
        ("minimal", {"recorded": 30, "partly": 5, "never": 12}),
    ],
)
def test_what_the_shipped_rules_get_of_a_preset(name: str, counts: dict[str, int]) -> None:
    loaded = load(read_rules_files([str(RULES)])[0])
    checked = check(PRESETS[name], loaded)
    found = [one.verdict for one in checked.rules]
    assert {verdict: found.count(verdict) for verdict in counts} == counts
    assert len(found) == sum(counts.values())
    assert [one.item for one in checked.findings if one.code == "FA014"] == ["rule 'Create Disallowed Pod'"]


def test_without_its_rule_for_configmaps_recommended_loses_one_rule() -> None:
    """What the comment in it says."""
    parts = PRESETS["recommended"].split("  # ")
    rest = "  # ".join(part for part in parts if "[configmaps]" not in part)
    assert rest != PRESETS["recommended"]
    checked = check(rest, load(read_rules_files([str(RULES)])[0]))
    silent = [one.item for one in checked.findings if one.code == "FA011"]
    assert silent == ["rule 'Create/Modify Configmap With Private Credentials'"]
