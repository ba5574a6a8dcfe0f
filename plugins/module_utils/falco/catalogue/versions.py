# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of Falco are known, and the tables of each.

The newest version's module holds its tables whole; an older one's holds what differs from the next newer, and is put
together when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from ..errors import FalcoError

# Late imports: a version's tables are read when it is asked for. Each import is spelt out, for Ansible ships to a host
# what it finds imported by name.


def _falco_0_38() -> Any:
    from . import falco_0_38

    return falco_0_38


def _falco_0_39() -> Any:
    from . import falco_0_39

    return falco_0_39


def _falco_0_40() -> Any:
    from . import falco_0_40

    return falco_0_40


def _falco_0_41() -> Any:
    from . import falco_0_41

    return falco_0_41


def _falco_0_42() -> Any:
    from . import falco_0_42

    return falco_0_42


def _falco_0_43() -> Any:
    from . import falco_0_43

    return falco_0_43


def _falco_0_44() -> Any:
    from . import falco_0_44

    return falco_0_44


VERSIONS: dict[str, Callable[[], Any]] = {
    "0.38": _falco_0_38,
    "0.39": _falco_0_39,
    "0.40": _falco_0_40,
    "0.41": _falco_0_41,
    "0.42": _falco_0_42,
    "0.43": _falco_0_43,
    "0.44": _falco_0_44,
}
"""Falco version (major.minor), oldest first, to what imports its module; the imports are written out because Ansible
ships only modules that it finds imported by name."""

OLDEST, NEWEST = next(iter(VERSIONS)), next(reversed(VERSIONS))
TABLES = ("FIELDS", "PLUGIN_FIELDS", "PLUGINS", "EVENTS", "SYSCALLS", "OBSOLETE_EVENTS", "PARAMETERS")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?(?:[-+].*)?")


class Resolved(NamedTuple):
    """A version as it was asked for, as one that is known.

    Attributes:
        falco: the known version, major.minor.
        note: what the user has to know about it; empty when it is the one that was asked for.
    """

    falco: str
    note: str = ""


def order(version: str) -> tuple[int, int]:
    """Major and minor of a version, to compare by.

    Raises:
        FalcoError: the text is no version.
    """
    match = _VERSION.fullmatch(version.strip())
    if not match:
        raise FalcoError(f"'{version}' is no version of Falco; one looks like {NEWEST} or {NEWEST}.1")
    return int(match.group(1)), int(match.group(2))


def resolve(version: str) -> Resolved:
    """Find the known version to take for one.

    Args:
        version: Falco's version, "0.44" or "0.44.1". One that is newer than all known is taken as the newest.

    Raises:
        FalcoError: the text is no version, or it is older than the oldest that is known.
    """
    asked = order(version)
    short = f"{asked[0]}.{asked[1]}"
    if short in VERSIONS:
        return Resolved(short)
    if asked < order(OLDEST):
        raise FalcoError(f"no catalogue for Falco {version}; there is one for: {', '.join(VERSIONS)}")
    return Resolved(
        NEWEST, f"Falco {version} is newer than every catalogue here, and is taken as {NEWEST}, the newest of them"
    )


@cache
def data_of(falco: str) -> Any:
    """The tables of a known version: `FALCO`, `ENGINE` and one attribute for each of `TABLES`.

    Args:
        falco: major.minor, one of `VERSIONS`.
    """
    module = VERSIONS[falco]()
    changes = getattr(module, "DIFFERENCES", None)
    if changes is None:
        return module
    newer = data_of(module.NEWER)
    tables = {name: patched(getattr(newer, name), changes.get(name, ())) for name in TABLES}
    return SimpleNamespace(FALCO=module.FALCO, ENGINE=module.ENGINE, **tables)


def patched(table: tuple[Any, ...], changes: tuple[tuple[int, int, tuple[Any, ...]], ...]) -> tuple[Any, ...]:
    """A table with some stretches of rows replaced.

    Args:
        table: the rows.
        changes: start and stop (exclusive) of rows to replace, and the rows in their place; in order.
    """
    if not changes:
        return table
    parts: list[Any] = []
    done = 0
    for start, stop, rows in changes:
        parts.extend(table[done:start])
        parts.extend(rows)
        done = stop
    parts.extend(table[done:])
    return tuple(parts)
