"""Versions of the Debian packages that the sandbox is made of: those that were tried, and those that came.

A mirror carries one version of a package and replaces it with every point release, so nothing can be pinned here. What
came is recorded and compared instead. Another version is tolerated and told by name, for whoever looks for a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.process import run

#: Suite, package and version of everything that was tried; written by ``make renew``.
TRIED = Path(__file__).with_suffix(".tsv")


def installed(root: Path, packages: Iterable[str] = ()) -> dict[str, str]:
    """Version by name of these packages in a root file system, or of all that are installed there.

    Raises:
        SandboxError: one of them is not installed; dpkg-query names it.
    """
    show = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat", "${Package}\t${Version}\n"]
    lines = run([*show, *packages]).stdout.splitlines()
    return dict(sorted(line.split("\t") for line in lines))


def read(text: str) -> dict[tuple[str, str], str]:
    """Version by suite and package, from the text of ``TRIED``."""
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {(suite, package): version for suite, package, version in rows}


def moved(versions: Mapping[str, str], suite: str, tried: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    """A line for each package that came in another version than was tried."""
    known = read(TRIED.read_text()) if tried is None else tried
    if not any(one == suite for one, _ in known):
        return [f"Debian packages of {suite} were not tried yet: a fault may be theirs"]
    return [
        f"{package} is {version}, {known.get((suite, package), 'nothing')} was tried: tolerated"
        for package, version in sorted(versions.items())
        if known.get((suite, package)) != version
    ]


def record(suite: str, versions: Mapping[str, str], *, write: bool) -> list[str]:
    """What moved since it was tried, a line each; with ``write`` these versions are the tried ones from now on."""
    known = read(TRIED.read_text()) if TRIED.exists() else {}
    told = moved(versions, suite, known) or [f"Debian packages of {suite}: those that were tried"]
    if write:
        kept = {key: version for key, version in known.items() if key[0] != suite}
        rows = sorted({**kept, **{(suite, package): version for package, version in versions.items()}}.items())
        lines = ["# suite\tpackage\tversion", *("\t".join((*key, version)) for key, version in rows)]
        TRIED.write_text("\n".join(lines) + "\n")
    return told
