"""kube_audit_policy_check through its main(), with the examples of its documentation."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..module_runner import MODULES, run_module

NAME = "kube_audit_policy_check"
RULES = Path(__file__).resolve().parents[3] / "inventory" / "files" / "audit_rules"
NOTHING = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n"
RULE = "- rule: R\n  desc: d\n  condition: ka.verb = get\n  output: o\n  priority: INFO\n  source: k8s_audit\n"


def checked(check_mode: bool = False, **args: Any) -> dict[str, Any]:
    return run_module(NAME, args, check_mode)


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_examples_run_and_return_what_is_documented(check_mode: bool) -> None:
    module = importlib.import_module(f"{MODULES}.{NAME}")
    documented = set(yaml.safe_load(module.RETURN))
    for task in yaml.safe_load(module.EXAMPLES):
        result = run_module(NAME, task[f"falconet.k8s.{NAME}"], check_mode)
        assert not result.get("failed"), result
        assert result["changed"] is False
        assert set(result) - {"changed", "invocation"} == documented


def test_the_shipped_rules_get_what_they_need_of_the_recommended_policy() -> None:
    result = checked(preset="recommended", files=[str(RULES)])
    assert result["counts"] == {"recorded": 46, "partly": 0, "never": 1, "unknown": 0}
    assert [one["code"] for one in result["findings"]] == ["FA014"]
    assert result["text"].startswith("# What the rules")


def test_a_policy_of_ones_own_is_named_with_its_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(NOTHING)
    result = checked(policy=str(policy), content=RULE)
    assert result["failed"]
    assert result["msg"] == (
        f"content:1: FA011: rule 'R' never fires: the policy records get of any resource at None ({policy}:4); "
        f"the policy records get of paths that are no resource at None ({policy}:4) "
        f"(record get of any resource at Metadata by a rule before {policy}:4)"
    )
    assert result["rules"][0]["verdict"] == "never"
    assert not checked(policy=str(policy), content=RULE, fail_on=["never"]).get("failed")


def test_secrets_are_an_error_unless_allowed(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(NOTHING.replace("None", "RequestResponse"))
    assert "FA003" in checked(policy=str(policy))["msg"]
    assert not checked(policy=str(policy), allow_secret_bodies=True).get("failed")


def test_what_is_recorded_of_a_request_is_told() -> None:
    asked = [{"verb": "create", "resource": "pods", "subresource": "exec"}, {"verb": "get", "path": "/healthz",
              "user": "system:anonymous", "groups": ["system:unauthenticated"]}]  # fmt: skip
    session, probe = checked(preset="recommended", requests=asked)["decisions"]
    assert (session["level"], session["stages"]) == ("Metadata", ["ResponseStarted", "ResponseComplete", "Panic"])
    assert (probe["level"], probe["stages"]) == ("None", [])
    assert session["rule"].startswith("recommended:")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "one of the following is required: policy, preset"),
        ({"preset": "minimal", "policy": "x"}, "mutually exclusive"),
        ({"policy": "/nowhere/policy.yaml"}, "/nowhere/policy.yaml cannot be read"),
        ({"preset": "minimal", "files": []}, "the list is empty"),
        ({"preset": "minimal", "files": ["/nowhere"]}, "/nowhere: cannot read the file"),
        (
            {"preset": "minimal", "content": "- rule: R\n"},
            "Falco refuses the rules: content:1:3: LOAD_ERR_YAML_VALIDATE",
        ),
        ({"preset": "minimal", "content": "[]"}, "none of the rules has the source k8s_audit"),
        ({"preset": "minimal", "fail_on": ["FA999"]}, "neither a level nor a code"),
    ],
)
def test_what_cannot_be_done_is_told(args: dict[str, Any], message: str) -> None:
    result = checked(**args)
    assert result["failed"]
    assert message in result["msg"]
