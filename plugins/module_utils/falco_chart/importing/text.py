# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables as text for group_vars: one file to read, and one to seal with ansible-vault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .imported import Imported

_OURS = re.compile(r"\{\{ vault_falco_\w+ \}\}")
_WIDTH = 118


def group_vars(imported: Imported) -> str:
    """The role's variables as YAML, with what a reader must know above them. Holds no secret."""
    lines = ["---"]
    for note in imported.notes:
        lines.append("# " + re.sub(r"\s+", " ", str(note)))
    return "\n".join(lines) + "\n" + _yaml(imported.variables)


def vault_vars(imported: Imported) -> str:
    """The secrets as YAML, to be sealed; empty if there are none."""
    document = dict(imported.secrets)
    if imported.left_out:
        document["vault_falco_left_out"] = dict(imported.left_out)
    if not document:
        return ""
    return "---\n# Seal this file: ansible-vault encrypt <its name>\n" + _yaml(document)


def _yaml(document: Mapping[str, Any]) -> str:
    # PyYAML may be missing where the module runs, which then says so
    import yaml

    class Dumper(yaml.SafeDumper):
        """Marks what Ansible would take for a template of its own."""

    def string(dumper: Any, text: str) -> Any:
        template = re.search(r"\{\{|\{%|\{#", text) and not _OURS.fullmatch(text)
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("!unsafe" if template else "tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, string)
    text: str = yaml.dump(
        _plain(document), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False
    )
    return text


def _plain(value: Any) -> Any:
    """The same without anything shared, for which YAML would write anchors."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
