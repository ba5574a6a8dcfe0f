#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_probe
short_description: Asks the live network which connections pass, and whether policies are enforced
version_added: "0.1.0"
description:
  - Tries connections from inside the pods of a cluster and compares the outcome with required and forbidden flows, with
    an earlier outcome, or with what the policies say.
  - One command in each source pod tries all its targets concurrently, so that thousands of connections take seconds.
  - An error is never taken for a denial. Silence and refusal count as a denial only where a server is known to listen;
    everything else is reported as unproven, with the reason.
  - A result that disagrees with what is expected is tried again for O(settle_seconds), since network plugins attach
    policies some time after the API server has stored them.
  - With O(question=enforcement), pods in a temporary namespace, two on each node, find out whether policies are
    enforced at all.
author:
  - falconet.k8s contributors (@falconet-k8s)
extends_documentation_fragment:
  - falconet.k8s.cluster
attributes:
  check_mode:
    description: Can run in check mode and return what it would return otherwise.
    support: partial
    details:
      - Nothing that needs pods of its own is done in check mode; such a run is skipped and says so.
  diff_mode:
    description: Returns what has changed, or what would change.
    support: none
options:
  question:
    description:
      - What to ask.
      - V(connectivity) tries connections between the pods that run.
      - V(enforcement) starts a canary and says whether policies are enforced, for ingress and egress, on one node and
        across nodes, on each node that is Ready and open for pods (at most 100).
    type: str
    choices: [connectivity, enforcement]
    default: connectivity
  required_flows:
    description:
      - Flows that must pass; every source pod must reach every destination pod on every port.
      - Each has C(name), C(from), C(to) and C(ports); a peer has any of C(namespace), C(namespace_labels), C(labels),
        C(workload), C(pod), or C(ip), or (only in C(to)) C(service).
      - Without C(ports), the ports are tried that the destination declares.
    type: list
    elements: dict
    default: []
  forbidden_flows:
    description: Flows that must not pass, in the form of O(required_flows).
    type: list
    elements: dict
    default: []
  flows:
    description: Flows to try without expecting anything, in the form of O(required_flows).
    type: list
    elements: dict
    default: []
  namespaces:
    description: Namespaces whose pods are all tried against each other.
    type: list
    elements: str
    default: []
  ports:
    description:
      - Ports for O(namespaces), such as V(8080), V(http/TCP) or V(53/UDP).
      - Without them the ports are tried that each target declares.
    type: list
    elements: str
    default: []
  expected:
    description:
      - What connections without another expectation are compared with.
      - V(analysis) computes from the policies in the cluster what should pass.
    type: str
    choices: [none, analysis]
    default: none
  expected_matrix:
    description: Expected outcome by workload, as an earlier run returned it in RV(matrix).
    type: list
    elements: dict
    default: []
  method:
    description:
      - How connections are tried.
      - V(exec) runs in the pods themselves and uses what their images have (Python, bash, netcat, agnhost).
      - V(node) starts one privileged pod on each node, which enters the network namespaces of the pods; their images
        need nothing. It does not resolve DNS names.
      - V(pod) starts a double of each pod, with its labels, in its namespace and on its node, which listens on the
        ports in question; the pods themselves are left alone, and nothing needs to listen in them. Services do not
        count it among their pods.
      - V(auto) uses exec, and node for pods whose images cannot do it.
      - Except with V(exec), a pod in a temporary namespace without policies asks whether a silent address outside
        answers anybody at all.
    type: str
    choices: [auto, exec, node, pod]
    default: auto
  listen:
    description:
      - Whether the module itself listens, inside the network namespace of a target pod, on those ports in question on
        which nothing does. Without a server nothing is concluded.
      - A privileged pod on the target's node does it, whatever O(method) is, for as long as the run lasts. Meanwhile
        callers of such a port reach that listener, and a program of the pod that wants the port finds it taken.
      - Doubles (O(method=pod)) listen in any case.
    type: bool
    default: false
  cni_configuration:
    description:
      - Whether O(question=enforcement) also reads the CNI configuration on the nodes that the canary uses, for RV(cni).
        That takes a privileged pod on each of them.
      - V(auto) reads it only where no DaemonSet and no Node tells which network plugin is there.
    type: str
    choices: [auto, always, never]
    default: auto
  image:
    description:
      - Image of the pods that are started by O(question=enforcement), O(method=node), O(method=pod) and O(listen).
      - It needs a shell; for O(method=node) also C(nsenter) and one of the tools that O(method) names, for O(listen)
        C(nsenter) and agnhost or netcat.
    type: str
    default: registry.k8s.io/e2e-test-images/agnhost:2.59
  image_pull_policy:
    description: Pull policy of O(image).
    type: str
    choices: [IfNotPresent, Always, Never]
    default: IfNotPresent
  image_pull_secrets:
    description: Names of Secrets in O(work_namespace) with credentials of the image's registry.
    type: list
    elements: str
    default: []
  work_namespace:
    description:
      - Existing namespace for the pods that are started. Without it a temporary one is made and removed.
    type: str
  service_names:
    description: Call Services by their DNS names instead of their addresses.
    type: bool
    default: false
  ip_families:
    description: Address families to use where both ends have them.
    type: list
    elements: str
    choices: [IPv4, IPv6]
    default: [IPv4, IPv6]
  pods_per_workload:
    description: How many pods of each workload take part, spread over nodes; V(0) for all.
    type: int
    default: 0
  connect_timeout:
    description: Seconds to wait for an answer before a connection counts as dropped.
    type: int
    default: 2
  settle_seconds:
    description: Seconds that a result may disagree with what is expected before it counts.
    type: float
    default: 15.0
  concurrency:
    description: Connections that one pod tries at a time.
    type: int
    default: 128
  parallel:
    description: Pods that try at a time with method exec.
    type: int
    default: 16
  udp_payload:
    description:
      - What is sent to UDP ports; a server proves that it listens by answering it.
      - Port 53 is sent a DNS query. The default suits the servers of the agnhost image.
    type: str
  deadline_seconds:
    description: After this time the cluster removes the pods that were started, whatever became of the run.
    type: int
    default: 600
  on_violation:
    description: Whether a connection against expectation, or missing enforcement, fails the module.
    type: str
    choices: [fail, report]
    default: fail
  on_unproven:
    description: Whether an expectation that could not be proven fails the module.
    type: str
    choices: [fail, report]
    default: report
