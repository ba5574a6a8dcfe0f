"""Asks a database of advisories whether anything that the locks name has a known vulnerability.

Usage:
    python tools/audit.py [--service osv|pypi] [--osv-url URL] [--must-answer]

All of requirements/*.txt is asked for at once by pip-audit, in the environment of requirements/release.txt. Ends with

    0   the database answered for every package, and knows of nothing;
    1   it knows of something: package, version, advisory and the version that mends it are told;
    3   it was not reached, or did not answer for all: it is told why. That is no pass (--must-answer makes it 1).

requirements/accepted-advisories.yml names what is known and accepted, with the reason. What was found is left in
build/audit.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.environment import SetupError, pinned  # noqa: E402 - run as a program, tools is found by then
from tools.licences import release_environment  # noqa: E402 - run as a program, tools is found by then

LEFT = ROOT / "build" / "audit.json"
ACCEPTED = ROOT / "requirements" / "accepted-advisories.yml"
#: Where each service of pip-audit asks.
DATABASES = {"osv": "api.osv.dev", "pypi": "pypi.org"}
PASSED, FOUND, NOT_ASKED = 0, 1, 3
LIMIT_SECONDS = 900
#: Packages without an answer that are told by name.
MOST_TOLD = 5


class Accepted(NamedTuple):
    """An advisory of a package that is accepted, and why."""

    advisory: str
    package: str
    reason: str


class Known(NamedTuple):
    """A vulnerability that a database knows of.

    Attributes:
        package: name and version, as C(name==version).
        advisory: its identifier in the database.
        elsewhere: identifiers that it has in others.
        mended_in: versions that mend it; empty if none does.
    """

    package: str
    advisory: str
    elsewhere: tuple[str, ...]
    mended_in: tuple[str, ...]

    def text(self) -> str:
        """One line for people."""
        names = ", ".join(dict.fromkeys((self.advisory, *self.elsewhere)))
        return f"{self.package}: {names}, mended in {' or '.join(self.mended_in) or 'no version'}"

    def fits(self, accepted: Accepted) -> bool:
        """Whether it is what was accepted."""
        return self.package.startswith(accepted.package + "==") and accepted.advisory in (
            self.advisory,
            *self.elsewhere,
        )


class Answer(NamedTuple):
    """What a database said: what it knows of, for which packages it has no answer, and why if it was not reached."""

    known: tuple[Known, ...] = ()
    unanswered: tuple[str, ...] = ()
    problem: str = ""


def files(locks: Iterable[str]) -> list[str]:
    """What locks name, as requirements without markers: each version once, each name once in a file."""
    versions: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in pinned(lock).items():
            versions.setdefault(name, set()).add(version)
    most = max((len(one) for one in versions.values()), default=0)
    rows = [
        [(name, sorted(found)[place]) for name, found in versions.items() if place < len(found)]
        for place in range(most)
    ]
    return ["".join(f"{name}=={version}\n" for name, version in sorted(row)) for row in rows]


def read(said: str, complaint: str, versions: Mapping[str, str]) -> Answer:
    """What pip-audit said, as an answer.

    It ends alike when something is known and when no database is reached; only an answer is JSON.

    Args:
        said: what it printed.
        complaint: what it printed as errors.
        versions: version by name of what it was asked for.
    """
    try:
        told = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = [line.strip() for line in complaint.splitlines() if line.strip()]
        return Answer(problem=lines[-1] if lines else "pip-audit gave no answer")
    known, unanswered = [], []
    for one in told:
        if "skip_reason" in one:
            unanswered.append(f"{one['name']}=={versions.get(one['name'].lower(), '?')}")
        for found in one.get("vulns", ()):
            package = f"{one['name']}=={one['version']}"
            elsewhere, mended = tuple(found.get("aliases", ())), tuple(found.get("fix_versions", ()))
            known.append(Known(package, found["id"], elsewhere, mended))
    return Answer(tuple(sorted(known)), tuple(sorted(unanswered)))


def joined(answers: Sequence[Answer]) -> Answer:
    """Several answers as one."""
    known = sorted({one for answer in answers for one in answer.known})
    unanswered = sorted({one for answer in answers for one in answer.unanswered})
    problem = next((answer.problem for answer in answers if answer.problem), "")
    return Answer(tuple(known), tuple(unanswered), problem)


def verdict(answer: Answer, accepted: Sequence[Accepted], asked: int, database: str) -> tuple[int, list[str]]:
    """The exit code and lines for people.

    Args:
        answer: what the database said.
        accepted: what is known and accepted.
        asked: how many packages it was asked for.
        database: its host.
    """
    new = [one for one in answer.known if not any(one.fits(entry) for entry in accepted)]
    lines = [one.text() for one in new]
    if answer.problem:
        lines.append(f"NOT AUDITED: {database} was not reached: {answer.problem}")
    elif answer.unanswered:
        names = ", ".join(answer.unanswered[:MOST_TOLD])
        more = f" and {len(answer.unanswered) - MOST_TOLD} more" if len(answer.unanswered) > MOST_TOLD else ""
        lines.append(f"NOT AUDITED: {database} has no answer for {len(answer.unanswered)} of {asked}: {names}{more}")
    if new:
        return FOUND, lines
    if lines:
        return NOT_ASKED, lines
    lines = [
        f"accepted: {entry.advisory} of {entry.package} ({entry.reason})"
        if any(one.fits(entry) for one in answer.known)
        else f"{entry.advisory} of {entry.package} is accepted, but {database} does not know it of what the locks name"
        for entry in accepted
    ]
    return PASSED, [*lines, f"{database} knows of no other vulnerability of the {asked} packages that the locks name"]


def ask(venv: Path, requirements: str, options: Sequence[str]) -> Answer:
    """Ask for what a text of requirements names."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        argv = [str(venv / "bin" / "pip-audit"), "--requirement", str(file), "--no-deps", "--disable-pip"]
        argv += ["--format=json", "--desc=off", "--aliases=on", "--progress-spinner=off", *options]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return Answer(problem=f"no answer within {LIMIT_SECONDS} s")
    return read(done.stdout, done.stderr, pinned(requirements))


