# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter falco_certificates: certificates for TLS between Falco and Falcosidekick, kept or renewed."""

from __future__ import annotations

import datetime
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def falco_certificates(before: dict[str, Any], names: list[str], days: int = 397) -> dict[str, Any]:
    """Data of the Secrets with certificates. See falco_certificates.yml."""
    from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import (
        MISSING,
        as_secrets,
        keep_or_issue,
        of_secrets,
    )

    if MISSING:
        raise AnsibleFilterError(f"falco_certificates: the controller needs the Python library cryptography: {MISSING}")
    try:
        made = keep_or_issue(
            authority=of_secrets(before, "authority", "ca"),
            trust=(before.get("trust") or {}).get("ca.crt", ""),
            server=of_secrets(before, "server", "server"),
            client=of_secrets(before, "client", "client"),
            names=names,
            days=days,
            now=datetime.datetime.now(datetime.timezone.utc),
        )
    except ValueError as error:
        raise AnsibleFilterError(f"falco_certificates: {error}") from error
    return {kind: dict(data) for kind, data in as_secrets(made).items()}


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"falco_certificates": falco_certificates}
