"""Actions that do a module's work within Ansible itself: where they do, and that nothing of a module's way is lost."""

from __future__ import annotations

import datetime
import json
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from ansible import constants
from ansible_collections.falconet.k8s.plugins.plugin_utils.on_controller import OnController

from .acting import MODULE, OWN_PYTHON, Acting

ACTION = "falconet.k8s.example"


class Example(OnController):
    """An action that tells what it was given."""

    arguments: ClassVar[dict[str, dict[str, Any]]] = {
        "name": {"type": "str", "aliases": ["title"], "deprecated_aliases": [{"name": "title", "version": "9.0.0"}]},
        "old": {"type": "str", "removed_in_version": "9.0.0", "removed_from_collection": "falconet.k8s"},
        "key": {"type": "str", "no_log": True},
        "signature": {"type": "str"},
        "count": {"type": "int", "default": 1},
    }
    required_by: ClassVar[dict[str, str]] = {"signature": "key"}

    def done(self, params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
        """What it was given, a warning of its own, and values that JSON has no word for."""
        return {"given": dict(params), "mode": (check_mode, diff_mode), "by_number": {1: 2}, "warnings": ["it is late"]}


def run(args: dict[str, Any], **how: Any) -> dict[str, Any]:
    return Acting(Example, ACTION, args, **how).run()


def test_the_result_is_as_after_the_way_back_from_a_module() -> None:
    result = run({"name": "one", "key": "planted"}, check_mode=True)
    assert result["mode"] == [True, True]
    assert result["by_number"] == {"1": 2}
    assert result["given"]["count"] == 1
    assert result["given"]["key"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    json.dumps(result)


@pytest.mark.parametrize(
    ("set_to", "told"), [(None, True), (True, True), (False, False)], ids=["before 2.21", "asked", "not asked"]
)
def test_options_are_told_where_ansible_tells_them(
    set_to: bool | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {} if set_to is None else {"INJECT_INVOCATION": set_to}
    known = SimpleNamespace(
        get_configuration_definitions=lambda: settings, get_config_value=lambda name, variables: settings[name]
    )
    monkeypatch.setattr(constants, "config", known)
    result = run({"name": "one", "key": "planted"})
    assert result.get("invocation") == ({"module_args": result["given"]} if told else None)
    assert "planted" not in str(result)


class Sealed:
    """A value of a vault as ansible-core 2.18 and older have it."""

    __ENCRYPTED__ = True

    def __str__(self) -> str:
        return "opened"


@pytest.mark.parametrize(
    ("value", "sent"), [(Sealed(), "opened"), (datetime.date(2026, 11, 28), "2026-11-28"), (7, "7")], ids=str
)
def test_options_are_as_after_the_way_to_a_module(value: object, sent: str) -> None:
    assert run({"name": value})["given"]["name"] == sent


def test_warnings_and_deprecations_come_through() -> None:
    result = run({"name": "one", "title": "two", "old": "x"})
    assert result["warnings"] == ["Both option name and its alias title are set.", "it is late"]
    assert [one["msg"].split(". ")[0] for one in result["deprecations"]] == [
        "Alias 'title' is deprecated",
        "Param 'old' is deprecated",
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"nmae": "one"}, f"Unsupported parameters for ({ACTION}) module: nmae. Supported parameters include: count"),
        ({"count": "planted", "key": "planted"}, "argument 'count' is of type"),
        ({"signature": "x"}, "missing parameter(s) required by 'signature': key"),
    ],
    ids=["unsupported", "a secret in the message", "required by another"],
)
def test_wrong_options_fail_in_the_words_of_a_module(args: dict[str, Any], said: str) -> None:
    result = run(args)
    assert result["failed"] is True
    assert said in result["msg"]
    assert "planted" not in json.dumps(result)
    assert "given" not in result


DELEGATED = {"delegate_to": "elsewhere"}


@pytest.mark.parametrize(
    ("how", "python"),
    [
        ({"transport": "ssh"}, OWN_PYTHON),
        ({}, "/usr/bin/another-python"),
        ({}, ""),
        ({"become": object()}, OWN_PYTHON),
        ({"async_val": 60}, OWN_PYTHON),
        ({"environment": [{"HTTPS_PROXY": "http://proxy.example"}]}, OWN_PYTHON),
        (DELEGATED, OWN_PYTHON),
    ],
    ids=["connection", "python", "discovered python", "become", "async", "environment", "delegated"],
)
def test_elsewhere_the_module_is_run(how: dict[str, Any], python: str) -> None:
    acting = Acting(Example, ACTION, {"nmae": "one"}, **how)
    assert acting.run(python) == MODULE
    assert bool(acting.module.call_args.kwargs["wrap_async"]) == ("async_val" in how)


def test_a_task_that_is_delegated_to_the_controller_is_done_here() -> None:
    variables = {"ansible_delegated_vars": {"elsewhere": {"ansible_python_interpreter": OWN_PYTHON}}}
    acting = Acting(Example, ACTION, {"name": "one"}, **DELEGATED)
    assert acting.run("/usr/bin/another-python", **variables)["given"]["name"] == "one"


def test_async_is_not_refused() -> None:
    assert OnController._supports_async