def report(answer: Answer, code: int, lines: Sequence[str]) -> Mapping[str, Any]:
    """What is left for other programs."""
    names = {PASSED: "passed", FOUND: "found", NOT_ASKED: "not audited"}
    known = [one._asdict() for one in answer.known]
    return {"verdict": names[code], "told": list(lines), "known": known, "unanswered": list(answer.unanswered)}


def main(arguments: list[str] | None = None) -> int:
    """Ask, tell, and leave what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--service", choices=sorted(DATABASES), default="osv")
    parser.add_argument("--osv-url", help="where OSV's database, or a copy of it, is asked")
    parser.add_argument("--must-answer", action="store_true", help="a database without an answer is a failure")
    given = parser.parse_args(arguments)
    wanted = files(path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.txt")))
    asked = sum(text.count("\n") for text in wanted)
    options = [f"--vulnerability-service={given.service}", *([f"--osv-url={given.osv_url}"] if given.osv_url else [])]
    try:
        venv = release_environment()
    except SetupError as error:
        print(f"audit: {error.message}" + (f"\n    try: {error.hint}" if error.hint else ""), file=sys.stderr)
        return 1
    answers = list[Answer]()
    for text in wanted:
        answers.append(ask(venv, text, options))
        if answers[-1].problem:
            break
    answer = joined(answers)
    accepted = [Accepted(**entry) for entry in yaml.safe_load(ACCEPTED.read_text(encoding="utf-8"))]
    code, lines = verdict(answer, accepted, asked, given.osv_url or DATABASES[given.service])
    LEFT.parent.mkdir(parents=True, exist_ok=True)
    LEFT.write_text(json.dumps(report(answer, code, lines), indent=2) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 1 if code == NOT_ASKED and given.must_answer else code


if __name__ == "__main__":
    sys.exit(main())
