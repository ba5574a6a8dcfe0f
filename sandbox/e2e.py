"""Kubernetes' own e2e NetworkPolicy specs, run against a sandbox: the oracle of its enforcement.

The specs make namespaces ``netpol-*`` and remove them; nothing else in the cluster is touched.
"""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sandbox.builds import HERE, GoBuild, built
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.process import say, tail

BUILD = GoBuild("e2e", HERE / "go" / "e2e", files=("e2e.test",), is_test=True, cold_seconds=90)

#: All specs of the suite; those that need SCTP or IPv6 are left out, because the sandbox has neither.
FOCUS = r"sig-network\] Netpol"
SKIP = r"SCTPConnectivity|IPv6"
#: How many specs FOCUS and SKIP leave in Kubernetes 1.35.4; another number means that the choice has slipped.
ALL_SPECS = 47

#: The default: one spec for each thing that an enforcer can get wrong. Names are the suite's own.
DEFAULT_SPECS = (
    "should support a 'default-deny-ingress' policy",
    "should support a 'default-deny-all' policy",
    "should enforce policy based on PodSelector or NamespaceSelector",
    "should enforce policy based on Ports [Feature:NetworkPolicy]",
    "should allow ingress access on one named port",
    "should allow ingress access from updated pod",
    "should enforce except clause while egress access to server in CIDR block",
    "should support denying of egress traffic on the client side",
    "should stop enforcing policies after they are deleted",
)
#: Specs of the same name for other protocols, which the default leaves to --all.
OTHER_PROTOCOLS = r"using (UDP|SCTP)"

LIMIT_SECONDS = 3600

#: Lines of Ginkgo's output: how many specs it chose, and the end of each.
_CHOSEN = re.compile(r"Will run (\d+) of \d+ specs")
_ENDED = re.compile(r"• (?:\[([A-Z]+)\] )?\[([0-9.]+) seconds\]")


@dataclass(frozen=True)
class SpecResult:
    """Verdict on one spec.

    Attributes:
        state: ``passed``, ``failed``, ``panicked``, ``interrupted`` or ``timedout``.
        detail: the failure's first lines; empty when passed.
    """

    name: str
    state: str
    seconds: float
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the spec holds."""
        return self.state == "passed"


def read_report(reports: Iterable[dict[str, Any]]) -> list[SpecResult]:
    """Results from a Ginkgo JSON report; specs that were not chosen and the suite's own steps are left out."""
    results = []
    for report in reports:
        for spec in report.get("SpecReports") or ():
            if spec.get("State") in ("skipped", "pending") or spec.get("LeafNodeType") != "It":
                continue
            failure = (spec.get("Failure") or {}).get("Message", "")
            name = " ".join([*spec.get("ContainerHierarchyTexts", ()), spec.get("LeafNodeText", "")])
            results.append(SpecResult(name, spec["State"], spec.get("RunTime", 0) / 1e9, failure[:500]))
    return results


def focus_for(names: Sequence[str]) -> str:
    """A regular expression that chooses the specs whose names contain one of these texts."""
    # Go's regular expressions know no escaped space.
    texts = "|".join(re.escape(name).replace("\\ ", " ") for name in names)
    return f"{FOCUS}.*({texts})"


def copied(lines: Iterable[str], sink: IO[str]) -> Iterator[str]:
    """The same lines, each written to the sink as it comes."""
    for line in lines:
        sink.write(line)
        yield line


def progress(lines: Iterable[str]) -> Iterator[str]:
    """What to tell a user who waits, from Ginkgo's output: one sentence for each spec that has ended."""
    ended, chosen = 0, "?"
    for line in lines:
        if found := _CHOSEN.match(line):
            chosen = found[1]
        elif found := _ENDED.match(line):
            ended += 1
            yield f"spec {ended} of {chosen}: {found[1] or 'passed'} after {float(found[2]):.0f} s"


