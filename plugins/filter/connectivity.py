# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter connectivity: a matrix of connections as text, Markdown, CSV, Mermaid, DOT or SVG."""

from __future__ import annotations

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def connectivity(data: object, form: str = "text", title: str = "Connectivity", layout: str = "") -> str:
    """The matrix in one of its forms; see connectivity.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.render import render

    try:
        return render(data, form, title, layout)
    except NetpolError as error:
        raise AnsibleFilterError(f"connectivity: {error}") from error


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"connectivity": connectivity}
