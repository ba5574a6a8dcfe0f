"""What must be in a cluster before triggers are fired, but for what a stage before makes."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.filter.trigger_subjects import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.needs import needed_subjects

TRIGGERS = [{"namespace": "prod"}, {"namespace": "dev"}, {"namespace": "prod"}]
SLACK = {"name": "slack", "receiver": {"service": "falco-receiver", "namespace": "falco"}}


def needed(*args: Any, **options: Any) -> list[tuple[str, str, str]]:
    found = FilterModule().filters()["trigger_subjects"](*args, **options)
    return [(one["kind"], one.get("namespace", ""), one["name"]) for one in found]


def test_namespaces_of_triggers_and_services_of_receivers() -> None:
    receivers = [SLACK, {"name": "mail", "receiver": {"service": "mail"}}, {"name": "far", "receiver": {"path": "/x"}}]
    assert needed(TRIGGERS, receivers) == [
        ("Namespace", "", "prod"),
        ("Namespace", "", "dev"),
        ("Service", "falco", "falco-receiver"),
        ("Service", "default", "mail"),
    ]


def test_without_triggers_nothing_is_needed() -> None:
    assert needed([], [SLACK]) == []


def test_what_a_stage_before_makes_need_not_be_there() -> None:
    policed = [{"name": "prod"}, {"name": "dev", "create": False}]
    assert needed(TRIGGERS, [], policed) == [("Namespace", "", "dev")]
    triggers = [{"namespace": "falco"}]
    assert needed(triggers, [SLACK], [], "falco", "falco") == []
    assert needed(triggers, [SLACK], [], "falco") == [
        ("Namespace", "", "falco"),
        ("Service", "falco", "falco-receiver"),
    ]
    assert needed(triggers, [SLACK], [], "other", "mine") == needed(triggers, [SLACK], [], "falco")


def test_the_catalogue_s_namespace_is_needed_once() -> None:
    def asked(namespace: str) -> list[tuple[str, str]]:
        found = needed_subjects(TRIGGERS, [], [], "falco", "", namespace)
        return [(one["name"], one["variable"]) for one in found]

    own = [("prod", "verify_triggers"), ("dev", "verify_triggers")]
    assert asked("dev") == asked("") == own
    assert asked("catalogue") == [*own, ("catalogue", "verify_trigger_namespace")]


def test_each_names_its_variable() -> None:
    found = FilterModule().filters()["trigger_subjects"](TRIGGERS, [SLACK])
    assert [one["variable"] for one in found] == ["verify_triggers", "verify_triggers", "verify_alert_destinations"]
