"""The direction of imports: cores know nothing of Ansible, nothing that ships imports the sandbox."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tools import rooms

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
IMPURE = rooms.IMPURE
CORES = rooms.cores()
#: What a core may import besides the standard library.
CORE_LIBRARIES = {"yaml"}
#: The cores that a core may import besides what all share, and why.
CORE_ARROWS = {
    "audit": {"falco"},  # which rule needs what is asked of the rule's own condition
    "awx": {"variables"},  # what is answered in a survey is read as variables are
    "k8s_audit": {"falco_chart"},  # its Falco is a release of the same chart
}
#: The rooms of a package, lowest first: each may import those before it and the files that are no room, none the other
#: way. A file may be named like a room of its own.
ROOMS = {
    "falco": (
        "yaml",
        "catalogue",
        "condition",
        "load",
        "evaluate",
        "judge",
        "describe",
        "upgrade",
        "testing",
        "tune",
        "change",
    ),
    "netpol": ("model", "read", "decide", "flows", "lint", "ask", "suggest", "isolate", "watch", "show"),
    "probe": (
        "wire",
        "model",
        "question",
        "conclude",
        "plan",
        "cluster",
        "methods",
        "settle",
        "canary",
        "answer",
        "options",
    ),
}
#: How collections mark what is no public interface, as a comment of each package's first file.
PRIVATE = "# Private to this collection: any release may change it. Do not import it from elsewhere."
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
            if node.module:
                yield node.lineno, ".".join(part for part in (base, node.module) if part)
            else:
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}"


def import_graph(top: Path, root: Path, prefix: str) -> dict[str, set[str]]:
    """Each module below a folder, with the modules below it that it imports, at its top or inside a function."""
    files = {
        ".".join((prefix, *path.relative_to(root).with_suffix("").parts)).strip("."): path for path in top.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, path in files.items():
        graph[name] = set()
        package = name.rpartition(".")[0].split(".")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
                module = ".".join(part for part in (base, node.module or "") if part)
                graph[name] |= {f"{module}.{alias.name}" for alias in node.names} | {module}
            elif isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names}
        graph[name] &= files.keys() - {name}
    return graph


@pytest.mark.parametrize(
    ("folder", "prefix"), [("plugins", COLLECTION), ("sandbox", "")], ids=["the collection", "the sandbox"]
)
def test_no_files_import_each_other_in_a_circle(folder: str, prefix: str) -> None:
    graph = import_graph(ROOT / folder, ROOT, prefix)
    assert sum(map(len, graph.values())) > 50
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def violations(path: Path, allowed: Callable[[str], bool]) -> list[str]:
    return [f"{path.relative_to(ROOT)}:{line}: imports {name}" for line, name in imports(path) if not allowed(name)]


@pytest.mark.parametrize("core", CORES)
def test_a_core_imports_the_standard_library_itself_and_what_cores_share(core: str) -> None:
    own = tuple(f"{COLLECTION}.plugins.module_utils.{name}." for name in {core, "common", *CORE_ARROWS.get(core, ())})

    def allowed(name: str) -> bool:
        top = name.split(".")[0]
        return top in sys.stdlib_module_names or top in CORE_LIBRARIES or (name + ".").startswith(own)

    assert [v for path in sorted((UTILS / core).rglob("*.py")) for v in violations(path, allowed)] == []


def room_of(path: Path, core: Path) -> str:
    """The room that a file is in, or its own name."""
    return path.relative_to(core).parts[0].removesuffix(".py")


@pytest.mark.parametrize("core", sorted(ROOMS))
def test_rooms_are_declared_and_have_a_door(core: str) -> None:
    rooms = {path.parent.name for path in (UTILS / core).glob("*/*.py")}
    assert sorted(rooms - set(ROOMS[core])) == [], "declare them in ROOMS, where their arrows run downward"
    for room in sorted(rooms):
        door = UTILS / core / room / "__init__.py"
        assert door.is_file(), f"{core}/{room} has no __init__.py"
        assert ast.get_docstring(ast.parse(door.read_text())), (
            f"{core}/{room}/__init__.py does not say what the room is"
        )


@pytest.mark.parametrize("core", ["falco", "netpol"])
def test_the_core_s_own_list_of_rooms_is_complete_and_in_order(core: str) -> None:
    text = ast.get_docstring(ast.parse((UTILS / core / "__init__.py").read_text())) or ""
    named = dict.fromkeys(name for name in re.findall(r"`(\w+)`", text) if name in ROOMS[core])
    assert list(named) == list(ROOMS[core])


def upward(core: Path, order: tuple[str, ...]) -> list[str]:
    """The imports of a core that run from a room to one above it."""
    height = {room: number for number, room in enumerate(order, 1)}
    own = f"{COLLECTION}.plugins.module_utils.{core.name}."
    found = []
    for path in sorted(core.rglob("*.py")):
        for line, name in imports(path):
            target = name[len(own) :].split(".")[0] if name.startswith(own) else ""
            if height.get(target, 0) > height.get(room_of(path, core), 0):
                found.append(f"{path.relative_to(core)}:{line}: imports {target}")
    return found


@pytest.mark.parametrize("core", sorted(ROOMS))
def test_arrows_between_rooms_run_downward(core: str) -> None:
    assert upward(UTILS / core, ROOMS[core]) == []


def test_an_arrow_that_runs_upward_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core = tmp_path / "plugins" / "module_utils" / "falco"
    for room, source in (("yaml", "from ..load.ruleset import load\n"), ("load", "from ..yaml.nodes import Yaml\n")):
        (core / room).mkdir(parents=True)
        (core / room / "file.py").write_text(source)
    (core / "errors.py").write_text("def late():\n    from . import yaml\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert upward(core, ("yaml", "load")) == ["errors.py:2: imports yaml", "yaml/file.py:1: imports load"]


@pytest.mark.parametrize("package", sorted(IMPURE))
def test_the_way_to_the_outside_imports_no_module_and_no_filter(package: str) -> None:
    def allowed(name: str) -> bool:
        return not name.startswith((f"{COLLECTION}.plugins.modules", f"{COLLECTION}.plugins.filter"))

    assert [v for path in sorted((UTILS / package).rglob("*.py")) for v in violations(path, allowed)] == []


def test_kube_knows_kubernetes_alone() -> None:
    others = tuple(f"{COLLECTION}.plugins.module_utils.{p.name}" for p in UTILS.iterdir() if p.name != "kube")

    def allowed(name: str) -> bool:
        return not name.startswith(others)

    assert [v for path in sorted((UTILS / "kube").rglob("*.py")) for v in violations(path, allowed)] == []


#: Classes of cores that are filled while something is gathered, and read when that is done.
FILLED = {
    "apiserver/nodes.py",
    "falco/testing/report.py",
    "falco_chart/templates.py",
    "netpol/model/objects.py",
    "netpol/read/calico.py",
    "netpol/read/cilium.py",
}


@pytest.mark.parametrize("core", CORES)
def test_values_of_a_core_are_frozen(core: str) -> None:
    found = {str(path.relative_to(UTILS)) for path in (UTILS / core).rglob("*.py") if not_frozen(path.read_text())}
    assert found == {one for one in FILLED if one.startswith(f"{core}/")}


def not_frozen(source: str) -> list[str]:
    """The data classes of a text that are not frozen."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        for one in map(ast.unparse, node.decorator_list)
        if one.startswith("dataclass") and "frozen=True" not in one
    ]


