# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory variables against the variables that the roles declare: their names, and their values by declared types."""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations

from .declared import VariableError, read_variable
from .unknown import Finding, unknown_variables

__all__ = ["Finding", "VariableError", "read_variable", "unknown_variables"]
