# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Times: nanoseconds since 1970 as Falco prints them, and RFC 3339 as nanoseconds.

Falco prints local time; in its container that is UTC.
Source: `ts_to_string` and `ts_to_iso_8601` of `userspace/libsinsp/utils.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

TIME_FIELDS = ("evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s")
"""Fields that print a time and are recorded as nanoseconds."""
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def time_text(time_ns: int, field: str = "evt.time") -> str:
    """A time in the form of one of `TIME_FIELDS`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=seconds)
    if field == "evt.time.iso8601":
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}+0000"
    date = f"{moment:%Y-%m-%d} " if field.startswith("evt.datetime") else ""
    fraction = "" if field.endswith(".s") else f".{nanoseconds:09d}"
    return f"{date}{moment:%H:%M:%S}{fraction}"


def iso_text(time_ns: int) -> str:
    """A time as an alert's `time` has it."""
    return f"{time_text(time_ns, 'evt.time.iso8601')[:-5]}Z"


def nanoseconds(stamp: str) -> int | None:
    """A time of RFC 3339 in nanoseconds since 1970; None when it is none."""
    match = _RFC_3339.fullmatch(stamp)
    if not match:
        return None
    head, digits, zone = match.groups()
    try:
        moment = datetime.fromisoformat(head + ("+00:00" if zone == "Z" else zone))
    except ValueError:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int(f"{digits or ''}000000000"[:9])
