# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which ruleset a module reads, shared by modules that take it as files or as text."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  files:
    description:
      - Rules files and directories, loaded in this order as one ruleset.
      - Of a directory every C(*.yaml) and C(*.yml) is loaded, by name.
    type: list
    elements: path
  content:
    description: The text of one rules file.
    type: str
"""
