"""Audit events: from a file, a folder, a file that is followed."""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event

from sandbox.standins.falco.config import ConfigError, Plugin
from sandbox.standins.falco.k8saudit import AuditError, AuditSource


def event(name: str, **more: Any) -> dict[str, Any]:
    """An audit event of a pod's creation."""
    return {
        "kind": "Event",
        "auditID": "0",
        "stageTimestamp": "2026-11-21T08:58:47.573375Z",
        "verb": "create",
        "objectRef": {"resource": "pods", "name": name},
        **more,
    }


def names(events: list[Event]) -> list[str]:
    return [one.fields["ka.target.name"] for one in events]


def read(params: object, init_config: dict[str, Any] | None = None) -> list[Event]:
    found: list[Event] = []
    source = AuditSource(Plugin("k8saudit", init_config or {}, str(params)), found.append)
    source.open()
    source.run()
    return found


def test_a_file_is_read_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.log"
    both = {"kind": "EventList", "items": [event("b"), event("c")]}
    lines = [event("a"), both, [event("d")], {"kind": "Pod"}, {**event("x"), "stageTimestamp": "today"}, event("e")]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n{broken\n" + json.dumps(event("f")) + "\n")
    found = read(file)
    assert names(found) == ["a", "b", "c", "d", "e", "f"]
    assert [one.number for one in found] == [one.fields["evt.num"] for one in found] == [1, 2, 3, 4, 5, 6]
    assert found[0].source == "k8s_audit"
    assert found[0].time_ns == 1795251527573375000
    said = capsys.readouterr().err
    assert said.count("[k8saudit] data not recognized as a k8s audit event") == 2
    assert said.count("[k8saudit]") == 3


def test_a_folder_is_read_from_its_oldest_file_on(tmp_path: Path) -> None:
    for age, name in ((3, "z"), (1, "a"), (2, "m")):
        file = tmp_path / name
        file.write_text(json.dumps(event(name)))
        os.utime(file, (1000 - age, 1000 - age))
    (tmp_path / "folder").mkdir()
    assert names(read(f" {tmp_path} ")) == ["z", "m", "a"]


def test_an_event_over_the_bound_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.log"
    file.write_text(json.dumps([event("a"), event("b", annotations={"long": "x" * 300}), event("c")]))
    assert names(read(file, {"maxEventSize": 300})) == ["a", "c"]
    assert "event larger than maxEventSize: size=" in capsys.readouterr().err


def test_a_line_over_gos_bound_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text(json.dumps(event("a", annotations={"long": "x" * 70_000})))
    with pytest.raises(AuditError, match="token too long"):
        read(file)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ("/no/such", "No such file"),
        ("http://127.0.0.1:0", "a path is wanted"),
        ("https://127.0.0.1:0/x", "No such file"),
    ],
)
def test_what_cannot_be_opened(params: str, told: str) -> None:
    source = AuditSource(Plugin("k8saudit", {"sslCertificate": "/no/such.pem"}, params), lambda _: None)
    with pytest.raises(AuditError, match=told):
        source.open()


def test_configurations_that_the_plugin_would_not_take() -> None:
    with pytest.raises(ConfigError, match='scheme "ftp" is not supported'):
        AuditSource(Plugin("k8saudit", {}, "ftp://x"), lambda _: None)
    for size in ("big", -1, True):
        with pytest.raises(ConfigError, match="maxEventSize"):
            AuditSource(Plugin("k8saudit", {"maxEventSize": size}), lambda _: None)


@pytest.fixture
def followed(tmp_path: Path) -> Callable[[], str]:
    """Events of a file that is followed while the test writes to it, by the name of what they are about."""
    (tmp_path / "audit.log").write_text(json.dumps(event("old")) + "\n")
    found: queue.Queue[Event] = queue.Queue()
    source = AuditSource(Plugin("k8saudit", {}, f"file://{tmp_path}/audit.log"), found.put)
    source.open()
    threading.Thread(target=source.run, daemon=True).start()
    return lambda: str(found.get(timeout=20).fields["ka.target.name"])


def test_a_file_that_is_followed_through_a_rotation(tmp_path: Path, followed: Callable[[], str]) -> None:
    file = tmp_path / "audit.log"
    began = threading.Event()

    def write() -> None:
        """What is written before the file is opened is old to the source: so it is written until it was read."""
        number = 0
        while not began.wait(0.05):
            with file.open("a") as stream:
                stream.write(json.dumps(event(f"early{number}")) + "\n")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    assert followed().startswith("early")
    began.set()
    writer.join()
    with file.open("a") as stream:
        stream.write(json.dumps(event("half"))[:20])
        stream.flush()
        stream.write(json.dumps(event("half"))[20:] + "\n")
    name = followed()
    while name.startswith("early"):
        name = followed()
    assert name == "half"
    file.rename(tmp_path / "audit.log.1")
    (tmp_path / "new").write_text(json.dumps(event("after")) + "\n")
    (tmp_path / "new").rename(file)
    assert followed() == "after"
    file.write_text(json.dumps(event("cut")) + "\n" * 2)
    assert followed() == "cut"
