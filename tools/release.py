"""Makes the files of a release, after asking whether there is one: the artifact, its list of parts, and their digests.

Usage:
    python tools/release.py VERSION [--output build/release]

VERSION is that of galaxy.yml and of the tag without its `v`. Left are the artifact as Galaxy gets it, MANIFEST.json of
it (its signature is what `ansible-galaxy collection install --keyring` asks for), the list of parts (tools/sbom.py) and
SHA256SUMS of all three. Nothing is signed here: what builds has no key. .github/workflows/release.yml does both.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import sbom  # noqa: E402 - run as a program, tools is found by then
from tools.artifact import build  # noqa: E402 - run as a program, tools is found by then

SUMS = "SHA256SUMS"
PARTS = "sbom.cdx.json"
#: Of https://semver.org: three numbers and, for what is tried before, something behind a hyphen.
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(?!dev)[0-9A-Za-z.-]+)?")


def obstacles(version: str, root: Path = ROOT) -> Iterator[str]:
    """What speaks against a release, with what would be right."""
    if not VERSION.fullmatch(version):
        yield f"{version} is no version of a release: give three numbers, such as 1.0.0 or 1.0.0-rc.1"
    own = str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    if own != version:
        yield f"galaxy.yml says version {own}: set it to {version}"
    changes = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    if version not in changes["releases"]:
        yield f"changelogs/changelog.yaml has no release {version}: antsibull-changelog release"
    fragments = sorted(path.name for path in (root / "changelogs" / "fragments").glob("*.y*ml"))
    if fragments:
        yield f"{len(fragments)} changes are in no release yet, such as {fragments[0]}: antsibull-changelog release"
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    if changed.strip():
        yield f"the working tree differs from its commit: {changed.splitlines()[0].strip()}"


def sums(folder: Path) -> str:
    """Digests of a folder's files as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def make(folder: Path) -> None:
    """Put the files of a release into a folder, which is made anew.

    Raises:
        SystemExit: the list of parts cannot be made, or does not fit its schema.
    """
    shutil.rmtree(folder, ignore_errors=True)
    artifact = build(folder)
    with tarfile.open(artifact) as archive:
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest  # a regular file in whatever ansible-galaxy builds
        (folder / "MANIFEST.json").write_bytes(manifest.read())
    if sbom.main(["--output", str(folder / PARTS)]):
        raise SystemExit(1)
    (folder / SUMS).write_text(sums(folder), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Ask, and make; 1 if something speaks against it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "release")
    given = parser.parse_args(arguments)
    found = list(obstacles(given.version))
    if found:
        print("\n".join(f"release: {line}" for line in found), file=sys.stderr)
        return 1
    make(given.output.absolute())
    print((given.output / SUMS).read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
