# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is passed, failed or skipped: one file a stage, each taking what was asked of nodes and cluster as data.

`check` is what every stage answers with, `stages` finds a stage by its name, `report` puts all of them together.
Nothing here asks anything: a role asks, gives the answers to the filter C(falconet.k8s.evidence), and keeps what
comes back.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
