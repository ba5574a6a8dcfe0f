# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that everything else reasons about: pods, policies, selectors, addresses, ports.

Doors: `objects` (Model, Pod, Policy and their parts), `addresses`, `ports.PortSpace`.
"""
