"""Restrictions that would mute rules in silence: refused, written otherwise, or named."""

from __future__ import annotations

import re

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change import scope as module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import merge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import Target, scope
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.expand import expand
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: {}\n  desc: d\n  condition: {}\n  output: o\n  priority: NOTICE\n  tags: [{}]\n  source: {}\n"
PROD = Target(namespaces=("prod",))


def rule(condition: str, name: str = "R", tag: str = "maturity_stable", source: str = "syscall") -> str:
    return RULE.format(name, condition, tag, source)


def restricted(text: str, target: Target) -> str:
    """The condition that the rule R has in the end."""
    content = scope([RulesFile("base.yaml", text)], target).content
    return load([RulesFile("base.yaml", text), RulesFile("scope.yaml", content)]).collector.rules["R"].condition


@pytest.mark.parametrize("target", [PROD, Target(labels={"app": "prod"}), Target(containers=("prod",))])
def test_a_list_called_like_a_value_is_not_substituted(target: Target) -> None:
    text = "- list: prod\n  items: [bash, staging]\n" + rule("evt.type = execve and proc.name in (prod)")
    files = [RulesFile("base.yaml", text)]
    after = load([*files, RulesFile("scope.yaml", scope(files, target).content)])
    compiled = after.compiler.rules["R"]
    written = repr(expand(compiled.node, after.compiler))
    assert "'prod'" in written
    assert written.count("'staging'") == 1


def test_a_pattern_of_namespaces_is_one() -> None:
    target = Target(namespaces=("prod", "kube-*", "team-?"))
    assert restricted(rule("evt.type = open"), target) == (
        'evt.type = open and (k8s.ns.name in ("prod") or k8s.ns.name glob "kube-*" or k8s.ns.name glob "team-?")'
    )


def test_a_pattern_alone_restricts_audit_events_too() -> None:
    condition = restricted(rule("ka.verb = get", source="k8s_audit"), Target(namespaces=("kube-*",)))
    assert condition == 'ka.verb = get and ka.target.namespace glob "kube-*"'


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target(namespaces=("Prod_1",)), "no namespace can be called 'Prod_1'"),
        (Target(namespaces=("",)), "no namespace can be called ''"),
        (Target(namespaces=("-a",)), "no namespace can be called '-a'"),
        (Target(namespaces=("a" * 64,)), "no namespace can be called 'a"),
        (Target(namespaces=("Kube-*",)), "no namespace can be called 'Kube-\\*'"),
        (Target(labels={"a b": "c"}), "no pod can have a label called 'a b'"),
        (Target(labels={"app": "a b"}), "no pod's label 'app' can be 'a b'"),
        (Target(containers=("",)), "an empty pattern"),
        (Target(), "give namespaces, labels or containers"),
        (Target(("a",), namespace_field="k8s.ns"), "namespace_field is one of k8s.ns.name, "),
        (Target(labels={"a": "b"}, label_field="k8s.label"), "label_field is one of "),
    ],
)
def test_names_that_no_cluster_has_are_refused(target: Target, message: str) -> None:
    with pytest.raises(FalcoError, match=message):
        scope([RulesFile("base.yaml", rule("evt.type = open"))], target)


@pytest.mark.parametrize(
    ("rules", "tags", "said"),
    [
        ((), ("maturity_stabel",), "no rule has the tag 'maturity_stabel'; did you mean 'maturity_stable'?"),
        ((), ("xyz",), "no rule has the tag 'xyz'; check the tag"),
        (("Shell startd",), (), "no rule is called 'Shell startd'; did you mean 'Shell started'?"),
        (("xyz*",), (), "no rule is called 'xyz*'; check the name"),
    ],
)
def test_a_name_that_no_rule_has_is_refused_with_the_nearest(
    rules: tuple[str, ...], tags: tuple[str, ...], said: str
) -> None:
    with pytest.raises(FalcoError, match=f"^{re.escape(said)}$"):
        scope([RulesFile("base.yaml", rule("evt.type = open", "Shell started"))], PROD, rules, tags)


def test_a_restriction_that_comes_out_otherwise_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    wider = "- rule: R\n  condition: or evt.type = openat\n  override: {condition: append}\n"
    monkeypatch.setattr(module, "emit_items", lambda _items: wider)
    with pytest.raises(FalcoError, match=r"rule 'R' did not come out as '\(old condition\) and restriction'"):
        scope([RulesFile("base.yaml", rule("evt.type = open"))], PROD)


MACROS = """- macro: container
  condition: container.id != host
- macro: kcreate
  condition: ka.verb = create
"""
HOST = "it looks at the host, where no pod is"
NO_NAMESPACE = "it looks at Kubernetes objects that are in no namespace"
OTHER = "it looks at other namespaces, labels or containers"


