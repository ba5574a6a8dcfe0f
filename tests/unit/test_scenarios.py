"""Scenarios of Molecule: each has the steps that all share, and CONTRIBUTING.md says where each is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import noxfile

from .kube.fake_api import FakeApi, serve

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = {path.parent.name: path.parent for path in ROOT.glob("molecule/*/molecule.yml")}
COMMON = yaml.safe_load((ROOT / ".config" / "molecule" / "config.yml").read_text())
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| .* \| ([^|]+) \|$", re.MULTILINE)


def settings(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((SCENARIOS[name] / "molecule.yml").read_text()) or {}
    return found


def playbook(name: str, step: str) -> Path:
    """The playbook of a step: the scenario's own, or the one that it names."""
    named: dict[str, str] = COMMON["ansible"]["playbooks"] | settings(name).get("ansible", {}).get("playbooks", {})
    return SCENARIOS[name] / named.get(step, f"{step}.yml")


def run_by(name: str) -> str:
    """What CONTRIBUTING.md is to say."""
    if name in noxfile.NOT_ON_THE_SANDBOX:
        return "by name"
    tested = noxfile.TESTED_ON_MACHINES | noxfile.TESTED_ON_THE_CLUSTER
    return "`make test`" if name in tested else "`make molecule`"


def test_the_steps_are_in_the_order_that_shows_the_most() -> None:
    steps = COMMON["scenario"]["test_sequence"]
    order = ["check", "converge", "idempotence", "verify", "destroy"]
    assert [step for step in steps[1:] if step in order] == order
    assert steps[0] == "destroy", "what a killed run left is not taken for this one's"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_leaves_nothing_of_what_all_share_out(name: str) -> None:
    own = settings(name)
    assert own.keys() <= {"ansible", "verifier"}
    named = COMMON["ansible"]["playbooks"] | own.get("ansible", {}).get("playbooks", {})
    assert [step for step in (*named, "converge") if not playbook(name, step).is_file()] == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_looks_at_what_it_made(name: str) -> None:
    by_pytest = settings(name).get("verifier", COMMON["verifier"])["name"] == "testinfra"
    looked = sorted((SCENARIOS[name] / "tests").glob("test_*.py")) if by_pytest else [playbook(name, "verify")]
    assert looked
    assert all(file.is_file() for file in looked)


def test_each_role_has_a_scenario_of_its_name() -> None:
    assert {path.name for path in (ROOT / "roles").iterdir()} <= SCENARIOS.keys()


def test_the_table_says_of_each_scenario_where_it_is_run() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = dict(ROW.findall(text[text.index("## Scenarios") :]))
    assert told == {name: run_by(name) for name in SCENARIOS}


def kubeconfig(folder: Path, server: str, current: str = "production") -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "contexts": [{"name": name, "context": {"cluster": "one", "user": "a"}} for name in ("production", "test")],
        "users": [{"name": "a", "user": {"token": "planted-token"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return file


def confirm(file: str, named: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KUBECONFIG": file, "CLUSTER_CONTEXT": named}
    argv = [sys.executable, str(SCENARIOS["existing"] / "confirm.py")]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_a_cluster_is_used_whose_context_is_named(tmp_path: Path) -> None:
    done = confirm(str(kubeconfig(tmp_path, "https://api.example")), "production")
    assert (done.returncode, done.stderr) == (0, "")
    assert "'production' (API server https://api.example)" in done.stdout


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("", "say its name: CLUSTER_CONTEXT=production"),
        ("test", "CLUSTER_CONTEXT is 'test', the current context is 'production' (API server https://api.example)"),
    ],
)
def test_no_cluster_is_used_whose_context_is_not(tmp_path: Path, named: str, told: str) -> None:
    done = confirm(str(kubeconfig(tmp_path, "https://api.example")), named)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "planted-token" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "has no current context"),
        ("current-context: a", "its current context 'a' leads to no cluster"),
        ("a: [", "cannot be read as a kubeconfig"),
        (None, "cannot be read as a kubeconfig"),
    ],
)
def test_a_file_that_says_no_cluster_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "kubeconfig"
    if text is not None:
        file.write_text(text)
    done = confirm(str(file), "a")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert told in done.stderr


def test_one_file_must_be_given() -> None:
    assert "KUBECONFIG is not set" in confirm("", "a").stderr
    assert "names several files" in confirm("/a:/b", "a").stderr


@pytest.mark.parametrize("step", ["prepare", "converge", "verify", "cleanup"])
def test_each_step_on_an_existing_cluster_begins_with_its_name(step: str) -> None:
    first, *_others = yaml.safe_load((SCENARIOS["existing"] / f"{step}.yml").read_text())
    assert first["ansible.builtin.import_playbook"] == "confirm.yml"


def test_a_cluster_that_was_not_named_is_asked_nothing(tmp_path: Path) -> None:
    scenario = SCENARIOS["existing"]
    variables = ["-e", f"@{ROOT / 'molecule' / 'shared' / 'vars' / 'falco.yml'}"]
    argv = ["ansible-playbook", str(scenario / "cleanup.yml"), "-i", str(scenario / "inventory"), *variables]
    api = FakeApi()
    with serve(api) as url:
        file = kubeconfig(tmp_path, url)
        environment = {**os.environ, "KUBECONFIG": str(file), "CLUSTER_CONTEXT": "test", "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "CLUSTER_CONTEXT is 'test'" in " ".join(done.stdout.split())
    assert api.requests == []
    assert "existing" not in done.stdout.partition("PLAY RECAP")[2], "no play on the cluster began"
