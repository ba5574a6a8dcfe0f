"""Audit policies as they are read: what the API server refuses, what it passes over, and where it stands."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.audit.document import read
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import GroupResources, Level, Place

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
RULES = """\
omitStages: [RequestReceived]
rules:
  - level: None
    users: ["system:kube-proxy"]
    verbs: [watch]
  - level: Request
    userGroups: [people]
    namespaces: [prod, ""]
    omitStages: [Panic]
    resources:
      - group: apps
        resources: [deployments]
        resourceNames: [web]
  - level: Metadata
    nonResourceURLs: ["/logs*"]
    omitManagedFields: true
"""


def told(text: str) -> list[str]:
    return [f"{one.code} {one.line}:{one.column} {one.message} ({one.hint})" for one in read(HEAD + text).findings]


def test_everything_that_a_policy_can_say_is_read_with_its_place() -> None:
    result = read(HEAD + RULES, "p.yaml")
    assert result.findings == []
    policy = result.policy
    assert policy is not None
    assert policy.omit_stages == ("RequestReceived",)
    none, request, metadata = policy.rules
    assert (none.level, none.users, none.verbs) == (Level.NONE, ("system:kube-proxy",), ("watch",))
    assert (request.user_groups, request.namespaces, request.omit_stages) == (("people",), ("prod", ""), ("Panic",))
    assert request.resources == (GroupResources("apps", ("deployments",), ("web",), Place(13, 9)),)
    assert metadata.urls == ("/logs*",)
    assert [policy.at(number) for number in (0, 1, 2, None)] == ["p.yaml:5", "p.yaml:8", "p.yaml:16", "p.yaml"]


def test_json_is_read_as_well() -> None:
    text = json.dumps(yaml.safe_load(HEAD + RULES))
    policy = read(text).policy
    assert policy is not None
    assert policy.rules[1].resources[0].names == ("web",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: []\n", "FA001 3:8 the policy has no rule (add a rule, such as level: Metadata)"),
        ("rules:\n- level: metadata\n", "FA001 4:10 'metadata' is no level (did you mean Metadata?)"),
        (
            "rules:\n- verbs: [get]\n",
            "FA001 4:3 the rule has no level (write one of None, Metadata, Request, RequestResponse)",
        ),
        (
            "rules:\n- level: null\n",
            "FA001 4:10 the rule has no level (write one of None, Metadata, Request, RequestResponse)",
        ),
        (
            "rules:\n- {level: None, omitStages: [Response]}\n",
            "FA001 4:30 'Response' is no stage (did you mean ResponseStarted?)",
        ),
        ("rules:\n- {level: None, nonResourceURLs: [logs]}\n", "FA001 4:35 'logs' does not begin with / (write /logs)"),
        (
            'rules:\n- {level: None, nonResourceURLs: ["/a*/b"]}\n',
            "FA001 4:35 '/a*/b' has a star before its end (a star stands at the end alone)",
        ),
        (
            'rules:\n- {level: None, nonResourceURLs: ["*"], namespaces: [a]}\n',
            "FA001 4:34 the rule has both nonResourceURLs and namespaces, which no request has (make two rules of it)",
        ),
        (
            "rules:\n- level: None\n  resources: [{group: apps/v1}]\n",
            "FA001 5:23 'apps/v1' is no API group (write apps, without a version)",
        ),
        (
            "rules:\n- level: None\n  resources: [{resourceNames: [a]}]\n",
            "FA001 5:31 resourceNames needs resources (say which resources they name)",
        ),
        ("rules:\n- {level: None, verbs: get}\n", "FA001 4:24 'verbs' is a text, and must be a list (write a list)"),
        (
            "rules:\n- {level: None, verbs: [1]}\n",
            "FA001 4:25 an item of 'verbs' is a number, and must be a text (write a text)",
        ),
        (
            "rules:\n- {level: 1}\n",
            "FA001 4:11 'level' is a number, and must be a text (write a text)",
        ),
        ("kinds: a\nrules: []\n", "FA001 4:8 the policy has no rule (add a rule, such as level: Metadata)"),
        ("rules:\n- None\n", "FA001 4:3 rules[0] is a text, and must be a mapping (write a mapping)"),
        (
            "omitManagedFields: maybe\nrules: [{level: None}]\n",
            "FA001 3:20 'omitManagedFields' is a text, and must be true or false (write true or false)",
        ),
        (
            "rules:\n- level: None\n  nonResourceUrls: [/x]\n",
            "FA002 5:3 the API server passes over the key 'nonResourceUrls', as if the line were not there "
            "(did you mean 'nonResourceURLs'?)",
        ),
        (
            "rules:\n- level: None\n  level: Request\n",
            "FA002 5:3 the key 'level' stands twice, and one of them is not read (keep one of them)",
        ),
        (
            "rules: [{level: None}]\n---\nkind: Policy\n",
            "FA002 5:1 the API server reads the first document alone (make it one policy)",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(text: str, message: str) -> None:
    assert message in told(text)


def test_where_a_text_stops_being_yaml_is_told() -> None:
    assert told("rules: [\n")[0].startswith("FA001 4:1 this is not YAML: ")


@pytest.mark.parametrize(("letters", "found"), [(253, []), (254, ["FA001"])])
def test_a_group_is_as_long_as_a_name_of_dns_may_be(letters: int, found: list[str]) -> None:
    text = f"rules:\n- level: None\n  resources: [{{group: {'a' * letters}}}]\n"
    assert [one.code for one in read(HEAD + text).findings] == found


def test_rules_that_are_no_list_are_told_once() -> None:
    assert told("rules: text\n") == ["FA001 3:8 'rules' is a text, and must be a list (write a list)"]


def test_every_problem_is_told_at_once() -> None:
    text = "omitStages: [Never]\nrules:\n- level: x\n  usrs: [a]\n- verbs: get\n"
    assert [one[:5] for one in told(text)] == ["FA001", "FA002", "FA001", "FA001", "FA001"]


def test_a_policy_that_is_refused_is_none_and_one_with_unknown_keys_is_used() -> None:
    assert read(HEAD + "rules: []\n").policy is None
    assert read(HEAD + "rules: [{level: None, verb: [get]}]\n").policy is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "rules:\n- {level: None, verbs: [null]}\n",
            "FA002 4:25 an item of 'verbs' has no value, and the API server takes it as an empty text "
            "(write what is meant, or take the item out)",
        ),
        (
            "rules:\n- level: None\n  resources: [null]\n",
            "FA002 5:15 an item of 'resources' has no value, and the API server takes it as all of the core group "
            "(write what is meant, or take the item out)",
        ),
    ],
)
def test_an_item_without_a_value_is_what_the_api_server_makes_of_it(text: str, message: str) -> None:
    assert told(text) == [message]
    assert read(HEAD + text).policy is not None


def test_a_mapping_may_take_keys_from_others_and_its_own_count() -> None:
    text = "rules:\n- &a {level: Request, verbs: [get]}\n- {<<: *a, level: None}\n- {<<: [*a], users: [b]}\n"
    policy = read(HEAD + text).policy
    assert policy is not None
    assert told(text) == []
    assert [(rule.level, rule.verbs, rule.users) for rule in policy.rules] == [
        (Level.REQUEST, ("get",), ()),
        (Level.NONE, ("get",), ()),
        (Level.REQUEST, ("get",), ("b",)),
    ]


def test_dates_and_times_are_texts_and_numbers_are_none() -> None:
    policy = read(HEAD + "rules:\n- {level: None, users: [2026-01-01, 8:30]}\n").policy
    assert policy is not None
    assert policy.rules[0].users == ("2026-01-01", "8:30")
    assert read(HEAD + "rules:\n- {level: None, users: [0x1F]}\n").policy is None


def test_another_kind_or_version_is_refused() -> None:
    found = read("apiVersion: audit.k8s.io/v1beta1\nkind: Polic\nmetadata: []\nrules: [{level: None}]\n").findings
    assert [one.message for one in found] == [
        "'apiVersion' is 'audit.k8s.io/v1beta1', and must be audit.k8s.io/v1",
        "'kind' is 'Polic', and must be Policy",
        "metadata is a list, and must be a mapping",
    ]
    assert read("apiVersion: audit.k8s.io/v1\nrules: [{level: None}]\n").findings == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "rules: [\n", "- a\n", "a: b: c\n", "\tx"])
def test_what_is_no_policy_is_one_finding_or_more_and_no_exception(text: str) -> None:
    result = read(text)
    assert result.policy is None
    assert result.findings
    assert {one.severity for one in result.findings} == {"error"}


def test_an_excerpt_shows_the_spot() -> None:
    found = read(HEAD + "rules:\n- level: metadata\n").findings[0]
    assert found.excerpt == "- level: metadata\n         ^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules:\n- ? [a]\n  : b\n", "FA001 4:5 a key is a list, and must be a text (write a text)"),
        ("<<: [1]\n", "FA001 3:6 what << takes is a number, and must be another mapping (write another mapping)"),
        ("<<: text\n", "FA001 3:5 what << takes is a text, and must be another mapping (write another mapping)"),
        ("rules:\n- &a {level: None, <<: *a}\n", "FA001 4:3 what << takes is a mapping, and must be another mapping"),
    ],
)
def test_keys_and_merges_that_nobody_can_read_are_refused(text: str, message: str) -> None:
    assert [one for one in told(text) if one.startswith(message)]
