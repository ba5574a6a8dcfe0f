# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server of a control-plane node: its files changed as one, its processes watched, its log read.

What the files are to hold, module_utils/apiserver says. Runs on the node with nothing but Python's standard library.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
