# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role k8s_audit: what its variables mean, its webhook's Secrets, and what its proof is about."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def k8s_audit_plan(
    variables: Mapping[str, Any],
    falco: Mapping[str, Any],
    nodes: list[dict[str, Any]] | None = None,
    fingerprint: str = "",
) -> dict[str, Any]:
    """Release, objects beside it, rules as data. See k8s_audit_plan.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
    from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.plan import build_plan
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError

    try:
        return asdict(build_plan(_typed("k8s_audit", variables), _typed("falco", falco), nodes or [], fingerprint))
    except (FalcoChartError, VariableError) as error:
        raise AnsibleFilterError(str(error)) from error


def _typed(role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, those not given by their defaults: another role's are not there while this one runs."""
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options, typed_variables

    defaults = {name: option["default"] for name, option in role_options(role).items() if "default" in option}
    return typed_variables(role, {**defaults, **variables})


def k8s_audit_server(variables: Mapping[str, Any], cluster_ip: str, own_address: str) -> str:
    """The URL of the webhook for one node. See k8s_audit_server.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
    from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.plan import server_url
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError

    try:
        return server_url(_typed("k8s_audit", variables), cluster_ip, own_address)
    except (FalcoChartError, VariableError) as error:
        raise AnsibleFilterError(str(error)) from error


def k8s_audit_secrets(plan: Mapping[str, Any], held: list[dict[str, Any]], days: int) -> dict[str, Any]:
    """The Secrets with the webhook's certificates. See k8s_audit_secrets.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import (
        data_by_name,
        decoded,
        encoded,
        manifest,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import fingerprint
    from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.plan import PEM
    from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import MISSING, keep_or_issue, of_secrets

    if MISSING:
        raise AnsibleFilterError(f"k8s_audit_secrets: the controller needs the Python library cryptography: {MISSING}")
    names, before = plan["names"], data_by_name(held)
    data = {kind: decoded(before.get(names[kind])) for kind in ("authority", "certificate")}
    try:
        made = keep_or_issue(
            authority=of_secrets(data, "authority", "ca"),
            trust=data["authority"].get("trust.crt", ""),
            server=of_secrets(data, "certificate", "server"),
            client=None,
            names=list(plan["server_names"]),
            days=int(days),
            now=datetime.datetime.now(datetime.timezone.utc),
        )
    except ValueError as error:
        raise AnsibleFilterError(f"k8s_audit_tls_days: {error}") from error
    server = {"server.crt": made.server.certificate, "server.key": made.server.key}
    wanted = {
        names["authority"]: {
            "ca.crt": made.authority.certificate,
            "ca.key": made.authority.key,
            "trust.crt": made.trust,
        },
        names["certificate"]: {**server, PEM: made.server.certificate + made.server.key},
    }
    return {
        "manifests": [
            manifest(name, plan["namespace"], plan["labels"], encoded(content)) for name, content in wanted.items()
        ],
        "trust": made.trust,
        "fingerprint": fingerprint({"certificate": made.server.certificate}, f"{plan['namespace']}/{plan['release']}"),
    }


def k8s_audit_certificate(plan: Mapping[str, Any], held: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether the webhook's certificate is one that API servers take. See k8s_audit_certificate.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import data_by_name, decoded
    from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import MISSING, of_secrets, told_of_server

    if MISSING:
        raise AnsibleFilterError(
            f"k8s_audit_certificate: the controller needs the Python library cryptography: {MISSING}"
        )
    before, names = data_by_name(held), plan["names"]
    data = {kind: decoded(before.get(names[kind])) for kind in ("authority", "certificate")}
    trust, server = data["authority"].get("trust.crt", ""), of_secrets(data, "certificate", "server")
    now = datetime.datetime.now(datetime.timezone.utc)
    return {**told_of_server(server, trust, list(plan["server_names"]), now), "trust": trust}


def k8s_audit_triggers(wanted: list[str], rules: Mapping[str, object], sessions: int) -> list[str]:
    """Rules that a proof raises. See k8s_audit_triggers.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.choice import chosen

    return chosen(wanted, rules, int(sessions))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "k8s_audit_certificate": k8s_audit_certificate,
            "k8s_audit_plan": k8s_audit_plan,
            "k8s_audit_secrets": k8s_audit_secrets,
            "k8s_audit_server": k8s_audit_server,
            "k8s_audit_triggers": k8s_audit_triggers,
        }
