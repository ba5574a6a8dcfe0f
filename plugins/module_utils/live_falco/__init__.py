# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running Falco: its rollout, the rules that its pods run, the trial of new ones, its release and its alerts."""

# Private to this collection: any release may change it. Do not import it from elsewhere.
