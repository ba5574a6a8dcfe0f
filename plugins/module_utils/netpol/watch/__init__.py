# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From policies to Falco rules that alert on what the policies should have stopped, and from alerts to flows.

Doors: `rules.falco_rules`, `kept.kept`, `records.records`.
"""
