# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that do not do what they seem to, and traffic that they cut unnoticed.

Door: `lint.lint`; `finding.row` is a finding as modules return it.
"""
