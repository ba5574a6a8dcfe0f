"""A red check names its cause: faults of a table are planted on the site, and the proof alone says what is wrong.

Each row takes a proof, and what is planted its time; so all of it runs in `make test-long`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .faults.steps import Hands, Step, faults
from .playbook import Outcome, Site

pytestmark = [
    pytest.mark.cluster,
    # Each row is a proof of its own.
    pytest.mark.long,
    pytest.mark.skipif("INVENTORY" in os.environ and "SANDBOX_NAME" not in os.environ, reason="it breaks the sandbox"),
]

#: A failing proof of the demo's size ends within this, where nobody else keeps the machine busy.
LIMIT_SECONDS = 90
READ = {
    "name": "shadow read in production",
    "rule": "Read of etc shadow",
    "namespace": "prod",
    "command": ["/bin/cat", "/etc/shadow"],
}
ROWS = [pytest.param(row, id=row["name"]) for row in faults()]


@pytest.fixture(scope="module")
def hands(site: Site, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Hands:
    """The site, installed if it is not."""
    found = cluster.kubectl("get", "daemonset", "-n", "falco", "-o", "name", "--ignore-not-found")
    if "daemonset.apps/falco" not in found.split():
        outcome = site.run("site.yml")
        assert outcome.returncode == 0, outcome.output[-6000:]
    return Hands(site, cluster, tmp_path_factory.mktemp("faults"))


@pytest.fixture
def planted(request: pytest.FixtureRequest, hands: Hands) -> Iterator[Step]:
    """A fault while a test runs."""
    row: Step = request.param
    try:
        hands.do(row.get("plant", ()))
        yield row
    finally:
        hands.do(row.get("undo", ()))


def prove(site: Site, row: Step, folder: Path) -> tuple[Outcome, dict[str, Any], float]:
    """The proof alone, its report, and how many seconds it took."""
    wanted = row.get("proof", {})
    own = {"verify_evidence_directory": str(folder), "verify_alert_when": "never"}
    alone = {
        "verify_alert_timeout_seconds": 10,
        "verify_catalogue": [],
        "verify_triggers": [READ] if wanted.get("alerts") else [],
        **({"verify_stages": wanted["stages"]} if "stages" in wanted else {}),
    }
    extra = {**own, **({} if wanted.get("whole") else alone), **wanted.get("extra", {})}
    started = time.monotonic()
    nodes = () if wanted.get("nodes") or wanted.get("whole") else ("--limit", "clusters")
    outcome = site.run("prove.yml", *nodes, extra=extra)
    took = time.monotonic() - started
    assert (folder / "report.json").exists(), outcome.output[-6000:]
    return outcome, json.loads((folder / "report.json").read_text()), took


def failed(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for check in report["checks"] if check["status"] == "failed"]


@pytest.mark.parametrize("planted", ROWS, indirect=True)
def test_the_proof_says_what_is_wrong(
    planted: Step, site: Site, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    outcome, report, took = prove(site, planted, tmp_path)
    record_testsuite_property(f"proof_seconds {planted['name']}", round(took, 1))
    told = "\n".join(f"{one['stage']} {one['code']} ({one['subject']}): {one['detail']}" for one in failed(report))
    wanted = planted.get("red")
    assert (outcome.returncode == 0) is (wanted is None), told
    assert report["verdict"] == ("failed" if wanted else "passed"), told
    if not wanted:
        assert told == ""
        return
    about = [
        f"{one['subject']} {one['detail']}"
        for one in failed(report)
        if (one["stage"], one["code"]) == (wanted["stage"], wanted["code"])
    ]
    assert [text for text in about if all(words in text for words in wanted["says"])], told
    for words in planted.get("follows", ()):
        assert words in told
    page = (tmp_path / "report.html").read_text()
    assert [words for words in wanted.get("never", ()) if words in told + page + outcome.output] == []
    assert took < LIMIT_SECONDS, f"{took:.0f} s"


def test_a_red_proof_is_told_through_the_channels_of_alerts(hands: Hands, site: Site, tmp_path: Path) -> None:
    """Once when it turns red, and once when it turns green again, at each receiver of Falcosidekick's."""
    base: Step = {"stages": [], "alerts": True}
    silent = {"verify_triggers": [{**READ, "command": ["true"]}], "verify_alert_timeout_seconds": 3}
    began = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def told() -> list[tuple[str, str]]:
        path = f"/api/v1/namespaces/alert-receiver/services/alert-receiver:8080/proxy/alerts?since={began}"
        lines = [json.loads(line) for line in hands.cluster.kubectl("get", "--raw", path).splitlines()]
        return [
            (one["destination"], one["rule"]) for one in lines if str(one["rule"]).startswith("Proof of falconet.k8s")
        ]

    for extra, verdict in ((silent, "failed"), (silent, "failed"), ({}, "passed")):
        outcome, report, _took = prove(
            site, {"proof": {**base, "extra": {"verify_alert_when": "turned", **extra}}}, tmp_path
        )
        assert report["verdict"] == verdict, outcome.output[-6000:]
    # That it passes again is a notice, below what slack takes.
    wanted = [
        ("slack", "Proof of falconet.k8s failed"),
        ("webhook", "Proof of falconet.k8s failed"),
        ("webhook", "Proof of falconet.k8s passes again"),
    ]
    wait_for(lambda: set(wanted) <= set(told()), 30, "what the channels were told")
    assert sorted(one for one in told() if one in wanted) == wanted
