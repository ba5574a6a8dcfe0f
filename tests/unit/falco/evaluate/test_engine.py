"""The engine: which rules fire, in which order, with which alert, and why."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULES = """
- list: shells
  items: [sh, bash]
- macro: started
  condition: evt.type in (execve, execveat)
- macro: shell
  condition: proc.name in (shells)
- rule: Shell
  desc: a shell
  condition: started and shell and not proc.pname = sshd
  output: shell %proc.name (parent=%proc.pname) %container.info
  priority: WARNING
  tags: [b, a]
  exceptions:
    - name: jobs
      fields: [proc.pname, proc.cmdline]
      comps: [=, startswith]
      values:
        - [cron, run-parts]
- rule: Anything
  desc: any program
  condition: started
  output: program %proc.name
  priority: INFO
- rule: Off
  desc: not enabled
  condition: started
  output: off
  priority: CRITICAL
  enabled: false
- rule: Opened
  desc: another event
  condition: evt.type = openat or syscall.type = mincore
  output: opened
  priority: NOTICE
- rule: Audit
  desc: another source
  condition: ka.verb = get
  output: "got by %ka.user.name of %ka.user.groups"
  priority: ERROR
  source: k8s_audit
"""


def engine(**options: Any) -> Engine:
    loaded = load([RulesFile("rules.yaml", RULES)])
    assert loaded.successful, [issue.message for result in loaded.results for issue in result.errors]
    return Engine(loaded, **options)


def event(source: str = "syscall", time_ns: int | None = None, **fields: Any) -> Event:
    return Event(source, {name.replace("_", "."): value for name, value in fields.items()}, 1, "fields", time_ns)


SHELL: dict[str, Any] = {"evt_type": "execve", "proc_name": "bash", "proc_pname": "nginx", "proc_cmdline": "bash -i"}


def names(found: list[Any]) -> list[str]:
    return [rule.name for rule in found]


def test_the_first_rule_hides_later_ones_unless_all_are_asked_for() -> None:
    assert names(engine().matches(event(**SHELL))) == ["Shell"]
    assert names(engine(rule_matching="all").matches(event(**SHELL))) == ["Shell", "Anything"]


def test_exceptions_keep_a_rule_from_firing() -> None:
    quiet = {**SHELL, "proc_pname": "cron", "proc_cmdline": "run-parts /etc"}
    assert names(engine().matches(event(**quiet))) == ["Anything"]


def test_rules_below_the_threshold_do_not_fire() -> None:
    assert names(engine(rule_matching="all", priority="warning").matches(event(**SHELL))) == ["Shell"]
    assert names(engine(rule_matching="all", priority="Info").matches(event(**SHELL))) == ["Shell", "Anything"]


def test_rules_are_tried_on_the_events_of_their_source_and_type() -> None:
    rules = engine()
    assert names(rules.candidates("syscall", "execve")) == ["Shell", "Anything"]
    assert names(rules.candidates("syscall", "openat")) == ["Opened"]
    assert names(rules.candidates("syscall", "mincore")) == ["Opened"]
    assert names(rules.candidates("syscall", None)) == ["Shell", "Anything", "Opened"]
    assert names(rules.candidates("syscall", "container")) == ["Shell", "Anything", "Opened"]  # asynchronous
    assert names(rules.candidates("syscall", "not_yet_known")) == ["Shell", "Anything", "Opened"]
    assert names(rules.candidates("k8s_audit", None)) == ["Audit"]
    assert rules.candidates("okta", None) == []


def test_an_alert() -> None:
    (alert,) = engine().alerts(event(time_ns=1_700_000_000_000_000_123, **SHELL))
    assert alert.rule == "Shell"
    assert alert.priority == "Warning"
    assert alert.tags == ("a", "b")
    assert alert.time == "2023-11-14T22:13:20.000000123Z"
    assert alert.output.startswith("22:13:20.000000123: Warning shell bash (parent=nginx)  container_id=<NA>")
    assert alert.output_fields["proc.pname"] == "nginx"
    assert alert.output_fields["container.id"] is None
    assert alert.output_fields["evt.time"] == 1_700_000_000_000_000_123


def test_an_alert_without_what_falco_appends() -> None:
    (alert,) = engine(
        append_output=[{"match": {"source": "syscall"}, "extra_fields": [{"who": "%proc.name!"}]}]
    ).alerts(event(**SHELL))
    assert alert.output == "<NA>: Warning shell bash (parent=nginx) "
    assert alert.output_fields["who"] == "bash!"


def test_what_an_optional_plugin_suggests_is_appended_where_rules_use_it() -> None:
    (alert,) = engine().alerts(event(**SHELL))
    assert alert.output.endswith(" k8s_pod_name=<NA> k8s_ns_name=<NA>")
    rules = RULES.replace("%proc.pname)", "%proc.pname in=%k8smeta.ns.name)")
    (alert,) = Engine(load([RulesFile("rules.yaml", rules)])).alerts(event(**SHELL))
    assert alert.output.endswith(" k8s_ns_name=<NA> k8smeta_pod_name=<NA> k8smeta_ns_name=<NA>")


def test_an_audit_alert() -> None:
    audit = Event("k8s_audit", {"ka.verb": "get", "ka.user.name": "u", "ka.user.groups": ["g", "h"]})
    (alert,) = engine().alerts(audit)
    assert alert.output == "<NA>: Error got by u of (g,h)"


def explained(rule: str, rules: Engine | None = None, **fields: Any) -> list[str]:
    return [str(reason) for reason in (rules or engine()).explain(rule, event(**fields)).reasons]


def test_the_reason_is_the_part_that_decided() -> None:
    assert explained("Shell", **{**SHELL, "proc_name": "ls"}) == [
        "proc.name in (sh, bash) (in shell): proc.name is 'ls'"
    ]
    assert explained("Shell", **{**SHELL, "proc_pname": "sshd"}) == ["not proc.pname = sshd: proc.pname is 'sshd'"]
    assert explained("Shell", evt_type="execve", proc_pname="x") == [
        "proc.name in (sh, bash) (in shell): proc.name has no value"
    ]
    assert explained("Opened", evt_type="close") == [
        "evt.type = openat: evt.type is 'close'",
        "syscall.type = mincore: syscall.type has no value",
    ]


#: A rule of fields whose values are made of others.
NETWORK = """
- rule: Network
  desc: d
  condition: evt.type = connect and (proc.aname = sshd or fd.net = 10.0.0.0/8 or fd.port = 80 or fd.snet = 10.0.0.0/8)
  output: o
  priority: INFO
