# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons: why a driver can or cannot run, each with what was seen and what would change it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

#: What a reason does to its driver.
SUPPORTS = "supports"
BLOCKS = "blocks"
WARNS = "warns"


@dataclass(frozen=True)
class Reason:
    """One finding about one driver.

    code: stable name, lower case with underscores, for automation.
    effect: SUPPORTS, BLOCKS or WARNS.
    message: what was seen, in words.
    hint: what would change it; empty where nothing is to be done.
    source: where it is specified or reported, a URL; empty where the message says all.
    """

    code: str
    effect: str
    message: str
    hint: str = ""
    source: str = ""

    def as_dict(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}
