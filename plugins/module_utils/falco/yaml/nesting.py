# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How deep Python may call itself while it reads what Falco's own bounds allow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

RECURSION_LIMIT = 8000
"""Frames that the deepest input within Falco's bounds (500 YAML levels, 1000 levels in a condition) may take here."""


@contextmanager
def deep_nesting() -> Iterator[None]:
    """Let Python recurse as deep as Falco's bounds allow, and no deeper afterwards than before."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
