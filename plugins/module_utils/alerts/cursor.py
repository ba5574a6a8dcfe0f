# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a reader of a stream of messages stands, so that the next read loses none and takes none twice.

A stream is read again from a moment, and moments are coarser than messages: an API server takes whole seconds, two
messages may have one time, and one that comes later may have an earlier time. So a reader remembers the last time that
it saw, and every message within a span before it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .reading import AlertsError

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A message of a stream.

    Attributes:
        stamp_ns: when it was written there, in nanoseconds since the epoch.
        text: all of it.
    """

    stamp_ns: int
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.stamp_ns} {self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Position:
    """Where a reader of one stream stands.

    Attributes:
        last_ns: time of the last message that it saw.
        seen: digest of each message within the span before that, with its time and how often it was there.
        about: what else is to be known of the stream, as JSON can carry it.
    """

    last_ns: int
    seen: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def is_in(self, entries: Iterable[Entry]) -> bool:
        """Whether the last messages that were seen are still among these; if not, some may be lost."""
        last = {digest for digest, (stamp, _count) in self.seen.items() if stamp == self.last_ns}
        return not last or bool(last & {entry.digest for entry in entries})


def fresh(entries: Iterable[Entry], position: Position | None, span_ns: int = 0) -> tuple[list[Entry], Position | None]:
    """The messages that were not seen yet, and where the reader stands then.

    Args:
        entries: what was read now: all that the stream has since *span_ns* before the position, and it may be more.
        position: where the reader stood; None for nowhere.
        span_ns: how much earlier than the last one a later message may say that it was written.
    """
    oldest = position.last_ns - span_ns if position else None
    before: Mapping[str, tuple[int, int]] = position.seen if position else {}
    counted: Counter[str] = Counter()
    stamps: dict[str, int] = {}
    found = []
    for entry in entries:
        if oldest is not None and entry.stamp_ns < oldest:
            continue
        digest = entry.digest
        counted[digest] += 1
        stamps[digest] = entry.stamp_ns
        if counted[digest] > before.get(digest, (0, 0))[1]:
            found.append(entry)
    if position is None and not stamps:
        return found, None
    last = max([*stamps.values(), *([position.last_ns] if position else [])])
    seen = {digest: one for digest, one in before.items() if one[0] >= last - span_ns}
    for digest, stamp in stamps.items():
        if stamp >= last - span_ns:
            seen[digest] = (stamp, max(counted[digest], before.get(digest, (0, 0))[1]))
    return found, Position(last, seen, position.about if position else {})


def written(source: str, positions: Mapping[str, Position]) -> str:
    """Positions by stream as one text, for the next read.

    Args:
        source: what is read; another one cannot go on from there.
    """
    streams = {
        key: {"last": one.last_ns, "seen": {d: list(pair) for d, pair in one.seen.items()}, "about": dict(one.about)}
        for key, one in positions.items()
    }
    return json.dumps({"format": FORMAT, "source": source, "streams": streams}, sort_keys=True)


def read_positions(text: str, source: str) -> dict[str, Position]:
    """Positions by stream as C(written) wrote them; none of an empty text.

    Raises:
        AlertsError: it is no cursor, or one of another source or version.
    """
    if not text:
        return {}
    try:
        document = json.loads(text)
        of, version = document["source"], document["format"]
        positions = {
            str(key): Position(
                int(one["last"]), {d: (int(pair[0]), int(pair[1])) for d, pair in one["seen"].items()}, one["about"]
            )
            for key, one in document["streams"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise AlertsError("cursor is none that this module has returned") from None
    if (of, version) != (source, FORMAT):
        raise AlertsError(f"cursor is one of source={of}, format {version}; source={source} has format {FORMAT}")
    return positions
