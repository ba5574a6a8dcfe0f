# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the Falco chart from typed variables, and checks of values against a chart. Pure: no files, no cluster."""

# Private to this collection: any release may change it. Do not import it from elsewhere.
