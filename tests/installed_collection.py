"""Builds the collection, installs the artifact into an empty home directory, and runs Ansible from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What Ansible's programs are started from: the directory of the Python that runs the tests.
PROGRAMS = Path(sys.executable).parent
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Installed:
    """A home directory with the collection in it, and a directory to work in that holds a copy of the inventory."""

    home: Path
    work: Path
    collection: Path

    def run(
        self, program: str, *arguments: str, limit_seconds: float = LIMIT_SECONDS, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of Ansible's programs in the working directory; nothing of this process' settings reaches it.

        Args:
            program: its name, such as ``ansible-playbook``.
            arguments: its arguments.
            limit_seconds: after which it is ended.
            variables: further environment variables.
        """
        environment = {
            "HOME": str(self.home),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            # As a shell does; evidence is written there.
            "PWD": str(self.work),
            # So that a word which stands at a line's end is found.
            "COLUMNS": "400",
            **self._lent(),
            **variables,
        }
        return subprocess.run(
            [program, *arguments],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_seconds,
        )

    def _lent(self) -> dict[str, str]:
        """The collections that this one needs, where ansible-core is tried without Ansible's own package."""
        given = [Path(part) for part in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep) if part]
        lent = [folder for folder in given if not (folder / "ansible_collections" / "falconet").exists()]
        own = self.home / ".ansible" / "collections"
        return {"ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, [own, *lent]))} if lent else {}


def install(folder: Path, source: Path = ROOT) -> Installed:
    """Build the artifact of a working tree and install it.

    Args:
        folder: an empty directory.
        source: the working tree.
    """
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    collection = home / ".ansible" / "collections" / "ansible_collections" / "falconet" / "k8s"
    there = Installed(home, work, collection)
    take(there, source)
    shutil.copytree(collection / "inventory", work / "inventory")
    return there


def take(there: Installed, source: Path) -> None:
    """Build the artifact of a working tree and install it over what is there.

    Args:
        there: where to.
        source: the working tree.
    """
    with tempfile.TemporaryDirectory() as folder:
        built = there.run("ansible-galaxy", "collection", "build", str(source), "--output-path", folder)
        assert built.returncode == 0, built.stderr
        (artifact,) = Path(folder).glob("*.tar.gz")
        # The collections that it needs come with Ansible's own package: tests do not ask Galaxy.
        done = there.run(
            "ansible-galaxy", "collection", "install", str(artifact), "--no-deps", "--offline", "--upgrade"
        )
        assert done.returncode == 0, done.stderr
