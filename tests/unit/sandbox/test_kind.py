"""What ``SANDBOX=kind`` writes; kind itself is not at hand where these tests run."""

from __future__ import annotations

from pathlib import Path

import yaml

from sandbox import kind


def test_the_inventory_has_real_images_and_no_stand_in(tmp_path: Path) -> None:
    kind.inventory("here", tmp_path)
    texts = {path.name: path.read_text() for path in tmp_path.rglob("*.yml")}
    assert {"hosts.yml", "falco.yml", "verify.yml"} <= set(texts)
    assert [name for name, text in texts.items() if "standin" in text or "sandbox.local" in text] == []


def test_redis_asks_for_a_claim_since_no_node_has_a_directory(tmp_path: Path) -> None:
    kind.inventory("here", tmp_path)
    groups = yaml.safe_load((tmp_path / "hosts.yml").read_text())["all"]["children"]
    assert groups["clusters"]["hosts"]["sandbox"]["falco_redis_storage"] == "storage_class"
    assert groups["kube_nodes"]["hosts"] == groups["redis_nodes"]["hosts"] == {}