notes:
  - On the controller (connection C(local), and C(ansible_python_interpreter) is C(ansible_playbook_python)) it runs
    within Ansible itself, by an action plugin of this name, since version 1.0.0 of the collection. Options and result
    are the same. A task with C(become), C(async) or C(environment) runs the module.
  - Connections from outside the cluster cannot be tried. Addresses outside are tried only where a flow names them.
  - SCTP needs a kernel that has it, both on the nodes and for the tool.
seealso:
  - module: falconet.k8s.netpol_analyze
"""

EXAMPLES = r"""
- name: The frontend reaches the backend, and nobody else does
  falconet.k8s.netpol_probe:
    required_flows:
      - name: frontend to backend
        from: {namespace: prod, workload: Deployment/frontend}
        to: {namespace: prod, workload: Deployment/backend}
        ports: [8080]
    forbidden_flows:
      - name: default to backend
        from: {namespace: default}
        to: {namespace: prod, workload: Deployment/backend}
        ports: [8080]

- name: The network does what the policies say, in two namespaces
  falconet.k8s.netpol_probe:
    namespaces: [prod, staging]
    expected: analysis

- name: Nobody outside reaches the metrics port, although nothing listens there yet
  falconet.k8s.netpol_probe:
    forbidden_flows:
      - from: {namespace: default}
        to: {namespace: prod}
        ports: [9090]
    listen: true
    on_unproven: fail

- name: Policies are enforced
  falconet.k8s.netpol_probe:
    question: enforcement
