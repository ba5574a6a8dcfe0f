"""Go programs of the sandbox: what is built, from which pinned module, with which flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class GoBuild:
    """One ``go build`` (or ``go test -c``) whose output is a folder of programs.

    Attributes:
        name: name of the build; image sources speak of ``<name>/<file>``.
        module: folder with go.mod, go.sum and the main package.
        packages: what to build: ``"."`` or import paths.
        files: names of the programs that must be there afterwards.
        tags: build tags.
        settings: string variables set by the linker (``-X``), name to value.
        is_test: ``go test -c`` instead of ``go build``.
        cold_seconds: about how long it takes with empty caches on two cores; for the progress display.
    """

    name: str
    module: Path
    packages: tuple[str, ...] = (".",)
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    is_test: bool = False
    cold_seconds: int = 30
