"""kube_audit_counters_info tells what an API server counts, or why it may not be asked."""

from __future__ import annotations

from ..kube.fake_api import FakeApi, serve
from ..module_runner import run_module


def test_counters_or_the_reason() -> None:
    api = FakeApi()
    with serve(api):
        api.faults = lambda method, path, query: (200, {"a": "b"}) if path == "/metrics" else None
        found = run_module("kube_audit_counters_info", {"host": api.url})
        assert (found["changed"], found["events"], found["errors"], found["rejected"]) == (False, 0, {}, 0)
        api.faults = lambda method, path, query: (403, {"kind": "Status", "reason": "Forbidden", "message": "no"})
        refused = run_module("kube_audit_counters_info", {"host": api.url})
    assert refused["failed"]
    assert "/metrics" in refused["msg"]
