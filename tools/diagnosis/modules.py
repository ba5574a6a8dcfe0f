"""Whether the Go module proxy has the modules that the sandbox's programs are built from."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.doctor import Finding
from sandbox.errors import SandboxError
from sandbox.process import run
from sandbox.toolchain import NEEDED, Go

FOLDERS = Path(__file__).resolve().parents[2] / "sandbox" / "go"
_GONE = re.compile(r"404 Not Found|410 Gone|403 Forbidden|not found|unknown revision")


@dataclass(frozen=True)
class Answer:
    """What the module proxy said.

    Attributes:
        go: the toolchain's version as it says it; empty if there is none yet.
        count: modules that were asked for.
        lost: modules with versions that it does not have.
        problem: why it could not be asked; empty if it was.
        advice: what would help.
    """

    go: str = ""
    count: int = 0
    lost: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""


def needed(document: dict[str, list[dict[str, dict[str, str]]]]) -> set[str]:
    """Modules with versions that a go.mod asks for by itself, after its replacements.

    Args:
        document: what ``go mod edit -json`` says of it.
    """
    replaced = {one["Old"]["Path"]: one["New"] for one in document.get("Replace") or []}
    found = set()
    for one in document.get("Require") or []:
        if not one.get("Indirect"):
            target = replaced.get(str(one["Path"]), one)
            if target.get("Version"):
                found.add(f"{target['Path']}@{target['Version']}")
    return found | {f"{new['Path']}@{new['Version']}" for new in replaced.values() if new.get("Version")}


def _documents(text: str) -> Iterator[dict[str, dict[str, str]]]:
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        yield document


def read(output: str) -> tuple[list[str], str]:
    """Modules that are gone, and the first other trouble, from ``go list -m -e -json``."""
    lost, problem = [], ""
    for one in _documents(output):
        told = str((one.get("Error") or {}).get("Err", ""))
        if told and _GONE.search(told):
            lost.append(f"{one['Path']}@{one['Version']}")
        elif told:
            problem = problem or " ".join(told.split())
    return lost, problem


def ask(go: Go, folders: Path = FOLDERS) -> Answer:
    """Ask the module proxy, through go, for what every go.mod below a folder needs."""
    environment = go.environment()
    try:
        wanted = set()
        for file in sorted(folders.glob("*/go.mod")):
            told = run([str(go.path), "mod", "edit", "-json"], cwd=file.parent, env=environment).stdout
            wanted |= needed(json.loads(told))
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "go.mod").write_text("module falconet.test/doctor\n")
            # A cache of its own, or what was fetched once would look reachable for ever. go.sum judges what is built.
            environment |= {"GOFLAGS": "-mod=mod -modcacherw", "GOSUMDB": "off", "GOMODCACHE": f"{scratch}/modules"}
            argv = [str(go.path), "list", "-m", "-e", "-json", *sorted(wanted)]
            lost, problem = read(run(argv, cwd=Path(scratch), env=environment, timeout_seconds=120).stdout)
    except SandboxError as error:
        return Answer(go.version, problem=error.message, advice="check network, proxy and GOPROXY (go env GOPROXY)")
    advice = "check network, proxy and GOPROXY (go env GOPROXY)" if problem else ""
    return Answer(go.version, len(wanted), tuple(lost), problem, advice)


def judge(answer: Answer, *, cached: bool) -> list[Finding]:
    """What the answer means.

    Args:
        answer: of the module proxy.
        cached: whether the sandbox's programs are built already, so that nothing is to be fetched.
    """
    bad = "note" if cached else "error"
    spare = "what is built from it is in the cache; " if cached else ""
    if not answer.go:
        version = ".".join(map(str, NEEDED))
        told = answer.problem or f"no Go {version} or newer here, so its module proxy could not be asked"
        return [Finding(bad if answer.problem else "note", told, spare + answer.advice)]
    findings = [Finding("ok", answer.go)]
    if answer.problem:
        findings.append(Finding(bad, f"the Go module proxy: {answer.problem}", spare + answer.advice))
    if answer.lost:
        advice = f"{spare}see what GOPROXY is (go env GOPROXY); one that is gone for good is replaced in its go.mod"
        findings.append(Finding(bad, f"the Go module proxy does not have {', '.join(answer.lost)}", advice))
    if len(findings) == 1:
        findings.append(Finding("ok", f"the Go module proxy has the {answer.count} modules that are built from"))
    return findings
