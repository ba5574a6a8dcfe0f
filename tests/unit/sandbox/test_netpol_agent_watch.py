"""The NetworkPolicy agent's way to the API: kubeconfig, list and watch, restarts, the published state."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from .netpol_objects import NODE, namespace, pod, policy

from netpol_agent import __main__ as agent  # isort: skip -- importable once netpol_objects has set the path
from netpol_agent import kubeconfig  # isort: skip
from netpol_agent.watch import Api, GoneError, Store, follow  # isort: skip

LIMIT_SECONDS = 10


class FakeApi:
    """An API server with scripted watches: each request gets the next script; without one it stays open."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.version = 10
        self.scripts: list[tuple[int, list[dict[str, Any]]]] = []
        self.requests: list[str] = []
        self.served = threading.Condition()
        self.end = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Keep the tests' output quiet."""

            def do_GET(self) -> None:
                outer.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        with self.served:
            self.requests.append(request.path)
            self.served.notify_all()
        if "watch=1" not in request.path:
            page = {"metadata": {"resourceVersion": str(self.version)}, "items": self.items}
            if "continue=" not in request.path and len(self.items) > 1:
                page = {"metadata": {"resourceVersion": str(self.version), "continue": "next"}, "items": self.items[:1]}
            elif "continue=" in request.path:
                page["items"] = self.items[1:]
            self._send(request, 200, [page])
        elif self.scripts:
            self._send(request, *self.scripts.pop(0))
        else:
            self._send(request, 200, [])
            self.end.wait(LIMIT_SECONDS)

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, documents: list[dict[str, Any]]) -> None:
        request.send_response(status)
        request.end_headers()
        for document in documents:
            request.wfile.write(json.dumps(document).encode() + b"\n")
        request.wfile.flush()

    def wait_for_requests(self, number: int) -> list[str]:
        with self.served:
            assert self.served.wait_for(lambda: len(self.requests) >= number, LIMIT_SECONDS), self.requests
            return list(self.requests)


@pytest.fixture
def fake_api() -> Iterator[FakeApi]:
    server = FakeApi()
    yield server
    server.end.set()
    server.server.shutdown()
    server.server.server_close()


def versioned(thing: dict[str, Any], version: int) -> dict[str, Any]:
    thing["metadata"]["resourceVersion"] = str(version)
    return thing


def started(server: FakeApi) -> tuple[Store, threading.Event, threading.Event]:
    changed, stop = threading.Event(), threading.Event()
    store = Store("pods", "/api/v1/pods", changed)
    api = Api(kubeconfig.Access(server.url, None))
    threading.Thread(target=follow, args=(api, store, stop), kwargs={"wait": lambda _: None}, daemon=True).start()
    return store, changed, stop


def names(store: Store) -> set[str]:
    held = store.read()
    return {thing["metadata"]["name"] for thing in held[0]} if held else set()


def wait_until(changed: threading.Event, condition: Any) -> None:
    for _ in range(200):
        if condition():
            return
        changed.wait(LIMIT_SECONDS / 200)
        changed.clear()
    raise AssertionError("the condition did not come true in time")


def test_list_is_paged_and_the_watch_starts_from_its_version(fake_api: FakeApi) -> None:
    fake_api.items = [versioned(pod(name, f"10.244.1.{n}"), 5) for n, name in enumerate("abc", 2)]
    store, changed, stop = started(fake_api)
    wait_until(changed, lambda: names(store) == {"a", "b", "c"})
    requests = fake_api.wait_for_requests(3)
    assert "continue=next" in requests[1]
    assert "resourceVersion=10" in requests[2]
    stop.set()


def test_events_are_taken_and_an_ended_watch_goes_on_where_it_was(fake_api: FakeApi) -> None:
    fake_api.items = [versioned(pod("a", "10.244.1.2"), 5)]
    events = [
        {"type": "ADDED", "object": versioned(pod("b", "10.244.1.3"), 11)},
        {"type": "DELETED", "object": versioned(pod("a", "10.244.1.2"), 12)},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}},
    ]
    fake_api.scripts = [(200, events)]
    store, changed, stop = started(fake_api)
    wait_until(changed, lambda: names(store) == {"b"} and store.version == "20")
    requests = fake_api.wait_for_requests(3)
    assert "resourceVersion=20" in requests[2]
    assert "watch=1" in requests[2]
    stop.set()


