"""The direction of imports: cores know nothing of Ansible, nothing that ships imports the sandbox."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
#: Packages of module_utils that talk to a cluster or read a node; every other one is a core.
IMPURE = {"kube", "node"}
CORES = sorted(p.name for p in UTILS.iterdir() if (p / "__init__.py").exists() and p.name not in IMPURE)
#: What a core may import besides the standard library.
CORE_LIBRARIES = {"yaml"}
COLLECTION = "ansible_collections.falconet.k8s"
NEVER_SHIPPED = {"sandbox", "bench", "tests", "tools"}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module name) of every import in the file; relative ones are resolved to the collection's name."""
    package = (COLLECTION, *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            yield node.lineno, ".".join(part for part in (base, node.module or "") if part)


def violations(path: Path, allowed: object) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: imports {name}" for line, name in imports(path) if not allowed(name)]


@pytest.mark.parametrize("core", CORES)
def test_a_core_imports_the_standard_library_and_itself(core: str) -> None:
    own = f"{COLLECTION}.plugins.module_utils.{core}"

    def allowed(name: str) -> bool:
        top = name.split(".")[0]
        return top in sys.stdlib_module_names or top in CORE_LIBRARIES or (name + ".").startswith(own + ".")

    assert [v for path in sorted((UTILS / core).rglob("*.py")) for v in violations(path, allowed)] == []


def test_kube_imports_no_module_and_no_filter() -> None:
    def allowed(name: str) -> bool:
        return not name.startswith((f"{COLLECTION}.plugins.modules", f"{COLLECTION}.plugins.filter"))

    assert [v for path in sorted((UTILS / "kube").rglob("*.py")) for v in violations(path, allowed)] == []


def test_nothing_that_ships_imports_what_does_not() -> None:
    def allowed(name: str) -> bool:
        return name.split(".")[0] not in NEVER_SHIPPED

    assert [v for path in sorted((ROOT / "plugins").rglob("*.py")) for v in violations(path, allowed)] == []


def test_roles_never_name_the_sandbox() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "roles").rglob("*"))
        if path.is_file() and path.suffix in {".yml", ".j2", ".py"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "sandbox" in line.lower() or "molecule" in line.lower()
    ]
    assert named == []


@pytest.mark.parametrize("source", ["import ansible.module_utils.basic", "from kubernetes import client"])
def test_the_check_itself_can_fail(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "plugins" / "module_utils" / "falco" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(source)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert violations(bad, lambda name: name.split(".")[0] in sys.stdlib_module_names)
