# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions of the audit core. Everything it raises on purpose is an `AuditError`."""

from __future__ import annotations


class AuditError(Exception):
    """Root of what this core raises; the message is meant for the user."""


class TooLargeError(AuditError):
    """A condition that means more kinds of requests than are looked at."""
