# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured processes: one question each, asked of the core without Ansible, the answer on standard output.

Also useful on its own: C(python3 bench/netpol/tasks.py connections DIRECTORY) lists who can reach whom.
"""

from __future__ import annotations

import os
import sys

# mypy takes the name for true; importing it would be measured.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input

# Late imports: a task is measured with what it imports, and with nothing that others do.
# pathlib is not used here: importing it costs as much as one query, and would be measured with it.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT = 100_000
sys.path.insert(0, os.path.join(ROOT, "build", "collections"))


def texts(directory: str) -> list[tuple[str, str]]:
    """Names and texts of a directory's files."""
    found = []
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        with open(path) as file:
            found.append((path, file.read()))
    return found


def read(directory: str) -> list[Input]:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input

    return [Input(name, text) for name, text in texts(directory)]


def load_with_libyaml(directory: str) -> None:
    """What everything else is measured against: the same manifests through libyaml's safe loader."""
    import yaml

    for _name, text in texts(directory):
        for _document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            pass


def connections(directory: str, by: str = "workload") -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.matrix import Groups, Matrix
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.ports import summary
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    model = load(read(directory))
    universe = Universe(model, [model.policies])
    matrix = Matrix(Engine(universe, model.policies), Groups(universe, by))
    lines = []
    for destination, sources, mask in matrix.pairs():
        tail = f" => {destination} : {summary(matrix.ports.texts(mask))}\n"
        lines.append(tail.join(sources) + tail)
    sys.stdout.write("".join(lines))


def everything(directory: str) -> None:
    """Matrix by workload, difference to the cluster without the last tenth of its policies, and lint together."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.diff import changes, compact, count
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.matrix import Groups, Matrix
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.lint import lint
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.ports import summary
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    model = load(read(directory))
    before = model.policies[: len(model.policies) * 9 // 10]
    universe = Universe(model, [model.policies, before])
    groups = Groups(universe, "workload")
    matrix = Matrix(Engine(universe, model.policies), groups)
    # As the module does: beyond its limit the answer is told as products of sources and destinations.
    if matrix.count() > LIMIT:
        for product in matrix.compact():
            sys.stdout.write(f"{product}\n")
    else:
        for destination, sources, mask in matrix.pairs():
            tail = f" => {destination} : {summary(matrix.ports.texts(mask))}\n"
            sys.stdout.write(tail.join(sources) + tail)
    old = Matrix(Engine(universe, before), groups)
    if sum(count(old, matrix).values()) > LIMIT:
        for product in compact(old, matrix):
            sys.stdout.write(f"{product}\n")
    else:
        for change in changes(old, matrix):
            sys.stdout.write(f"{change.kind} {change}\n")
    for finding in lint(model, model.policies, Options()):
        sys.stdout.write(f"{finding}\n")


def query(directory: str) -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    model = load(read(directory))
    pods = [pod for pod in model.pods if not pod.template]
    first, last = pods[0], pods[-1]
    request = Request(
        "query",
        source={"namespace": first.namespace, "pod": first.name},
        destination={"namespace": last.namespace, "pod": last.name},
        ports=[8080],
    )
    sys.stdout.write(f"{answer(request, model)['allowed']}\n")


def reference(directory: str, limit: str = "2000") -> None:
    """One connection at a time, for so many pairs of pods, port 8080."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    model = load(read(directory))
    left = int(limit)
    for source in model.pods:
        for destination in model.pods:
            if source is not destination:
                decide(model, model.policies, source, destination, "TCP", 8080)
                left -= 1
                if not left:
                    return


def matrix(directory: str) -> None:
    """As the module answers: line by line, and beyond its limit as products."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    result = answer(Request("matrix"), load(read(directory)))
    for line in result.get("blocks") or result["connections"]:
        sys.stdout.write(f"{line}\n")


def exposure(directory: str) -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    for line in answer(Request("exposure"), load(read(directory)))["text"]:
        sys.stdout.write(f"{line}\n")


def explain(directory: str) -> None:
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    for line in answer(Request("explain"), load(read(directory)))["text"]:
        sys.stdout.write(f"{line}\n")


def sets(directory: str) -> None:
    """Whether the policies and all but the last tenth of them allow the same, and whether they deny anything."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    model = load(read(directory))
    fewer = Model(policies=model.policies[: len(model.policies) * 9 // 10])
    for question in ("equivalence", "vacuity"):
        for line in answer(Request(question, limit=1000), model, fewer)["text"]:
            sys.stdout.write(f"{line}\n")


def redundancy(directory: str) -> None:
    """Which policies and rules could go: each of them is taken out in turn."""
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
    from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import load

    for line in answer(Request("redundancy"), load(read(directory)))["text"]:
        sys.stdout.write(f"{line}\n")


TASKS = {
    "redundancy": redundancy,
    "sets": sets,
    "exposure": exposure,
    "explain": explain,
    "load": load_with_libyaml,
    "matrix": matrix,
    "connections": connections,
    "everything": everything,
    "query": query,
    "reference": reference,
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
