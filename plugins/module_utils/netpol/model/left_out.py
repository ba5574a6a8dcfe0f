# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bears on reachability and is not analysed, and why."""

from __future__ import annotations

from typing import NamedTuple

#: Why objects are not analysed.
OTHER_POLICY = "a policy of an API that is not analysed"
OTHER_NETWORK = "a network beside the cluster's own, which is not analysed"
PART_OF_POLICY = "a part of a policy that is not analysed: what depends on it is undetermined"
OTHER_WORKLOAD = "its operator makes pods that are not in the input"


class LeftOut(NamedTuple):
    """Objects that bear on reachability and are not analysed: their kind, how many there are, and why."""

    kind: str
    number: int
    reason: str

    def as_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "count": self.number, "reason": self.reason}
