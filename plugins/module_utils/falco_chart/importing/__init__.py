# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a Helm release turned into the role's variables, with secrets apart, and what could not be taken told."""

from __future__ import annotations

from .imported import Imported, import_values
from .source import read_values
from .text import group_vars, vault_vars

__all__ = ["Imported", "group_vars", "import_values", "read_values", "vault_vars"]
