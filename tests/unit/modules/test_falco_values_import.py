"""falco_values_import through its main(): variables, secrets and rules in files of their own, nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import run_module

COLLECTION = "ansible_collections.falconet.k8s"
VALUES = """USER-SUPPLIED VALUES:
driver: {kind: modern_ebpf}
customRules:
  mine.yaml: |-
    - list: mine
      items: [planted-rule]
extra:
  env: [{name: API_TOKEN, value: planted-token}]
falcosidekick:
  enabled: true
  config:
    slack: {webhookurl: "https://hooks.slack.com/services/planted/slack"}
"""


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "values.yaml").write_text(VALUES)
    return {
        "src": str(tmp_path / "values.yaml"),
        "dest": str(tmp_path / "group_vars" / "falco.yml"),
        "secrets_dest": str(tmp_path / "group_vars" / "vault.yml"),
        "rules_dest": str(tmp_path / "rules"),
    }


def test_each_part_has_its_file(options: dict[str, Any]) -> None:
    before = run_module("falco_values_import", options, check_mode=True)
    assert before["changed"] is True
    assert not Path(options["dest"]).exists()
    result = run_module("falco_values_import", options, diff_mode=True)
    assert result["changed"] is True
    assert result["files"] == before["files"]
    variables = yaml.safe_load(Path(options["dest"]).read_text())
    assert variables == result["variables"]
    assert variables["falco_outputs"] == {"slack": {"webhookurl": "{{ vault_falco_slack_webhookurl }}"}}
    assert result["secrets"] == ["vault_falco_left_out", "vault_falco_slack_webhookurl"]
    vault = Path(options["secrets_dest"])
    assert "planted/slack" in vault.read_text()
    assert "planted-token" in vault.read_text()
    assert vault.stat().st_mode & 0o777 == 0o600
    assert "planted-rule" in (Path(options["rules_dest"]) / "mine.yaml").read_text()
    assert "planted/slack" not in json.dumps(result)
    assert "planted-token" not in json.dumps(result)
    assert [note["path"] for note in result["notes"] if "secret" in note["message"]] == ["extra.env[0]"]


def test_a_second_run_changes_nothing(options: dict[str, Any]) -> None:
    run_module("falco_values_import", options)
    assert run_module("falco_values_import", options)["changed"] is False


def test_files_of_others_are_left_alone(options: dict[str, Any]) -> None:
    run_module("falco_values_import", options)
    sealed = "$ANSIBLE_VAULT;1.1;AES256\n61\n"
    Path(options["secrets_dest"]).write_text(sealed)
    result = run_module("falco_values_import", options)
    assert result["failed"] is True
    assert f"{options['secrets_dest']} holds something else." in result["msg"]
    assert Path(options["secrets_dest"]).read_text() == sealed
    assert run_module("falco_values_import", {**options, "force": True})["files"] == [options["secrets_dest"]]


@pytest.mark.parametrize(
    ("missing", "message"),
    [("secrets_dest", "These values hold secrets."), ("rules_dest", "These values hold rules (mine.yaml).")],
)
def test_nothing_is_lost_for_want_of_a_place(options: dict[str, Any], missing: str, message: str) -> None:
    del options[missing]
    result = run_module("falco_values_import", options)
    assert message in result["msg"]
    assert "planted" not in result["msg"]
    assert not Path(options["dest"]).exists()


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read"), ("a: [planted", "is no YAML"), ("- 1", "must be a mapping")]
)
def test_what_holds_no_values_is_told(options: dict[str, Any], content: str | None, message: str) -> None:
    Path(options["src"]).unlink()
    if content:
        Path(options["src"]).write_text(content)
    result = run_module("falco_values_import", options)
    assert message in result["msg"]
    assert options["src"] in result["msg"]
    assert "planted" not in result["msg"]


def test_without_pyyaml_it_is_asked_for(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{COLLECTION}.plugins.modules.falco_values_import.YAML_IMPORT_ERROR", "no yaml")
    result = run_module("falco_values_import", options)
    assert result["failed"] is True
    assert "PyYAML" in result["msg"]
    assert not Path(options["dest"]).exists()
