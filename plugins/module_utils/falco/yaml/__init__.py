# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as Falco's reader (yaml-cpp) accepts and refuses it, with positions; and rules written so that it agrees.

Doors: `documents.read_documents`, `nodes` (the values), `emit.emit_items`.
"""