@pytest.mark.parametrize(
    "script",
    [
        (410, [{"code": 410}]),
        (200, [{"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}]),
        (500, [{"message": "no"}]),
        (200, [{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}]),
    ],
)
def test_a_watch_that_cannot_go_on_is_followed_by_a_list(
    fake_api: FakeApi, script: tuple[int, list[dict[str, Any]]]
) -> None:
    fake_api.scripts = [script]
    store, changed, stop = started(fake_api)
    requests = fake_api.wait_for_requests(4)
    assert ["watch=1" in request for request in requests[:4]] == [False, True, False, True]
    wait_until(changed, lambda: store.read() is not None)
    stop.set()


def test_an_unreachable_server_is_tried_again() -> None:
    tries = []
    stop = threading.Event()

    def pause(_: float) -> None:
        tries.append(1)
        if len(tries) == 3:
            stop.set()

    store = Store("pods", "/api/v1/pods", threading.Event())
    follow(Api(kubeconfig.Access("http://127.0.0.1:1", None)), store, stop, wait=pause)
    assert len(tries) == 3
    assert store.read() is None


def test_gone_is_told_apart() -> None:
    store = Store("pods", "/", threading.Event())
    with pytest.raises(GoneError):
        store.apply("ERROR", {"code": 410})
    with pytest.raises(OSError, match="boom"):
        store.apply("ERROR", {"code": 500, "message": "boom"})


DOCUMENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1", "certificate-authority-data": "QUJD" * 60}}],
    "users": [{"name": "u", "user": {"token": 'it\'s: a "token"'}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
    "preferences": {},
}


@pytest.mark.parametrize("dump", [json.dumps, lambda d: yaml.safe_dump(d, sort_keys=False), yaml.safe_dump])
def test_kubeconfig_as_json_and_as_yaml(tmp_path: Path, dump: Any) -> None:
    assert kubeconfig.parse(dump(DOCUMENT)) == DOCUMENT
    path = tmp_path / "config"
    path.write_text(dump(DOCUMENT))
    access = kubeconfig.load(path)
    assert (access.server, access.token, access.tls) == (
        "http://127.0.0.1:1",
        DOCUMENT["users"][0]["user"]["token"],
        None,
    )


def test_kubeconfig_errors_name_file_and_thing(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump({**DOCUMENT, "current-context": "nope"}))
    with pytest.raises(kubeconfig.KubeconfigError, match=r"config: there is no context named 'nope'"):
        kubeconfig.load(path)
    path.write_text("a: {b: c}\n")
    with pytest.raises(kubeconfig.KubeconfigError, match="block style"):
        kubeconfig.load(path)


def options(tmp_path: Path, program: str) -> argparse.Namespace:
    return argparse.Namespace(
        nft=program,
        node_ip=IPv4Address(NODE),
        pod_cidr=IPv4Network("10.244.0.0/16"),
        state=tmp_path / "deep" / "state.json",
    )


def filled(changed: threading.Event) -> dict[str, Store]:
    stores = {kind: Store(kind, path, changed) for kind, path in agent.KINDS.items()}
    stores["pods"].replace([pod("x", "10.244.1.2")], "7")
    stores["namespaces"].replace([namespace("a")], "8")
    return stores


def test_nothing_is_loaded_before_everything_is_known_and_the_state_says_what_was(tmp_path: Path) -> None:
    program = tmp_path / "nft"
    program.write_text(f"#!/bin/sh\ncat >> {tmp_path}/loaded\n")
    program.chmod(0o755)
    given = options(tmp_path, str(program))
    stores = filled(threading.Event())
    enforcer = agent.Enforcer(given, stores)
    assert enforcer.apply() is False
    assert not given.state.exists()
    stores["networkpolicies"].replace([policy("deny")], "9")
    assert enforcer.apply() is True
    state = json.loads(given.state.read_text())
    assert state["resource_versions"] == {"pods": "7", "namespaces": "8", "networkpolicies": "9"}
    assert (state["policies"], state["pods"], state["local_pods"], state["transactions"]) == (1, 1, 1, 1)
    assert state["running"] is True
    loaded = (tmp_path / "loaded").read_text()
    # A newer version of the same content is published, but is no new transaction.
    stores["pods"].replace([pod("x", "10.244.1.2")], "12")
    assert enforcer.apply() is True
    after = json.loads(given.state.read_text())
    assert (after["resource_versions"]["pods"], after["transactions"], after["digest"]) == ("12", 1, state["digest"])
    assert (tmp_path / "loaded").read_text() == loaded
    enforcer.stopped()
    assert json.loads(given.state.read_text()) == {**after, "running": False}


def test_what_nft_refused_is_not_published(tmp_path: Path) -> None:
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    given = options(tmp_path, str(program))
    stores = filled(threading.Event())
    stores["networkpolicies"].replace([], "9")
    with pytest.raises(agent.nft.NftError):
        agent.Enforcer(given, stores).apply()
    assert not given.state.exists()


def test_command_line_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        agent.arguments(["--kubeconfig", "k", "--pod-cidr", "10.244.0.0/16"])
    assert "--node-ip, --state" in capsys.readouterr().err


def test_cleanup_needs_nothing_else_and_removes_the_table(tmp_path: Path) -> None:
    program = tmp_path / "nft"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path}/text\n")
    program.chmod(0o755)
    assert agent.main(["--cleanup", "--nft", str(program)]) == 0
    assert (tmp_path / "text").read_text().endswith("delete table inet netpol\n")
