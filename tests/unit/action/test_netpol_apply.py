"""The action plugin netpol_apply gives what the module of its name gives, whose real main() is run beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.action.netpol_apply import ActionModule

from ..kube.cluster import fill, namespace, pod, policy
from ..kube.fake_api import FakeApi, serve
from ..module_runner import run_module
from .acting import MODULE, Acting

FLOW = {"name": "needed", "from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [80]}
DENY = policy("b", "deny", policyTypes=["Ingress"])
#: Options, each with one kind of result.
CASES: dict[str, dict[str, Any]] = {
    "planned": {"state": "planned", "definitions": [DENY]},
    "applied": {"definitions": [DENY]},
    "kept": {"state": "kept"},
    "restored": {"state": "restored"},
    "violated": {"definitions": [DENY], "required_flows": [FLOW]},
    "violated, reported": {"definitions": [DENY], "required_flows": [FLOW], "on_violation": "report"},
    "not there": {"state": "planned", "forbidden_flows": [{**FLOW, "from": {"namespace": "c"}}], "on_idle": "fail"},
    "no policy": {"definitions": [{"kind": "NetworkPolicy"}]},
    "no type": {"prune": "perhaps"},
    "no choice": {"state": "tried"},
}


def cluster() -> FakeApi:
    found = FakeApi()
    fill(found, namespace("default"), namespace("a"), namespace("b"))
    fill(found, pod("a", "client", "192.0.2.1"), pod("b", "server", "192.0.2.2"))
    found.collections["/apis/networking.k8s.io/v1/networkpolicies"] = []
    return found


@pytest.fixture
def apis() -> Iterator[tuple[FakeApi, FakeApi]]:
    """Two clusters that are the same: what one run changes, the other does not find."""
    one, other = cluster(), cluster()
    with serve(one), serve(other):
        yield one, other


def timeless(value: Any) -> Any:
    return {key: item for key, item in value.items() if key not in ("exception", "invocation")}


def written(api: FakeApi) -> list[tuple[str, str]]:
    return [(method, path) for method, path, query, _body in api.requests if method != "GET" and "dryRun" not in query]


@pytest.mark.parametrize("check_mode", [False, True], ids=["really", "in check mode"])
@pytest.mark.parametrize("case", CASES)
def test_it_gives_and_does_what_the_module_does(apis: tuple[FakeApi, FakeApi], case: str, check_mode: bool) -> None:
    acting = Acting(
        ActionModule, "falconet.k8s.netpol_apply", {"host": apis[0].url, **CASES[case]}, check_mode=check_mode
    )
    by_module = run_module("netpol_apply", {"host": apis[1].url, **CASES[case]}, check_mode, diff_mode=True)
    result = acting.run()
    assert not acting.module.called
    assert timeless(result) == timeless(by_module)
    assert written(apis[0]) == written(apis[1])


def test_anywhere_else_the_module_is_run(apis: tuple[FakeApi, FakeApi]) -> None:
    args = {"host": apis[0].url, "definitions": [DENY]}
    assert Acting(ActionModule, "falconet.k8s.netpol_apply", args, become=object()).run() == MODULE
    assert apis[0].requests == []
