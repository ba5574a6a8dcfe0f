# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages that give evidence, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from . import falco, falco_rules, k8s_audit, network_policies, node_prep, respond, verify
from .asked import Asked
from .check import Check, EvidenceError

#: Each stage in the order of the report, with its headline and who judges it.
STAGES: dict[str, tuple[str, Callable[[Asked], Iterator[Check]]]] = {
    "node_prep": ("Nodes are ready for Falco", node_prep.judge),
    "falco": ("Falco runs on every node", falco.judge),
    "falco_rules": ("Every pod runs our rules", falco_rules.judge),
    "network_policies": ("Connections are as declared", network_policies.judge),
    "k8s_audit": ("What is asked of the API alerts", k8s_audit.judge),
    "verify": ("Triggers alert at their destination", verify.judge),
    "respond": ("An incident is contained", respond.judge),
}


def evidence(asked: object, stage: str) -> list[dict[str, Any]]:
    """The checks of a stage, as facts and reports carry them.

    Args:
        asked: what was asked and answered, by name; the stage's C(judge) lists the names.
        stage: one of C(STAGES).

    Raises:
        EvidenceError: the stage is unknown, or something is missing.
    """
    if stage not in STAGES:
        raise EvidenceError(f"{stage!r} is no stage; those are {', '.join(STAGES)}")
    return [check.to_dict(stage) for check in STAGES[stage][1](Asked(stage, asked))]
