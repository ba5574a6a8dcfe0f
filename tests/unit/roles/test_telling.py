"""Role verify tells the proof: metrics in a folder and at a Pushgateway, an event to Falcosidekick; no password."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.metrics import metrics
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report

from ..ansible_playbook import ansible_playbook
from ..api_server import ApiServer, api_server
from ..evidence.test_report import ABOUT, check
from ..test_roles import ROOT

SIDEKICK = "/api/v1/namespaces/falco/services/falco-falcosidekick:2801/proxy/"
GATEWAY = "/metrics/job/falconet/cluster/localhost"
PASSWORD = "planted-password"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        yield running


def tell(folder: Path, server: ApiServer, verdict: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role's telling and its end, after a report of this verdict."""
    made = report([check(verdict, detail="no pod")], **ABOUT)
    (folder / "metrics.prom").write_text(metrics(made))
    (folder / "node_exporter").mkdir(exist_ok=True)
    *_tasks, end = yaml.safe_load((ROOT / "roles" / "verify" / "tasks" / "main.yml").read_text())[1]["block"]
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "module_defaults": {"group/falconet.k8s.cluster": {"host": server.url}},
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "verify_evidence_directory": str(folder),
            "verify_fail": True,
            "__verify_report": made,
            **variables,
        },
        "tasks": [{"ansible.builtin.include_role": {"name": "falconet.k8s.verify", "tasks_from": "tell"}}, end],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    return ansible_playbook("-i", "localhost,", folder / "play.yml", "-vvv", ANSIBLE_CALLBACK_RESULT_FORMAT="yaml")


def test_all_are_told_once(tmp_path: Path, server: ApiServer) -> None:
    server.answer(SIDEKICK, "")
    server.answer(GATEWAY, "")
    everywhere = {
        "verify_metrics_directory": str(tmp_path / "node_exporter"),
        "verify_pushgateway_url": f"{server.url}/",
        "verify_pushgateway_username": "prometheus",
        "verify_pushgateway_password": PASSWORD,
    }
    first = tell(tmp_path, server, "failed", **everywhere)
    assert first.returncode == 2, first.stdout
    assert "was not told" not in first.stdout
    assert "It holds (a): no pod" in first.stdout
    assert PASSWORD not in first.stdout + first.stderr
    assert [path for path, _body in server.sent] == [GATEWAY, SIDEKICK]
    assert server.sent[0][1] == (tmp_path / "metrics.prom").read_text()
    assert json.loads(server.sent[1][1])["priority"] == "Critical"
    assert (tmp_path / "node_exporter" / "falconet_localhost.prom").read_text() == server.sent[0][1]
    assert json.loads((tmp_path / "told.json").read_text())["verdict"] == "failed"
    server.sent.clear()
    assert tell(tmp_path, server, "failed").returncode == 2
    assert server.sent == []
    again = tell(tmp_path, server, "passed")
    assert again.returncode == 0, again.stdout
    assert [json.loads(body)["priority"] for _path, body in server.sent] == ["Notice"]


def test_whoever_could_not_be_told_is_named_and_told_the_next_time(tmp_path: Path, server: ApiServer) -> None:
    server.answer(SIDEKICK, '{"message": "no endpoints available"}', status=503)
    server.answer(GATEWAY, "", status=401)
    nowhere = {
        "verify_metrics_directory": str(tmp_path / "missing" / "deeper"),
        "verify_pushgateway_url": server.url,
        "verify_pushgateway_username": "prometheus",
        "verify_pushgateway_password": PASSWORD,
    }
    done = tell(tmp_path, server, "failed", **nowhere)
    assert done.returncode == 2
    end = done.stdout.split("whoever is to be told was told")[-1]
    for words in (
        "This proof was not told:",
        "verify_metrics_directory: ",
        "verify_pushgateway_url: Status code was 401",
    ):
        assert words in end
    assert "verify_alert_service: Falcosidekick was not told: " in end
    assert "It holds (a): no pod" in end
    assert PASSWORD not in done.stdout + done.stderr
    assert not (tmp_path / "told.json").exists()
    server.answers[SIDEKICK] = [(200, "")]
    tell(tmp_path, server, "failed")
    assert [path for path, _body in server.sent].count(SIDEKICK) == 2


def test_a_passed_proof_that_was_not_told_fails_the_run(tmp_path: Path, server: ApiServer) -> None:
    done = tell(tmp_path, server, "passed", verify_metrics_directory=str(tmp_path / "missing" / "deeper"))
    assert done.returncode == 2
    assert "This proof was not told:" in done.stdout


def test_a_falcosidekick_elsewhere_is_told(tmp_path: Path, server: ApiServer) -> None:
    server.answer("/falco", "")
    tell(tmp_path, server, "failed", verify_alert_url=f"{server.url}/falco", verify_alert_priority="Warning")
    ((path, body),) = server.sent
    assert (path, json.loads(body)["priority"]) == ("/falco", "Warning")


def test_the_playbook_tells(tmp_path: Path) -> None:
    (play,) = yaml.safe_load((ROOT / "playbooks" / "prove.yml").read_text())
    assert play["ansible.builtin.import_playbook"] == "verify.yml"
    assert play["vars"] == {"verify_tell": True}
