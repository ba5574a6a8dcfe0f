"""Renews what is locked, and says what moved.

Usage:
    python3 tools/renew.py [--dry-run] [LOCK...]

Every ``requirements/NAME.in`` that has a ``NAME.txt`` is locked anew: for all platforms, with hashes and extras, for
the Python of its line ``# python: 3.12`` (3.11 without one). Then the Debian packages of the sandbox are recorded as
tried, and newer versions of what the sandbox's go.mod files ask for are told. Those are not written: Kubernetes' parts
go together, and a new one wants to be tried. The workflows' actions are pinned to the newest commit within their major
version. LOCK renews only these locks. Nothing is written with --dry-run.

Runs on the machine's own Python, since a lock that has rotted cannot be installed: uv, which makes the locks, is taken
in its newest version into an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.errors import SandboxError
from sandbox.toolchain import find_go
from tools import actions
from tools.environment import SetupError, alone, pinned

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
GO_MODULES = ROOT / "sandbox" / "go"
WORKFLOWS = ROOT / ".github" / "workflows"
PYTHON = re.compile(r"^# python: (\d+\.\d+)$", re.MULTILINE)
OLDEST_PYTHON = "3.11"
LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Move:
    """A version that changed; empty before a package that is new, after one that went."""

    name: str
    before: str
    after: str

    def text(self) -> str:
        """One line for people."""
        if not self.before:
            return f"{self.name} {self.after} is new"
        if not self.after:
            return f"{self.name} {self.before} went"
        return f"{self.name} {self.before} -> {self.after}"


def moves(before: Mapping[str, str], after: Mapping[str, str]) -> list[Move]:
    """What differs between two locks, by name."""
    names = sorted({*before, *after})
    return [
        Move(name, before.get(name, ""), after.get(name, "")) for name in names if before.get(name) != after.get(name)
    ]


def locks(folder: Path = REQUIREMENTS) -> list[tuple[Path, Path]]:
    """What is asked for and its lock, for each that has one."""
    found = ((source, source.with_suffix(".txt")) for source in sorted(folder.glob("*.in")))
    return [(source, lock) for source, lock in found if lock.exists()]


def python_of(source: str) -> str:
    """The oldest Python that a lock is for, from the text of what is asked for."""
    found = PYTHON.search(source)
    return found.group(1) if found else OLDEST_PYTHON


def cache_root() -> Path:
    """Where slow things are kept, as in the Makefile."""
    return Path(os.environ.get("FALCONET_CACHE") or Path.home() / ".cache" / "falconet")


def run(
    argv: Sequence[str], cwd: Path | str | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A program, with its output as text; it may fail."""
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)


def uv() -> Path:
    """The newest uv, in an environment of its own.

    Raises:
        SetupError: it cannot be had.
    """
    venv = cache_root() / "uv"
    program = venv / "bin" / "uv"
    with alone(venv):
        if not program.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = run([*pip, "--upgrade", "--only-binary=:all:", "uv"])
    if done.returncode and not program.exists():
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SetupError(f"uv, which makes the locks, cannot be had: {last}", "check network and proxy")
    return program


def index_of_pip() -> dict[str, str]:
    """uv's settings for what pip is configured with, so that both ask the same index."""
    told = run([sys.executable, "-m", "pip", "config", "list"]).stdout
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", told, re.MULTILINE))
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    return {variable: settings[name] for name, variable in names.items() if settings.get(name)}


def compile_lock(program: Path, source: Path, target: Path) -> None:
    """Lock what a file asks for, all of it in its newest version.

    Raises:
        SetupError: with uv's words.
    """
    argv = [str(program), "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"]
    argv += ["--no-strip-extras", "--no-header", f"--python-version={python_of(source.read_text())}"]
    relative = source.relative_to(ROOT) if source.is_relative_to(ROOT) else source
    done = run([*argv, f"--output-file={target}", str(relative)], cwd=ROOT, env={**os.environ, **index_of_pip()})
    if done.returncode:
        raise SetupError(f"{relative} cannot be locked:\n    " + "\n    ".join(done.stderr.strip().splitlines()[-8:]))


