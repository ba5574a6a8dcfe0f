"""A whole site in which Falco and Falcosidekick speak mutual TLS: installed, proven at each destination, and back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster
from .playbook import Site

pytestmark = [
    pytest.mark.cluster,
    # The site twice, each with its proof.
    pytest.mark.long,
    pytest.mark.skipif("INVENTORY" in os.environ and "SANDBOX_NAME" not in os.environ, reason="it changes the site"),
]

#: One that the shipped rules and one that Falco's own raise.
FEW: dict[str, Any] = {"verify_catalogue": ["shadow-read", "falco-shadow-read"], "verify_triggers": []}


def test_a_site_with_mutual_tls_alerts_at_each_destination(site: Site, cluster: Cluster, tmp_path: Path) -> None:
    mutual = {**FEW, "falco_sidekick_tls": "mutual", "verify_evidence_directory": str(tmp_path)}
    try:
        done = site.run("site.yml", extra=mutual, limit_seconds=1200)
        assert done.returncode == 0, done.output[-6000:]
        again = site.run("falco.yml", extra=mutual, limit_seconds=600)
        assert (again.returncode, again.total_changed) == (0, 0), again.output[-4000:]
        configured = cluster.get("configmap", "falco", "-n", "falco")["data"]["falco.yaml"]
        assert "url: https://falco-falcosidekick" in configured
        checks = json.loads((tmp_path / "report.json").read_text())["checks"]
        alerts = [one for one in checks if (one["stage"], one["code"]) == ("verify", "alert")]
        assert {one["data"]["place"] for one in alerts} >= {"slack", "webhook"}
        assert {one["status"] for one in alerts} == {"passed"}
    finally:
        back = site.run("site.yml", extra={**FEW, "verify_evidence_directory": str(tmp_path)}, limit_seconds=1200)
    assert back.returncode == 0, back.output[-6000:]
