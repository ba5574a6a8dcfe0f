#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_apiserver_audit
short_description: Switches on audit logging of a Kubernetes API server of kubeadm, k3s or RKE2
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Runs on a control-plane node as root, and puts an audit policy, a webhook to Falco and a log with rotation into the
    static pod of its API server, or takes them out again.
  - Comments and order of the manifest stay. Taking out gives the bytes that were there before putting in.
  - The change is proven, or it is taken back. The module waits until a new process with the new flags answers on
    C(/readyz) that it is ready. If none does, the old manifest is put back and the reason is told from the container's
    log.
  - A run that was killed in the middle is finished or taken back by the next one.
  - kubeadm's C(ClusterConfiguration) in the cluster is changed too, since C(kubeadm upgrade) writes manifests from it.
  - Run it on one control-plane node after the other (C(serial) or C(throttle)), since the API server of the node is
    started again.
  - Needs nothing but Python on the node.
options:
  state:
    description: Whether there is to be audit logging, or nothing of what this module puts in.
    type: str
    choices: [present, absent]
    default: present
  policy:
    description: Text of the audit policy. Needed for O(state=present).
    type: str
  webhook:
    description: Where events are sent. Without it there is no webhook.
    type: dict
    suboptions:
      server:
        description: URL of Falco's plugin k8saudit. C(http) is refused but for the node itself.
        type: str
        required: true
      ca:
        description: Certificates of the CA that has signed the server's certificate, as PEM.
        type: str
        default: ""
      client_certificate:
        description: Certificate that the API server shows, as PEM.
        type: str
        default: ""
      client_key:
        description: Private key of O(webhook.client_certificate), as PEM.
        type: str
        default: ""
      tls_server_name:
        description: Name in the server's certificate, where the URL has an address.
        type: str
        default: ""
      mode:
        description:
          - With V(batch) the API server never waits for the webhook. Events that do not fit into the buffer are lost.
          - With V(blocking) each request waits for it, and with V(blocking-strict) it fails where the webhook fails.
        type: str
        choices: [batch, blocking, blocking-strict]
        default: batch
      batch_max_size:
        description: Events of one batch at most.
        type: int
        default: 400
      batch_max_wait_seconds:
        description: How long an event waits for others at most.
        type: float
        default: 1
      batch_buffer_size:
        description: Events that wait at most.
        type: int
        default: 10000
      batch_throttle_qps:
        description: Batches a second at most, on average.
        type: int
        default: 10
      batch_throttle_burst:
        description: Batches at once at most, after a quiet time.
        type: int
        default: 15
      initial_backoff_seconds:
        description: How long to wait before a batch that failed is sent again.
        type: float
        default: 10
  log:
    description: Where events are written. Without it there is no log.
    type: dict
    suboptions:
      path:
        description: File of the log, in a folder of its own.
        type: str
        default: /var/log/kubernetes/falconet-audit/audit.log
      max_age_days:
        description: Days after which a rotated file goes.
        type: int
        default: 7
      max_backups:
        description: Rotated files that are kept.
        type: int
        default: 5
      max_size_mb:
        description: Megabytes after which the file is rotated.
        type: int
        default: 100
      format:
        description: Format of the log. Falco reads V(json).
        type: str
        choices: [json, legacy]
        default: json
  replace:
    description:
      - What to do where somebody else has configured audit logging already. By default the module fails and names what
        there is.
      - With V(true) their flags become comments in the manifest, which O(state=absent) brings back. In kubeadm's
        C(ClusterConfiguration) they are gone for good.
    type: bool
    default: false
  distribution:
    description:
      - Who has made the cluster.
      - For V(k3s) and V(rke2) nothing of the user's is edited. A file of settings comes into C(config.yaml.d) instead,
        and the service is started again.
    type: str
    choices: [kubeadm, k3s, rke2]
    default: kubeadm
  config_directory:
    description:
      - Folder of the settings of k3s or RKE2.
      - C(/etc/rancher/k3s) or C(/etc/rancher/rke2) by default.
    type: path
  manifest:
    description: Manifest of the API server, for O(distribution=kubeadm).
    type: path
    default: /etc/kubernetes/manifests/kube-apiserver.yaml
  directory:
    description: Folder of the policy and of the webhook's kubeconfig. It belongs to this module alone.
    type: path
    default: /etc/kubernetes/falconet-audit
  backup_directory:
    description:
      - Folder of the manifest as it was before the first change, and of what a killed run leaves for the next one.
      - It must not be in the folder of O(manifest), where the kubelet would start the copy.
    type: path
    default: /var/lib/falconet/kube-apiserver-audit
  cluster_configuration:
    description: Whether kubeadm's C(ClusterConfiguration) is changed too. A cluster that has none is left without.
    type: bool
    default: true
  admin_kubeconfig:
    description: Kubeconfig on the node by which kubeadm's C(ClusterConfiguration) is read and written.
    type: path
    default: /etc/kubernetes/admin.conf
  pod_logs:
    description: Folder of the kubelet's logs, in which the reason is looked for where the API server does not start.
    type: path
    default: /var/log/pods
  timeout_seconds:
    description: How long the API server may take until it is healthy with the new flags.
    type: int
    default: 180
