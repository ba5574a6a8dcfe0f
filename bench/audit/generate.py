"""Lines of an audit log as --audit-log-path writes it: what components, controllers and people ask for."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

COMPONENTS = (
    ("system:kube-controller-manager", ["system:authenticated"], "update", "leases", "kube-system"),
    ("system:kube-scheduler", ["system:authenticated"], "get", "leases", "kube-system"),
    ("system:node:worker-1", ["system:nodes", "system:authenticated"], "patch", "nodes", ""),
    ("system:serviceaccount:kube-system:coredns", ["system:serviceaccounts:kube-system"], "list", "services", ""),
)
PEOPLE = (
    ("kubernetes-admin", ["kubeadm:cluster-admins", "system:authenticated"]),
    ("alice@example.com", ["developers", "system:authenticated"]),
    ("system:serviceaccount:ci:runner", ["system:serviceaccounts", "system:serviceaccounts:ci"]),
)
ASKED = (
    ("get", "pods", 200),
    ("list", "pods", 200),
    ("create", "pods", 201),
    ("patch", "deployments", 200),
    ("create", "configmaps", 201),
    ("get", "secrets", 200),
    ("delete", "services", 200),
)


def lines(count: int) -> Iterator[bytes]:
    """Events, four of five of them of Kubernetes itself, each at its level; pods and ConfigMaps with their bodies."""
    chooser = random.Random(1)
    for number in range(count):
        if chooser.random() < 0.8:
            user, groups, verb, resource, namespace = chooser.choice(COMPONENTS)
            code = 200
        else:
            user, groups = chooser.choice(PEOPLE)
            verb, resource, code = chooser.choice(ASKED)
            namespace = f"space-{chooser.randrange(20)}"
        event = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Request",
            "auditID": f"{number:08x}-0000-4000-8000-000000000000",
            "stage": "ResponseComplete",
            "requestURI": f"/api/v1/namespaces/{namespace}/{resource}?timeout=10s",
            "verb": verb,
            "user": {"username": user, "groups": groups},
            "sourceIPs": [f"192.0.2.{chooser.randrange(250)}"],
            "userAgent": "kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9",
            "objectRef": {"resource": resource, "namespace": namespace, "name": f"x-{number}", "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": "2026-03-01T10:00:00.900000Z",
            "stageTimestamp": "2026-03-01T10:00:01.000000Z",
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
        }
        if resource == "pods" and verb == "create":
            container = {"name": "web", "image": "registry.example/web:1", "env": [{"name": "A", "value": "b"}] * 10}
            event["requestObject"] = {
                "kind": "Pod",
                "spec": {"hostNetwork": number % 9 == 0, "containers": [container]},
            }
        elif resource == "configmaps":
            event["requestObject"] = {"kind": "ConfigMap", "data": {"app.yaml": "port: 8080\n" * 40}}
        yield json.dumps(event).encode() + b"\n"
