"""falco_rules_test_generate through its main(): what it writes passes, is written once, and overwrites nothing."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from ..module_runner import MODULES, run_module

SHIPPED = Path(__file__).resolve().parents[3] / "inventory" / "files"
ALERT = {"rule": "Terminal shell in production", "output_fields": {"proc.name": "bash", "k8s.ns.name": "prod"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    shutil.copy(SHIPPED / "rules" / "production.yaml", tmp_path / "rules")
    (tmp_path / "alerts.jsonl").write_text(json.dumps(ALERT) + "\n\n")
    return tmp_path


def test_the_examples_write_tests_that_pass_and_write_them_once(folder: Path) -> None:
    module = importlib.import_module(f"{MODULES}.falco_rules_test_generate")
    documented = yaml.safe_load(module.RETURN)
    for task in yaml.safe_load(module.EXAMPLES):
        args = task["falconet.k8s.falco_rules_test_generate"]
        assert run_module("falco_rules_test_generate", args, check_mode=True)["changed"] is True
        assert not Path(args["dest"]).exists()
        result = run_module("falco_rules_test_generate", args)
        assert not result.get("failed"), result
        assert set(result) - {"changed", "invocation", "diff"} == set(documented)
        assert result["diff"]["after"] == Path(args["dest"]).read_text() == result["content"]
        assert run_module("falco_rules_test_generate", args)["changed"] is False
    result = run_module("falco_rules_test", {"tests": ["rules_tests"], "minimum_mutation_score": 100})
    assert not result.get("failed"), result
    assert list(result["coverage"]) == ["own"]


def test_a_file_that_holds_something_else_is_overwritten_with_force_alone(folder: Path) -> None:
    args = {"files": ["rules"], "dest": "t.yaml"}
    Path("t.yaml").write_text("mine\n")
    assert "t.yaml holds something else" in run_module("falco_rules_test_generate", args)["msg"]
    assert Path("t.yaml").read_text() == "mine\n"
    result = run_module("falco_rules_test_generate", {**args, "force": True})
    assert result["diff"]["before"] == "mine\n"


def test_what_is_wrong_is_told(folder: Path) -> None:
    args = {"files": ["rules"], "dest": "t.yaml"}
    wrong = run_module("falco_rules_test_generate", {**args, "alerts": "nowhere"})["msg"]
    assert wrong == "nowhere: cannot read the alerts: No such file or directory"
    assert "no rule 'x'" in run_module("falco_rules_test_generate", {**args, "rules": ["x"]})["msg"]
    (folder / "alerts.jsonl").write_text(json.dumps({**ALERT, "rule": "Old"}))
    result = run_module("falco_rules_test_generate", {**args, "alerts": "alerts.jsonl"})
    assert result["msg"] == "no test was made; Old: the ruleset has no such rule"
