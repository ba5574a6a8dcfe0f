# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a ruleset, where a person finds it and what would be right; beyond Falco's word, the lint.

Doors: `validate.validate`, `findings.findings_of`, `hiding.hidden_rules`.
"""
