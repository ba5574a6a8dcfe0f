# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a quarantine is called in the cluster: its label, its annotations, its policies."""

from __future__ import annotations

import hashlib

LABEL = "falconet.k8s/quarantine"
"""On the pod and on the quarantine's own policies; its value is the quarantine's identity."""
LABELS = f"{LABEL}-labels"
"""Annotation with the labels that were taken away, as JSON."""
SINCE, UNTIL, BY, REASON, ALERT = (f"{LABEL}-{word}" for word in ("since", "until", "by", "reason", "alert"))
"""Annotations: when (RFC 3339), until when, who, why, and which alert."""
POD = f"{LABEL}-pod"
"""Annotation of a policy: the pod that it holds."""
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "falconet.k8s"


def identity(namespace: str, pod: str) -> str:
    """A label's value for one pod: the same for every run, and of a length that labels have."""
    digest = hashlib.sha256(f"{namespace}/{pod}".encode()).hexdigest()[:8]
    return f"{pod[:54].rstrip('-._')}-{digest}"


def policy_name(identity: str) -> str:
    """Name of the quarantine's policy."""
    return f"quarantine-{identity}"