@pytest.mark.parametrize(
    ("condition", "source", "target", "reason"),
    [
        ("evt.type = open and not container", "syscall", PROD, HOST),
        ("evt.type = open and container.id = host", "syscall", PROD, HOST),
        ("evt.type = open and not container", "syscall", Target(containers=("web",)), HOST),
        ("evt.type = open and not container", "syscall", Target(containers=("h*",)), ""),
        ("evt.type = open and not container", "syscall", Target(("prod",), containers=("h*",)), HOST),
        ("evt.type = open and not container", "syscall", Target(labels={"a": "b"}, containers=("h*",)), HOST),
        ("evt.type = open and container", "syscall", PROD, ""),
        ("evt.type = open and (proc.name = a or not container)", "syscall", PROD, ""),
        ("evt.type = open and k8s.ns.name = dev", "syscall", PROD, OTHER),
        ("evt.type = open and k8s.ns.name = prod", "syscall", PROD, ""),
        ("ka.target.resource = clusterroles", "k8s_audit", PROD, NO_NAMESPACE),
        ("ka.target.resource in (clusterroles, roles)", "k8s_audit", PROD, ""),
        ("kcreate and ka.target.resource = namespaces", "k8s_audit", PROD, NO_NAMESPACE),
        ("ka.verb = delete and ka.target.resource = namespaces", "k8s_audit", PROD, ""),
        ("kcreate and ka.target.namespace in (kube-system, kube-public)", "k8s_audit", PROD, OTHER),
        ("evt.type = open and evt.num = 0 and not container", "syscall", PROD, ""),
    ],
)
def test_rules_that_a_scope_silences_are_named(condition: str, source: str, target: Target, reason: str) -> None:
    decision = scope([RulesFile("base.yaml", MACROS + rule(condition, source=source))], target).decisions[0]
    assert (decision.action, decision.silenced) == ("append", reason)


def test_what_macros_multiply_too_far_is_judged_by_what_the_rule_itself_says() -> None:
    macros = ["- macro: m0\n  condition: evt.type = open and (proc.name = a or proc.name = b)\n"]
    macros += [f"- macro: m{n}\n  condition: m{n - 1} or (m{n - 1} and fd.num = {n})\n" for n in range(1, 14)]
    files = [RulesFile("base.yaml", "".join([*macros, rule("m13 and container.id = host")]))]
    assert scope(files, PROD).decisions[0].silenced == HOST


@pytest.mark.parametrize(
    ("errors", "told"), [(1, " closed)"), (2, " closed), and 1 more"), (3, " closed), and 2 more")]
)
def test_a_refusal_says_how_many_more_errors_there_are(errors: int, told: str) -> None:
    files = [RulesFile(f"{number}.yaml", "- [a\n") for number in range(errors)]
    with pytest.raises(FalcoError, match=r"^the ruleset does not load: 0\.yaml:1:3: LOAD_ERR_YAML_PARSE: ") as caught:
        scope(files, PROD)
    assert str(caught.value).endswith(told)


def test_a_ruleset_that_does_not_load_is_refused_with_rule_and_line() -> None:
    files = [RulesFile("a.yaml", rule("evt.type = open", "Good")), RulesFile("b.yaml", rule("proc.nmae = x", "Bad"))]
    with pytest.raises(FalcoError, match=r"b\.yaml:3:\d+: rule 'Bad': LOAD_ERR_COMPILE_CONDITION: .*did you mean"):
        merge(files)
    with pytest.raises(FalcoError, match=r"the ruleset does not load: b\.yaml:3:\d+: rule 'Bad': "):
        scope(files, PROD)


@pytest.mark.parametrize(
    ("source", "target", "condition"),
    [
        ("k8s_audit", Target(labels={"app": "a"}), ""),
        ("k8s_audit", Target(("prod",), containers=("c",)), ""),
        ("k8s_audit", PROD, 'ka.target.namespace in ("prod")'),
        ("other", PROD, ""),
        ("syscall", Target(labels={"app.kubernetes.io/name": "a"}), 'k8s.pod.label[app.kubernetes.io/name] = "a"'),
    ],
)
def test_what_cannot_be_said_for_a_source_is_no_condition(source: str, target: Target, condition: str) -> None:
    assert target.condition(source) == condition


def test_a_rule_that_falco_leaves_out_is_skipped_with_the_reason() -> None:
    text = rule("evt.type = open") + rule("no.field = x", "S").replace(
        "source: syscall", "skip-if-unknown-filter: true"
    )
    scoped = scope([RulesFile("base.yaml", text)], PROD)
    assert [(one.rule, one.action, one.reason) for one in scoped.decisions][1:] == [
        ("S", "skip", "Falco leaves the rule out")
    ]
    assert "S" not in scoped.content.split()


def test_a_condition_that_is_whole_only_within_its_parentheses_is_refused() -> None:
    """Falco puts parentheses around the condition before it appends exceptions, so that this loads."""
    excepted = "  exceptions:\n    - {name: e, fields: [proc.name], comps: [=], values: [[x]]}\n"
    files = [RulesFile("base.yaml", rule("evt.type = open) or (evt.type = openat") + excepted)]
    assert load(files).successful
    with pytest.raises(FalcoError, match=r"cannot parse 'evt\.type = open\) or \(evt\.type = openat'"):
        scope(files, PROD)
