"""The stand-in for Falco as one file: what is in it suffices, and it is made again when something in it changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.standins import program

RULES = Path(program.__file__).parent / "image" / "etc" / "falco"


def test_what_goes_into_the_program_suffices(tmp_path: Path) -> None:
    for target, file in program.sources():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / target)
    (tmp_path / "falco.yaml").write_text("plugins: [{name: container}, {name: json}, {name: k8saudit}]\n")
    (tmp_path / "audit.yaml").write_text(
        "- rule: r\n  desc: d\n  condition: ka.uri.param[x] = y\n  output: o\n  priority: INFO\n  source: k8s_audit\n"
    )
    run = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from sandbox.standins.falco.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    files = ["-V", str(RULES / "falco_rules.yaml"), "-V", str(tmp_path / "audit.yaml")]
    argv = [sys.executable, "-IS", "-c", run, "-c", str(tmp_path / "falco.yaml"), *files]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": Ok") == 2


def test_it_is_made_again_when_a_file_of_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "one.py"
    made: list[list[str]] = []

    def pack(_: Path, folder: Path, __: str, **___: object) -> None:
        made.append(sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))
        (folder / "falco").write_text("packed")

    monkeypatch.setattr(program, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(program, "run_in_scratch", pack)
    monkeypatch.setattr(program, "sources", lambda: iter([(Path("a/b/one.py"), source)]))
    root = tmp_path / "base" / "root"
    source.write_text("1")
    first = program.program(root)
    assert [path.name for path in first.iterdir()] == ["falco"]
    assert program.program(root) == first
    source.write_text("2")
    assert program.program(root) != first
    assert made == [["source/__main__.py", "source/a/__init__.py", "source/a/b/__init__.py", "source/a/b/one.py"]] * 2
    assert program.interpreter(root) != first
