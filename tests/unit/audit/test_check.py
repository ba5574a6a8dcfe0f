"""Policy against ruleset: what each rule gets, and findings that name both."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.audit.check import check
from ansible_collections.falconet.k8s.plugins.module_utils.audit.errors import AuditError
from ansible_collections.falconet.k8s.plugins.module_utils.audit.literals import level_of
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import Level
from ansible_collections.falconet.k8s.plugins.module_utils.audit.needs import MAX_NEEDS, needs_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Field
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load
from hypothesis import given
from hypothesis import strategies as st

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
ALL = HEAD + "- level: RequestResponse\n"
EXEC = "ka.target.resource = pods and ka.target.subresource = exec"


def ruleset(condition: str, more: str = "") -> Loaded:
    rule = (
        f"- rule: R\n  desc: d\n  condition: >\n    {condition}\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    )
    loaded = load([RulesFile("rules.yaml", more + rule)])
    assert loaded.successful, loaded.to_json()
    return loaded


def judged(policy: str, condition: str, more: str = "") -> tuple[str, list[str]]:
    checked = check(HEAD + policy, ruleset(condition, more), "p.yaml", secret_bodies=True)
    assert [one.code for one in checked.findings if one.code < "FA010"] == []
    return checked.rules[0].verdict, [f"{one.code} {one.message}" for one in checked.findings]


def test_a_rule_whose_requests_are_not_recorded_is_named_with_the_rule_of_the_policy() -> None:
    policy = "- level: None\n  resources: [{resources: [pods/exec]}]\n- level: Metadata\n"
    checked = check(HEAD + policy, ruleset(EXEC), "p.yaml")
    finding = checked.findings[0]
    assert (finding.code, finding.severity, finding.file, finding.line) == ("FA011", "error", "rules.yaml", 1)
    assert finding.message == "rule 'R' never fires: the policy records get, create of pods/exec at None (p.yaml:4)"
    assert finding.hint == "record get, create of pods/exec at Metadata by a rule before p.yaml:4"


NONE_OF_PODS = "- level: None\n  resources: [{resources: [pods]}]\n- level: Metadata\n"
METADATA = "- level: Metadata\n"
NO_NODES = f"- {{level: None, userGroups: ['system:nodes']}}\n{METADATA}"


@pytest.mark.parametrize(
    ("policy", "condition", "verdict"),
    [
        (METADATA, EXEC, "recorded"),
        (NONE_OF_PODS, EXEC, "recorded"),
        (NONE_OF_PODS, "ka.target.resource = pods and not ka.target.subresource exists", "never"),
        (NONE_OF_PODS, "ka.target.resource in (pods, services)", "partly"),
        (NONE_OF_PODS, "jevt.value[/objectRef/resource] = pods and ka.verb = create and ka.target.name = x", "partly"),
        (NONE_OF_PODS, "ka.target.resource = services", "recorded"),
        (NONE_OF_PODS, "ka.target.resource != pods", "recorded"),
        ("- level: Metadata\n  verbs: [get]\n", "ka.verb = delete", "never"),
        ("- level: Metadata\n  verbs: [get]\n", "ka.verb in (get, delete)", "partly"),
        ("- level: Metadata\n  namespaces: [prod]\n", "ka.target.namespace = prod", "recorded"),
        ("- level: Metadata\n  namespaces: [prod]\n", "ka.target.namespace = dev", "never"),
        ("- level: Metadata\n  namespaces: [prod]\n", "ka.target.resource = nodes", "never"),
        ('- level: Metadata\n  namespaces: [""]\n', "ka.target.resource = nodes", "recorded"),
        ("- level: Metadata\n  resources: [{group: apps}]\n", "ka.target.resource = deployments", "recorded"),
        ("- level: Metadata\n  resources: [{group: ''}]\n", "ka.target.resource = deployments", "never"),
        ("- level: Metadata\n  users: [alice]\n", "ka.user.name = alice", "recorded"),
        ("- level: Metadata\n  users: [alice]\n", "not ka.user.name = alice", "never"),
        (NO_NODES, "not ka.user.name startswith system:", "recorded"),
        ("- level: None\n  userGroups: [people]\n- level: Metadata\n", "not ka.user.name startswith system:", "partly"),
        ("- level: None\n  userGroups: [people]\n- level: Metadata\n", "ka.user.groups intersects (people)", "never"),
        (
            "- level: None\n  userGroups: [people]\n- level: Metadata\n",
            "ka.user.groups intersects (admins) and not ka.user.groups intersects (people)",
            "recorded",
        ),
        ("- level: None\n  nonResourceURLs: [/healthz]\n- level: Metadata\n", "ka.uri = /healthz", "never"),
        ("- level: None\n  nonResourceURLs: [/healthz]\n- level: Metadata\n", "ka.uri startswith /healthz", "partly"),
        (f"- level: None\n  nonResourceURLs: [/healthz*]\n{METADATA}", "not ka.uri startswith /healthz", "recorded"),
        ("- level: None\n  resources: [{resources: [secrets], resourceNames: [a]}]\n- level: Metadata\n",
         "ka.target.resource = secrets and ka.verb = get and ka.target.name = a", "never"),
        ("- level: None\n  resources: [{resources: [secrets], resourceNames: [a]}]\n- level: Metadata\n",
         "ka.target.resource = secrets and ka.verb = create and ka.target.name = a", "recorded"),
        ("- {level: Metadata, omitStages: [ResponseComplete]}\n", "ka.stage = ResponseComplete", "never"),
        ("- {level: Metadata, omitStages: [ResponseComplete]}\n", "jevt.value[/stage] in (ResponseComplete)", "never"),
        ("- {level: Metadata, omitStages: [RequestReceived]}\n", "ka.stage = ResponseComplete", "recorded"),
        ("- {level: Metadata, omitStages: [RequestReceived]}\n", "ka.stage = RequestReceived", "never"),
        ("- {level: Metadata, omitStages: [ResponseComplete]}\n", f"{EXEC} and ka.response.code = 101", "recorded"),
        ("- {level: Metadata, omitStages: [ResponseComplete]}\n", "ka.response.code = 200 and ka.verb = list", "never"),
        (METADATA, "ka.req.pod.host_network = true", "never"),
        ("- level: Request\n", "ka.req.pod.host_network = true", "recorded"),
        ("- level: Request\n", "ka.resp.name = x", "never"),
        ("- level: RequestResponse\n", "ka.resp.name = x", "recorded"),
        (METADATA, "jevt.value[/requestObject/spec/tls] exists", "never"),
        (METADATA, "jevt.value[/annotations/x] exists", "recorded"),
        (METADATA, "tolower(ka.req.service.type) = nodeport", "never"),
        (METADATA, "ka.req.configmap.name = x", "recorded"),
        (METADATA, "ka.verb = create and not ka.req.pod.host_network = true", "partly"),
        (METADATA, "ka.verb = get and not ka.req.pod.host_network = true", "recorded"),
        (METADATA, "ka.stage = ResponseStarted and ka.verb = list", "never"),
        (METADATA, "ka.stage = ResponseStarted and ka.verb = watch", "recorded"),
        (METADATA, "jevt.rawtime = 0", "never"),
        (METADATA, "jevt.rawtime exists", "recorded"),
        ("- level: Metadata\n  users: [alice]\n", "ka.user.name glob a*", "partly"),
        ("- {level: Metadata, omitStages: [ResponseStarted, ResponseComplete, Panic]}\n",
         "not ka.response.code = 200 and ka.verb = list", "recorded"),
        (METADATA, "ka.stage = Panic and ka.verb = list", "never"),
        (METADATA, "ka.stage = ResponseStarted and ka.target.subresource = log", "recorded"),
        (METADATA, f"{EXEC} and ka.verb = get", "recorded"),
        (METADATA, f"{EXEC} and ka.verb = update", "never"),
        (METADATA, "ka.verb = list and ka.target.subresource = exec", "never"),
        (METADATA, "ka.target.resource = nodes and ka.target.subresource = exec", "never"),
        ("- level: Metadata\n  namespaces: [prod]\n", "ka.target.resource = namespaces and ka.verb = get", "partly"),
        ("- level: Metadata\n  namespaces: ['']\n", "ka.target.resource = pods and ka.verb = list", "partly"),
        ("- level: Metadata\n  namespaces: ['']\n", "ka.target.resource = pods and ka.verb = get", "never"),
        (METADATA, "ka.verb = exec", "never"),
        (METADATA, "ka.auditid exists", "recorded"),
        (METADATA, "not ka.auditid exists", "never"),
    ],
)  # fmt: skip
def test_what_a_condition_gets_of_a_policy(policy: str, condition: str, verdict: str) -> None:
    assert judged(policy, condition)[0] == verdict


def test_a_rule_that_sees_a_part_says_which_it_does_not() -> None:
    assert judged(NONE_OF_PODS, "ka.target.resource in (pods, services) and ka.verb = delete")[1] == [
        "FA012 rule 'R' does not see everything: the policy records delete of pods at None (p.yaml:4)"
    ]


def test_what_everybody_does_is_told_before_what_only_some_do() -> None:
    policy = "".join(
        f"- {{level: None, {who}resources: [{{resources: [{name}]}}]}}\n"
        for who, name in (("users: [alice], ", "pods"), ("userGroups: [people], ", "nodes"), ("", "secrets"))
    )
    assert judged(policy + METADATA, "ka.verb = get and ka.target.resource in (pods, nodes, secrets)")[1] == [
        "FA012 rule 'R' does not see everything: the policy records get of secrets at None (p.yaml:6); "
        "the policy records get of nodes by members of people at None (p.yaml:5); "
        "the policy records get of pods by alice at None (p.yaml:4)"
    ]


def test_a_rule_that_excludes_by_a_body_which_is_not_recorded_is_blind() -> None:
    condition = "ka.verb = create and ka.target.resource = pods and not ka.target.subresource exists"
    condition += " and not ka.req.pod.containers.image in (a)"
    assert judged(METADATA, condition)[1] == [
        "FA013 rule 'R' fires also on what its condition excludes by a body: "
        "the policy records create of pods at Metadata (p.yaml:4), and Request is needed"
    ]


def test_a_stage_that_is_left_out_and_a_request_that_no_rule_matches_are_told() -> None:
    stage = "- {level: Metadata, omitStages: [ResponseComplete]}\n"
    assert judged(stage, "ka.stage = ResponseComplete and ka.verb = get and ka.target.resource = secrets")[1] == [
        "FA011 rule 'R' never fires: the policy leaves out the stage ResponseComplete of get of secrets (p.yaml:4)"
    ]
    assert judged("- {level: Metadata, verbs: [get]}\n", "ka.verb = delete and ka.target.resource = secrets")[1] == [
        "FA011 rule 'R' never fires: no rule of the policy matches delete of secrets (p.yaml)"
    ]


@pytest.mark.parametrize(
    ("policy", "hint"),
    [
        ("- {level: Metadata, omitStages: [ResponseComplete]}\n", "take ResponseComplete out of omitStages"),
        ("- {level: Metadata, verbs: [get]}\n", "record delete of secrets at Metadata by a rule at the end"),
        ("- {level: None, verbs: [delete]}\n", "record delete of secrets at Metadata by a rule before p.yaml:4"),
    ],
)
def test_what_would_make_a_rule_see_is_told(policy: str, hint: str) -> None:
    condition = "ka.stage = ResponseComplete and ka.verb = delete and ka.target.resource = secrets"
    (finding,) = check(HEAD + policy, ruleset(condition), "p.yaml").findings
    assert finding.hint == hint


@pytest.mark.parametrize(("names", "more"), [(3, ""), (4, "; and 1 more"), (5, "; and 2 more")])
def test_up_to_three_reasons_are_told_and_how_many_more_there_are(names: int, more: str) -> None:
    resources = ["configmaps", "nodes", "pods", "secrets", "services"][:names]
    policy = "".join(f"- level: None\n  resources: [{{resources: [{name}]}}]\n" for name in resources) + METADATA
    (told,) = judged(policy, f"ka.verb = get and ka.target.resource in ({', '.join(resources)})")[1]
    assert (
        told
        == "FA012 rule 'R' does not see everything: "
        + "; ".join(
            f"the policy records get of {name} at None (p.yaml:{4 + 2 * number})"
            for number, name in enumerate(resources[:3])
        )
        + more
    )


def test_a_condition_that_no_request_fulfils_is_no_fault_of_the_policy() -> None:
    assert [one[:5] for one in judged(METADATA, "ka.verb = get and ka.verb = list")[1]] == ["FA014"]
    assert judged(METADATA, "ka.verb in (nothing)", "- list: nothing\n  items: []\n")[0] == "never"


def test_macros_and_exceptions_count() -> None:
    macro = "- macro: session\n  condition: (ka.target.resource = pods and ka.target.subresource = exec)\n"
    policy = "- level: None\n  users: [alice]\n- level: Metadata\n"
    assert judged(policy, "session and ka.user.name = alice", macro)[0] == "never"
    assert judged(policy, "not session and ka.user.name = alice", macro)[0] == "never"
    rule = (
        "- rule: R\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
        "  exceptions: [{name: who, fields: ka.user.name, comps: in, values: [alice]}]\n"
    )
    loaded = load([RulesFile("rules.yaml", rule)])
    assert check(HEAD + policy, loaded).rules[0].verdict == "recorded"


def test_rules_that_are_off_or_of_another_source_are_left_out() -> None:
    off = ruleset(EXEC, "").files[0].text + "  enabled: false\n"
    other = "- rule: S\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
    with pytest.raises(AuditError, match="none of the rules has the source k8s_audit"):
        check(ALL, load([RulesFile("rules.yaml", off + other)]))


def test_a_condition_that_is_too_large_is_not_judged() -> None:
    fields = [f"(ka.user.name = a{n} or ka.target.name = b{n} or ka.verb = get)" for n in range(9)]
    wide = " and ".join(fields).replace("=", "!=")
    assert MAX_NEEDS > 100
    assert judged(METADATA, wide)[1] == [
        "FA015 rule 'R' the condition means too many kinds of requests to be told apart"
    ]


def test_a_refused_policy_says_nothing_of_rules() -> None:
    checked = check("rules: []\n", ruleset(EXEC))
    assert (checked.policy, checked.rules) == (None, [])
    assert {one.code for one in checked.findings} == {"FA001"}


PARTS: dict[str, Any] = {
    "ka.verb": ["get", "create", "delete"],
    "ka.user.name": ["alice", "system:x"],
    "ka.target.resource": ["pods", "things"],
    "ka.target.subresource": ["exec", "scale"],
    "ka.target.namespace": ["prod", "dev"],
    "ka.stage": ["ResponseComplete", "RequestReceived"],
    "ka.req.pod.host_network": ["true"],
    "ka.resp.name": ["web"],
    "ka.response.code": ["200"],
}


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth and draw(st.booleans()):
        word = draw(st.sampled_from([" and ", " or "]))
        parts = draw(st.lists(conditions(depth - 1), min_size=2, max_size=3))
        text = f"({word.join(parts)})"
    else:
        field = draw(st.sampled_from(sorted(PARTS)))
        value = draw(st.sampled_from(PARTS[field]))
        text = draw(
            st.sampled_from(
                [f"{field} = {value}", f"{field} != {value}", f"{field} exists", f"{field} startswith {value[0]}"]
            )
        )
    return f"not {text}" if draw(st.booleans()) else text


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Events of requests that there are: what Kubernetes cannot have said is not among them."""
    one_of = {field: draw(st.sampled_from(values)) for field, values in PARTS.items()}
    resource = "things" if one_of["ka.verb"] == "delete" else one_of["ka.target.resource"]
    part = draw(st.sampled_from(["", "exec"] if resource == "pods" else ["", "scale"]))
    event: dict[str, Any] = {
        "kind": "Event", "auditID": "1", "stage": one_of["ka.stage"], "verb": one_of["ka.verb"],
        "requestURI": "/api/v1/x", "stageTimestamp": "2026-03-01T10:00:01Z",
        "user": {"username": one_of["ka.user.name"]},
        "objectRef": {"resource": resource, "namespace": one_of["ka.target.namespace"]},
    }  # fmt: skip
    if part:
        event["objectRef"]["subresource"] = part
    if event["stage"] == "ResponseComplete":
        event["responseStatus"] = {"code": 200}
        if part != "exec" and event["verb"] == "create" and draw(st.booleans()):
            event["requestObject"] = {"spec": {"hostNetwork": draw(st.booleans())}}
        if part != "exec" and draw(st.booleans()):
            event["responseObject"] = {"metadata": {"name": draw(st.sampled_from(["web", "db"]))}}
    return event


