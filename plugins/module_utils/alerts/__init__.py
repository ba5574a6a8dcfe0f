# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco alerts as they reach a destination: reading them, and matching them with what was expected.

Public names: :class:`Alert`, :class:`Expectation`, :class:`Match`, :class:`AlertsError`,
:func:`read_line`, :func:`read_lines`, :func:`read_time`, :func:`match`.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations

from .expectations import Expectation, Match, match
from .reading import Alert, AlertsError, read_line, read_lines, read_time

__all__ = ["Alert", "AlertsError", "Expectation", "Match", "match", "read_line", "read_lines", "read_time"]
