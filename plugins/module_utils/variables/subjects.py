# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Objects of a cluster that variables name: those that do not exist are told with the nearest that does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..common.words import nearest

#: How many names of objects that exist are told.
SHOWN = 8


@dataclass(frozen=True)
class Subject:
    """What a variable names.

    Attributes:
      kind: of the object, such as C(Secret).
      name: of the object.
      namespace: where it must be; empty for kinds without one.
      variable: that names it, for the message; may be empty.
      hint: what else could be done; may be empty.
    """

    kind: str
    name: str
    namespace: str = ""
    variable: str = ""
    hint: str = ""


def told_missing(subject: Subject, there: Sequence[str] | None, namespace_exists: bool = True) -> str:
    """One sentence about an object that does not exist.

    Args:
      subject: what is missing.
      there: names of the objects of this kind there; None if they could not be listed.
      namespace_exists: whether its namespace does.
    """
    begin = f"{subject.variable}: " if subject.variable else ""
    where = f" in namespace {subject.namespace}" if subject.namespace else " in the cluster"
    text = f"{begin}there is no {subject.kind} {subject.name}{where}"
    if not namespace_exists:
        text += ", which does not exist itself"
    elif there is not None:
        close = nearest(subject.name, there)
        if close:
            text += f"; did you mean {close}?"
        elif there:
            more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
            text += f"; it has {', '.join(sorted(there)[:SHOWN])}{more}"
        else:
            text += f"; it has no {subject.kind} at all"
    text = text if text.endswith("?") else f"{text}."
    return f"{text} {subject.hint}".rstrip()
