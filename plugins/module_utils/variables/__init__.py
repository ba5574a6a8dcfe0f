# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory variables against the variables that the roles declare."""

from __future__ import annotations

from .unknown import Finding, unknown_variables

__all__ = ["Finding", "unknown_variables"]
