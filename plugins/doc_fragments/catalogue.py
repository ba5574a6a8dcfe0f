# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which Falco judges rules, shared by modules that load them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  plugins:
    description:
      - Falco plugins that are loaded, in order. Only their fields and event sources exist.
      - All that the catalogue has, when not given.
    type: list
    elements: str
  falco_version:
    description: The Falco version whose fields, event types and engine count.
    type: str
    default: "0.44"
"""
