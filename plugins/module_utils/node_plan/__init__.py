# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change on a node, and what a record keeps of it: a node's state and the role's wishes in, a plan out."""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations

from .plan import EMPTY_RECORD, plan_of

__all__ = ["EMPTY_RECORD", "plan_of"]
