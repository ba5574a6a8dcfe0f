"""Builds the documentation as a site: guides and pages of the repository, and the reference of every plugin and role.

Usage:
    python tools/docsite.py [DIRECTORY]

The site is DIRECTORY/html (build/docsite/html). Pages are the repository's own Markdown files, laid out as there, so
that links between them hold in both places; a link to a file that is no page leads to the repository. The reference is
made by antsibull-docs of the built artifact. A reference that leads nowhere, a missing page, and any other warning of
Sphinx fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import artifact  # noqa: E402 - run as a program, tools is found by then
from tools.environment import SetupError  # noqa: E402 - run as a program, tools is found by then

REPOSITORY = "https://github.com/falconet-k8s/falconet.k8s/blob/main/"
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
#: Labels of Ansible's own documentation, which antsibull-docs refers to and which this site does not have.
FOREIGN = re.compile(r"undefined label: '(?!ansible_collections\.falconet\.)")
INDEX = """falconet.k8s
============

.. toctree::
   :maxdepth: 1
   :caption: Begin

   README
   docs/README
   docs/getting-started
   docs/from-tutorials
   docs/from-tutorials.es
   docs/from-tutorials.ru

.. toctree::
   :maxdepth: 1
   :caption: Guides
   :glob:

   docs/guides/*

.. toctree::
   :maxdepth: 1
   :caption: Pages
   :glob:

{pages}

.. toctree::
   :maxdepth: 1
   :caption: Reference

   reference/index

.. toctree::
   :maxdepth: 1
   :caption: How it is made
   :glob:

{made}
"""
BEGIN = {"README", "getting-started", "from-tutorials", "from-tutorials.es", "from-tutorials.ru"}


class DocsiteError(Exception):
    """The site cannot be built."""


def pages(root: Path) -> list[Path]:
    """The repository's Markdown files, by their paths from its top; templates of issues and requests are none."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=root, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split() if not name.startswith(".") and (root / name).exists()]


def relinked(text: str, page: Path, known: set[Path]) -> str:
    """A page with links that hold on the site.

    Args:
        text: its Markdown.
        page: its path from the repository's top.
        known: all pages, likewise.

    Returns:
        The text; links to the repository's address of a page lead to the page, links to other files to the repository.
    """

    def target(match: re.Match[str]) -> str:
        link, _, anchor = match[2].partition("#")
        anchor = f"#{anchor}" if anchor else ""
        if link.startswith(REPOSITORY) and Path(link.removeprefix(REPOSITORY)) in known:
            link = os.path.relpath(link.removeprefix(REPOSITORY), page.parent)
        elif link and not re.match(r"[a-z]+:", link):
            meant = Path(os.path.normpath(page.parent / link))
            if meant not in known and meant.suffix != ".png":
                link = f"{REPOSITORY}{meant}"
        return f"{match[1]}{link}{anchor}{match[3]}"

    return LINK.sub(target, text)


def lay_out(root: Path, source: Path) -> None:
    """Write what Sphinx reads: pages, pictures, index and configuration.

    Args:
        root: the repository.
        source: an empty folder.
    """
    known = pages(root)
    for page in known:
        target = source / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(relinked((root / page).read_text(), page, set(known)))
    shutil.copytree(root / "docs" / "pictures", source / "docs" / "pictures")
    shutil.copy(root / "docs" / "docsite" / "conf.py", source)
    names = [page.with_suffix("") for page in known]
    subject = [name for name in names if str(name.parent) == "docs" and name.name not in BEGIN]
    subject += [name for name in names if name.parts[0] == "roles"]
    made = [name for name in names if name not in subject and str(name) != "README" and name.parts[0] != "docs"]
    made += [name for name in names if name.parts[:2] in {("docs", "decisions"), ("docs", "extending")}]
    index = INDEX.format(
        pages="\n".join(f"   {name}" for name in subject), made="\n".join(f"   {name}" for name in made)
    )
    (source / "index.rst").write_text(index)


def reference(venv: Path, home: Path, target: Path) -> None:
    """Have antsibull-docs write the reference of the built artifact.

    Args:
        venv: environment with antsibull-docs.
        home: an empty directory for the artifact.
        target: folder that it is written into.

    Raises:
        DocsiteError: a plugin's documentation cannot be rendered.
    """
    artifact.unpack(artifact.build(home / "artifact"), home / ".ansible" / "collections")
    target.mkdir(parents=True)
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(target)]
    said, code = artifact.run(venv, home, home, "antsibull-docs", "collection", *options, "falconet.k8s")
    if code:
        raise DocsiteError(f"antsibull-docs: {said.strip()[-2000:]}")


def complaints(said: str) -> list[str]:
    """What Sphinx warns of, without references into Ansible's own documentation, which is not built here."""
    warned = [line for line in said.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line)]
    return [line for line in warned if not FOREIGN.search(line)]


def build(folder: Path) -> list[str]:
    """Build the site.

    Args:
        folder: where ``source`` and ``html`` are put; what is there of before is replaced.

    Returns:
        What is wrong with it.

    Raises:
        SetupError: the environment cannot be made.
        DocsiteError: there is no site.
    """
    venv = artifact.environment()
    source = folder / "source"
    shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    lay_out(ROOT, source)
    with tempfile.TemporaryDirectory() as home:
        reference(venv, Path(home), source / "reference")
        html = folder / "html"
        argv = ["sphinx-build", "-q", "--keep-going", "-b", "html", str(source), str(html)]
        said, code = artifact.run(venv, folder, Path(home), *argv)
    if code or not (html / "index.html").exists():
        raise DocsiteError(f"sphinx-build: {said.strip()[-2000:]}")
    return [line.replace(f"{source}/", "") for line in complaints(said)]


def main(arguments: list[str]) -> int:
    """Build, and print what is wrong."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / "build" / "docsite"
    try:
        found = build(folder)
    except (SetupError, DocsiteError) as error:
        print(f"docsite: {error}", file=sys.stderr)
        return 1
    print("\n".join([*found, f"{folder / 'html' / 'index.html'}: {len(found)} complaints"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
