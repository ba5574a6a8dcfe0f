# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary for flows: who must, may or did reach whom, and which pods and ports of a model that means.

Doors: `vocabulary.parse_flows`, `ends.select`, `ends.intervals`, `observed`.
"""