def renew_lock(program: Path, source: Path, lock: Path, *, dry_run: bool) -> list[Move]:
    """Lock anew; returns what moved."""
    before = lock.read_text()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / lock.name
        compile_lock(program, source, made)
        after = made.read_text()
    if not dry_run and after != before:
        lock.write_text(after)
    return moves(pinned(before), pinned(after))


def direct(go_mod: str) -> list[str]:
    """Modules that a go.mod asks for by itself."""
    lines = (line.split("//") for line in go_mod.splitlines())
    found = (re.match(r"^(?:require )?\s*([\w.-]+\.[a-z]+/\S+) v\S+\s*$", one[0]) for one in lines if len(one) == 1)
    return [one.group(1) for one in found if one]


def newer_modules(folder: Path) -> Iterator[Move]:
    """Newer versions of the modules that a go.mod asks for by itself.

    Raises:
        SetupError: the module proxy does not answer; with go's words.
        SandboxError: there is no Go, and none can be had.
    """
    asked = direct((folder / "go.mod").read_text())
    if not asked:
        return
    go = find_go()
    environment = {**go.environment(), "GOFLAGS": "-mod=mod -modcacherw"}
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("go.mod", "go.sum"):
            if (folder / name).exists():
                (Path(scratch) / name).write_text((folder / name).read_text())
        done = run([str(go.path), "list", "-m", "-u", "-json", *asked], cwd=scratch, env=environment)
    if done.returncode:
        raise SetupError(f"{folder.name}: " + (done.stderr.strip().splitlines() or ["go list failed"])[-1])
    decoder, text = json.JSONDecoder(), done.stdout.strip()
    while text:
        module, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        if "Update" in module:
            yield Move(module["Path"], module.get("Version", ""), module["Update"]["Version"])


def tell(what: str, lines: Sequence[str]) -> None:
    """A headline with what belongs to it."""
    print(f"{what}: {'nothing moved' if not lines else ''}".rstrip())
    for line in lines:
        print(f"    {line}")


def debian(*, dry_run: bool) -> list[str]:
    """Debian packages of the sandbox that came in another version than was tried."""
    argv = [sys.executable, "-m", "sandbox", "versions", *([] if dry_run else ["--write"])]
    done = run(argv, cwd=ROOT)
    if done.returncode:
        return [f"not looked at: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"]
    return [line for line in done.stdout.splitlines() if " tried: " in line or "not tried yet" in line]


def main(arguments: Sequence[str] | None = None) -> int:
    """Renew, and say what moved; 1 if something could not be renewed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("locks", nargs="*", metavar="LOCK", help="names, such as dev; all without one")
    parser.add_argument("--dry-run", action="store_true", help="say what would move, write nothing")
    options = parser.parse_args(arguments)
    known = {source.stem: (source, lock) for source, lock in locks()}
    unknown = [name for name in options.locks if name not in known]
    if unknown:
        print(f"there is no lock {unknown[0]!r}; those are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    try:
        program = uv()
    except SetupError as error:
        print(f"renew: {error.message}\n    try: {error.hint}", file=sys.stderr)
        return 1
    for name in options.locks or known:
        try:
            moved = renew_lock(program, *known[name], dry_run=options.dry_run)
            tell(f"requirements/{name}.txt", [move.text() for move in moved])
        except SetupError as error:
            failed += 1
            print(f"renew: {error.message}", file=sys.stderr)
    if not options.locks:
        tell("Debian packages of the sandbox", debian(dry_run=options.dry_run))
        for folder in sorted(path.parent for path in GO_MODULES.glob("*/go.mod")):
            try:
                newer = [f"{move.text()} can be had" for move in newer_modules(folder)]
                tell(f"{folder.relative_to(ROOT)}/go.mod (told, not written)", newer)
            except (SetupError, SandboxError) as error:
                failed += 1
                print(f"renew: {error}", file=sys.stderr)
        for workflow in sorted(WORKFLOWS.glob("*.yml")):
            try:
                tell(str(workflow.relative_to(ROOT)), actions.renew(workflow, dry_run=options.dry_run))
            except SetupError as error:
                failed += 1
                print(f"renew: {error.message}", file=sys.stderr)
    if not failed and not options.dry_run:
        print("Now run the tests with it (make test), and commit it.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
