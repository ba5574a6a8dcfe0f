# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit policies that come with the collection, as texts. `docs/audit-policy.md` says what each records and why."""

from __future__ import annotations

MINIMAL = """\
# Who did what to what, without any body: sessions in pods, secrets, and what others than Kubernetes itself change.
# Rules that look into pods, roles, services, ingresses or ConfigMaps are silent or blind with it.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # The probes of the control plane, by nobody.
  - level: None
    userGroups: ["system:unauthenticated"]
    nonResourceURLs: [/healthz, /livez, /readyz]
  # Sessions in pods and ways into them.
  - level: Metadata
    resources:
      - group: ""
        resources:
          [pods/exec, pods/attach, pods/portforward, pods/proxy, pods/ephemeralcontainers, services/proxy, nodes/proxy]
  # Who reads and writes secrets.
  - level: Metadata
    resources:
      - group: ""
        resources: [secrets, serviceaccounts/token]
  # What Kubernetes itself repeats all the time.
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]
    resources:
      - group: ""
        resources: [events, endpoints, pods/status, nodes/status]
      - group: events.k8s.io
        resources: [events]
      - group: coordination.k8s.io
        resources: [leases]
      - group: discovery.k8s.io
        resources: [endpointslices]
      - group: authorization.k8s.io
        resources: [subjectaccessreviews]
  - level: None
    userGroups: ["system:nodes", "system:serviceaccounts:kube-system"]
    resources:
      - group: ""
        resources: [events, endpoints, pods/status, nodes/status]
      - group: events.k8s.io
        resources: [events]
      - group: coordination.k8s.io
        resources: [leases]
      - group: discovery.k8s.io
        resources: [endpointslices]
      - group: authorization.k8s.io
        resources: [subjectaccessreviews]
  # Everything that changes something.
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
  # Whatever is asked for without a name.
  - level: Metadata
    userGroups: ["system:unauthenticated"]
"""

RECOMMENDED = """\
# What the rules for audit events need. No body of a Secret, a token or a TokenReview is recorded, no response has one.
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # Never more of these than who asked for them. Stays first.
  - level: Metadata
    resources:
      - group: ""
        resources: [secrets, serviceaccounts/token]
      - group: authentication.k8s.io
        resources: [tokenreviews]
  # What rules look into: pods, roles and their bindings, services, ingresses.
  - level: Request
    verbs: [create, update, patch]
    resources:
      - group: ""
        resources: [pods, pods/ephemeralcontainers, services]
      - group: networking.k8s.io
        resources: [ingresses]
      - group: rbac.authorization.k8s.io
        resources: [roles, clusterroles, rolebindings, clusterrolebindings]
  # For the rule that looks for credentials in ConfigMaps; who writes some has them in the audit log as well.
  # Without this rule it is silent, and nothing of them is recorded but their names.
  - level: Request
    verbs: [create, update, patch]
    resources:
      - group: ""
        resources: [configmaps]
  # Sessions in pods and ways into them, also those of Kubernetes' own accounts.
  - level: Metadata
    resources:
      - group: ""
        resources:
          [pods/exec, pods/attach, pods/portforward, pods/proxy, services/proxy, nodes/proxy]
  # Identities that may do everything, whatever they do.
  - level: Metadata
    users: [kubernetes-super-admin]
  - level: Metadata
    userGroups: ["system:masters"]
  # The probes of the control plane, by nobody.
  - level: None
    userGroups: ["system:unauthenticated"]
    nonResourceURLs: [/healthz, /livez, /readyz]
  # What Kubernetes itself reads and repeats all the time.
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]
    verbs: [get, list, watch]
  - level: None
    userGroups: ["system:nodes", "system:serviceaccounts:kube-system"]
    verbs: [get, list, watch]
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]
    resources:
      - group: ""
        resources: [events, endpoints, pods/status, nodes/status]
      - group: events.k8s.io
        resources: [events]
      - group: coordination.k8s.io
        resources: [leases]
      - group: discovery.k8s.io
        resources: [endpointslices]
      - group: authorization.k8s.io
        resources: [subjectaccessreviews]
  - level: None
    userGroups: ["system:nodes", "system:serviceaccounts:kube-system"]
    resources:
      - group: ""
        resources: [events, endpoints, pods/status, nodes/status]
      - group: events.k8s.io
        resources: [events]
      - group: coordination.k8s.io
        resources: [leases]
      - group: discovery.k8s.io
        resources: [endpointslices]
      - group: authorization.k8s.io
        resources: [subjectaccessreviews]
  # Everything else: who did what to what.
  - level: Metadata
"""

FULL = """\
# Everything with its bodies, but for those of secrets and tokens.
apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
  # Never more of these than who asked for them. Stays first.
  - level: Metadata
    resources:
      - group: ""
        resources: [secrets, serviceaccounts/token]
      - group: authentication.k8s.io
        resources: [tokenreviews]
      - group: oauth.openshift.io
        resources: [oauthaccesstokens, oauthauthorizetokens, oauthclients]
      - group: route.openshift.io
        resources: [routes]
  - level: RequestResponse
"""

PRESETS = {"minimal": MINIMAL, "recommended": RECOMMENDED, "full": FULL}
"""Audit policies by name."""
