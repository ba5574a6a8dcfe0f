"""falco_rules_rollout through its main(): written, proven on every pod, taken back if refused, finished if killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..module_runner import run_module
from .falco_cluster import BROKEN, CORE, FalcoCluster, falco_cluster

MAPS = ["rules-1", "rules-2"]


@pytest.fixture
def cluster() -> Iterator[FalcoCluster]:
    with falco_cluster() as running:
        yield running


def roll_out(cluster: FalcoCluster, files: dict[str, str], check: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {
        "host": cluster.url,
        "namespace": "falco",
        "files": files,
        "config_maps": MAPS,
        "second_opinion": False,
        "timeout_seconds": 2,
        **options,
    }
    return run_module("falco_rules_rollout", arguments, check_mode=check, diff_mode=True)


def maps(cluster: FalcoCluster) -> dict[str, dict[str, str]]:
    return {m["metadata"]["name"]: m.get("data") or {} for m in cluster.collections[f"{CORE}/configmaps"]}


def writes(cluster: FalcoCluster) -> list[str]:
    return [method for method, path, _, _ in cluster.requests if method != "GET" and "/configmaps" in path]


def test_every_pod_reports_the_files_and_the_journal_is_gone(cluster: FalcoCluster) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n", "b.yaml": "two\n"})
    assert result["changed"] is True
    assert [pod["node"] for pod in result["pods"]] == ["node-a", "node-b"]
    assert all(pod["digests"] == result["digests"] for pod in result["pods"])
    assert maps(cluster) == {"rules-1": {"a.yaml": "one\n", "b.yaml": "two\n"}}


def test_a_second_run_writes_nothing(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    before = len([entry for entry in writes(cluster) if entry == "PATCH"])
    result = roll_out(cluster, {"a.yaml": "one\n"})
    assert result["changed"] is False
    assert result["diff"] == {}
    assert maps(cluster) == {"rules-1": {"a.yaml": "one\n"}}
    assert before > 0


def test_check_mode_writes_nothing_and_shows_the_difference(cluster: FalcoCluster) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n"}, check=True)
    assert result["changed"] is True
    assert "one" in result["diff"]["after"]
    assert writes(cluster) == []


def test_refused_rules_are_taken_back_with_the_reason(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    result = roll_out(cluster, {"a.yaml": BROKEN})
    assert result["failed"] is True
    assert "Falco refused the rules" in result["msg"]
    assert f"LOAD_ERR_COMPILE_CONDITION {BROKEN}" in result["msg"]
    assert "(1 files) are in place again, and every pod was proven" in result["msg"]
    assert maps(cluster) == {"rules-1": {"a.yaml": "one\n"}}


def test_refused_first_rules_leave_none(cluster: FalcoCluster) -> None:
    assert roll_out(cluster, {"a.yaml": BROKEN})["failed"] is True
    assert maps(cluster) == {}


def test_a_pod_that_does_not_answer_is_named_and_the_rules_are_taken_back(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    cluster.deaf = {"falco-b"}
    result = roll_out(cluster, {"a.yaml": "two\n"}, timeout_seconds=1)
    assert result["failed"] is True
    assert "pod falco-b on node-b does not answer /metrics yet (HTTP 503)" in result["msg"]
    assert "could not be proven" in result["msg"]
    assert maps(cluster)["rules-1"] == {"a.yaml": "one\n"}


def test_a_killed_run_is_finished(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    leave_behind(cluster, {"a.yaml": BROKEN}, before={"a.yaml": "one\n"})
    assert roll_out(cluster, {"a.yaml": "two\n"})["changed"] is True
    assert maps(cluster) == {"rules-1": {"a.yaml": "two\n"}}


def test_a_refusal_of_what_a_killed_run_wrote_is_not_taken_for_one_of_ours(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    leave_behind(cluster, {"a.yaml": BROKEN}, before={"a.yaml": "one\n"})
    cluster.stale = ({"a.yaml": BROKEN}, 2)
    result = roll_out(cluster, {"a.yaml": "two\n"}, timeout_seconds=10)
    assert result.get("failed") is not True, result
    assert any(BROKEN in line for lines in cluster.logs.values() for line in lines)
    assert maps(cluster) == {"rules-1": {"a.yaml": "two\n"}}


def test_a_killed_run_that_is_repeated_goes_back_to_what_was_proven(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    leave_behind(cluster, {"a.yaml": BROKEN}, before={"a.yaml": "one\n"})
    assert roll_out(cluster, {"a.yaml": BROKEN})["failed"] is True
    assert maps(cluster) == {"rules-1": {"a.yaml": "one\n"}}


def test_an_incomplete_journal_means_that_nothing_has_changed(cluster: FalcoCluster) -> None:
    roll_out(cluster, {"a.yaml": "one\n"})
    cluster.collections[f"{CORE}/configmaps"].append(
        {"metadata": {"name": "rules-1-previous"}, "data": {"a.yaml": "old"}}
    )
    assert roll_out(cluster, {"a.yaml": "one\n"})["changed"] is False


def leave_behind(cluster: FalcoCluster, now: dict[str, str], before: dict[str, str]) -> None:
    """What a run leaves that was killed after its write."""
    cluster.collections[f"{CORE}/configmaps"] = [
        {"metadata": {"name": "rules-1"}, "data": now},
        {"metadata": {"name": "rules-1-previous"}, "data": before},
        {"metadata": {"name": "rules-2-previous"}, "data": {}},
    ]


@pytest.mark.parametrize("files", [{"a.txt": "x"}, {"a/b.yaml": "x"}, {"big.yaml": "x" * 1_000_001}])
def test_files_that_fit_no_config_map_are_refused(cluster: FalcoCluster, files: dict[str, str]) -> None:
    result = roll_out(cluster, files)
    assert result["failed"] is True
    assert next(iter(files)) in result["msg"]
    assert writes(cluster) == []


def test_a_falco_that_is_not_there_is_told(cluster: FalcoCluster) -> None:
    result = roll_out(cluster, {"a.yaml": "one\n"}, workload="falko", timeout_seconds=1)
    assert result["failed"] is True
    assert "DaemonSet falko does not exist" in result["msg"]
