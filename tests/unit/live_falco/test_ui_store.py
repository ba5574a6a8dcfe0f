"""The store of Falcosidekick's UI as a stream: pages, a cursor, what is lost, and what it refuses."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import ui_store

UI = {"label_selector": "app=ui", "port": 2802, "username": "viewer", "password": "planted"}
READY = {"metadata": {"name": "ui-1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
SECOND = 10**9
NOW = 1_769_860_860 * SECOND  # 2026-01-31T12:01:00Z


def event(number: int, at: str = "") -> dict[str, Any]:
    moment = at or f"2026-01-31T12:00:{number:02}Z"
    return {"uuid": f"u{number}", "rule": f"R{number}", "output": "x", "priority": "Notice", "time": moment}


class Store:
    """A UI that has events, the newest first as it gives them, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pods: list[dict[str, Any]] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []
        self.pods = [READY] if pods is None else pods
        self.answer: tuple[int, bytes] | None = None
        monkeypatch.setattr(ui_store, "get", self.get)

    def list_all(self, *_arguments: object, **_more: object) -> list[dict[str, Any]]:
        return self.pods

    def get(
        self, _client: object, _namespace: str, _pod: str, _port: int, path: str, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        query = parse_qs(urlsplit(path).query)
        self.asked.append(query)
        self.headers.append(headers)
        if self.answer:
            return self.answer
        size, page = int(query["limit"][0]), int(query["page"][0])
        part = sorted(self.events, key=lambda one: str(one["time"]), reverse=True)[(page - 1) * size : page * size]
        document = {"statistics": {"all": len(self.events)}, **({"results": part} if part else {})}
        return 200, json.dumps(document).encode()

    def read(self, since_ns: int | None = None, positions: dict[str, Any] | None = None, **about: object) -> Any:
        given = {**UI, **about}
        client: Any = self  # all that is asked of one
        return ui_store.read_ui(client, "falco", given, since_ns, positions or {}, lambda: NOW)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    return Store(monkeypatch)


def rules(read: Any) -> list[str]:
    return [alert.rule for alert in read.alerts]


def test_a_read_goes_on_where_another_one_ended(store: Store) -> None:
    store.events = [event(2), event(1)]
    first = store.read()
    store.events += [event(3)]
    second = store.read(positions=first.positions)
    assert (rules(first), rules(second), second.gaps) == (["R1", "R2"], ["R3"], [])
    # Back to a minute before the last event, and a minute for a clock that is another one.
    assert store.asked[-1]["since"] == ["178s"]
    assert "since" not in store.asked[0]


def test_what_came_late_is_not_lost_and_not_taken_twice(store: Store) -> None:
    store.events = [event(40)]
    first = store.read()
    store.events += [event(5)]
    second = store.read(positions=first.positions)
    third = store.read(positions=second.positions)
    assert (rules(second), rules(third)) == (["R5"], [])


def test_pages_that_shift_give_each_event_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui_store, "PAGE", 2)
    store.events = [event(number) for number in (1, 2, 3)]
    get = store.get

    def and_one_more(*arguments: Any) -> tuple[int, bytes]:
        answer = get(*arguments)
        if len(store.asked) == 1:
            store.events.append(event(4))
        return answer

    monkeypatch.setattr(ui_store, "get", and_one_more)
    assert sorted(rules(store.read())) == ["R1", "R2", "R3"]


def test_events_before_the_moment_are_left_out(store: Store) -> None:
    store.events = [event(1), event(30)]
    assert rules(store.read(since_ns=NOW - 45 * SECOND)) == ["R30"]


def test_a_store_that_was_emptied_is_told(store: Store) -> None:
    store.events = [event(1)]
    first = store.read()
    store.events = []
    (gap,) = store.read(positions=first.positions).gaps
    assert gap == "the UI's store does not keep what it had until 2026-01-31T12:00:01Z any more"


def test_the_password_is_shown_where_there_is_a_user(store: Store) -> None:
    store.read()
    store.read(username=None)
    assert store.headers == [{"Authorization": "Basic dmlld2VyOnBsYW50ZWQ="}, {}]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, b""), "refuses the user and the password"),
        ((503, b""), "answers 503"),
        ((200, b"<html>"), "does not answer a search of events as one"),
        ((200, b'{"results": [{"time": "noon"}]}'), "does not answer a search of events as one"),
    ],
)
def test_what_it_refuses_is_told_without_the_password(store: Store, answer: tuple[int, bytes], why: str) -> None:
    store.answer = answer
    with pytest.raises(KubeError, match=why) as refused:
        store.read()
    assert "planted" not in str(refused.value)


def test_a_ui_without_a_ready_pod_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KubeError, match="no pod in namespace falco with the labels app=ui is ready"):
        Store(monkeypatch, pods=[{"metadata": {"name": "ui-1"}, "status": {}}]).read()
