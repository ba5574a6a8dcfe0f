"""What the API server's own code said of policies and requests, asked of this collection's.

Recorded from `LoadPolicyFromBytes` and `EvaluatePolicyRule` of `k8s.io/apiserver/pkg/audit/policy` 0.35.4: policies
drawn at random, broken in ways that people break them, the presets of then and odd YAML.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.audit.document import read
from ansible_collections.falconet.k8s.plugins.module_utils.audit.model import Request
from ansible_collections.falconet.k8s.plugins.module_utils.audit.reference import decide

RECORDED = Path(__file__).resolve().parents[2] / "corpus" / "audit" / "policies.jsonl.gz"


def recorded() -> list[dict[str, Any]]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_what_the_api_server_refuses_is_refused_and_nothing_else() -> None:
    cases = recorded()
    assert sum(case["refused"] for case in cases) > 50
    assert [case for case in cases if (read(case["policy"]).policy is None) is not case["refused"]] == []


def test_what_the_api_server_records_of_a_request_is_what_is_said() -> None:
    asked = 0
    for case in recorded():
        policy = read(case["policy"]).policy
        for request, level, omitted in case.get("asked", ()):
            assert policy is not None
            found = decide(policy, Request(**{**request, "groups": frozenset(request.get("groups", ()))}))
            assert (found.level.text, sorted(found.omitted)) == (level, omitted), (case["policy"], request)
            asked += 1
    assert asked > 3000
