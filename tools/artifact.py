"""Builds what Galaxy gets, and judges it as Galaxy and Automation Hub do.

Usage:
    python tools/artifact.py

The artifact is built of what lies in the working tree, by the rules of galaxy.yml. galaxy-importer, with its
ansible-lint, and antsibull-docs read it in an environment of their own (requirements/galaxy.txt). A warning fails as an
error does: Hub's reviewers see both. ansible-lint is started here as the importer would: it would stop waiting after
three minutes, which a busy machine needs. Its own run of ansible-test needs container images; tools/sanity.py runs it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import archives  # noqa: E402 - run as a program, tools is found by then
from tools.environment import SetupError, make  # noqa: E402 - run as a program, tools is found by then

LOCK = ROOT / "requirements" / "galaxy.txt"
#: What the importer says that is no step of its work.
COMPLAINT = re.compile(r"^(WARNING|ERROR|CRITICAL)\b|not found, skipping|Traceback|Importer processing failed")
#: As in galaxy-importer's loaders/collection.py.
LINT = [
    *("ansible-lint", "--profile", "production", "--offline", "--format=pep8", "--nocolor", "-x"),
    "yaml,var-naming,avoid-dot-notation,import-task-no-when,single-entry-point,use-loop",
]
LIMIT_SECONDS = 1800


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
        archives.unpack(archive, target)
    return target


def complaints(said: str, returncode: int) -> list[str]:
    """What galaxy-importer complains of, from its output; a run that fails complains at least of that."""
    found = [line for line in said.splitlines() if COMPLAINT.search(line)]
    return found or ([f"it ended with {returncode}: {said.strip()[-500:]}"] if returncode else [])


def environment(lock: Path = LOCK, built: Collection[str] = ()) -> Path:
    """The environment of a lock, in the cache.

    Args:
        lock: the full lock.
        built: names of packages in it that are to be had as source alone.

    Raises:
        SetupError: it cannot be made.
    """
    cache = Path(os.environ.get("FALCONET_CACHE") or Path.home() / ".cache" / "falconet")
    venv = cache / "venv" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    make(lock, venv, built=built)
    return venv


def run(venv: Path, folder: Path, home: Path, *command: str) -> tuple[str, int]:
    """Output and exit code of a program of the environment, in a folder and with a home directory."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",
            "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",  # as Automation Hub does
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    return done.stdout, done.returncode


def judge(venv: Path, artifact: Path, home: Path) -> list[str]:
    """What galaxy-importer and antsibull-docs complain of.

    Args:
        venv: environment with both.
        artifact: what `build` made.
        home: an empty directory.
    """
    said, code = run(venv, home, home, "python", "-m", "galaxy_importer.main", str(artifact))
    found = [f"galaxy-importer: {line}" for line in complaints(said, code)]
    collection = unpack(artifact, home / ".ansible" / "collections")
    said, code = run(venv, collection, home, *LINT)
    if code:
        found += [f"ansible-lint: {line}" for line in said.splitlines() if line.strip()]
    said, code = run(venv, home, home, "antsibull-docs", "lint-collection-docs", "--plugin-docs", str(collection))
    lines = [line.replace(f"{collection}/", "") for line in said.splitlines() if line.strip()]
    return found + [f"antsibull-docs: {line}" for line in lines or ([f"it ended with {code}"] if code else [])]


def main() -> int:
    """Build, judge, and print what is wrong."""
    try:
        venv = environment()
    except SetupError as error:
        print(f"artifact: {error.message}\n    try: {error.hint}", file=sys.stderr)
        return 1
    artifact = build(ROOT / "build" / "artifact")
    with tempfile.TemporaryDirectory() as home:
        found = judge(venv, artifact, Path(home))
    print("\n".join([*found, f"{artifact.name}: {len(found)} complaints of galaxy-importer and antsibull-docs"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