"""


def test_reasons_show_what_fields_without_a_value_of_their_own_are_made_of() -> None:
    rules = Engine(load([RulesFile("rules.yaml", RULES + NETWORK)]))
    fields = {"evt.type": "connect", "proc.pname": "sh", "fd.name": "1.1.1.1:5->2.2.2.2:443", "fd.sip": "2.2.2.2"}
    assert [reason.values for reason in rules.explain("Network", Event("syscall", fields)).reasons] == [
        {"proc.aname": ["sh"]},
        {"fd.net": ["1.1.1.1", "2.2.2.2"]},
        {"fd.port": [5, 443]},
        {"fd.snet": "2.2.2.2"},
    ]


def test_of_what_such_fields_are_made_of_nothing_may_be_known() -> None:
    reasons = Engine(load([RulesFile("rules.yaml", RULES + NETWORK)])).explain(
        "Network", Event("syscall", {"evt.type": "connect"})
    )
    assert [list(reason.values.values()) for reason in reasons.reasons] == [[None]] * 4


def test_of_a_rule_that_fires_the_reasons_are_what_made_it_fire() -> None:
    explanation = engine().explain("Shell", event(**SHELL))
    assert explanation.fires
    assert [(reason.text, reason.holds, reason.negated) for reason in explanation.reasons] == [
        ("evt.type in (execve, execveat)", True, False),
        ("proc.name in (sh, bash)", True, False),
        ("proc.pname = sshd", False, True),
        ("proc.pname = cron", False, True),
    ]
    text = engine().rules["Shell"].condition
    reason = explanation.reasons[2]
    assert text[reason.start : reason.end] == "proc.pname = sshd"


@pytest.mark.parametrize(
    ("rule", "options", "words"),
    [
        ("Off", {}, "not enabled"),
        ("Anything", {}, "'Shell' comes first"),
        ("Anything", {"rule_matching": "all", "priority": "ERROR"}, "below the threshold"),
        ("Audit", {}, "source 'k8s_audit'"),
    ],
)
def test_what_keeps_a_rule_from_firing_besides_its_condition(rule: str, options: dict[str, Any], words: str) -> None:
    explanation = engine(**options).explain(rule, event(**SHELL))
    assert not explanation.fires
    assert words in (explanation.why_not or "")


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(FalcoError, match=r"do not load: .*unknown_macro"):
        Engine(
            load([RulesFile("x", "- rule: R\n  desc: d\n  condition: unknown_macro\n  output: o\n  priority: INFO\n")])
        )
    with pytest.raises(FalcoError, match="no rule 'Nope'"):
        engine().explain("Nope", event(**SHELL))
    with pytest.raises(FalcoError, match="rule_matching"):
        engine(rule_matching="last")
    with pytest.raises(FalcoError, match="rule 'Audit': append_output"):
        engine(append_output=[{"extra_output": "%proc.name"}])
    with pytest.raises(FalcoError, match="unknown priority 'loud'"):
        engine(priority="loud")
