#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module incident_drill: a fire drill, from a system call to a pod that is held, proven, let go and removed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incident_drill
short_description: A pod raises an alert, is contained, and is let go again
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Makes a pod, does an action in it on which a rule must alert, awaits the alert, and responds to it as
    M(falconet.k8s.incident_respond) does with the steps collect and quarantine. Then the pod is let go and removed.
  - Only this pod is ever held. It is removed in any end; what a run that was killed has left, the next one removes.
  - It tells what happened and when, and judges nothing. A missing alert does not fail it.
  - The kill switch and the protected namespaces count, as for every response; the other limits do not.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.trigger_pods
options:
  namespace:
    description: Where the pod is made. It must be there, and be none whose pods are protected.
    type: str
    required: true
  rule:
    description: Which rule must alert.
    type: str
    required: true
  command:
    description: What is run in the pod, as an argument list. What it prints is dropped.
    type: list
    elements: str
    required: true
  tty:
    description: Whether it runs at a terminal.
    type: bool
    default: false
  node:
    description: Where it is done. Without it, on the first node that Falco is to watch and that takes pods.
    type: str
    default: ""
  kill_switch_namespace:
    description: Namespace of the ConfigMap whose key C(stopped) stops all responses.
    type: str
    default: falco
  kill_switch_name:
    description: Its name.
    type: str
    default: falconet-respond
  protected_namespaces:
    description: Namespaces whose pods are never held, beside C(kube-system), C(kube-public), C(kube-node-lease).
    type: list
    elements: str
    default: [falco]
  prober_image:
    description: Image of the privileged pods that look at processes and try connections.
    type: str
    default: registry.k8s.io/e2e-test-images/agnhost:2.59
  work_namespace:
    description: Existing namespace for these pods; by default a temporary one.
    type: str
attributes:
  check_mode:
    description: Can run in check mode, where it does nothing.
    support: full
  diff_mode:
    description: Shows what changes.
    support: none
    details: What it makes is gone when it ends.
"""

EXAMPLES = r"""
- name: A read of password hashes is contained
  falconet.k8s.incident_drill:
    namespace: prod
    rule: Read sensitive file untrusted
    command: [/bin/cat, /etc/shadow]
    image: docker.io/library/busybox:1.37
  register: drilled
"""

RETURN = r"""
node:
  description: Where it was done.
  returned: success
  type: str
  sample: worker01
namespace:
  description: Namespace of the pod.
  returned: success
  type: str
  sample: prod
pod:
  description: Name of the pod.
  returned: success
  type: str
  sample: falconet-trigger-1f2e3d4c-0
trigger:
  description: What was seen of the action and its alert, as RV(falconet.k8s.falco_triggers_run#module:triggers).
  returned: success
  type: dict
unread:
  description: By place why it could not be read at last.
  returned: success
  type: dict
plan:
  description: As RV(falconet.k8s.incident_respond#module:plan); empty where nothing was responded to.
  returned: success
  type: dict
archive:
  description: Name of the archive of what was collected, empty without one. It is not kept.
  returned: success
  type: str
held:
  description: As RV(falconet.k8s.incident_respond#module:held).
  returned: success
  type: dict
shown:
  description: As RV(falconet.k8s.incident_respond#module:shown).
  returned: success
  type: dict
problems:
  description: What could not be done of the response.
  returned: success
  type: list
  elements: str
released:
  description: C(labels), whether the pod has those again that it had, and C(error); empty if it was never held.
  returned: success
  type: dict
left:
  description: Why something of the drill may be left; empty if nothing is.
  returned: success
  type: str
timeline:
  description: What happened when, with C(seconds) since the action and C(took) since what stands before.
  returned: success
  type: list
  elements: dict
  sample:
    - {at: "2026-03-01T10:00:00Z", what: action, detail: Terminal shell in container, seconds: 0.0, took: 0.0}
"""

import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.awaiting import Logs
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.trigger_options import TRIGGER_POD_ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.triggers import Pods
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond.drill import Drill, drill
from ansible_collections.falconet.k8s.plugins.module_utils.probe.question import OwnPods

#: A place that is away is looked at again and again, and not waited for.
PLACE_PATIENCE_SECONDS = 0.5
#: How long a response may take before kubelet ends the pod.
RESPONSE_SECONDS = 600
ARGUMENTS: dict[str, dict[str, Any]] = {
    **TRIGGER_POD_ARGUMENTS,
    "namespace": {"type": "str", "required": True},
    "rule": {"type": "str", "required": True},
    "command": {"type": "list", "elements": "str", "required": True},
    "tty": {"type": "bool", "default": False},
    "node": {"type": "str", "default": ""},
    "kill_switch_namespace": {"type": "str", "default": "falco"},
    "kill_switch_name": {"type": "str", "default": "falconet-respond"},
    "protected_namespaces": {"type": "list", "elements": "str", "default": ["falco"]},
    "prober_image": {"type": "str", "default": "registry.k8s.io/e2e-test-images/agnhost:2.59"},
    "work_namespace": {"type": "str"},
}


def asked_for(params: dict[str, Any], directory: Path) -> Drill:
    """What the options ask for."""
    start, alert = params["start_timeout_seconds"], params["alert_timeout_seconds"]
    given = {name: params[name] for name in ("rule", "namespace", "command", "tty")}
    return Drill(
        trigger={**given, "name": "fire drill", "expect_alert": True, "not_at": {}},
        node=params["node"],
        selector=params["node_selector"],
        groups=params["node_groups"],
        pods=Pods(
            image=params["image"],
            pull_policy=params["image_pull_policy"],
            pull_secrets=tuple(params["image_pull_secrets"]),
            start_seconds=start,
            life_seconds=2 * start + alert + RESPONSE_SECONDS,
        ),
        log=Logs(params["falco_namespace"], params["falco_label_selector"], params["falco_container"]),
        destinations=params["destinations"],
        alert_seconds=alert,
        own_pods=OwnPods(params["prober_image"], params["work_namespace"]),
        kill_switch=(params["kill_switch_namespace"], params["kill_switch_name"]),
        protected=tuple(params["protected_namespaces"]),
        directory=directory,
    )


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    params = module.params
    if module.check_mode:
        module.exit_json(changed=False, skipped=True, msg="a fire drill is not done in check mode")
    try:
        with tempfile.TemporaryDirectory(dir=module.tmpdir) as directory:
            looking = connect(params, patience_seconds=PLACE_PATIENCE_SECONDS)
            found = drill(connect(params), looking, asked_for(params, Path(directory)))
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
