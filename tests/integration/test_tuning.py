"""rules_tune.yml on a site: from noise to exceptions that spare its triggers, and what their rollout would change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .playbook import Site

pytestmark = pytest.mark.cluster


def noise(rule: str, **fields: Any) -> list[str]:
    place = {"k8s.ns.name": "prod", "container.name": "main", "proc.pname": "sh", "user.name": "root"}
    return [json.dumps({"rule": rule, "source": "syscall", "output_fields": {**place, **fields}})] * 150


def test_noise_becomes_exceptions_and_a_trigger_stays(site: Site, tmp_path: Path) -> None:
    backup = {"container.image.repository": "registry.example/backup", "proc.name": "bash"}
    trigger = {"container.image.repository": "registry.example/tools", "container.name": "trigger", "proc.name": "cat"}
    alerts = tmp_path / "alerts.jsonl"
    lines = [
        *noise("Terminal shell in production", **backup),
        *noise("Read of etc shadow", **trigger),
        *noise("Read sensitive file untrusted", **backup),
    ]
    alerts.write_text("\n".join(lines) + "\n")
    exceptions = tmp_path / "exceptions.yml"
    extra = {
        "alerts": str(alerts),
        "exceptions_path": str(exceptions),
        "verify_trigger_image": "registry.example/tools:1",
    }
    outcome = site.run("rules_tune.yml", extra=extra)
    assert outcome.returncode == 0, outcome.output[-6000:]
    # Falco's own rule, which is read from a running Falco, and ours; the one that a trigger needs is left alone.
    written = yaml.safe_load(exceptions.read_text())["falco_rules_exceptions"]
    assert [one["rule"] for one in written] == ["Read sensitive file untrusted", "Terminal shell in production"]
    told = " ".join(outcome.output.split())
    assert "the trigger 'shadow read in production' would be silenced" in told
    assert "Every pod runs exactly these rules" in outcome.output
    assert "zz-exceptions.yaml" in outcome.output
