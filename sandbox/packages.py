"""The local package repository of the nodes: RPMs that the sandbox builds itself."""

from __future__ import annotations

from pathlib import Path

from sandbox.cache import cache_root, digest, produce


def package_layer(root: Path) -> Path:
    """A layer for the nodes' root with the repository at /var/lib/sandbox-repo."""

    def make(folder: Path) -> None:
        (folder / "var/lib/sandbox-repo").mkdir(parents=True)

    return produce(cache_root() / "repository" / digest(["0"]), make)
