"""Role verify keeps the evidence: as artifacts of a job, and in a store that takes files; no password is told."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report

from ..ansible_playbook import ansible_playbook
from ..api_server import ApiServer, api_server
from ..evidence.test_report import ABOUT, check
from ..test_roles import ROOT

PASSWORD, TOKEN = "planted-password", "planted-token"
FOLDER = "/evidence/localhost/20261101T000000Z"
FILES = ("report.json", "report.html", "junit.xml", "summary.md", "metrics.prom")


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as running:
        yield running


def keep(folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The role's keeping and its end, after a report."""
    made = report([check("passed")], **{**ABOUT, "time": "2026-11-01T00:00:00Z"})
    for file in FILES:
        (folder / file).write_text(f"this is {file}")
    *_tasks, end = yaml.safe_load((ROOT / "roles" / "verify" / "tasks" / "main.yml").read_text())[1]["block"]
    given = {"verify_evidence_directory": str(folder), "verify_fail": True, "__verify_report": made, **variables}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **given},
        "tasks": [{"ansible.builtin.include_role": {"name": "falconet.k8s.verify", "tasks_from": "keep"}}, end],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    return ansible_playbook("-i", "localhost,", folder / "play.yml", "-vvv", ANSIBLE_SHOW_CUSTOM_STATS="1")


def test_artifacts_and_store_have_the_evidence(tmp_path: Path, server: ApiServer) -> None:
    for file in FILES:
        server.answer(f"{FOLDER}/{file}", "", status=201)
    done = keep(
        tmp_path,
        verify_stats=True,
        verify_store_url=f"{server.url}/evidence/",
        verify_store_username="writer",
        verify_store_password=PASSWORD,
        verify_store_headers={"X-Token": TOKEN},
    )
    assert done.returncode == 0, done.stdout
    assert dict(server.sent) == {f"{FOLDER}/{file}": f"this is {file}" for file in FILES}
    stats = done.stdout.split("CUSTOM STATS")[1]
    assert re.search(r"falconet_evidence.*localhost.*verdict\W+passed", stats, re.DOTALL), stats
    assert PASSWORD not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_what_was_not_kept_fails_the_run(tmp_path: Path, server: ApiServer) -> None:
    for file in FILES:
        server.answer(f"{FOLDER}/{file}", "", status=403 if file == "report.html" else 201)
    done = keep(tmp_path, verify_store_url=f"{server.url}/evidence", verify_store_headers={"X-Token": TOKEN})
    assert done.returncode == 2
    end = done.stdout.split("the evidence is kept where it is to be")[-1]
    assert "The evidence was not kept:" in end
    assert "report.html at " in end
    assert "403" in end
    assert "junit.xml at" not in end
    assert TOKEN not in done.stdout + done.stderr
