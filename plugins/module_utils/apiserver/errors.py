# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a text that is to be edited, and where."""

from __future__ import annotations


class ApiServerError(Exception):
    """A text, a setting or a file that cannot be used; its words say which, where, and what would be right."""


class ConflictError(ApiServerError):
    """Audit logging is configured already, by somebody else."""
