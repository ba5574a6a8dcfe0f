# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of rules with another version of Falco: refused, silent, deprecated, and what to write in their place.

Doors: `upgrade.upgrade`.
"""
