# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes clusters of any size as manifests: namespaces of a few applications each, and policies of every usual shape.

The same arguments always give the same files. Policies come in rounds: default deny, DNS, application to application,
ingress from another namespace, egress to blocks of addresses, named ports, port ranges.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

APPLICATIONS = ("frontend", "backend", "cache", "queue", "worker", "api", "auth", "search", "mail", "report")


def namespace_name(index: int) -> str:
    return f"team-{index:03d}"


def pod(namespace: str, application: str, number: int, address: int) -> str:
    ip = f"10.{128 + (address >> 16)}.{address >> 8 & 255}.{address & 255}"
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: {application}-{number}
  namespace: {namespace}
  labels:
    app: {application}
    tier: {"edge" if application == "frontend" else "inner"}
spec:
  containers:
  - name: main
    image: registry.example.org/{application}:1.0
    ports:
    - name: http
      containerPort: 8080
status:
  podIP: {ip}
"""


def policy(index: int, namespaces: int, chance: random.Random, open_cluster: bool = False) -> str:
    namespace = namespace_name(index % namespaces)
    round_number = index // namespaces
    application = APPLICATIONS[(index * 7 + round_number) % len(APPLICATIONS)]
    other = chance.choice(APPLICATIONS)
    head = f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: policy-{index}
  namespace: {namespace}
spec:
"""
    subject = f"  podSelector:\n    matchLabels:\n      app: {application}\n"
    # Neighbouring namespaces begin with different shapes, so that few rounds show all of them.
    shape = 0 if not (round_number or open_cluster) else (round_number + index) % 7
    if open_cluster and shape == 0:
        shape = 1
    if shape == 0:
        return head + "  podSelector: {}\n  policyTypes:\n  - Ingress\n"
    if shape == 1:
        return (
            head
            + subject
            + f"""\
  policyTypes:
  - Ingress
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: {other}
    ports:
    - protocol: TCP
      port: http
"""
        )
    if shape == 2:
        return (
            head
            + subject
            + """\
  policyTypes:
  - Egress
  egress:
  - to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
    ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
"""
        )
    if shape == 3:
        return (
            head
            + subject
            + f"""\
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {namespace_name(chance.randrange(namespaces))}
      podSelector:
        matchExpressions:
        - key: tier
          operator: In
          values: [edge]
    ports:
    - protocol: TCP
      port: 8000
      endPort: 8100
"""
        )
    if shape == 4:
        return (
            head
            + subject
            + f"""\
  policyTypes:
  - Egress
  egress:
  - to:
    - ipBlock:
        cidr: 192.0.{chance.randrange(256)}.0/24
    ports:
    - protocol: TCP
      port: 443
"""
        )
    if shape == 5:
        return (
            head
            + subject
            + """\
  policyTypes:
  - Ingress
  ingress:
  - from:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
        - 10.0.0.0/8
    ports:
    - protocol: TCP
      port: http
"""
        )
    return (
        head
        + subject
        + f"""\
  ingress:
  - from:
    - podSelector: {{}}
  - from:
    - podSelector:
        matchExpressions:
        - key: app
          operator: NotIn
          values: [{other}]
    ports:
    - protocol: TCP
      port: {9000 + chance.randrange(100)}
"""
    )


def generate(
    directory: Path, namespaces: int, pods: int, policies: int, seed: int = 1, open_cluster: bool = False
) -> None:
    """Writes namespaces.yaml, pods.yaml and policies.yaml.

    Args:
        directory: where; made if missing.
        namespaces: how many.
        pods: how many in each namespace.
        policies: how many in all.
        seed: of the choices.
        open_cluster: leaves out the default denies, so that nearly every pair may connect.
    """
    chance = random.Random(seed)
    directory.mkdir(parents=True, exist_ok=True)
    names = [namespace_name(index) for index in range(namespaces)]
    (directory / "namespaces.yaml").write_text(
        "---\n".join(
            f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    team: t{name[-1]}\n"
            for name in [*names, "kube-system"]
        )
    )
    dns = pod("kube-system", "dns", 0, 1)
    (directory / "pods.yaml").write_text(
        "---\n".join(
            [dns]
            + [
                pod(name, APPLICATIONS[number % len(APPLICATIONS)], number, 16 + index * pods + number)
                for index, name in enumerate(names)
                for number in range(pods)
            ]
        )
    )
    (directory / "policies.yaml").write_text(
        "---\n".join(policy(index, namespaces, chance, open_cluster) for index in range(policies))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--namespaces", type=int, default=25)
    parser.add_argument("--pods", type=int, default=20, help="in each namespace")
    parser.add_argument("--policies", type=int, default=150, help="in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open", action="store_true", help="no default denies: nearly every pair may connect")
    args = parser.parse_args()
    generate(args.directory, args.namespaces, args.pods, args.policies, args.seed, args.open)


if __name__ == "__main__":
    main()