"""

RETURN = r"""
results:
  description: One entry for each connection, in steady order.
  returned: O(question=connectivity)
  type: list
  elements: dict
  contains:
    from: {description: Source pod., type: str, sample: prod/frontend-7d9c}
    from_workload: {description: What owns the source pod., type: str, sample: Deployment/frontend}
    from_node: {description: Node of the source pod., type: str, version_added: "1.0.0"}
    to: {description: "Target: a pod, a Service or an address.", type: str, sample: prod/backend-5f6b}
    to_workload: {description: What owns the target pod., type: str, sample: Deployment/backend}
    address: {description: Address or name that was called., type: str, sample: 10.244.1.7}
    port: {description: Port that was called., type: int, sample: 8080}
    protocol: {description: "TCP, UDP or SCTP.", type: str, sample: TCP}
    verdict:
      description: What the last attempt met, V(allowed), V(refused), V(dropped), V(unresolved) or V(probe_failed).
      type: str
      sample: dropped
    conclusion:
      description: V(allowed), V(denied), or V(unknown) where nothing can be concluded.
      type: str
      sample: denied
    expected: {description: "V(allowed), V(denied) or nothing.", type: str, sample: denied}
    status:
      description: V(met), V(violated), V(unproven), or V(observed) without expectation.
      type: str
      sample: met
    flow: {description: Flow that expects it., type: str, sample: default to backend}
    because: {description: What decides according to the policies., type: str}
    by_policies:
      description: V(allowed) or V(denied) by the policies in the cluster, or nothing where that is not known.
      type: str
      version_added: "1.0.0"
    detail: {description: "What the tool said, or why nothing can be concluded.", type: str}
    latency_ms: {description: Time to the verdict in milliseconds., type: float, sample: 0.8}
    attempts: {description: How often it was tried., type: int, sample: 1}
    settled_ms: {description: Time after which the conclusion did not change any more., type: int, sample: 0}
    tool: {description: Tool that tried., type: str, sample: nc}
violations:
  description: Entries of RV(results) that are against expectation.
  returned: O(question=connectivity)
  type: list
  elements: dict
unproven:
  description: Entries of RV(results) and RV(not_probed) whose expectation could not be proven.
  returned: O(question=connectivity)
  type: list
  elements: dict
not_probed:
  description: What could not be tried (C(from), C(to), C(flow), C(expected)) and C(why).
  returned: O(question=connectivity)
  type: list
  elements: dict
matrix:
  description: Outcome by workload, to be stored and given as O(expected_matrix) later.
  returned: O(question=connectivity)
  type: list
  elements: dict
  sample: [{from: prod/Deployment/frontend, to: prod/Deployment/backend, port: 8080, protocol: TCP, allowed: true}]
counts:
  description: Numbers of connections by status and verdict, of attempts and of rounds.
  returned: O(question=connectivity)
  type: dict
method:
  description: Which method was used (C(name)), C(why), and for which pods method node (C(node)).
  returned: O(question=connectivity)
  type: dict
listened:
  description:
    - Where O(listen) listened (C(pod), C(port), C(protocol)), and in which pods it could not, with the reason
      (C(failed)).
  returned: O(question=connectivity)
  type: list
  elements: dict
seconds:
  description: Time from the first attempt to the last.
  returned: O(question=connectivity)
  type: float
settled_seconds:
  description: Time after which no conclusion changed any more; 0 if none ever did.
  returned: O(question=connectivity)
  type: float
latency_ms:
  description: Median and maximum of the connections that passed.
  returned: O(question=connectivity)
  type: dict
enforced:
  description: Whether policies are enforced; nothing if that could not be found out.
  returned: O(question=enforcement)
  type: bool
why:
  description: The answer in words.
  returned: O(question=enforcement)
  type: str
checks:
  description:
    - One entry for each C(direction) and C(path) with C(enforced), C(node) (which had to enforce it), C(seconds)
      until it was, and C(detail).
  returned: O(question=enforcement)
  type: list
  elements: dict
nodes:
  description: Nodes that the canary used.
  returned: O(question=enforcement)
  type: list
  elements: str
left_out:
  description: How many more nodes could have been asked.
  returned: O(question=enforcement)
  type: int
  version_added: "1.0.0"
cni:
  description:
    - Network plugins that were seen, by their DaemonSets, by what they note at Nodes, or in the CNI configuration of
      nodes (C(name), C(enforces), C(note), C(seen)). Knowledge, not proof.
  returned: O(question=enforcement)
  type: list
  elements: dict
cni_unread:
  description: Why the CNI configuration of a node could not be read, by node.
  returned: O(question=enforcement)
  type: dict
api_calls:
  description: Calls of the API server that this run made.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.probe.options import ARGUMENTS, done


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = done(module.params, module.check_mode)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
