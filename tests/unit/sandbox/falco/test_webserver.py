"""/healthz, /versions and /metrics."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.standins.falco.daemon import Daemon
from sandbox.standins.falco.webserver import serve

from .setting import configured, rule
from .test_daemon import daemon

SETTINGS = (
    "webserver: {listen_address: 127.0.0.1, listen_port: 0, prometheus_metrics_enabled: true}\n"
    "metrics: {enabled: true}\n"
)
Ask = Callable[[str], "tuple[int, str]"]


@pytest.fixture
def one(tmp_path: Path) -> Daemon:
    return daemon(tmp_path, SETTINGS)


@pytest.fixture
def ask(one: Daemon) -> Iterator[Ask]:
    assert one.config.webserver is not None
    server = serve(one, one.config.webserver)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def get(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    yield get
    server.shutdown()
    server.server_close()


def test_what_it_answers(ask: Ask) -> None:
    assert ask("/healthz") == (200, '{"status": "ok"}')
    status, text = ask("/versions")
    assert status == 200
    assert json.loads(text)["stand_in"] is True
    assert json.loads(text)["engine_version"] == "63"
    status, text = ask("/metrics")
    lines = text.splitlines()
    assert 'falcosecurity_falco_standin_info{stand_in="falco"} 1' in lines
    assert "# TYPE falcosecurity_scap_n_drops_total counter" in lines
    assert "falcosecurity_scap_n_evts_total 0" in lines
    assert any(
        line.startswith('falcosecurity_falco_sha256_rules_files_info{file_name="falco_rules.yaml"') for line in lines
    )
    assert any(line.startswith('falcosecurity_falco_sha256_config_files_info{file_name="falco.yaml"') for line in lines)
    assert ask("/") == (404, "404 page not found\n")


def test_for_a_moment_after_a_reload_there_are_no_metrics(tmp_path: Path, one: Daemon, ask: Ask) -> None:
    (tmp_path / "rules.d" / "own.yaml").write_text(rule("Own", "evt.type = open"))
    one.reload()
    assert one.reloading
    assert ask("/metrics")[0] == 404


def test_metrics_that_are_switched_off(tmp_path: Path) -> None:
    config = configured(tmp_path, "webserver: {prometheus_metrics_enabled: true}\n")
    assert config.webserver is not None
    assert not config.webserver.metrics
