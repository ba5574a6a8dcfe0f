"""The module netpol_suggest through its main()."""

from __future__ import annotations

import yaml

from ..module_runner import run_module
from ..netpol.suggest.test_suggest import NAMES, TWIN, WORKLOADS


def test_the_suggestion_is_proven_and_comes_as_objects_and_text() -> None:
    workloads = [o for o in WORKLOADS if o["metadata"]["name"] != "api-canary"]
    flow = {"from": NAMES[0], "to": NAMES[1], "protocol": "TCP", "ports": "8080"}
    result = run_module("netpol_suggest", {"resources": workloads, "flows": [flow]})
    assert result["proven"] is True
    assert result["changed"] is False
    assert list(yaml.safe_load_all(result["manifest"])) == result["policies"]
    check = run_module(
        "netpol_analyze", {"resources": [*workloads, *result["policies"]], "outside": False, "namespaces": ["prod"]}
    )
    assert flow in check["connections"]


def test_what_cannot_be_proven_fails_unless_told_otherwise() -> None:
    flow = {"from": NAMES[0], "to": NAMES[1], "port": "8080"}
    alike = [*WORKLOADS, TWIN]
    failed = run_module("netpol_suggest", {"resources": alike, "flows": [flow]})
    assert failed["failed"] is True
    assert "not observed: prod/Deployment/web -> prod/Deployment/api-twin" in failed["msg"]
    kept = run_module("netpol_suggest", {"resources": alike, "flows": [flow], "require_proof": False})
    assert kept["proven"] is False
