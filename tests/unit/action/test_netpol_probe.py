"""The action plugin netpol_probe gives what the module of its name gives, whose real main() is run beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.action.netpol_probe import ActionModule

from ..kube.cluster import fill, policy
from ..kube.fake_api import FakeApi
from ..module_runner import run_module
from ..modules.test_netpol_probe import api, flow, pair, port
from .acting import MODULE, Acting

__all__ = ["api", "port"]
#: What a clock measures, and a traceback, which a module adds to a failure.
NEVER_ALIKE = {"seconds", "latency_ms", "settled_ms", "settled_seconds", "exception"}


def task(api: FakeApi, args: dict[str, Any], **how: Any) -> Acting:
    given = {"host": api.url, "method": "exec", "settle_seconds": 0, **args}
    return Acting(ActionModule, "falconet.k8s.netpol_probe", given, **how)


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in NEVER_ALIKE}
    return [timeless(item) for item in value] if isinstance(value, list) else value


#: Options for a port that is open, each with one kind of result.
CASES: dict[str, Callable[[int], dict[str, Any]]] = {
    "met": lambda port: {"required_flows": [flow(port)]},
    "violated": lambda port: {"forbidden_flows": [flow(port)]},
    "violated, reported": lambda port: {"forbidden_flows": [flow(port)], "on_violation": "report"},
    "against the analysis": lambda port: {"namespaces": ["a", "b"], "expected": "analysis"},
    "not tried": lambda port: {"required_flows": [{"from": {"namespace": "c"}, "to": {"namespace": "b"}}]},
    "a word that is none": lambda port: {"required_flows": [{"from": {"namspace": "a"}}]},
    "no number": lambda port: {"settle_seconds": -1},
    "no type": lambda port: {"connect_timeout": "soon"},
    "no choice": lambda port: {"method": "magic"},
    "both names of an option": lambda port: {
        "required_flows": [flow(port)],
        "validate_certs": True,
        "verify_ssl": True,
    },
    "a secret in the result": lambda port: {"required_flows": [flow(port, "planted-key")], "api_key": "planted-key"},
}


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_the_module_gives(api: FakeApi, port: int, case: str) -> None:
    pair(api, port)
    fill(api, policy("b", "deny", policyTypes=["Ingress"]))
    acting = task(api, CASES[case](port))
    by_module = run_module("netpol_probe", acting.plugin._task.args)
    result = acting.run()
    assert not acting.module.called
    # Since ansible-core 2.19 a module has a form of its own for them, which Ansible makes of texts as well.
    warnings = result.pop("warnings", [])
    assert all(warning in str(by_module["warnings"]) for warning in warnings)
    assert len(warnings) == len(by_module.pop("warnings", []))
    assert timeless(result) == timeless(by_module)
    assert "planted-key" not in str(result)


def test_in_check_mode_it_starts_no_pods(api: FakeApi) -> None:
    args = {"question": "enforcement"}
    by_module = run_module("netpol_probe", {"host": api.url, "method": "exec", "settle_seconds": 0, **args}, True)
    result = task(api, args, check_mode=True).run()
    assert result == by_module
    assert result["skipped"] is True
    assert api.requests == []


def test_anywhere_else_the_module_is_run(api: FakeApi) -> None:
    assert task(api, {}, transport="ssh").run() == MODULE
    assert api.requests == []


def test_a_run_that_is_told_to_stop_ends_through_its_clean_up(api: FakeApi, port: int) -> None:
    pair(api, port)
    before = signal.getsignal(signal.SIGTERM)

    def told_to_stop(_method: str, path: str, _query: Any) -> None:
        if path.endswith("/exec"):
            os.kill(os.getpid(), signal.SIGTERM)

    api.faults = told_to_stop
    with pytest.raises(SystemExit, match="stopped by a signal"):
        task(api, {"required_flows": [flow(port)]}).run()
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_a_signal_did_before_it_does_after(api: FakeApi, port: int) -> None:
    def own(_signal: int, _frame: object) -> None:
        """Of whoever runs the action."""

    pair(api, port)
    before = signal.signal(signal.SIGTERM, own)
    try:
        assert task(api, {"required_flows": [flow(port)]}).run()["counts"]["met"] == 1
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
