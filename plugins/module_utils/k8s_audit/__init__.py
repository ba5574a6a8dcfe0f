# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Falco that gets audit events: its release, its rules, the way to it, and requests that raise an alert."""

# Private to this collection: any release may change it. Do not import it from elsewhere.
