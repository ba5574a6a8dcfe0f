# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules files of one site on the controller's disk: where they are, and what is wrong with their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..common.finding import Finding
from ..falco.load.embedded import Embedded, placed, unpacked
from ..falco.load.ruleset import RulesFile
from .rules import read_rules_files


class PlaceError(Exception):
    """Files that are not there, cannot be read, or have one name.

    Attributes:
        problems: each begins with the option that names them.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class SiteFiles:
    """What was read.

    Attributes:
        texts: file name to text, by name, as Falco loads a directory. Rules within another file are a file of their
            own, after as many empty lines as make their lines those of the file around them.
        paths: file name to path.
        inner: by path what was found within another file.
    """

    texts: dict[str, str]
    paths: dict[str, str]
    inner: Mapping[str, Embedded] = field(default_factory=dict)

    def placed(self, finding: Finding) -> Finding:
        """A finding on one of the texts, where the person has it who wrote the file."""
        return placed(replace(finding, file=self.paths.get(finding.file, finding.file)), self.inner)

    def rolled_out(self, files: Mapping[str, str]) -> dict[str, str]:
        """Files as they are rolled out: what was found within others does not keep their lines."""
        return {name: text.lstrip("\n") if self.paths.get(name) in self.inner else text for name, text in files.items()}


def read_site(
    files: Sequence[str],
    cluster_files: Sequence[str] = (),
    cluster: str = "",
    contents: Mapping[str, str] | None = None,
) -> SiteFiles:
    """Read a site's own rules files.

    Args:
        files: paths of files, and of directories whose `*.yaml` and `*.yml` are taken.
        cluster_files: the same for one cluster; what does not exist is left out.
        cluster: name of the cluster; a folder of this name in each directory of `files` is taken as well.
        contents: file name to text of further ones.

    Raises:
        PlaceError: with all that is wrong.
    """
    missing = [f"files: there is no {path} on the controller." for path in files if not Path(path).exists()]
    if missing:
        raise PlaceError(missing)
    folders = [str(Path(path) / cluster) for path in files if cluster and Path(path).is_dir()]
    found, problems = _read("files", [*files, *(path for path in folders if Path(path).is_dir())])
    more, wrong = _read("cluster_files", [path for path in cluster_files if Path(path).exists()])
    problems += wrong
    texts: dict[str, str] = {}
    paths: dict[str, str] = {}
    given = [*(RulesFile(name, text) for name, text in (contents or {}).items()), *found, *more]
    own, inner = unpacked(given, named=True)
    for one in own:
        name = Path(one.name).name
        if name in paths:
            problems.append(
                f"files: two rules files have one name, and Falco's directory has one place for it: {paths[name]} and "
                f"{one.name}; rename one of them."
            )
        texts[name], paths[name] = one.text, one.name
    if problems:
        raise PlaceError(problems)
    return SiteFiles({name: texts[name] for name in sorted(texts)}, paths, inner)


def read_base(paths: Sequence[str]) -> tuple[RulesFile, ...]:
    """Read what Falco loads before a site's own files, in its order; of a directory every file, by name.

    Raises:
        PlaceError: with all that is wrong.
    """
    missing = [f"base_files: there is no {path} on the controller." for path in paths if not Path(path).exists()]
    if missing:
        raise PlaceError(missing)
    found, problems = _read("base_files", paths)
    if problems:
        raise PlaceError(problems)
    return tuple(found)


def _read(option: str, paths: Sequence[str]) -> tuple[list[RulesFile], list[str]]:
    """Files, and what could not be read; an empty directory is none of that, since a cluster's may be elsewhere."""
    wanted = [path for path in paths if not (Path(path).is_dir() and not _rules_in(Path(path)))]
    found, unreadable = read_rules_files(wanted)
    return list(found), [f"{option}: {path}: {reason}." for path, reason in unreadable]


def _rules_in(folder: Path) -> bool:
    return any(entry.suffix in (".yaml", ".yml") and entry.is_file() for entry in folder.iterdir())