def run_specs(kubeconfig: Path, focus: str, skip: str, *, log: Path | None = None) -> list[SpecResult]:
    """Run the chosen specs one after the other and return their verdicts.

    Args:
        kubeconfig: an administrator's.
        focus: regular expression on the specs' full names.
        skip: the same, for those to leave out.
        log: where the suite's output goes; a temporary file if None.

    Raises:
        SandboxError: the suite did not run to its end, or chose no spec.
    """
    program = built([BUILD])["e2e"] / "e2e.test"
    with tempfile.TemporaryDirectory(prefix="falconet-e2e-") as folder:
        report, output = Path(folder) / "report.json", log or Path(folder) / "e2e.log"
        argv = [
            *(str(program), f"-kubeconfig={kubeconfig}", "-provider=skeleton", "-num-nodes=3"),
            *(f"-ginkgo.focus={focus}", f"-ginkgo.skip={skip}", f"-ginkgo.json-report={report}"),
            *("-ginkgo.v", "-ginkgo.no-color", f"-ginkgo.timeout={LIMIT_SECONDS}s", f"-test.timeout={LIMIT_SECONDS}s"),
            # Every pod of a spec is on this machine: what is not ready after two minutes never will be.
            *("-allowed-not-ready-nodes=0", "-delete-namespace=true", "-node-schedulable-timeout=2m"),
        ]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder}
        with (
            output.open("w", encoding="utf-8") as sink,
            subprocess.Popen(
                argv,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                text=True,
                errors="replace",
            ) as suite,
        ):
            for told in progress(copied(suite.stdout or (), sink)):
                say(told)
        if not report.is_file():
            said = tail(output.read_text(encoding="utf-8", errors="replace"))
            raise SandboxError(f"the specs did not run (exit code {suite.returncode}):\n{said}")
        results = read_report(json.loads(report.read_text(encoding="utf-8")))
    if not results:
        raise SandboxError(f"no spec matches {focus!r}", "python -m sandbox e2e --list shows their names")
    return results


def list_specs(kubeconfig: Path) -> str:
    """Names of all specs that --all would run, one a line."""
    program = built([BUILD])["e2e"] / "e2e.test"
    with tempfile.TemporaryDirectory(prefix="falconet-e2e-") as folder:
        report = Path(folder) / "report.json"
        argv = [str(program), f"-kubeconfig={kubeconfig}", "-provider=skeleton", "-ginkgo.dry-run"]
        argv += [f"-ginkgo.focus={FOCUS}", f"-ginkgo.skip={SKIP}", f"-ginkgo.json-report={report}"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=120)
        return "\n".join(sorted(result.name for result in read_report(json.loads(report.read_text(encoding="utf-8")))))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommand's own options to its parser."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--all", action="store_true", help=f"all {ALL_SPECS} specs without SCTP and IPv6")
    chosen.add_argument("--spec", metavar="TEXT", action="append", help="specs whose name contains this (repeatable)")
    chosen.add_argument("--list", action="store_true", help="show the names of all specs")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write the verdicts as JSON")
    parser.add_argument("--log", metavar="FILE", type=Path, help="keep the suite's own output")


def main(instance: Instance, given: argparse.Namespace) -> int:
    """Run the subcommand; exit code 0 when every chosen spec passed."""
    if given.list:
        print(list_specs(instance.kubeconfig))
        return 0
    if given.all:
        focus, skip = FOCUS, SKIP
    else:
        focus, skip = focus_for(given.spec or DEFAULT_SPECS), SKIP if given.spec else f"{SKIP}|{OTHER_PROTOCOLS}"
    say(f"NetworkPolicy specs of Kubernetes against {instance.name}")
    results = run_specs(instance.kubeconfig, focus, skip, log=given.log)
    for result in results:
        print(f"{result.state:8} {result.seconds:6.1f} s  {result.name}")
        if not result.passed:
            print(tail(result.detail, 5))
    good = sum(result.passed for result in results)
    print(f"{good} of {len(results)} specs passed")
    if given.report:
        given.report.write_text(json.dumps([vars(result) for result in results], indent=2) + "\n", encoding="utf-8")
    if given.all and len(results) != ALL_SPECS:
        raise SandboxError(
            f"{len(results)} specs ran instead of {ALL_SPECS}", "FOCUS and SKIP in sandbox/e2e.py choose them"
        )
    return 0 if good == len(results) else 1