def _request_has(event: dict[str, Any], loaded: Loaded) -> bool:
    """Whether a need of the rule is about an event."""
    from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import Request

    about = event["objectRef"]
    group = "" if about["resource"] == "pods" else "example.com"
    name = "" if event["verb"] == "create" and not about.get("subresource") else "web"
    request = Request(
        event["verb"], event["user"]["username"], frozenset(), "", about["namespace"], group, about["resource"],
        about.get("subresource", ""), name,
    )  # fmt: skip
    needs = needs_of(loaded.compiler.rules["R"], loaded.compiler)
    has = {Level.REQUEST: "requestObject" in event, Level.REQUEST_RESPONSE: "responseObject" in event}
    return any(
        need.region.has(request) and event["stage"] in need.stages and has.get(need.level, True) for need in needs
    )


@given(conditions(), st.lists(events(), min_size=1, max_size=10))
def test_no_event_on_which_a_rule_fires_is_outside_of_its_needs(condition: str, some: list[dict[str, Any]]) -> None:
    """The evaluator is what the needs are held against: they may ask for more than it does, never for less."""
    import json

    loaded = ruleset(condition)
    engine = Engine(loaded)
    for event in some:
        if any(engine.alerts(one) for one in parse_event(json.dumps(event))):
            assert _request_has(event, loaded), (condition, event)


@pytest.mark.parametrize("kind", ["requestObject", "responseObject"])
def test_the_fields_that_need_a_body_are_those_that_the_plugin_finds_in_one(kind: str) -> None:
    needed = Level.REQUEST if kind == "requestObject" else Level.REQUEST_RESPONSE
    found = {Field("ka.req.pod.host_network"), Field("ka.req.configmap.obj"), Field("jevt.value", f"/{kind}/x")}
    assert Level.METADATA in {level_of(Field("ka.req.configmap.name")), level_of(Field("jevt.value", "/verb"))}
    assert max(level_of(field) for field in found) == needed
    assert level_of(Field("ka.resp.name")) == Level.REQUEST_RESPONSE
