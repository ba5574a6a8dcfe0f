# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where two documents of mappings, lists and scalars differ, as places with both values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

#: What a document lacks at a place.
ABSENT = "nothing"


class Difference(NamedTuple):
    """One place.

    Attributes:
        place: names and numbers on the way to it, such as C(spec.ports[0].port).
        is_now: the value there, as text; C(ABSENT) if there is none.
        would_be: what it is compared with.
    """

    place: str
    is_now: str
    would_be: str

    def __str__(self) -> str:
        return f"{self.place} is {self.is_now}, declared is {self.would_be}"


def differences(is_now: Any, would_be: Any, place: str = "") -> Iterator[Difference]:
    """Each place at which two documents differ, in the order of the first.

    Args:
        is_now: one document.
        would_be: the other.
        place: where both stand.
    """
    if isinstance(is_now, Mapping) and isinstance(would_be, Mapping):
        for name in dict.fromkeys([*is_now, *would_be]):
            below = f"{place}.{name}" if place else str(name)
            yield from differences(is_now.get(name), would_be.get(name), below)
    elif _listed(is_now) and _listed(would_be) and len(is_now) == len(would_be):
        for number, (one, other) in enumerate(zip(is_now, would_be)):
            yield from differences(one, other, f"{place}[{number}]")
    elif is_now != would_be:
        yield Difference(place, _told(is_now), _told(would_be))


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _told(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_told(one)}" for name, one in value.items()) + "}"
    if _listed(value):
        return "[" + ", ".join(map(_told, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
