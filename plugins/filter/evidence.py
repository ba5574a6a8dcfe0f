# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the evidence: a stage's checks from what was asked, the report, its views, and who is told of it."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def evidence(asked: dict[str, Any], stage: str) -> list[dict[str, Any]]:
    """The checks of a stage. See evidence.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import evidence as judge

    try:
        return judge(asked, stage)
    except EvidenceError as error:
        raise AnsibleFilterError(f"evidence: {error}") from error


def evidence_report(checks: list[dict[str, Any]], **about: Any) -> dict[str, Any]:
    """The report's data. See evidence_report.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report

    try:
        return report(checks, **about)
    except EvidenceError as error:
        raise AnsibleFilterError(f"evidence_report: {error}") from error


def evidence_views(data: dict[str, Any]) -> dict[str, Any]:
    """The report as people look at it. See evidence_views.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.views import alerts, connections

    return {view.__name__: view(data["checks"]) for view in (alerts, connections)}


def evidence_history(texts: list[Any], data: dict[str, Any]) -> list[dict[str, Any]]:
    """Kept reports and this one, the newest first. See evidence_history.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.history import history

    return history(texts, data)


def evidence_alert(data: dict[str, Any], **about: Any) -> dict[str, Any]:
    """What to tell of the report. See evidence_alert.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.alert import alert
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError

    try:
        return alert(data, **about)
    except EvidenceError as error:
        raise AnsibleFilterError(f"evidence_alert: {error}") from error


def evidence_artifacts(data: dict[str, Any]) -> dict[str, Any]:
    """What a job's artifacts tell of the report. See evidence_artifacts.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.keeping import told_by_artifacts

    return told_by_artifacts(data)


def evidence_config_map(files: dict[str, str], name: str, namespace: str, cluster: str) -> dict[str, Any]:
    """A ConfigMap with the evidence. See evidence_config_map.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import EvidenceError
    from ansible_collections.falconet.k8s.plugins.module_utils.evidence.keeping import config_map

    try:
        return config_map(files, name, namespace, cluster)
    except EvidenceError as error:
        raise AnsibleFilterError(f"evidence_config_map: {error}") from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "evidence": evidence,
            "evidence_alert": evidence_alert,
            "evidence_artifacts": evidence_artifacts,
            "evidence_config_map": evidence_config_map,
            "evidence_history": evidence_history,
            "evidence_report": evidence_report,
            "evidence_views": evidence_views,
        }
