# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that can be asked of a cluster's policies: flows, differences, reasons, exposure.

Door: `analysis.answer`, which gives all of it as plain data.
"""
