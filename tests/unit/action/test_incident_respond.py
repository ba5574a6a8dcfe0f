"""The action plugin incident_respond: within Ansible where the controller's own Python would run the module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.action.incident_respond import ActionModule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL

from ..modules.test_incident_respond import LADDER, alert, api
from ..modules.test_netpol_quarantine import PODS, Cluster
from .acting import MODULE, Acting

__all__ = ["api"]


def task(api: Cluster, tmp_path: Path, args: dict[str, Any] | None = None, **how: Any) -> Acting:
    given = {"host": api.url, "api_key": "planted-key", "alert": alert(), "ladder": LADDER, "probe": False}
    given.update(limits={"dry_run": False}, dest=str(tmp_path / "incidents"), work_namespace="probes")
    return Acting(ActionModule, "falconet.k8s.incident_respond", {**given, **(args or {})}, **how)


def test_on_the_controller_it_is_done_at_once_and_as_by_the_module(api: Cluster, tmp_path: Path) -> None:
    result = task(api, tmp_path).run()
    assert not result.get("failed"), result["msg"]
    assert [one["what"] for one in result["timeline"]][-1] == "held, proven by analysis"
    assert result["changed"] is True
    assert result["diff"]["prepared"].splitlines()[-1] == "change Pod web-1: without the labels app"
    assert LABEL in api.collections[PODS][0]["metadata"]["labels"]
    assert "planted-key" not in json.dumps(result)


def test_in_check_mode_nothing_is_changed(api: Cluster, tmp_path: Path) -> None:
    assert task(api, tmp_path, check_mode=True).run()["changed"] is True
    assert LABEL not in api.collections[PODS][0]["metadata"]["labels"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"minutes": "soon"}, "minutes"),
        ({"answer": "x"}, "allowed_signers"),
        ({"alert": "{"}, "the alert is no JSON"),
        ({"alert": "%7B%22planted-key", "ladder": []}, "respond_ladder"),
    ],
)
def test_what_is_wrong_fails_as_in_the_module(api: Cluster, tmp_path: Path, args: dict[str, Any], said: str) -> None:
    result = task(api, tmp_path, args).run()
    assert result["failed"] is True
    assert said in result["msg"]
    assert "planted-key" not in json.dumps(result)


def test_anywhere_else_the_module_is_run(api: Cluster, tmp_path: Path) -> None:
    assert task(api, tmp_path, transport="ssh").run() == MODULE
    assert api.requests == []
