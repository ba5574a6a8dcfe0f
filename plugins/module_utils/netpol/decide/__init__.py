# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a connection is allowed: one at a time as the specification says it, and all at once.

Doors: `reference.decide` (slow, with the reason), `engine.Engine` over `universe.Universe` (fast), `matrix.Matrix`.
"""
