"""netpol-analyzer's own tests (https://github.com/np-guard/netpol-analyzer): what its files of expected output say.

Read from the text of C(test_outputs/), and the tables of C(eval) in its Go tests; inputs lie in C(tests/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model

from . import exposure, ours
from .comparison import Comparison
from .flows import EVERYTHING, Difference, Flows, Pair, Ports, common, differences, join, read_ports, restrict, told

_FLOW = re.compile(r"^(\S.*?) => (\S.*?)(?: : (.+))?$")
_PORT = re.compile(r"_(tcp|udp|sctp)-(\d+)_")
_DIFF = re.compile(
    r"^diff-type: \w+, source: (?P<source>.+?), destination: (?P<destination>.+?), \w+: (?P<old>.+?),"
    r" \w+: (?P<new>.+?)(?:, workloads-diff-info: .*)?$"
)
_PAIR = re.compile(r"^Connections between (\S.*?) => (\S.*?):$")
_CASE = re.compile(r"\{([^{}]*?\bdir:[^{}]*?evalResult:[^{}]*?)\}")


PEER = "netpol-analyzer"


def compare(root: Path) -> Iterator[Comparison]:
    """Every comparison that their repository allows for."""
    outputs, inputs = root / "test_outputs", root / "tests"
    for file in sorted((outputs / "connlist").glob("*.txt")):
        directory = _directory(inputs, file.name)
        if directory is None:
            continue
        model = ours.model_of(directory)
        names = ours.Names(model)
        text = file.read_text()
        partial = file.name != f"{directory.name}_connlist_output.txt" and "_focus_" in file.name
        if "_explain_" in file.name:
            yield Comparison(PEER, "verdicts of explain", file.name, *_explained(text, model, names), _refused(model))
            continue
        head, mark, _rest = text.partition("Exposure Analysis Result:")
        port = _PORT.search(file.name.removeprefix(directory.name))
        only = read_ports(f"{port[1].upper()} {port[2]}") if port else EVERYTHING
        yield Comparison(
            PEER, "connection lists", file.name, *_listed(head, model, names, partial, only), _refused(model)
        )
        if mark and not partial and not port:
            yield Comparison(PEER, "exposure", file.name, *exposure.compare(text, model, names), _refused(model))
    for file in sorted((outputs / "diff").glob("*.txt")):
        sides = _sides(inputs, file.stem)
        if sides is not None:
            refused = " ".join(_refused(ours.model_of(side)) for side in sides).strip()
            yield Comparison(PEER, "differences", file.name, *_differing(file.read_text(), *sides), refused)
    for number, case in enumerate(_cases(root)):
        yield Comparison(PEER, "verdicts of eval", f"case {number}: {case['dir']}", 1, *_evaluated(inputs, case))


def _directory(inputs: Path, name: str) -> Path | None:
    """The directory that an output is about: the longest name that it begins with."""
    fitting = [d for d in inputs.iterdir() if d.is_dir() and name.startswith(f"{d.name}_")]
    return max(fitting, key=lambda d: len(d.name), default=None)


def _sides(inputs: Path, name: str) -> tuple[Path, Path] | None:
    before, mark, after = name.partition("_and_")
    while mark:
        old = inputs / after
        new = inputs / before.partition("diff_between_")[2]
        if old.is_dir() and new.is_dir():
            return old, new
        head, mark, after = after.partition("_and_")
        before = f"{before}_and_{head}"
    return None


def _flows(text: str, names: ours.Names, only: Ports) -> Flows:
    found: Flows = {}
    for line in text.splitlines():
        match = _FLOW.match(line)
        if match:
            pair = (names(match[1]), names(match[2]))
            if pair[0] != pair[1]:
                found[pair] = join(found.get(pair, ()), read_ports(match[3]) if match[3] else only)
    return found


def _listed(text: str, model: Model, names: ours.Names, partial: bool, only: Ports) -> tuple[int, list[str]]:
    theirs = _flows(text, names, only)
    mine = {pair: common(ports, only) for pair, ports in {**ours.connections(model), **ours.routes(model)}.items()}
    if partial:
        mine = restrict(mine, theirs)
    return len(theirs), [str(item) for item in differences(theirs, mine)]


def _differing(text: str, old: Path, new: Path) -> tuple[int, list[str]]:
    before, after = ours.model_of(old), ours.model_of(new)
    names = ours.Names(before, after)
    sides: tuple[Flows, Flows] = ({}, {})
    for line in text.splitlines():
        match = _DIFF.match(line)
        if match:
            pair = (names(match["source"]), names(match["destination"]))
            for flows, word in zip(sides, ("old", "new")):
                flows[pair] = join(flows.get(pair, ()), read_ports(match[word]))
    mine: tuple[Flows, Flows] = ({}, {})
    for pair, ports in {**ours.changes(before, after), **_changed_routes(before, after)}.items():
        mine[0][pair], mine[1][pair] = ports
    found = [
        f"{word}: {item}"
        for word, theirs, flows in zip(("before", "after"), sides, mine)
        for item in differences(theirs, flows)
    ]
    return len(sides[0]), found


def _changed_routes(before: Model, after: Model) -> Mapping[Pair, tuple[Ports, Ports]]:
    old, new = ours.routes(before), ours.routes(after)
    none: Ports = frozenset()
    return {
        pair: (old.get(pair, none), new.get(pair, none))
        for pair in {**old, **new}
        if old.get(pair, none) != new.get(pair, none)
    }


def _explained(text: str, model: Model, names: ours.Names) -> tuple[int, list[str]]:
    """What is allowed must be so here, and what is denied must not."""
    mine = {**ours.connections(model), **ours.routes(model)}
    allowed: Flows = {}
    denied: Flows = {}
    pair: Pair | None = None
    default = False
    for line in text.splitlines():
        if "All Connections due to the system default" in line:
            default, pair = True, None
        match = _PAIR.match(line)
        if match:
            pair = (names(match[1]), names(match[2]))
        elif default and " => " in line:
            source, _arrow, destination = line.partition(" => ")
            allowed[(names(source), names(destination))] = read_ports("All Connections")
        elif pair and line.startswith(("\tAllowed ", "\tDenied ")):
            word, _space, rest = line.strip().partition(" ")
            side = allowed if word == "Allowed" else denied
            side[pair] = join(side.get(pair, ()), read_ports(rest.partition(" due to ")[0]))
    said = {pair for pair in {**allowed, **denied} if pair[0] != pair[1]}
    found = []
    for item in _contradictions(allowed, mine):
        if common(item.theirs, item.ours) != item.theirs:
            found.append(_against(item, "allowed"))
    for item in _contradictions(denied, mine):
        if common(item.theirs, item.ours):
            found.append(_against(item, "denied"))
    return len(said), found


def _against(item: Difference, word: str) -> str:
    return f"{item.source} => {item.destination}: theirs {word} {told(item.theirs)}, ours {told(item.ours)}"


def _contradictions(said: Flows, mine: Flows) -> list[Difference]:
    kept = {pair: ports for pair, ports in said.items() if pair[0] != pair[1]}
    return differences(kept, restrict(mine, kept))


def _cases(root: Path) -> Iterator[dict[str, str]]:
    """Rows of the tables of tests for C(eval)."""
    for file in ("pkg/netpol/eval/eval_test.go", "pkg/cli/command_test.go"):
        for match in _CASE.finditer((root / file).read_text()):
            yield dict(re.findall(r'(\w+):\s*"?([^",\n]*)"?,', match[1] + ","))


def _refused(model: Model) -> str:
    return str(model.errors[0]) if model.errors else ""


def _evaluated(inputs: Path, case: Mapping[str, str]) -> tuple[list[str], str]:
    model = ours.model_of(inputs / case["dir"])
    ends = []
    for place, name in (("sourceNs", "source"), ("destNs", "dest")):
        wanted = case.get(f"{name}Pod") or case.get(f"{name}Workload", "")
        pods = [
            pod
            for pod in model.running
            if pod.namespace == (case.get(place) or "default") and wanted in (pod.name, pod.workload)
        ]
        if not pods:
            return [f"no pod {wanted} here"], _refused(model)
        ends.append(pods[0])
    protocol = (case.get("protocol") or "tcp").upper()
    verdict = ours.decide(model, ends[0], ends[1], protocol, int(case["port"]))
    found = [] if str(verdict).lower() == case["evalResult"] else [f"theirs {case['evalResult']}, ours {verdict}"]
    return found, _refused(model)
