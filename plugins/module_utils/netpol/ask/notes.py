# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of answers that are not certain."""

from __future__ import annotations


def address_note(what: str) -> str:
    """What is said where answers depend on addresses that are not known."""
    return (
        f"undetermined: {what} on addresses that pods do not have yet; they count as denied,"
        " and pod_cidrs says where they will lie"
    )
