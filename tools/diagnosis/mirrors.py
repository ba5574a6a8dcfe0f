"""Whether the mirror that apt is configured with is reached, and knows the suite that the nodes are made of."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.debian import Mirror, find_mirrors
from sandbox.doctor import Finding
from sandbox.errors import SandboxError
from sandbox.process import run

#: Fetches one file as apt would: with its proxies, certificates and passwords.
HELPER = Path("/usr/lib/apt/apt-helper")
PATIENCE = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15")


@dataclass(frozen=True)
class Answer:
    """What a mirror said: ``problem`` is empty if it has the suite."""

    mirror: Mirror
    problem: str = ""


@dataclass(frozen=True)
class Answers:
    """What all mirrors said, best first; ``problem`` tells why none could be asked, with ``advice``."""

    mirrors: tuple[Answer, ...] = ()
    problem: str = ""
    advice: str = ""


def reason(output: str) -> str:
    """Why apt could not fetch a file, from its words."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    errors = [line for line in lines if line.startswith(("E:", "Err:"))] or lines or ["no reason given"]
    words = errors[0].partition(":")[2].strip() or errors[0]
    return words.removeprefix("Failed to fetch ").rstrip(".")


def ask(mirror: Mirror, helper: Path = HELPER) -> Answer:
    """Fetch the suite's signed index, 150 kB, and throw it away."""
    with tempfile.TemporaryDirectory() as folder:
        # apt fetches as a user of its own.
        Path(folder).chmod(0o777)
        url = f"{mirror.url.rstrip('/')}/dists/{mirror.suite}/InRelease"
        argv = [str(helper), *PATIENCE, "download-file", url, f"{folder}/InRelease"]
        try:
            done = run(argv, timeout_seconds=60, check=False, env={**os.environ, "LC_ALL": "C"})
        except SandboxError as error:
            return Answer(mirror, error.message)
    return Answer(mirror, reason(done.stderr + done.stdout) if done.returncode else "")


def gather() -> Answers:
    """Ask the mirrors that the nodes' root file system would come from."""
    try:
        found = find_mirrors()
    except SandboxError as error:
        return Answers(problem=error.message, advice=error.hint)
    return Answers(tuple(ask(mirror) for mirror in found))


def judge(answers: Answers, *, cached: bool) -> list[Finding]:
    """What the answers mean.

    Args:
        answers: of the mirrors, best first.
        cached: whether the root file system is there already, so that nothing is to be fetched.
    """
    bad = "note" if cached else "error"
    spare = "what comes from it is in the cache; " if cached else ""
    if answers.problem:
        return [Finding(bad, answers.problem, spare + answers.advice)]
    good = [one for one in answers.mirrors if not one.problem]
    if not good:
        told = "; ".join(f"{one.mirror.suite}: {one.problem}" for one in answers.mirrors)
        return [Finding(bad, f"apt's mirror: {told}", f"{spare}check network, /etc/apt/sources.list.d and apt's proxy")]
    first = answers.mirrors[0]
    taken = f"apt's mirror {good[0].mirror.url} has {good[0].mirror.suite}"
    if first.problem:
        return [
            Finding(
                "note", f"{taken}, but not {first.mirror.suite}: {first.problem}", "the nodes are made of the former"
            )
        ]
    return [Finding("ok", taken)]
