# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ruleset as data and as a page to read, and what changed between two.

Doors: `info.describe`, `compare.compare`, `page.page`.
"""
