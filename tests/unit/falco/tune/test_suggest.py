"""Exceptions for noise: what they are, what they leave alone, and that the evaluator says the same of each alert."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import FieldMap, event_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.noise import FIELDS, Noise
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Alert
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.suggest import (
    Suggestions,
    Tuner,
    with_exceptions,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.emit import emit_items
from hypothesis import given, settings
from hypothesis import strategies as st

LOADER = Loader()
RULES = [
    RulesFile(
        "r.yaml",
        "- rule: Shell\n  desc: d\n  condition: evt.type = execve and proc.name in (sh, bash)\n"
        "  output: o %proc.name\n  priority: INFO\n"
        "  exceptions:\n    - {name: old, fields: [proc.pname], comps: [=], values: [[gone]]}\n"
        "- rule: One image\n  desc: d\n  condition: evt.type = execve and container.image.repository = backup and"
        " proc.name = tar\n  output: o\n  priority: INFO\n"
        "- rule: Audit\n  desc: d\n  condition: ka.verb in (get, list)\n  output: o\n  priority: INFO\n"
        "  source: k8s_audit\n",
    )
]
NOISY = {"container.image.repository": "backup", "k8s.ns.name": "prod", "proc.name": "bash", "proc.pname": "cron"}


def noise(*groups: tuple[int, dict[str, Any]], rule: str = "Shell", source: str = "syscall") -> Noise:
    found = Noise()
    for count, fields in groups:
        found.count(Alert(rule, source, fields) for _number in range(count))
    return found


def suggested(
    recording: Noise, tests: str = "", keep: tuple[dict[str, Any], ...] = (), minimum: int = 10
) -> Suggestions:
    read = []
    if tests:
        one, findings = read_tests("t.yaml", tests, LOADER.tables, ["files"])
        assert findings == []
        read.append(one)
    events = [event_of({"fields": fields}, number, None) for number, fields in enumerate(keep, 1)]
    return Tuner(LOADER, RULES, read, events).suggest(recording, minimum, 0.05)


def test_noise_becomes_an_exception_on_the_image_and_the_program() -> None:
    result = suggested(noise((90, NOISY), (5, {**NOISY, "container.image.repository": "web"})))
    assert result.exceptions() == [
        {
            "rule": "Shell",
            "exceptions": [
                {
                    "name": "suggested_image_program",
                    "fields": ["container.image.repository", "proc.name"],
                    "comps": ["=", "="],
                    "values": [["backup", "bash"]],
                }
            ],
        }
    ]
    (one,) = result.suggestions
    assert (one.silenced, round(one.share, 3), one.others, one.workloads) == (90, 0.947, 0, 1)
    assert result.refused == []


def test_noise_of_two_images_becomes_two_rows_of_one_exception() -> None:
    result = suggested(noise((50, NOISY), (40, {**NOISY, "container.image.repository": "sync"})))
    (one,) = result.suggestions
    assert one.values == (("backup", "bash"), ("sync", "bash"))
    assert one.silenced == 90


def test_a_further_field_is_asked_for_where_others_would_be_silenced() -> None:
    result = suggested(noise((90, NOISY), (3, {**NOISY, "k8s.ns.name": "stage"})))
    (one,) = result.suggestions
    assert one.fields == ("container.image.repository", "k8s.ns.name", "proc.name")
    assert (one.silenced, one.others) == (90, 0)


def test_others_that_cannot_be_told_apart_are_named() -> None:
    other = {**NOISY, "container.name": 7}
    result = suggested(noise((90, NOISY), (3, other)))
    (one,) = result.suggestions
    assert (one.silenced, one.others) == (93, 3)
    assert one.examples == (other,)
    result = suggested(noise((90, NOISY), *((1, {**NOISY, "container.name": number}) for number in range(7))))
    (one,) = result.suggestions
    assert (one.others, len(one.examples)) == (7, 5)


@pytest.mark.parametrize(("alerts", "noisy"), [(9, False), (10, True)])
def test_noise_is_as_many_alerts_as_are_asked_for(alerts: int, noisy: bool) -> None:
    assert bool(suggested(noise((alerts, NOISY))).suggestions) is noisy


@pytest.mark.parametrize(("others", "noisy"), [(190, True), (191, False)])
def test_noise_is_the_share_of_its_rule_s_alerts_that_is_asked_for(others: int, noisy: bool) -> None:
    rest = [(1, {**NOISY, "container.image.repository": f"i{number}"}) for number in range(others)]
    assert bool(suggested(noise((10, NOISY), *rest)).suggestions) is noisy


ATTACK = {**NOISY, "evt.type": "execve", "proc.pname": "nginx"}


def test_what_must_fire_makes_an_exception_narrower_or_refuses_it() -> None:
    (one,) = suggested(noise((90, NOISY)), keep=(ATTACK,)).suggestions
    assert one.fields == ("container.image.repository", "proc.name", "proc.pname")
    assert one.kept == 1
    quiet = {**ATTACK, "proc.name": "vi", "proc.pname": "cron"}  # on which the rule fires in no way
    assert suggested(noise((90, NOISY)), keep=(quiet,)).suggestions[0].kept == 0
    both = noise((50, NOISY), (40, {**NOISY, "proc.pname": "at"}))  # one of its values would silence a part
    assert suggested(both, keep=(ATTACK,)).suggestions == []
    result = suggested(noise((90, NOISY)), keep=(ATTACK, {**ATTACK, "proc.pname": "cron"}))
    assert result.suggestions == []
    assert [one.reason for one in result.refused] == ["the event in line 1, which must fire, would be silenced"]


CASE = (
    "cases: [{name: attack, given: {evt.type: execve, proc.name: bash, container.image.repository: backup},"
    " expect: Shell}]"
)


def test_a_test_that_would_fail_makes_it_narrower_as_well() -> None:
    (one,) = suggested(noise((90, NOISY)), CASE).suggestions
    assert one.tests == 1
    assert "k8s.ns.name" in one.fields or "proc.pname" in one.fields
    bare = {"container.image.repository": "backup", "proc.name": "bash"}
    (refused,) = suggested(noise((90, bare)), CASE).refused
    assert refused.reason == "the case 'attack' (t.yaml:1:9) would fail"


def test_tests_that_fail_already_and_rules_that_they_misname_are_told_first() -> None:
    with pytest.raises(FalcoError, match=r"t.yaml:1: rule 'Shell' fired"):
        suggested(noise((90, NOISY)), CASE.replace("expect:", "expect_not:"))
    with pytest.raises(FalcoError, match="has no rule 'Shel'"):
        suggested(noise((90, NOISY)), CASE.replace("expect: Shell", "expect: Shel"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"proc.name": "bash", "user.name": "root"}, "the alerts name neither an image nor a workload"),
        ({"k8s.ns.name": "prod", "proc.name": "bash"}, "the alerts name neither an image nor a workload"),
        ({"proc.cmdline": "bash -c x", "fd.name": "/x"}, "the alerts name neither an image nor a workload"),
        ({"container.image.repository": 7, "proc.name": "bash"}, "the alerts name neither an image nor a workload"),
        ({"container.image.repository": "", "proc.name": "bash"}, "the alerts name neither an image nor a workload"),
        # The rule's source has no such field.
        ({"ka.user.name": "ci", "proc.name": "bash"}, "the alerts name neither an image nor a workload"),
        ({"container.image.repository": "backup"}, "the alerts do not name the program"),
    ],
)
def test_nothing_that_an_attacker_chooses_alone_is_an_exception(fields: dict[str, Any], reason: str) -> None:
    result = suggested(noise((90, fields)))
    assert result.suggestions == []
    assert result.refused[0].reason.startswith(reason)


def test_a_workload_is_as_good_as_an_image() -> None:
    (one,) = suggested(noise((90, {"k8s.ns.name": "prod", "container.name": "c", "proc.name": "bash"}))).suggestions
    assert one.fields == ("k8s.ns.name", "container.name", "proc.name")


def test_a_program_that_is_called_like_a_list_silences_nothing_else() -> None:
    rules = [RulesFile("l.yaml", "- list: tools\n  items: [sh]\n"), *RULES]
    recording = noise((90, {**NOISY, "proc.name": "tools"}), (2, {**NOISY, "proc.name": "sh"}))
    result = Tuner(LOADER, rules).suggest(recording, 10, 0.05)
    assert result.suggestions == []
    assert [one.reason for one in result.refused] == [
        "Falco reads one of its values as something else, such as the name of a list"
    ]


def test_no_exception_empties_a_rule() -> None:
    fields = {"container.image.repository": "backup", "proc.name": "tar"}
    (refused,) = suggested(noise((90, fields), rule="One image")).refused
    assert refused.reason == "no event is found any more on which the rule fires"


def test_an_audit_event_is_told_by_its_user_and_verb() -> None:
    recording = noise((50, {"ka.user.name": "ci", "ka.verb": "get"}), rule="Audit", source="k8s_audit")
    (one,) = suggested(recording).suggestions
    assert (one.fields, one.values) == (("ka.user.name", "ka.verb"), (("ci", "get"),))


PAIR = RulesFile(
    "pair.yaml",
    "- rule: Pair\n  desc: d\n  condition: evt.type = execve and container.image.repository = backup and"
    " proc.name in (tar, sh) and proc.pname = cron\n  output: o\n  priority: INFO\n",
)


def test_exceptions_that_empty_a_rule_together_are_all_refused() -> None:
    """Each by itself leaves the rule the other program."""
    both = [(50, {**NOISY, "proc.name": "tar"}), (40, {**NOISY, "proc.name": "sh"})]
    for groups in ([both[0]], [both[1]]):
        assert Tuner(LOADER, [PAIR]).suggest(noise(*groups, rule="Pair"), 10, 0.05).suggestions
    result = Tuner(LOADER, [PAIR]).suggest(noise(*both, rule="Pair"), 10, 0.05)
    assert result.suggestions == []
    reason = "no event is found any more on which the rule fires"
    assert [(one.program, one.alerts, one.reason) for one in result.refused] == [
        ("tar", 50, reason),
        ("sh", 40, reason),
    ]


def test_an_exception_that_silenced_nothing_is_dead_and_an_unknown_rule_is_named() -> None:
    recording = noise((1, NOISY))
    recording.count([Alert("Strange", "syscall", {}), Alert("Odd", "syscall", {})])
    result = suggested(recording)
    assert [(one.rule, one.exception) for one in result.dead] == [("Shell", "old")]
    assert result.unknown == ["Odd", "Strange"]
    assert suggested(noise((1, {**NOISY, "proc.pname": "gone"}))).dead == []


TRIGGER = {"name": "shell", "rule": "Shell", "namespace": "prod", "command": ["bash", "-c", "id"]}


def tuned(*triggers: dict[str, Any]) -> Tuner:
    return Tuner(LOADER, RULES, triggers=triggers, trigger_image="backup:1.2")


def test_an_alert_that_a_trigger_must_raise_is_not_silenced() -> None:
    recording = noise((90, NOISY))
    (one,) = tuned(TRIGGER).suggest(recording, 10, 0.05).suggestions
    assert one.fields == ("container.image.repository", "proc.name", "proc.pname")
    bare = noise((90, {"container.image.repository": "backup", "k8s.ns.name": "prod", "proc.name": "bash"}))
    (refused,) = tuned(TRIGGER).suggest(bare, 10, 0.05).refused
    assert refused.reason == "the trigger 'shell' would be silenced"


def test_a_trigger_that_expects_no_alert_is_not_kept() -> None:
    tuner = tuned({**TRIGGER, "expect_alert": False})
    assert (tuner.keep, tuner.untried) == ([], [])


def test_triggers_without_an_event_are_named() -> None:
    tuner = tuned({**TRIGGER, "name": "other", "rule": "Nobody's"}, {**TRIGGER, "name": "nothing", "command": []})
    assert tuner.untried == ["other", "nothing"]


OWN = RulesFile(
    "own.yaml", "- rule: Own\n  desc: d\n  condition: evt.type = open\n  output: o %fd.name\n  priority: INFO\n"
)


def test_tests_are_of_ones_own_rules_alone() -> None:
    text = CASE.replace("execve", "open").replace("attack", "opened").replace("expect: Shell", "expect: Own")
    tests, findings = read_tests("t.yaml", text, LOADER.tables, ["files"])
    assert findings == []
    tuner = Tuner(LOADER, [*RULES, OWN], [tests], own=[OWN])
    (one,) = tuner.suggest(noise((90, NOISY)), 10, 0.05).suggestions
    assert (one.rule, one.tests) == ("Shell", 0)  # a rule of others, of which there is no test
    (one,) = tuner.suggest(noise((90, NOISY), rule="Own"), 10, 0.05).suggestions
    assert (one.fields, one.tests) == (("container.image.repository", "k8s.ns.name", "proc.name"), 1)
    bare = {"container.image.repository": "backup", "proc.name": "bash"}
    (refused,) = tuner.suggest(noise((90, bare), rule="Own"), 10, 0.05).refused
    assert refused.reason == "the case 'opened' (t.yaml:1:9) would fail"


@pytest.mark.parametrize("name", ["a)", 'a"b', "a\x00"])
def test_a_value_with_which_the_rules_do_not_load_is_refused(name: str) -> None:
    result = suggested(noise((90, {**NOISY, "proc.name": name})))
    assert result.suggestions == []
    assert result.refused[0].reason.startswith("it does not load: ")


@pytest.mark.parametrize("name", ["a)or(proc.pname=x", 'a "or proc.pname=x or proc.name="b'])
def test_a_value_that_would_become_a_check_of_its_own_is_refused(name: str) -> None:
    """Whoever runs a program names it: this would silence all that x starts, in any image."""
    result = suggested(noise((90, {**NOISY, "proc.name": name, "proc.pname": "x"})))
    assert result.suggestions == []
    assert result.refused[0].reason == "Falco reads one of its values as something else, such as the name of a list"


def test_an_exception_that_falco_refuses_is_told_in_its_words() -> None:
    entry = {"rule": "Shell", "exceptions": [{"name": "e", "fields": ["proc.nmae"], "comps": ["="], "values": [["x"]]}]}
    with pytest.raises(FalcoError, match=r"^'proc\.nmae' is not a supported filter field$"):
        with_exceptions(LOADER, RULES, [entry])


@pytest.mark.parametrize(("endings", "free"), [(("",), "_2"), (("", "_2"), "_3"), (("_2",), "")])
def test_a_suggestion_has_a_name_that_the_rule_has_not_yet(endings: tuple[str, ...], free: str) -> None:
    taken = [
        {"name": f"suggested_image_program{ending}", "fields": ["proc.name"], "comps": ["="], "values": [["x"]]}
        for ending in endings
    ]
    files = [*RULES, RulesFile("more.yaml", emit_items([{"rule": "Shell", "exceptions": taken, "override": APPENDED}]))]
    (one,) = Tuner(LOADER, files).suggest(noise((90, NOISY)), 10, 0.05).suggestions
    assert one.name == f"suggested_image_program{free}"


APPENDED = {"exceptions": "append"}


def test_an_exception_is_not_called_dead_where_the_recording_cannot_tell_or_it_is_not_ones_own() -> None:
    unseen = [{"name": "file", "fields": ["fd.name"], "comps": ["="], "values": [["/x"]]}]
    more = RulesFile("more.yaml", emit_items([{"rule": "Shell", "exceptions": unseen, "override": APPENDED}]))
    result = Tuner(LOADER, [*RULES, more]).suggest(noise((1, NOISY)), 10, 0.05)
    assert [one.exception for one in result.dead] == ["old"]
    assert Tuner(LOADER, [*RULES, OWN], own=[OWN]).suggest(noise((1, NOISY)), 10, 0.05).dead == []


VALUES = st.fixed_dictionaries(
    {"proc.name": st.sampled_from(["sh", "bash"])},
    optional={
        "container.image.repository": st.sampled_from(["a", "b"]),
        "k8s.ns.name": st.sampled_from(["p", "s"]),
        "proc.pname": st.sampled_from(["x", "y"]),
        "user.name": st.sampled_from(["root", "u"]),
    },
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), VALUES), min_size=1, max_size=6), st.lists(VALUES, max_size=2))
def test_each_alert_is_silenced_or_not_as_is_said(groups: list[tuple[int, dict[str, Any]]], keep: list[Any]) -> None:
    """The slow way: the rules with each exception, asked of every alert by itself."""
    attacks = tuple({**one, "evt.type": "execve"} for one in keep)
    result = suggested(noise(*groups), keep=attacks, minimum=5)
    for one in result.suggestions:
        entry = {"rule": one.rule, "exceptions": [one.entry()]}
        rule = Ruleset("x", with_exceptions(LOADER, RULES, [entry])).engine().rules["Shell"]
        silenced = sum(count for count, fields in groups if not rule.test(FieldMap({**fields, "evt.type": "execve"})))
        assert silenced == one.silenced
        assert all(rule.test(FieldMap(attack)) for attack in attacks)
        assert "container.image.repository" in one.fields
        assert set(one.fields) <= set(FIELDS)
