# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter falco_secrets: the Secrets that the role falco keeps. What it returns is secret."""

from __future__ import annotations

import datetime
import secrets
import string
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def falco_secrets(
    variables: Mapping[str, Any],
    own: list[dict[str, Any]],
    foreign: list[dict[str, Any]],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Secrets to apply, to delete and to restore. See falco_secrets.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import (
        build_secrets,
        data_by_name,
        encoded,
        manifest,
    )
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.plan import makes_certificates
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import typed_variables

    try:
        typed = typed_variables("falco", variables)
        before = data_by_name(own)
        certificates = _certificates(typed, before) if makes_certificates(typed) else {}
        found = build_secrets(typed, before, data_by_name(foreign), certificates, _password)
    except (FalcoChartError, VariableError) as error:
        raise AnsibleFilterError(str(error)) from error
    namespace = typed["namespace"]
    return {
        "of": f"{namespace}/{typed['release_name']}",
        "manifests": [manifest(name, namespace, labels, encoded(data)) for name, data in found.data.items()],
        "before": [
            manifest(one["metadata"]["name"], namespace, labels, one.get("data") or {}, one.get("type", "Opaque"))
            for one in own
        ],
        "gone": list(found.gone),
        "new": list(found.new),
        "fingerprints": asdict(found.fingerprints),
    }


def _password() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _number in range(32))


def _certificates(typed: Mapping[str, Any], before: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Those of before while they are good, otherwise new ones."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import certificates_before
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.names import tls_names
    from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import (
        MISSING,
        as_secrets,
        keep_or_issue,
        of_secrets,
    )

    if MISSING:
        raise AnsibleFilterError(f"falco_secrets: the controller needs the Python library cryptography: {MISSING}")
    held = certificates_before(typed["release_name"], before)
    try:
        made = keep_or_issue(
            authority=of_secrets(held, "authority", "ca"),
            trust=held["trust"].get("ca.crt", ""),
            server=of_secrets(held, "server", "server"),
            client=of_secrets(held, "client", "client"),
            names=tls_names(typed["release_name"], typed["namespace"], typed["sidekick_more"]),
            days=typed["sidekick_tls_days"],
            now=datetime.datetime.now(datetime.timezone.utc),
        )
    except ValueError as error:
        raise AnsibleFilterError(f"falco_sidekick_tls: {error}") from error
    return {kind: dict(data) for kind, data in as_secrets(made).items()}


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"falco_secrets": falco_secrets}
