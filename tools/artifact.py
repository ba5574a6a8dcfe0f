"""Builds what Galaxy gets, and judges it as Galaxy and Automation Hub do.

Usage:
    python tools/artifact.py [--environment VENV]

The artifact is built of what lies in the working tree, by the rules of galaxy.yml.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path) -> Path:
    """Build the artifact.

    Args:
        folder: where it is put; artifacts of before are taken away.

    Returns:
        Its path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.tar.gz"):
        old.unlink()
    command = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (artifact,) = folder.glob("*.tar.gz")
    return artifact


def unpack(artifact: Path, collections: Path) -> Path:
    """Unpack an artifact where Ansible looks for collections.

    Args:
        artifact: what `build` made.
        collections: folder that shall hold ``ansible_collections``; what it has of this collection is replaced.

    Returns:
        The collection's folder.
    """
    target = collections / "ansible_collections" / "falconet" / "k8s"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(artifact) as archive:
        archive.extractall(target, filter="data")
    return target
