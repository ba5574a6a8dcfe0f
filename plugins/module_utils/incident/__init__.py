# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a pod at one moment, kept before anything changes: from the API, and from its node's processes.

`collect` asks, `processes` is the program that runs on the node, `hide` takes secrets out, `archive` packs.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
