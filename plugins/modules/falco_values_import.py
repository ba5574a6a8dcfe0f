#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_values_import: values of a Helm release become variables of the role falco."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_values_import
short_description: Variables of the role falco from Helm values
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Turns the values of a release of the chart C(falco), 4 to 9, into variables of the role P(falconet.k8s.falco#role).
  - What has no variable is passed through as C(falco_extra_values). What is obsolete, or would undo what the roles rely
    on, is left out and explained. All of this is told in RV(notes) and above the variables.
  - Secrets go to a file of their own, which is to be sealed with C(ansible-vault), and are shown nowhere.
  - It ends by building the values from the variables again, and tells what is other than before.
options:
  src:
    description:
      - A values file, what C(helm get values) prints (YAML or JSON), a HelmRelease of Flux, an Application of Argo CD.
    type: path
    required: true
  dest:
    description: File for the variables, such as C(group_vars/clusters/falco.yml).
    type: path
    required: true
  secrets_dest:
    description: File for the secrets, with mode 0600. Needed if there are any.
    type: path
  rules_dest:
    description: Directory for the rules files in C(customRules), which the role falco_rules brings. Needed for any.
    type: path
  chart:
    description:
      - Directory or packed archive of the chart that is to be installed. What is its default is left out then, and so
        is what it does not know.
    type: path
  force:
    description: Whether files that are there already and differ are overwritten.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Returns details on what has changed (or possibly needs changing in check_mode), but nothing of secrets.
"""

EXAMPLES = r"""
- name: Values of the release are variables of the role
  falconet.k8s.falco_values_import:
    src: /tmp/values.yaml # helm get values falco --namespace falco > /tmp/values.yaml
    dest: inventory/mine/group_vars/clusters/falco.yml
    secrets_dest: inventory/mine/group_vars/clusters/vault.yml
    rules_dest: inventory/mine/rules
"""

RETURN = r"""
variables:
  description: The variables; where a secret belongs they name a variable of O(secrets_dest).
  returned: success
  type: dict
secrets:
  description: Names of the variables in O(secrets_dest).
  returned: success
  type: list
  elements: str
rules:
  description: Names of the rules files.
  returned: success
  type: list
  elements: str
notes:
  description: What a reader must know, as C(path), C(message) and C(hint).
  returned: success
  type: list
  elements: dict
files:
  description: Files that were written or would be.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.falconet.k8s.plugins.module_utils.common.yaml_text import YAML_IMPORT_ERROR
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import (
    Imported,
    group_vars,
    import_values,
    read_values,
    vault_vars,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart
from ansible_collections.falconet.k8s.plugins.module_utils.files.text import differing, read_text, write_text
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError


def wanted_files(params: dict[str, Any], imported: Imported) -> dict[str, str]:
    """Path to text of every file.

    Raises:
      KubeError: there is something for a file, and no place was named.
    """
    files = {params["dest"]: group_vars(imported)}
    vault = vault_vars(imported)
    if vault and not params["secrets_dest"]:
        raise KubeError("These values hold secrets.", "Name a file for them in secrets_dest, to be sealed afterwards.")
    if imported.rules and not params["rules_dest"]:
        names = ", ".join(imported.rules)
        raise KubeError(f"These values hold rules ({names}).", "Name a directory for them in rules_dest.")
    if vault:
        files[params["secrets_dest"]] = vault
    for name, text in imported.rules.items():
        files[str(Path(params["rules_dest"]) / Path(name).name)] = text
    return files


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "secrets_dest": {"type": "path", "no_log": False},  # the name of a file
            "rules_dest": {"type": "path"},
            "chart": {"type": "path"},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    if YAML_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("PyYAML"), exception=YAML_IMPORT_ERROR)
    params = module.params
    try:
        chart = read_chart(params["chart"]) if params["chart"] else None
        imported = import_values(read_values(read_text(params["src"])), chart)
        files = wanted_files(params, imported)
        changed = differing(files, params["force"])
        if not module.check_mode:
            for path in changed:
                write_text(path, files[path], 0o600 if path == params["secrets_dest"] else 0o644)
    except KubeError as error:
        module.fail_json(msg=str(error))
    except FalcoChartError as error:
        module.fail_json(msg=f"The values in {params['src']} cannot be taken over:\n{error}")
    shown = [path for path in changed if path != params["secrets_dest"]]
    module.exit_json(
        changed=bool(changed),
        variables=dict(imported.variables),
        secrets=sorted([*imported.secrets, *(["vault_falco_left_out"] if imported.left_out else [])]),
        rules=list(imported.rules),
        notes=[{"path": note.path, "message": note.message, "hint": note.hint} for note in imported.notes],
        files=sorted(changed),
        diff=[{"before_header": path, "after_header": path, "before": "", "after": files[path]} for path in shown],
    )


if __name__ == "__main__":
    main()
