"""The corpus: well-known recipes with their whole matrix, and every corner of the semantics as a named case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.matrix import Groups, Matrix, text
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.universe import Universe
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Endpoint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import Range, parse_block
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

CORPUS = Path(__file__).resolve().parents[3] / "corpus" / "netpol"
RECIPES = sorted((CORPUS / "recipes").glob("*.yaml"))
CASES = sorted((CORPUS / "cases").glob("*.yaml"))
WORDS = {True: "allowed", False: "denied"}
CONNECTION = re.compile(r"(\S+) -> (\S+) (TCP|UDP|SCTP) (\d+)\Z")


def read(path: Path) -> tuple[dict[str, Any], Model]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content, load([Input(path.name, objects=content["objects"])])


def endpoint(model: Model, name: str) -> Endpoint:
    for pod in model.pods:
        if pod.full_name == name:
            return pod
    block = parse_block(name)
    assert block is not None, f"{name} is neither a pod nor an address"
    return block


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_gives_its_whole_matrix(path: Path) -> None:
    content, model = read(path)
    universe = Universe(model, [model.policies])
    matrix = Matrix(Engine(universe, model.policies), Groups(universe, "pod"))
    assert sorted(text(matrix.connections()).splitlines()) == content["matrix"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_corner_of_the_semantics(path: Path) -> None:
    content, model = read(path)
    verdicts = []
    for wanted in ("allowed", "denied", "undetermined"):
        for line in content.get(wanted, ()):
            match = CONNECTION.match(line)
            assert match, line
            source, destination, protocol, port = match.groups()
            ends = endpoint(model, source), endpoint(model, destination)
            verdict = decide(model, model.policies, *ends, protocol, int(port))
            verdicts.append((line, "undetermined" if verdict.undetermined else WORDS[verdict.allowed], wanted))
    assert verdicts
    assert [(line, said) for line, said, wanted in verdicts if said != wanted] == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_matrix_says_the_same_about_a_corner(path: Path) -> None:
    content, model = read(path)
    parsed = [
        (wanted, *match.groups())
        for wanted in ("allowed", "denied", "undetermined")
        for match in (CONNECTION.match(line) for line in content.get(wanted, ()))
        if match
    ]
    intervals = [(protocol, int(port), int(port)) for _w, _s, _d, protocol, port in parsed]
    universe = Universe(model, [model.policies], intervals=intervals)
    engine, possible = Engine(universe, model.policies), Engine(universe, model.policies, possible=True)

    def number(name: str) -> int:
        end = endpoint(model, name)
        for index, members in enumerate(universe.members):
            if any(pod is end for pod in members):
                return index
        for index, ranges in enumerate(universe.outside):
            if isinstance(end, Range) and any(r.family == end[0] and r.first <= end[1] <= r.last for r in ranges):
                return universe.pod_classes + index
        raise LookupError(name)

    wrong = []
    for wanted, source, destination, protocol, port in parsed:
        if source == destination or path.stem == "own-node-always-reaches-a-pod":
            continue  # what stands above policies is no part of the matrix
        try:
            start, end = number(source), number(destination)
        except LookupError:
            continue  # an address of a family that the input does not have
        mask, may = (
            next((m for m, sources in e.row(end).items() if sources >> start & 1), 0) for e in (engine, possible)
        )
        asked = universe.ports.mask(protocol, int(port), int(port))
        said = WORDS[bool(mask & asked)] if mask & asked == may & asked else "undetermined"
        if said != wanted:
            wrong.append((source, destination, protocol, port, said))
    assert wrong == []


def test_the_corpus_is_there() -> None:
    assert len(RECIPES) == 15
    assert len(CASES) >= 111
