# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to a node: reads what module_utils/falco_driver and node_plan judge, and judges nothing itself.

Impure, but harmless: it reads, asks programs that only answer, and asks the kernel for one ring buffer map that it
closes at once.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
