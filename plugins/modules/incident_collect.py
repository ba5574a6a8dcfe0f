#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module incident_collect: what is known of a pod, in one archive with digests."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_collect
short_description: Keep what is known of a pod before anything changes
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Collects a pod's object, its owners, events, the NetworkPolicies of its namespace, the logs of all its containers
    (with those of the run before), its processes, open files and sockets, into one archive with a manifest of SHA-256
    digests.
  - Nothing is installed or run in the pod. Its processes are looked at from a privileged pod on its node, which is
    removed at every end.
  - Environment variables of processes are not read, and literal ones in objects are left out. Logs, command
    lines and open files are kept as they are, so the archive is for those who may see them; only its owner can read it.
  - What cannot be had is named in RV(missing) and in the manifest, and does not keep the rest from being collected.
extends_documentation_fragment:
  - falconet.k8s.cluster
options:
  namespace:
    description: Namespace of the pod.
    type: str
    required: true
  pod:
    description: Name of the pod.
    type: str
    required: true
  dest:
    description:
      - Directory of the archive, which is called after the pod and the time. It is made if it is not there.
      - The archive's digest is written beside it, as C(sha256sum -c) reads it.
    type: path
    required: true
  alert:
    description:
      - The alert about the pod, which is kept in the archive, as JSON, percent-encoded so that nothing on its way takes
        it for a template.
    type: str
  by:
    description: Who collects, for the manifest.
    type: str
    default: ""
  processes:
    description: Whether processes, open files and sockets are looked at, which needs a privileged pod on the node.
    type: bool
    default: true
  image:
    description: Image of that pod. It needs a shell, C(grep), C(readlink) and C(sha256sum).
    type: str
    default: registry.k8s.io/e2e-test-images/agnhost:2.59
  work_namespace:
    description: Existing namespace for that pod; by default a temporary one.
    type: str
attributes:
  check_mode:
    description: Nothing is collected.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: What is known is kept before the pod is cut off
  falconet.k8s.incident_collect:
    namespace: prod
    pod: frontend-7d9c5b6f8-x2x4q
    dest: incidents
    alert: "{{ lookup('ansible.builtin.file', 'alert.json') | urlencode }}"
    by: security on call
  register: collected
"""

RETURN = r"""
archive:
  description: Path of the archive.
  returned: success
  type: str
  sample: incidents/prod-frontend-7d9c5b6f8-x2x4q-20260301T100000Z.tar.gz
sha256:
  description: Its digest.
  returned: when it was written
  type: str
  sample: 3b1c0a7e4e2d9f0f6a8b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f
files:
  description: Names of the files in it.
  returned: when it was written
  type: list
  elements: str
  sample: [alert.json, events.json, logs/main.log, owners.json, pod.json, policies.json, processes.txt]
missing:
  description: What could not be had, with the reason.
  returned: when it was written
  type: dict
  sample: {}
"""

import contextlib
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.common.names import is_name
from ansible_collections.falconet.k8s.plugins.module_utils.incident.archive import keep, pack
from ansible_collections.falconet.k8s.plugins.module_utils.incident.collect import collect, to_json
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.probers import Probers
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.workspace import workspace_of
from ansible_collections.falconet.k8s.plugins.module_utils.probe.question import OwnPods
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import decode
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError


def archived(params: dict[str, Any], now: datetime, path: str) -> dict[str, Any]:
    """Collect and keep."""
    client, own_pods = connect(params), OwnPods(params["image"], params["work_namespace"])
    with contextlib.ExitStack() as stack:
        probers = Probers(client, lambda: workspace_of(client, own_pods, privileged=True), stack)
        found = collect(client, params["namespace"], params["pod"], probers if params["processes"] else None)
    if params["alert"]:
        found.files["alert.json"] = to_json(decode(params["alert"]))
    about = {
        "namespace": params["namespace"],
        "pod": params["pod"],
        "collected": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "by": params["by"],
        "missing": found.missing,
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    digest = keep(path, pack(found.files, about, int(now.timestamp())))
    return {"sha256": digest, "files": sorted(found.files), "missing": found.missing}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            **CLUSTER_ARGUMENTS,
            "namespace": {"type": "str", "required": True},
            "pod": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "alert": {"type": "str"},
            "by": {"type": "str", "default": ""},
            "processes": {"type": "bool", "default": True},
            "image": {"type": "str", "default": "registry.k8s.io/e2e-test-images/agnhost:2.59"},
            "work_namespace": {"type": "str"},
        },
        supports_check_mode=True,
    )
    params, now = module.params, datetime.now(timezone.utc)
    for option in ("namespace", "pod"):
        if not is_name(params[option]):
            module.fail_json(msg=f"{option} is no name of Kubernetes: {params[option]!r}")
    name = f"{params['namespace']}-{params['pod']}-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    result: dict[str, Any] = {"changed": True, "archive": str(Path(params["dest"]) / name)}
    if module.check_mode:
        module.exit_json(**result)
    try:
        result.update(archived(params, now, result["archive"]))
    except KubeError as error:
        module.fail_json(msg=error.message, hint=error.hint)
    except RespondError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the archive cannot be written: {error}")
    for what, why in result["missing"].items():
        module.warn(f"{what} is not in the archive: {why}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
