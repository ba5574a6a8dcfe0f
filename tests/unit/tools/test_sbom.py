"""The list of parts names what an execution environment and the roles bring, in the versions that are locked or set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import sbom
from tools.environment import SetupError, pinned

ROOT = Path(__file__).resolve().parents[3]
LOCK = """\
asked[extra]==1.0 \\
    --hash=sha256:00
    # via
    #   -r requirements/base.in
    #   user
below==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via asked
deeper==3.0 \\
    --hash=sha256:00
    # via
    #   below
    #   other
other==4.0 \\
    --hash=sha256:00
    # via -r requirements/dev.in
user==5.0 \\
    --hash=sha256:00
    # via -r requirements/dev.in
"""


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return sbom.document()


def version(made: dict[str, Any], name: str) -> str:
    (found,) = [part.get("version", "") for part in made["components"] if part["name"] == name]
    return str(found)


def test_what_a_package_needs_is_read_from_the_lock_and_nothing_else() -> None:
    locked = sbom.packages(LOCK)
    assert [(one.name, one.version) for one in sbom.needed(locked, {"asked"})] == [
        ("asked", "1.0"),
        ("below", "2.0"),
        ("deeper", "3.0"),
    ]
    assert locked["below"].marker == "python_full_version < '3.12'"
    assert locked["asked"].via == {"user"}
    assert locked["other"].via == frozenset()


def test_python_packages_have_the_versions_of_the_locks(made: dict[str, Any]) -> None:
    locked = pinned((ROOT / "requirements" / "awx.txt").read_text())
    locked |= pinned((ROOT / "requirements" / "dev.txt").read_text())
    names = {part["name"]: part["version"] for part in made["components"] if ":pypi/" in part["bom-ref"]}
    assert names.items() <= locked.items()
    asked = re.findall(r"^([A-Za-z][\w-]*)", (ROOT / "meta" / "ee-requirements.txt").read_text(), re.MULTILINE)
    assert {name.lower() for name in asked} | {"ansible-core", "ansible-runner", "cryptography"} <= set(names)
    assert not {"pytest", "mypy", "ansible-lint"} & set(names)


def test_what_is_deployed_has_the_versions_of_the_defaults(made: dict[str, Any]) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / "falco" / "defaults" / "main.yml").read_text())
    assert version(made, defaults["falco_chart_ref"]) == defaults["falco_chart_version"]
    # Whatever image a role's defaults name is a part.
    images = set[str]()
    for path in (ROOT / "roles").glob("*/defaults/main.yml"):
        images |= set(re.findall(r"\b[\w.-]+\.\w+/[\w./-]+:[\w.-]+(?=['\"\s])", path.read_text()))
    images = {one for one in images if "://" not in one}
    assert images
    assert images <= {f"{one['name']}:{one['version']}" for one in made["components"] if one["type"] == "container"}


def test_helm_is_told_with_the_digests_that_its_archives_are_held_to(made: dict[str, Any]) -> None:
    definition = (ROOT / "execution-environment.yml").read_text()
    (helm,) = [part for part in made["components"] if part["name"] == "helm"]
    assert f"HELM_VERSION=v{helm['version']}\n" in definition
    digests = [one["hashes"][0]["content"] for one in helm["externalReferences"]]
    assert len(digests) == 2
    assert all(f"={digest}\n" in definition for digest in digests)


def test_each_collection_that_is_asked_for_is_a_part(made: dict[str, Any]) -> None:
    wanted = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
    for name, bounds in wanted.items():
        (found,) = [part for part in made["components"] if part["name"] == name]
        assert found["properties"] == [{"name": "falconet:wanted", "value": bounds}]


def test_each_part_is_named_once_and_every_reference_leads_to_one(made: dict[str, Any]) -> None:
    references = [part["bom-ref"] for part in made["components"]]
    assert len(references) == len(set(references))
    known = {*references, made["metadata"]["component"]["bom-ref"]}
    for edge in made["dependencies"]:
        assert {edge["ref"], *edge["dependsOn"]} <= known
    reached = {one for edge in made["dependencies"] for one in edge["dependsOn"]}
    assert set(references) == reached


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert sbom.main(["--output", str(tmp_path / name), "--without-validation"]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    written = json.loads((tmp_path / "one").read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")


def test_a_package_that_no_lock_has_is_named() -> None:
    with pytest.raises(SetupError, match="no lock has nowhere"):
        sbom.python_packages({"pyyaml", "nowhere"})
