"""What docs/releases.md says it runs with is what the locks, the sandbox, the roles and the facts have."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tools.matrix import PYTHONS

ROOT = Path(__file__).resolve().parents[2]
#: As far as the table goes: another one, of what each ansible-core runs, comes behind it.
PAGE = (ROOT / "docs" / "releases.md").read_text().partition("### ansible-core")[0]


def row(name: str) -> list[str]:
    """Cells of a row: claimed, tested, not tested."""
    (found,) = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", PAGE, re.MULTILINE)
    return str(found).split(" | ")


def test_each_ansible_core_that_is_tested_is_named() -> None:
    locked = [path.stem.removeprefix("ansible-core-") for path in (ROOT / "requirements").glob("ansible-core-*.in")]
    claimed, tested, _ = row("ansible-core")
    assert re.findall(r"\b2\.\d+", tested) == sorted(locked) == sorted(PYTHONS)
    oldest = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert claimed == f"{oldest.removeprefix('>=').removesuffix('.0')} and newer"


def test_pythons_are_those_that_the_matrix_asks_for() -> None:
    oldest = min(least for least, _ in PYTHONS.values())
    newest = max(most for _, most in PYTHONS.values())
    claimed, tested, untested = row("Python of the controller")
    assert claimed.startswith(f"{oldest[0]}.{oldest[1]} and newer")
    assert f"{newest[0]}.{newest[1]}" in f"{tested} {untested}"


def test_kubernetes_is_that_of_the_sandbox() -> None:
    module = (ROOT / "sandbox" / "go" / "kubernetes" / "go.mod").read_text()
    built = re.search(r"k8s\.io/kubernetes v(\d+\.\d+)\.", module)
    assert built
    assert row("Kubernetes")[1].startswith(f"{built[1]}, built from source")


def test_falco_and_its_chart_are_those_of_the_facts_and_the_role() -> None:
    lines = (ROOT / "tools" / "facts" / "versions.tsv").read_text().splitlines()
    known = [line.split("\t")[0] for line in lines if line[:1].isdigit()]
    chart = yaml.safe_load((ROOT / "roles" / "falco" / "defaults" / "main.yml").read_text())["falco_chart_version"]
    assert row("Falco")[0] == f"{known[0]} to {known[-1]} for rules, {known[-1]} to install"
    assert row("Falco's chart")[0].startswith(f"{chart} to install")
