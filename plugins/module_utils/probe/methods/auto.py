# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Method C(auto): exec, and node for the pods whose image cannot do it."""

from __future__ import annotations

from ...kube.errors import KubeError
from ..model import Batch, Method
from ..wire.protocol import PROBE_FAILED, Attempt, Settings


class AutoMethod:
    """Method C(auto): exec, and node for the pods whose image cannot do it.

    Args:
        first: method exec.
        second: method node, whose pods are made when they are first needed.
    """

    name = "auto"

    def __init__(self, first: Method, second: Method) -> None:
        self.first = first
        self.second = second
        self.reasons: dict[str, str] = {}

    def attempt(self, batch: Batch, settings: Settings) -> dict[int, Attempt]:
        by_exec = {pod: targets for pod, targets in batch.items() if pod.key not in self.reasons}
        attempts = self.first.attempt(by_exec, settings) if by_exec else {}
        for pod, targets in by_exec.items():
            for target in targets:
                attempt = attempts[target.ident]
                if attempt.verdict == PROBE_FAILED and attempt.image_lacks:
                    self.reasons[pod.key] = attempt.detail
        by_node = {pod: targets for pod, targets in batch.items() if pod.key in self.reasons}
        if by_node:
            attempts.update(self._by_node(by_node, settings, attempts))
        return attempts

    def _by_node(self, batch: Batch, settings: Settings, before: dict[int, Attempt]) -> dict[int, Attempt]:
        try:
            return self.second.attempt(batch, settings)
        except KubeError as error:
            why = f"; method node cannot be used either: {error}"
            targets = [target for targets in batch.values() for target in targets]
            return {
                t.ident: Attempt(PROBE_FAILED, None, (before[t.ident].detail if t.ident in before else "") + why)
                for t in targets
            }
