# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX (Automation Controller): surveys out of roles' variables and back, its objects, and what differs there."""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations

from .answers import read_answers
from .compare import differences
from .errors import AwxError
from .objects import awx_objects

__all__ = ["AwxError", "awx_objects", "differences", "read_answers"]
