# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that are hard on an analysis: whatever it may take for one class is many here.

C(labels): every pod has a label of its own, by which a policy selects it and another lets it in. C(excepts): blocks of
all addresses with a hole each, in another place. C(hosts): a block for the address of every single pod.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_PER_POLICY = 10


def _pod(number: int) -> str:
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: pod-{number}
  namespace: shop
  labels:
    app: app-{number % 20}
    pod: p{number}
spec:
  containers:
  - name: main
    image: registry.example.org/app:1.0
    ports:
    - name: http
      containerPort: 8080
status:
  podIP: 10.{128 + (number >> 16)}.{number >> 8 & 255}.{number & 255}
"""


def _policy(number: int, subject: str, rule: str) -> str:
    return f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: policy-{number}
  namespace: shop
spec:
  podSelector:
    matchLabels:
      {subject}
  policyTypes:
  - Ingress
  ingress:
  - from:
{rule}"""


def labels(count: int) -> list[str]:
    """A policy for each pod, which lets the next one in."""
    return [
        _policy(n, f"pod: p{n}", f"    - podSelector:\n        matchLabels:\n          pod: p{(n + 1) % count}\n")
        for n in range(count)
    ]


def excepts(count: int) -> list[str]:
    """All addresses without a /24 each."""

    def rule(first: int) -> str:
        blocks = []
        for n in range(first, first + _PER_POLICY):
            high, middle = 60 + (n >> 12), n & 4095
            start = f"{high}.{middle >> 4}.{(middle & 15) << 4}"
            blocks.append(f"    - ipBlock:\n        cidr: 0.0.0.0/0\n        except:\n        - {start}.0/24\n")
        return "".join(blocks)

    return [_policy(n, f"app: app-{n % 20}", rule(n * _PER_POLICY)) for n in range(count // _PER_POLICY)]


def hosts(count: int) -> list[str]:
    """The addresses of the pods, one block each."""

    def rule(first: int) -> str:
        numbers = range(first, first + _PER_POLICY)
        return "".join(
            f"    - ipBlock:\n        cidr: 10.{128 + (n >> 16)}.{n >> 8 & 255}.{n & 255}/32\n" for n in numbers
        )

    return [_policy(n, f"app: app-{n % 20}", rule(n * _PER_POLICY)) for n in range(count // _PER_POLICY)]


SHAPES: dict[str, Callable[[int], list[str]]] = {"labels": labels, "excepts": excepts, "hosts": hosts}


def generate_shape(directory: Path, shape: str, count: int) -> None:
    """Writes pods.yaml and policies.yaml of one of the shapes, with so many pods."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pods.yaml").write_text("---\n".join(_pod(number) for number in range(count)))
    (directory / "policies.yaml").write_text("---\n".join(SHAPES[shape](count)))
