"""The rulebook that starts job templates, with a server that plays AWX: what is launched, with what, how often."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from ..unit.kube.fake_api import Answer, FakeApi, serve
from .cluster import wait_for
from .playbook import Site
from .rulebook import TOKEN, rulebook
from .test_rulebook import HOSTILE, RUN_SECONDS, alert

pytestmark = pytest.mark.cluster

AWX_TOKEN = "planted-awx-token"
TEMPLATE = {
    "id": 7,
    "type": "job_template",
    "name": "Respond to an alert of Falco",
    "summary_fields": {"organization": {"name": "Default"}},
    "related": {"launch": "/api/v2/job_templates/7/launch/"},
    "ask_limit_on_launch": False,
    "ask_labels_on_launch": False,
    "ask_inventory_on_launch": False,
    "ask_variables_on_launch": True,
}
JOB = {"id": 11, "url": "/api/v2/jobs/11/", "status": "successful", "created": "2026-01-01T00:00:00Z", "artifacts": {}}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"count": 1, "next": None, "results": [item]}


class Awx(FakeApi):
    """The part of AWX's API that ansible-rulebook asks, without AWX."""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        self.requests.append((method, path, query, body))
        if method == "POST":
            return 200, JOB
        known = {"config": {"version": "24.6.1"}, "unified_job_templates": _page(TEMPLATE), "jobs": _page(JOB)}
        return 200, known.get(path.removeprefix("/api/v2/").rstrip("/"), {})

    @property
    def launched(self) -> list[dict[str, Any]]:
        """Bodies of launches."""
        return [body for method, _path, _query, body in self.requests if method == "POST"]


def post(port: int, body: dict[str, Any], token: str = TOKEN) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/alerts", json.dumps(body).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_an_alert_launches_the_job_template_once_with_the_alert_as_text(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The next alert's job is launched when the one before has ended, after which it is asked in this interval.
    monkeypatch.setenv("EDA_JOB_TEMPLATE_REFRESH_DELAY", "1")
    server = Awx()
    with serve(server) as url:
        further = ["--controller-url", f"{url}/", "--controller-token", AWX_TOKEN]
        with rulebook(tmp_path, site, name="respond_awx", further=further) as book:
            assert post(book.port, alert("backend"), token="wrong") == 401
            sent = alert("backend")
            assert [post(book.port, sent) for _number in range(3)] == [200] * 3
            other = alert("frontend")
            assert post(book.port, other) == 200
            wait_for(lambda: len(server.launched) >= 2, RUN_SECONDS, "two launches")
            told = book.told()
    launched = [body["extra_vars"] for body in server.launched]
    assert [list(one) for one in launched] == [["respond_alert"]] * 2, "nothing of the event goes beside the alert"
    # Percent-encoded: what an attacker wrote is no template.
    assert not any("{{" in one["respond_alert"] for one in launched)
    alerts = [json.loads(unquote(one["respond_alert"])) for one in launched]
    pods = [one["output_fields"]["k8s.pod.name"] for one in alerts]
    assert sorted(pods) == ["backend", "frontend"]
    assert {one["output"] for one in alerts} == {HOSTILE}
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {AWX_TOKEN}"}
    assert (AWX_TOKEN in told, TOKEN in told) == (False, False)