@pytest.mark.parametrize("by", ["dataclass", "dataclass(order=True)", "dataclass(frozen=False)"])
def test_a_value_that_is_not_frozen_is_found(by: str) -> None:
    assert not_frozen(f"@{by}\nclass Value:\n    x: int") == ["Value"]


def test_every_file_of_module_utils_is_in_a_package() -> None:
    assert sorted(path.name for path in UTILS.glob("*.py")) == []


@pytest.mark.parametrize("package", sorted(path.parent.name for path in UTILS.glob("*/__init__.py")))
def test_every_package_says_that_it_is_private(package: str) -> None:
    assert PRIVATE in (UTILS / package / "__init__.py").read_text().splitlines()


def test_the_pictures_of_the_rooms_are_those_of_the_imports() -> None:
    assert rooms.PAGE.read_text() == rooms.page(rooms.PAGE.read_text()), "run python3 tools/rooms.py --write"


def test_a_picture_shows_each_arrow_once_and_none_that_a_longer_way_says() -> None:
    assert rooms.reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


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


def test_filter_files_import_no_core() -> None:
    """Ansible imports all of them in each of its processes: what they import is paid by every task with a template."""
    program = (
        "import importlib, pathlib, sys\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.py')):\n"
        f"    importlib.import_module('{COLLECTION}.plugins.filter.' + path.stem)\n"
        f"print([name for name in sys.modules if name.startswith('{COLLECTION}.plugins.module_utils.')])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "collections")}
    command = [sys.executable, "-c", program, str(ROOT / "plugins" / "filter")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    imported = {name.split(".")[5] for name in ast.literal_eval(done.stdout)}
    assert imported <= {"common", "variables"}


#: What stands in a file all of whose late imports have one reason.
ONE_REASON = ("# Late imports: ", "# So a filter imports its core when it is used.")


def late_imports_without_a_reason(path: Path) -> list[str]:
    """Imports within functions that neither a comment at them nor one of the whole file explains."""
    text = path.read_text()
    if any(reason in text for reason in ONE_REASON):
        return []
    lines = text.split("\n")
    tree = ast.parse(text)
    late = {
        (node.lineno, node.end_lineno or node.lineno)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    explained: set[int] = set()
    found = []
    for first, last in sorted(late):
        above = first - 1
        if "#" in lines[first - 1] or lines[above - 1].lstrip().startswith("#") or above in explained:
            explained.add(last)
        else:
            found.append(f"{path}:{first}: {lines[first - 1].strip()}")
    return found


@pytest.mark.parametrize("folder", ["plugins", "sandbox", "tools", "bench"])
def test_an_import_within_a_function_has_a_comment_with_its_reason(folder: str) -> None:
    assert [
        found for path in sorted((ROOT / folder).rglob("*.py")) for found in late_imports_without_a_reason(path)
    ] == []


def test_a_late_import_without_a_reason_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(
        "def one():\n    import csv\n\n\ndef two():\n    # takes long\n    import yaml\n    import json\n    x = 1\n"
        "    import re\n"
    )
    assert late_imports_without_a_reason(path) == [f"{path}:2: import csv", f"{path}:10: import re"]
