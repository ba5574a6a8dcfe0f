"""The action plugin cluster_objects_info gives what the module gives, whose real main() is run beside it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.action.cluster_objects_info import ActionModule

from ..kube.fake_api import FakeApi
from ..module_runner import run_module
from ..modules.test_cluster_objects_info import api
from .acting import MODULE, Acting

__all__ = ["api"]
CHANNELS = {"kind": "Secret", "name": "channels", "namespace": "falco", "variable": "falco_outputs_existing_secret"}
#: Options, each with one kind of result.
CASES: dict[str, dict[str, Any]] = {
    "there": {"subjects": [CHANNELS], "kinds": ["Node"]},
    "missing": {"subjects": [{**CHANNELS, "name": "chanels"}]},
    "not served": {"apis": [{"api_version": "monitoring.coreos.com/v1", "kind": "ServiceMonitor"}]},
    "not for results": {"kinds": ["Secret"]},
    "no kind": {"subjects": [{"kind": "Pod", "name": "x"}]},
}


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_the_module_gives(api: FakeApi, case: str) -> None:
    args = {"host": api.url, **CASES[case]}
    by_module = run_module("cluster_objects_info", args)
    acting = Acting(ActionModule, "falconet.k8s.cluster_objects_info", args)
    result = acting.run()
    assert not acting.module.called
    assert {**result, "exception": ""} == {**by_module, "exception": ""}
    assert "aHR0cHM6c2VjcmV0" not in str(result)


def test_anywhere_else_the_module_is_run(api: FakeApi) -> None:
    acting = Acting(ActionModule, "falconet.k8s.cluster_objects_info", {"host": api.url}, transport="ssh")
    assert acting.run() == MODULE
    assert api.requests == []
