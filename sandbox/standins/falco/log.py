"""The log on standard error: who speaks, when, and at the start that it is a stand-in."""

from __future__ import annotations

import sys
from datetime import datetime, timezone

NOTICE = (
    "STAND-IN of the falconet sandbox: simulates what the collection's tests need; it is not the program whose name "
    "it bears"
)


def log(text: str) -> None:
    """Write a line with its time in UTC."""
    now = datetime.now(timezone.utc)
    sys.stderr.write(f"standin-falco {now:%Y/%m/%d %H:%M:%S.%f} {text}\n")
    sys.stderr.flush()
