"""The action plugin incident_respond: within Ansible where the controller's own Python would run the module."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.action.incident_respond import ActionModule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL

from ..modules.test_incident_respond import LADDER, alert, api
from ..modules.test_netpol_quarantine import PODS, Cluster

__all__ = ["api"]
MODULE = {"changed": False, "module": "was run"}


class Action(ActionModule):
    """It with a connection, a task and a templar of the test."""

    def __init__(self, args: dict[str, Any], **how: Any) -> None:
        task = {"args": args, "check_mode": False, "diff": True, "async_val": 0, "environment": [], **how}
        self._task = SimpleNamespace(**task)
        self._connection = SimpleNamespace(transport=how.get("transport", "local"), become=how.get("become"))
        self._templar = SimpleNamespace(
            template=lambda text: text.replace("{{ ansible_playbook_python }}", sys.executable)
        )

    def _execute_module(self, **_arguments: Any) -> dict[str, Any]:
        return dict(MODULE)


@pytest.fixture(autouse=True)
def _plain_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Ansible's own part of an action does needs all of Ansible."""
    monkeypatch.setattr(ActionModule.__bases__[0], "run", lambda *_arguments: {})


def run(api: Cluster, tmp_path: Path, python: str = "{{ ansible_playbook_python }}", **how: Any) -> dict[str, Any]:
    args = {"host": api.url, "api_key": "planted-key", "alert": alert(), "ladder": LADDER, "probe": False}
    args.update(limits={"dry_run": False}, dest=str(tmp_path / "incidents"), work_namespace="probes")
    args.update(how.pop("args", {}))
    return Action(args, **how).run(None, {"ansible_python_interpreter": python})


def test_on_the_controller_it_is_done_at_once_and_as_by_the_module(api: Cluster, tmp_path: Path) -> None:
    result = run(api, tmp_path)
    assert not result.get("failed"), result["msg"]
    assert [one["what"] for one in result["timeline"]][-1] == "held, proven by analysis"
    assert result["changed"] is True
    assert result["diff"]["prepared"].splitlines()[-1] == "change Pod web-1: without the labels app"
    assert LABEL in api.collections[PODS][0]["metadata"]["labels"]
    assert "planted-key" not in json.dumps(result)


def test_in_check_mode_nothing_is_changed(api: Cluster, tmp_path: Path) -> None:
    assert run(api, tmp_path, check_mode=True)["changed"] is True
    assert LABEL not in api.collections[PODS][0]["metadata"]["labels"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"minutes": "soon"}, "minutes"),
        ({"ladders": []}, "incident_respond: ladders. Supported parameters include: alert"),
        ({"answer": "x"}, "allowed_signers"),
        ({"stop": "all"}, "value of stop must be one of"),
        ({"alert": "{"}, "the alert is no JSON"),
        ({"alert": "%7B%22planted-key", "ladder": []}, "respond_ladder"),
    ],
)
def test_what_is_wrong_fails_as_in_the_module(api: Cluster, tmp_path: Path, args: dict[str, Any], said: str) -> None:
    result = run(api, tmp_path, args=args)
    assert result["failed"] is True
    assert said in result["msg"]
    assert "planted-key" not in result["msg"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"transport": "ssh"},
        {"python": "/usr/bin/another-python"},
        {"python": ""},
        {"become": object()},
        {"async_val": 60},
        {"environment": [{"HTTPS_PROXY": "http://proxy.example"}]},
    ],
    ids=lambda one: next(iter(one)),
)
def test_anywhere_else_the_module_is_run(api: Cluster, tmp_path: Path, elsewhere: dict[str, Any]) -> None:
    assert run(api, tmp_path, **elsewhere) == MODULE
    assert api.requests == []
