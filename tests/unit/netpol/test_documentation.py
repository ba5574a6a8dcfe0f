"""The examples that the documentation shows are run, and say what it says they say."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from ..module_runner import MODULES, run_module
from .suggest.test_suggest import WORKLOADS

DOCS = Path(__file__).resolve().parents[3] / "docs"
LINT = Path(__file__).resolve().parents[3] / "plugins" / "module_utils" / "netpol" / "lint"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def default_deny_blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((DOCS / "default-deny.md").read_text())


def run_playbook(text: str) -> dict[str, Any]:
    (play,) = yaml.safe_load(text)
    (task,) = [task for task in play["tasks"] if "falconet.k8s.netpol_analyze" in task]
    return run_module("netpol_analyze", task["falconet.k8s.netpol_analyze"])


def test_the_default_deny_cuts_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = default_deny_blocks()
    for language, text in blocks:
        name = re.match(r"# (\S+)\n", text)
        if language == "yaml" and name:
            (tmp_path / name[1]).write_text(text)
    answers = [text.splitlines() for language, text in blocks if language == "text"]
    assert run_playbook((tmp_path / "what-would-change.yml").read_text())["text"] == answers[0]
    failed = run_playbook((tmp_path / "required.yml").read_text())
    assert failed["msg"].splitlines() == answers[1]
    manifest = failed["violations"][0]["fix"]["changes"][0]["manifest"]
    (tmp_path / "fix.yaml").write_text(yaml.safe_dump(manifest))
    fixed = (tmp_path / "required.yml").read_text().replace("default-deny.yaml", "default-deny.yaml, fix.yaml")
    assert run_playbook(fixed)["holds"] is True
    found = [line.replace(f"{tmp_path}/", "") for line in run_playbook((tmp_path / "lint.yml").read_text())["text"]]
    assert answers[2][0] in found


def test_the_question_about_sets_is_answered_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.yaml").write_text(
        next(text for _l, text in default_deny_blocks() if text.startswith("# app.yaml"))
    )
    blocks = BLOCK.findall((DOCS / "policy-sets.md").read_text())
    (tmp_path / "forbidden.yaml").write_text(blocks[0][1])
    failed = run_playbook(blocks[1][1])
    assert (failed["failed"], failed["msg"]) == (True, blocks[2][1].rstrip("\n"))


def examples(module: str) -> list[dict[str, Any]]:
    content = yaml.safe_load(importlib.import_module(f"{MODULES}.{module}").EXAMPLES)
    return [task for task in content if f"falconet.k8s.{module}" in task]


@pytest.mark.parametrize("task", examples("netpol_analyze"), ids=lambda task: task["name"])
def test_the_examples_of_netpol_analyze_run(task: dict[str, Any], tmp_path: Path) -> None:
    manifests = next(text for _language, text in default_deny_blocks() if text.startswith("# app.yaml"))
    (tmp_path / "app.yaml").write_text(manifests)
    args = dict(task["falconet.k8s.netpol_analyze"])
    if args.get("paths"):
        args["paths"] = [str(tmp_path)]
    else:
        # This example compares with the live cluster; here the manifests stand for it.
        args["before_paths"] = [str(tmp_path)]
    result = run_module("netpol_analyze", args)
    assert not result.get("failed"), result.get("msg")
    assert result["summary"]["templates"] == 2 or args["question"] == "diff"


def test_the_example_of_netpol_suggest_runs(tmp_path: Path) -> None:
    (task,) = examples("netpol_suggest")
    names = [item["metadata"]["name"] for item in WORKLOADS]
    text = yaml.safe_dump_all(WORKLOADS).replace(f"name: {names[0]}\n", "name: frontend\n")
    (tmp_path / "app.yaml").write_text(text.replace(f"name: {names[2]}\n", "name: backend\n"))
    result = run_module("netpol_suggest", {**task["falconet.k8s.netpol_suggest"], "paths": [str(tmp_path)]})
    assert result["proven"] is True


def test_the_examples_of_the_filter_are_templates() -> None:
    path = Path(__file__).resolve().parents[3] / "plugins" / "filter" / "connectivity.yml"
    documentation = yaml.safe_load(path.read_text())
    environment = Environment(autoescape=True)
    environment.filters["falconet.k8s.connectivity"] = lambda data, form, title="": f"{form} {title}"
    for task in yaml.safe_load(documentation["EXAMPLES"]):
        for options in task.values():
            for value in options.values() if isinstance(options, dict) else ():
                if isinstance(value, str) and "{{" in value:
                    assert environment.from_string(value).render(reachability={}).split()[0] in ("text", "svg")


def test_every_code_of_lint_is_on_the_page() -> None:
    source = "".join(path.read_text() for path in LINT.glob("*.py"))
    # Before its severity, in a choice of two, or as the first argument of a hint.
    word = r'"([a-z]+(?:-[a-z]+)+)"'
    places = (rf'{word},\s*"(?:error|warning|info)"', rf"{word} if ", rf"else {word},", rf"Hint\(\s*{word}")
    codes = {code for place in places for code in re.findall(place, source)}
    assert {"unknown-field", "duplicate-object", "service-port", "no-dns"} <= codes
    page = (DOCS / "network-policy-semantics.md").read_text()
    assert {code for code in codes if f"| `{code}` |" not in page} == set()
    assert {code for code in re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) if "-" in code} <= codes | {
        "endPort"
    }
