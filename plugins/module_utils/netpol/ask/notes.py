# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of answers that are not certain."""

from __future__ import annotations

from ..model.objects import Model


def address_note(what: str, model: Model | None = None) -> str:
    """What is said where answers depend on what is not known.

    Args:
        what: what depends, with its verb.
        model: where pods have no address, or policies have parts that are not analysed; None for addresses.
    """
    if model is not None and model.has_unsure_parts:
        return f"undetermined: {what} on parts of policies that are not analysed, or on addresses; they count as denied"
    return (
        f"undetermined: {what} on addresses that pods do not have yet; they count as denied,"
        " and pod_cidrs says where they will lie"
    )
