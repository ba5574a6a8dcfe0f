# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One condition: text to tree and back, and what Falco says of its fields, operators and values.

Doors: `parser.parse`, `printer.to_text`, `nodes` (the tree), `checks`, `logic` (what holds without events).
"""