attributes:
  check_mode:
    description: Can run in check mode and tells what would change.
    support: full
  diff_mode:
    description: Shows what changes. Certificates and keys are shown by a digest alone.
    support: full
  platform:
    description: Target systems.
    platforms: linux
    support: full
notes:
  - Managed clusters have no such node, and are refused with the name of the plugin of Falco that serves them.
  - k3s and RKE2 were tried with a played systemd alone.
  - The log stays when O(state=absent).
seealso:
  - name: Auditing
    description: Kubernetes' own page.
    link: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
"""

EXAMPLES = r"""
- name: Each API server writes an audit log and sends its events to Falco
  falconet.k8s.kube_apiserver_audit:
    policy: "{{ lookup('ansible.builtin.file', 'audit-policy.yaml') }}"
    webhook:
      server: https://10.96.0.50:9765/k8s-audit
      ca: "{{ falco_audit_ca }}"
      client_certificate: "{{ falco_audit_client_certificate }}"
      client_key: "{{ falco_audit_client_key }}"
    log: {}
  become: true
  throttle: 1

- name: Audit logging is off again
  falconet.k8s.kube_apiserver_audit:
    state: absent
  become: true
  throttle: 1
"""

RETURN = r"""
files:
  description: Files of the node that have changed, or would change.
  returned: success
  type: list
  elements: str
  sample: [/etc/kubernetes/manifests/kube-apiserver.yaml, /etc/kubernetes/falconet-audit/policy.yaml]
cluster_configuration:
  description: Whether kubeadm's C(ClusterConfiguration) was C(changed), is C(unchanged), or C(absent).
  returned: success
  type: str
  sample: changed
repaired:
  description: What was done about an earlier run that was cut off, nothing where there was none.
  returned: success
  type: str
  sample: "an earlier run was cut off while it wrote: its change was taken back"
backup:
  description: The manifest as it was before the first change, nothing where there is no such file.
  returned: success
  type: str
  sample: /var/lib/falconet/kube-apiserver-audit/kube-apiserver.yaml
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver import options
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.audit import (
    ORIGINAL,
    change,
    check_places,
    plan,
)
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.change import repair
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.journal import begun

ARGUMENTS = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "policy": {"type": "str"},
    "webhook": {
        "type": "dict",
        "options": {
            "server": {"type": "str", "required": True},
            "ca": {"type": "str", "default": ""},
            "client_certificate": {"type": "str", "default": ""},
            "client_key": {"type": "str", "default": "", "no_log": True},
            "tls_server_name": {"type": "str", "default": ""},
            "mode": {"type": "str", "choices": ["batch", "blocking", "blocking-strict"], "default": "batch"},
            "batch_max_size": {"type": "int", "default": 400},
            "batch_max_wait_seconds": {"type": "float", "default": 1},
            "batch_buffer_size": {"type": "int", "default": 10000},
            "batch_throttle_qps": {"type": "int", "default": 10},
            "batch_throttle_burst": {"type": "int", "default": 15},
            "initial_backoff_seconds": {"type": "float", "default": 10},
        },
    },
    "log": {
        "type": "dict",
        "options": {
            "path": {"type": "str", "default": "/var/log/kubernetes/falconet-audit/audit.log"},
            "max_age_days": {"type": "int", "default": 7},
            "max_backups": {"type": "int", "default": 5},
            "max_size_mb": {"type": "int", "default": 100},
            "format": {"type": "str", "choices": ["json", "legacy"], "default": "json"},
        },
    },
    "replace": {"type": "bool", "default": False},
    "distribution": {"type": "str", "choices": ["kubeadm", "k3s", "rke2"], "default": "kubeadm"},
    "config_directory": {"type": "path"},
    "manifest": {"type": "path", "default": "/etc/kubernetes/manifests/kube-apiserver.yaml"},
    "directory": {"type": "path", "default": "/etc/kubernetes/falconet-audit"},
    "backup_directory": {"type": "path", "default": "/var/lib/falconet/kube-apiserver-audit"},
    "cluster_configuration": {"type": "bool", "default": True},
    "admin_kubeconfig": {"type": "path", "default": "/etc/kubernetes/admin.conf"},
    "pod_logs": {"type": "path", "default": "/var/log/pods"},
    "timeout_seconds": {"type": "int", "default": 180},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ("policy",))]
    )
    repaired = ""
    try:
        request = options.request_of(module.params)
        check_places(request)
        if not module.check_mode:
            repaired = repair(request.place)
        cut_off = begun(request.place.notes) is not None
        found = plan(request)
        if not module.check_mode:
            change(request, found)
    except ApiServerError as error:
        module.fail_json(msg=f"{repaired}. Then: {error}" if repaired else str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}. Run it as root on a control-plane node")
    backup = Path(request.place.notes) / ORIGINAL
    configuration = "changed" if found.configuration_changes else "unchanged"
    result = {
        "changed": found.changed or bool(repaired) or cut_off,
        "files": list(found.files),
        "cluster_configuration": configuration if found.configuration is not None else "absent",
        "repaired": repaired,
        "backup": str(backup) if backup.exists() else "",
    }
    module.exit_json(**result, **({"diff": {"prepared": found.diff()}} if module._diff else {}))


if __name__ == "__main__":
    main()
