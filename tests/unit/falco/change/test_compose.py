"""A site's rules files: what is said as data becomes files that do it, and names that match nothing are told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.compose import Scope, Site, Wishes, compose
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import Target
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load

BASE = [
    RulesFile(
        "falco_rules.yaml",
        """
- macro: spawned_process
  condition: (evt.type in (execve, execveat))
- rule: Shell in container
  desc: d
  condition: spawned_process and proc.name = sh and container.id != host
  output: o
  priority: NOTICE
  tags: [maturity_stable, shell]
  exceptions:
    - name: parents
      fields: [proc.pname]
      comps: [in]
- rule: Read or write
  desc: d
  condition: evt.type = open and fd.name = /a or evt.type = openat and fd.name = /a
  output: o
  priority: NOTICE
  tags: [maturity_stable, files]
""",
    )
]
OWN = {
    "site.yaml": """
- rule: Own shell
  desc: d
  condition: spawned_process and proc.name = sh and container.id != host and proc.pname = x
  output: o
  priority: NOTICE
  tags: [ours]
"""
}
PROD = Target(namespaces=("prod",))


def site(**wishes: Any) -> Site:
    return compose(OWN, Wishes(**wishes), BASE)


def loaded(composed: Site) -> Loaded:
    after = load([*BASE, *(RulesFile(name, text) for name, text in composed.files.items())])
    assert after.successful
    return after


def conditions(composed: Site) -> dict[str, str]:
    return {name: rule.condition.strip() for name, rule in loaded(composed).collector.rules.items()}


def test_without_wishes_the_files_are_those_of_the_site() -> None:
    composed = site()
    assert composed.files == OWN
    assert composed.generated == ()
    assert composed.judged is True


def test_rules_are_switched_off_by_name_and_by_tag() -> None:
    composed = site(disabled=("Read or write",), disabled_tags=("shell",))
    enabled = {name for name, rule in loaded(composed).collector.rules.items() if rule.enabled}
    assert enabled == {"Own shell"}
    assert composed.disabled == ("Read or write", "Shell in container")


def test_an_exception_silences_what_it_says() -> None:
    entry = {"rule": "Own shell", "exceptions": [{"name": "backup", "fields": ["proc.name"], "values": [["tar"]]}]}
    more = {"rule": "Shell in container", "exceptions": [{"name": "parents", "values": [["cron"]]}]}
    compiled = loaded(site(exceptions=(entry, more))).compiler.rules
    assert compiled["Own shell"].condition.endswith("and not (( proc.name = tar))")
    assert compiled["Shell in container"].condition.endswith("and not (( proc.pname in (cron)))")


@pytest.mark.parametrize(
    ("rules", "tags", "scoped"),
    [
        ("", (), {"Shell in container", "Read or write", "Own shell"}),
        ("all", ("shell",), {"Shell in container", "Read or write", "Own shell"}),
        ("own", (), {"Own shell"}),
        ("own", ("files",), {"Own shell", "Read or write"}),
        ("", ("files",), {"Read or write"}),
        (("*shell*",), (), {"Own shell"}),
        (("Shell in container",), (), {"Shell in container"}),
    ],
)
def test_a_scope_reaches_exactly_the_rules_that_are_meant(
    rules: str | tuple[str, ...], tags: tuple[str, ...], scoped: set[str]
) -> None:
    composed = site(scope=Scope(PROD, rules, tags))
    after = conditions(composed)
    assert {name for name, condition in after.items() if 'k8s.ns.name in ("prod")' in condition} == scoped
    assert {decision.rule for decision in composed.decisions} == scoped


def test_what_cannot_be_appended_to_is_replaced_and_said_so() -> None:
    composed = site(scope=Scope(PROD))
    actions = {decision.rule: decision.action for decision in composed.decisions}
    assert actions == {"Shell in container": "append", "Read or write": "replace", "Own shell": "append"}
    assert conditions(composed)["Read or write"].startswith("(evt.type = open and fd.name = /a or")


def test_a_scope_holds_for_rules_as_data_too() -> None:
    extra = {"rule": "Extra", "desc": "d", "condition": "evt.type = open", "output": "o", "priority": "INFO"}
    composed = site(extra=(extra,), scope=Scope(PROD, "own"))
    assert {decision.rule for decision in composed.decisions} == {"Own shell", "Extra"}
    assert list(composed.files) == ["site.yaml", "zz-extra.yaml", "zz-scope.yaml"]


def test_a_rule_that_is_only_changed_is_not_ours_nor_is_one_that_a_list_is_called_like() -> None:
    change = "- rule: Read or write\n  priority: INFO\n  override: {priority: replace}\n"
    change += "- list: Shell in container\n  items: [a]\n"
    composed = compose({**OWN, "change.yaml": change}, Wishes(scope=Scope(PROD, "own")), BASE)
    assert {decision.rule for decision in composed.decisions} == {"Own shell"}


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (
            {"disabled": ("Shell in contaner",)},
            "no rule is called 'Shell in contaner'; did you mean 'Shell in container'",
        ),
        (
            {"disabled_tags": ("maturity_stabel",)},
            "disabled_tags: no rule has the tag 'maturity_stabel'; did you mean",
        ),
        ({"scope": Scope(PROD, ("Own shel",))}, "scope.rules: no rule is called 'Own shel'; did you mean 'Own shell'"),
        ({"scope": Scope(PROD, ("Nothing*",))}, "no rule is called 'Nothing*'"),
        ({"scope": Scope(PROD, "", ("filse",))}, "scope.tags: no rule has the tag 'filse'; did you mean 'files'?"),
        ({"scope": Scope(PROD, "owm")}, "not 'owm'; write one name as [owm]"),
        ({"scope": Scope(Target())}, "give namespaces, labels or containers"),
        (
            {"exceptions": ({"rule": "Own shel", "exceptions": [{"name": "a"}]},)},
            "exceptions[0]: no rule is called 'Own shel'; did you mean 'Own shell'?",
        ),
        ({"exceptions": ({"rul": "x"},)}, "exceptions[0]: unknown key 'rul'; did you mean 'rule'?"),
        ({"exceptions": ({"exceptions": [{"name": "a"}]},)}, "exceptions[0]: needs 'rule' and a list 'exceptions'"),
        ({"exceptions": ({"rule": "Own shell", "exceptions": []},)}, "exceptions[0]: needs 'rule' and a list"),
        ({"exceptions": ({"rule": "Own shell"},)}, "exceptions[0]: needs 'rule' and a list 'exceptions'"),
        (
            {"exceptions": ({"rule": "Own shell", "exceptions": [{"fields": ["proc.name"]}, "backup"]},)},
            "exceptions[0].exceptions[0]: needs a 'name'; exceptions[0].exceptions[1]: needs a 'name'",
        ),
        (
            {"exceptions": ({"rule": "Own shell", "exceptions": [{"name": "a", "feilds": ["proc.name"]}]},)},
            "exceptions[0].exceptions[0]: unknown key 'feilds'; did you mean 'fields'?",
        ),
        (
            {"exceptions": ({"rule": "Shell in container", "exceptions": [{"name": "parent", "values": [["x"]]}]},)},
            "rule 'Shell in container' has no exception 'parent' to add values to; did you mean 'parents'?",
        ),
        (
            {
                "exceptions": (
                    {
                        "rule": "Own shell",
                        "exceptions": [{"name": "a", "fields": ["proc.nmae"], "comps": ["="], "values": [["x"]]}],
                    },
                )
            },
            "exceptions: rule 'Own shell': LOAD_ERR_VALIDATE: 'proc.nmae' is not a supported filter field "
            "(did you mean 'proc.name'?)",
        ),
        (
            {
                "exceptions": (
                    {
                        "rule": "Own shell",
                        "exceptions": [{"name": "a", "fields": ["proc.name"], "comps": ["in", "="], "values": []}],
                    },
                )
            },
            "Rule exception must have values property with a list of values",
        ),
    ],
)
def test_what_matches_nothing_is_named_with_the_nearest(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(FalcoError) as raised:
        site(**wishes)
    assert said in str(raised.value)
    assert "None" not in str(raised.value)
    assert "()" not in str(raised.value)


def test_every_wrong_name_is_told_at_once() -> None:
    with pytest.raises(FalcoError, match=r"'x'.*'y'"):
        site(disabled=("x",), disabled_tags=("y",))


@pytest.mark.parametrize("name", ["zz-", "zz-scope.yaml", "zzz.yaml"])
def test_files_that_would_come_after_ours_are_refused(name: str) -> None:
    with pytest.raises(FalcoError, match="sorts before 'zz-'"):
        compose({name: ""}, Wishes(), BASE)


RULE = "- rule: {}\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
ALONE = {"a.yaml": "- rule: R\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n  tags: [t]\n"}


def test_without_falcos_rules_it_is_said_what_is_unknown() -> None:
    composed = compose(ALONE, Wishes(disabled=("Of Falco",), disabled_tags=("t",), scope=Scope(PROD)))
    assert composed.unknown == ("disabled_tags", "scope")
    assert list(composed.files) == ["a.yaml", "zz-disabled.yaml"]


@pytest.mark.parametrize("rules", ["own", ("R",)])
def test_own_rules_can_be_scoped_without_falcos(rules: str | tuple[str, ...]) -> None:
    composed = compose(ALONE, Wishes(scope=Scope(PROD, rules)))
    assert composed.unknown == ()
    assert [decision.rule for decision in composed.decisions] == ["R"]


@pytest.mark.parametrize(
    ("rules", "tags"),
    [("", ()), ("all", ()), ((), ()), (("Of Falco",), ()), (("a", "Of Falco"), ()), ("own", ("t",)), (("a",), ("t",))],
)
def test_a_scope_that_reaches_beyond_our_own_rules_needs_falcos(
    rules: str | tuple[str, ...], tags: tuple[str, ...]
) -> None:
    composed = compose({"a.yaml": RULE.format("a") + RULE.format("l")}, Wishes(scope=Scope(PROD, rules, tags)))
    assert (composed.unknown, composed.decisions) == (("scope",), ())


def test_a_scope_of_another_form_is_refused_without_falcos_rules_too() -> None:
    with pytest.raises(FalcoError, match="not 'R'; write one name as"):
        compose(ALONE, Wishes(scope=Scope(PROD, "R")))


def test_with_falcos_rules_nothing_is_unknown() -> None:
    assert site(disabled_tags=("shell",), scope=Scope(PROD, "own", ("files",))).unknown == ()


@pytest.mark.parametrize("base", [None, BASE])
def test_broken_files_are_left_to_the_validator(base: list[RulesFile] | None) -> None:
    composed = compose({"a.yaml": "- rule: [\n"}, Wishes(disabled=("x",), scope=Scope(PROD)), base)
    assert composed.judged is False
    assert list(composed.files) == ["a.yaml", "zz-disabled.yaml"]


def test_a_rule_that_falcos_own_hides_is_named() -> None:
    hidden = site().hidden
    assert [(one.rule, one.by, one.always) for one in hidden] == [("Own shell", "Shell in container", True)]
    assert site(disabled=("Shell in container",)).hidden == ()


def test_scoping_the_earlier_rule_elsewhere_ends_the_hiding() -> None:
    elsewhere = Scope(Target(namespaces=("dev",)), ("Shell in container",))
    own = {"site.yaml": OWN["site.yaml"].replace("proc.pname = x", "k8s.ns.name = prod")}
    assert compose(own, Wishes(), BASE).hidden != ()
    assert compose(own, Wishes(scope=elsewhere), BASE).hidden == ()


def test_a_base_that_does_not_load_here_is_left_out_and_named_with_its_first_error() -> None:
    needs = RulesFile("okta_rules.yaml", "- required_plugin_versions:\n  - name: okta\n    version: 0.1.0\n")
    composed = compose(ALONE, Wishes(disabled=("Of Falco",)), [needs])
    assert composed.base_problem.startswith("okta_rules.yaml:3: LOAD_ERR_VALIDATE: Plugin requirement not satisfied")
    assert composed.judged is True
    assert list(composed.files) == ["a.yaml", "zz-disabled.yaml"]
    assert composed.rules == {"R": True}


def test_what_the_base_is_only_warned_of_is_no_fault_of_the_wishes() -> None:
    unused = RulesFile("more.yaml", "- macro: unused\n  condition: evt.type = open\n")
    composed = compose(OWN, Wishes(disabled=("Own shell",)), [*BASE, unused])
    assert composed.rules == {"Shell in container": True, "Read or write": True, "Own shell": False}


def test_what_falco_warns_of_in_a_file_that_was_made_is_no_wrong_wish() -> None:
    own = {"a.yaml": ALONE["a.yaml"].replace("= open", "= open or proc.name = x")}
    composed = compose(own, Wishes(scope=Scope(PROD)), [])
    warned = [(one.file, one.code) for one in findings_of(composed.loaded)]
    assert warned == [("a.yaml", "LOAD_NO_EVTTYPE"), ("zz-scope.yaml", "LOAD_NO_EVTTYPE")]
    assert composed.rules == {"R": True}


def test_a_scope_that_can_be_said_for_no_rule_makes_no_file_and_is_told() -> None:
    audit = {"a.yaml": ALONE["a.yaml"].replace("evt.type = open", "ka.verb = get") + "  source: k8s_audit\n"}
    composed = compose(audit, Wishes(scope=Scope(Target(labels={"app": "web"}))), [])
    assert composed.files == audit
    assert [(one.action, one.reason) for one in composed.decisions] == [
        ("skip", "cannot be restricted like this for source k8s_audit")
    ]
