"""falco_alerts_info reads logs and a receiver through the API server, waits, and names what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import streams

from ..api_server import ApiServer, api_server
from ..module_runner import run_module


def pods(*, container: str = "one", ended: str = "", uid: str = "u1") -> str:
    """A list with one Falco, whose container may have been another one before."""
    status: dict[str, Any] = {"name": "falco", "containerID": container}
    if ended:
        status["lastState"] = {"terminated": {"containerID": ended, "finishedAt": "2026-01-31T12:00:01Z"}}
    about = {"name": "falco-a", "namespace": "falco", "uid": uid}
    item = {"metadata": about, "spec": {"nodeName": "n1"}, "status": {"containerStatuses": [status]}}
    return json.dumps({"metadata": {}, "items": [item]})


ALERT = {
    "output": "x",
    "output_fields": {"k8s.pod.name": "p1"},
    "priority": "Warning",
    "rule": "R1",
    "source": "syscall",
    "tags": [],
    "time": "2026-01-31T12:00:00.5Z",
}
PODS = "/api/v1/namespaces/falco/pods"
LOG = f"{PODS}/falco-a/log"
RECEIVER = {"namespace": "alerts", "service": "receiver", "port": 8080}


def logged(*documents: dict[str, Any], at: str = "2026-01-31T12:00:00.503Z") -> str:
    """Lines of a log as the API server gives them with their times."""
    return "".join(f"{document.get('at', at)} {json.dumps(document)}\n" for document in documents)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        running.answer(PODS, pods())
        yield running


def run(server: ApiServer, **options: object) -> dict[str, Any]:
    return run_module("falco_alerts_info", {"host": server.url, **options})


def test_an_alert_in_the_log_is_matched(server: ApiServer) -> None:
    server.answer(LOG, "2026-01-31T12:00:00Z starting\n" + logged(ALERT))
    result = run(server, expected=[{"rule": "R1", "fields": {"k8s.pod.name": "p1"}}], since="2026-01-31T12:00:00Z")
    assert result["missing"] == []
    assert result["matches"][0]["latency_ms"] == 3.0
    assert result["changed"] is False
    asked = dict(server.asked)
    assert asked[LOG]["sinceTime"] == ["2026-01-31T12:00:00Z"]
    assert asked[PODS]["labelSelector"] == ["app.kubernetes.io/name=falco"]


def test_an_older_alert_does_not_count(server: ApiServer) -> None:
    server.answer(LOG, logged(ALERT))
    result = run(server, expected=[{"rule": "R1"}], since="2026-01-31T12:00:00.6Z")
    assert result["missing"] == ["R1"]


def test_it_waits_for_an_alert_that_comes_later(server: ApiServer) -> None:
    server.answer(LOG, "", "", logged(ALERT))
    assert run(server, expected=[{"rule": "R1"}], wait_seconds=20)["missing"] == []
    assert [path for path, _ in server.asked].count(LOG) == 3


@pytest.mark.parametrize(("deadline", "looks"), [("2020-01-31T12:00:00Z", 1), ("2999-01-31T12:00:00Z", 3)])
def test_the_wait_ends_at_the_deadline(server: ApiServer, deadline: str, looks: int) -> None:
    server.answer(LOG, "", "", logged(ALERT))
    result = run(server, expected=[{"rule": "R1"}], wait_seconds=20, deadline=deadline)
    assert (result["missing"] == []) is (looks == 3)
    assert [path for path, _ in server.asked].count(LOG) == looks


def test_a_deadline_far_away_makes_no_wait_longer(server: ApiServer) -> None:
    server.answer(LOG, "")
    assert run(server, expected=[{"rule": "R1"}], deadline="2999-01-31T12:00:00Z")["missing"] == ["R1"]


def test_the_receiver_is_asked_through_the_proxy_and_tells_the_latency(server: ApiServer) -> None:
    path = "/api/v1/namespaces/alerts/services/receiver:8080/proxy/alerts"
    line = {"received": "2026-01-31T12:00:00.520Z", "destination": "webhook", "rule": "R1", "text": "x", "alert": ALERT}
    server.answer(path, json.dumps(line))
    result = run(server, source="receiver", receiver=RECEIVER, expected=[{"rule": "R1", "destination": "webhook"}])
    assert result["matches"][0]["latency_ms"] == 20.0


def test_a_receiver_that_is_missing_is_named(server: ApiServer) -> None:
    result = run(server, source="receiver", receiver=RECEIVER)
    assert result["failed"]
    assert "receiver" in result["msg"]


def test_no_falco_pod_is_an_error_and_not_silence(server: ApiServer) -> None:
    server.answers[PODS] = [(200, '{"metadata": {}, "items": []}')]
    result = run(server)
    assert result["failed"]
    assert "Is Falco installed there?" in result["msg"]


@pytest.mark.parametrize(
    ("options", "word"),
    [({"since": "noon"}, "noon"), ({"deadline": "soon"}, "soon"), ({"expected": [{"name": "x"}]}, "any alert")],
)
def test_bad_input_is_told_before_the_cluster_is_asked(
    server: ApiServer, options: dict[str, object], word: str
) -> None:
    result = run(server, **options)
    assert result["failed"]
    assert word in result["msg"]
    assert server.asked == []


NODE_LOGS = "/api/v1/nodes/n1/proxy/logs/pods/falco_falco-a_u1/falco/"


def alert(number: int) -> dict[str, Any]:
    """An alert of its own, logged at that second."""
    return {**ALERT, "output": f"alert {number}", "at": f"2026-01-31T12:00:{number:02}Z"}


def texts(result: dict[str, Any]) -> list[str]:
    return [one["text"] for one in result["alerts"]]


def test_a_read_goes_on_where_another_one_ended(server: ApiServer) -> None:
    twin = alert(1)
    server.answer(
        LOG, logged(twin), logged(twin, twin, alert(1) | {"output": "same time"}), logged(twin, twin, alert(2))
    )
    first = run(server)
    second = run(server, cursor=first["cursor"])
    third = run(server, cursor=second["cursor"])
    assert (texts(first), texts(second)) == (["alert 1"], ["alert 1", "same time"])
    assert texts(third) == ["alert 2"]
    assert third["gaps"] == []
    assert server.asked[-1][1]["sinceTime"] == ["2026-01-31T12:00:01Z"]


def test_the_log_before_a_restart_is_read_to_its_end(server: ApiServer) -> None:
    server.answers[PODS] = [(200, pods()), (200, pods(container="two", ended="one"))]
    # Asked in this order: the log, and after the restart the one before it, and the new one.
    server.answer(LOG, logged(alert(1)), logged(alert(1), alert(2)), logged(alert(3)))
    first = run(server)
    second = run(server, cursor=first["cursor"])
    assert texts(second) == ["alert 2", "alert 3"]
    assert second["gaps"] == []
    assert server.asked[-2][1]["previous"] == ["true"]


def test_a_first_read_takes_the_log_before_a_restart_as_well(server: ApiServer) -> None:
    server.answers[PODS] = [(200, pods(container="two", ended="one"))]
    server.answer(LOG, logged(alert(1)), logged(alert(3)))
    assert texts(run(server)) == ["alert 1", "alert 3"]
    asked = len(server.asked)
    run(server, since="2026-01-31T12:00:02Z")
    assert ["previous" in query for _path, query in server.asked[asked:]] == [False, False]


def test_a_second_restart_may_have_lost_something_and_that_is_told(server: ApiServer) -> None:
    server.answers[PODS] = [(200, pods()), (200, pods(container="three", ended="two"))]
    server.answer(LOG, logged(alert(1)), logged(alert(4)), logged(alert(5)))
    second = run(server, cursor=run(server)["cursor"])
    assert texts(second) == ["alert 4", "alert 5"]
    assert second["gaps"] == ["pod falco-a restarted more than once; what it logged between is lost"]


def test_a_log_that_was_rotated_is_read_from_the_node(server: ApiServer) -> None:
    server.answer(LOG, logged(alert(1)), logged(alert(4)))
    server.answer(NODE_LOGS, '<a href="0.log">0.log</a>\n<a href="0.log.20260131-120003">x</a>')
    lines = [f"{one['at']} stdout F {json.dumps(one)}" for one in (alert(1), alert(2))]
    half = json.dumps(alert(3))
    lines += [f"{alert(3)['at']} stdout P {half[:30]}", f"{alert(3)['at']} stdout F {half[30:]}"]
    server.answer(f"{NODE_LOGS}0.log.20260131-120003", "\n".join(lines))
    second = run(server, cursor=run(server)["cursor"])
    assert texts(second) == ["alert 2", "alert 3", "alert 4"]
    assert second["gaps"] == []


def test_a_log_that_was_rotated_and_cannot_be_read_from_the_node_is_told(server: ApiServer) -> None:
    server.answer(LOG, logged(alert(1)), logged(alert(4)))
    second = run(server, cursor=run(server)["cursor"])
    assert texts(second) == ["alert 4"]
    assert second["gaps"] == [
        "the log of pod falco-a begins after 2026-01-31T12:00:01Z; what was logged between is lost"
    ]


def test_a_pod_that_is_gone_is_told(server: ApiServer) -> None:
    server.answers[PODS] = [(200, pods()), (200, pods(uid="u2"))]
    server.answer(LOG, logged(alert(1)), logged(alert(2)))
    second = run(server, cursor=run(server)["cursor"])
    assert texts(second) == ["alert 2"]
    assert second["gaps"] == ["pod falco-a is gone, and what it logged after 2026-01-31T12:00:01Z"]


def test_a_log_is_read_in_parts_where_it_is_long(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = logged(*(alert(number) for number in range(6)))
    size = len(whole) // 2
    monkeypatch.setattr(streams, "LOG_LIMIT_BYTES", size)
    rest = logged(*(alert(number) for number in range(1, 6)))
    server.answer(LOG, whole[:size], rest[:size], logged(alert(3), alert(4))[:size], logged(alert(4)))
    assert texts(run(server)) == [f"alert {number}" for number in range(5)]


def test_a_pod_that_cannot_be_read_now_keeps_its_place(server: ApiServer) -> None:
    two = json.loads(pods())
    two["items"].append(json.loads(pods(uid="u2"))["items"][0])
    two["items"][1]["metadata"]["name"] = "falco-b"
    server.answers[PODS] = [(200, json.dumps(two))]
    server.answers[LOG] = [(200, logged(alert(1))), (404, "{}"), (200, logged(alert(1), alert(2)))]
    server.answer(f"{PODS}/falco-b/log", "")
    first = run(server)
    second = run(server, cursor=first["cursor"])
    third = run(server, cursor=second["cursor"])
    assert list(second["unread"]) == ["falco-a"]
    assert (texts(first), texts(second), texts(third)) == (["alert 1"], [], ["alert 2"])


def received(*numbers: int) -> str:
    return "\n".join(
        json.dumps({"received": alert(number)["at"], "destination": "webhook", "text": "x", "alert": alert(number)})
        for number in numbers
    )


def test_a_receiver_is_read_with_a_cursor_too(server: ApiServer) -> None:
    path = "/api/v1/namespaces/alerts/services/receiver:8080/proxy/alerts"
    server.answer(path, received(10), received(10, 8, 11), received(30))
    first = run(server, source="receiver", receiver=RECEIVER)
    second = run(server, source="receiver", receiver=RECEIVER, cursor=first["cursor"])
    third = run(server, source="receiver", receiver=RECEIVER, cursor=second["cursor"])
    assert [one["count"] for one in (first, second, third)] == [1, 2, 1]
    assert second["gaps"] == []
    assert "any more" in third["gaps"][0]
    assert run(server, cursor=first["cursor"])["failed"]


METRICS = 'falcosecurity_falcosidekick_outputs_total{{destination="slack",status="ok"}} {}\n'


def counted(result: dict[str, Any]) -> list[tuple[int, int]]:
    return [(one["value"], one["increase"]) for one in result["counters"]]


def test_what_falcosidekick_counted_grows_from_read_to_read(server: ApiServer) -> None:
    server.answers[PODS] = [(200, pods()), (200, pods()), (200, pods(container="two")), (200, pods(uid="u2"))]
    path = f"{PODS}/falco-a:2801/proxy/metrics"
    server.answer(path, METRICS.format(3), METRICS.format(5), METRICS.format(1), METRICS.format(4))
    results = [run(server, source="sidekick")]
    for _number in range(3):
        results.append(run(server, source="sidekick", cursor=results[-1]["cursor"]))
    assert [counted(one) for one in results] == [[(3, 3)], [(5, 2)], [(1, 1)], [(4, 4)]]
    assert [len(one["gaps"]) for one in results] == [0, 0, 1, 1]
    assert "restarted" in results[2]["gaps"][0]
    assert "is gone" in results[3]["gaps"][0]


def test_a_falcosidekick_that_speaks_tls_is_asked_so(server: ApiServer) -> None:
    server.answer(f"{PODS}/https:falco-a:2810/proxy/metrics", METRICS.format(3))
    assert counted(run(server, source="sidekick", sidekick={"scheme": "https", "port": 2810})) == [(3, 3)]


def test_a_falcosidekick_that_is_away_is_an_error_and_not_silence(server: ApiServer) -> None:
    assert "pods/proxy" in run(server, source="sidekick")["msg"]
    server.answers[PODS] = [(200, '{"metadata": {}, "items": []}')]
    assert "Is Falcosidekick installed?" in run(server, source="sidekick")["msg"]


def test_no_alert_can_be_expected_of_counters(server: ApiServer) -> None:
    assert "take another source" in run(server, source="sidekick", expected=[{"rule": "R1"}])["msg"]
