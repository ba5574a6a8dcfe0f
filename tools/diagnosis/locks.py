"""Whether a package index still has what a lock names: every version, with the bytes that the lock was made of.

pip is asked what it would install (``--dry-run --report``). Without hashes it reads an index's pages and the packages'
metadata, and fetches no package; the hashes are compared here.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.cache import cache_root, digest, produce, write_atomically
from sandbox.doctor import Finding
from sandbox.process import say
from tools.environment import RENEW, explain, gone

#: pip spends most of its time waiting, and asks one page after the other.
SIDE_BY_SIDE = 4
LIMIT_SECONDS = 180
#: What was found is believed for that long.
FRESH_SECONDS = 3600
#: With more versions gone than this the rest of the list says nothing new.
GONE_AT_MOST = 10
ASK = ("install", "--dry-run", "--quiet", "--report=-", "--no-deps", "--ignore-installed", "--only-binary=:all:")
PATIENCE = ("--no-input", "--disable-pip-version-check", "--retries=1", "--timeout=15")


@dataclass(frozen=True)
class Locked:
    """One entry of a lock: what pip is asked for (name, extras, version, marker), and the SHA-256 that it may have."""

    requirement: str
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """The package's name as indexes spell it (PEP 503)."""
        return normalized(re.split(r"[\[=<>!~; ]", self.requirement, maxsplit=1)[0])


@dataclass(frozen=True)
class Answer:
    """What a package index said of a lock.

    Attributes:
        lock: name of the lock.
        count: entries that were asked for.
        installed: whether its environment is there, so that nothing is to be fetched.
        lost: a sentence for each version that is gone.
        changed: names and versions whose bytes are not what the lock was made of.
        problem: why the index could not be asked; empty if it was.
        advice: what would help.
        age_seconds: how long ago it was asked.
    """

    lock: str
    count: int = 0
    installed: bool = False
    lost: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""
    age_seconds: int = 0


def normalized(name: str) -> str:
    """A package's name as indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(text: str) -> list[Locked]:
    """The entries of a lock's text."""
    lines = (line.strip() for line in text.replace("\\\n", " ").splitlines())
    found = (line.split(" #")[0] for line in lines if line and not line.startswith("#"))
    return [
        Locked(line.split(" --hash")[0].strip(), frozenset(re.findall(r"--hash=sha256:([0-9a-f]+)", line)))
        for line in found
    ]


def own_pip() -> list[str]:
    """How pip is called: this environment's, else that of an empty one in the cache.

    A machine's own Python may have none, and Debian's is not to be installed with.
    """
    if sys.prefix != sys.base_prefix:
        return [sys.executable, "-m", "pip"]

    def make(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--symlinks", str(folder)], check=True, capture_output=True)

    version = ".".join(map(str, sys.version_info[:3]))
    venv = produce(cache_root() / "doctor" / f"pip-{digest([sys.executable, version])}", make)
    return [str(venv / "bin" / "python"), "-m", "pip"]


def differing(report: str, locked: Iterable[Locked]) -> list[str]:
    """Names and versions whose hash is not in the lock, from pip's report (its version 1)."""
    allowed = {one.name: one.hashes for one in locked}
    found = []
    for item in json.loads(report)["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        told = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if told and told not in allowed.get(normalized(name), frozenset()):
            found.append(f"{name}=={version}")
    return found


def _ask(pip: Sequence[str], lock: Path, wanted: Sequence[Locked]) -> Answer:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    left, lost = list(wanted), list[str]()
    while left and len(lost) < GONE_AT_MOST:
        argv = [*pip, *ASK, *PATIENCE, *(one.requirement for one in left)]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            problem = f"the package index did not answer for {lock.name} within {LIMIT_SECONDS} s"
            return Answer(lock.name, problem=problem, advice="check network and proxy")
        if done.returncode == 0:
            return Answer(lock.name, lost=tuple(lost), changed=tuple(differing(done.stdout, left)))
        told = explain(done.stdout + done.stderr, lock, python)
        missing = gone(done.stdout + done.stderr)
        if missing is None:
            return Answer(lock.name, problem=told.message, advice=told.hint)
        lost.append(told.message)
        name = normalized(re.split(r"[\[=]", missing[0], maxsplit=1)[0])
        if all(one.name != name for one in left):
            return Answer(lock.name, problem=told.message, advice=told.hint)
        left = [one for one in left if one.name != name]
    return Answer(lock.name, lost=tuple(lost))


def ask(pip: Sequence[str], lock: Path) -> Answer:
    """Ask the package index for everything that a lock names.

    Args:
        pip: how pip is called.
        lock: the full lock.
    """
    wanted = entries(lock.read_text(encoding="utf-8"))
    parts = [wanted[start::SIDE_BY_SIDE] for start in range(min(SIDE_BY_SIDE, len(wanted)))]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        answers = list(pool.map(lambda part: _ask(pip, lock, part), parts))
    failed = next((one for one in answers if one.problem), None)
    return Answer(
        lock.name,
        len(wanted),
        lost=tuple(sorted(line for one in answers for line in one.lost)),
        changed=tuple(sorted(name for one in answers for name in one.changed)),
        problem=failed.problem if failed else "",
        advice=failed.advice if failed else "",
    )


def look_up(lock: Path, *, fresh: bool = False) -> Answer:
    """What the package index says of a lock; an answer without complaint is believed for an hour.

    Args:
        lock: the full lock.
        fresh: ask in any case.
    """
    try:
        pip = own_pip()
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or b"no reason given").decode(errors="replace").strip().splitlines()[-1]
        return Answer(lock.name, problem=f"no environment with pip can be made: {last}", advice="see above")
    configured = subprocess.run([*pip, "config", "list"], capture_output=True, check=False).stdout
    key = digest([lock.read_bytes(), configured, sys.version, platform.machine()])
    remembered = cache_root() / "doctor" / f"{lock.stem}-{key}.json"
    if remembered.exists() and not fresh:
        age = int(time.time() - remembered.stat().st_mtime)
        if 0 <= age < FRESH_SECONDS:
            return Answer(**{**json.loads(remembered.read_text()), "age_seconds": age, "lost": (), "changed": ()})
    say(f"asking the package index for what {lock.name} names (up to a minute)")
    answer = ask(pip, lock)
    if answer.problem or answer.lost or answer.changed:
        remembered.unlink(missing_ok=True)
    else:
        write_atomically(remembered, json.dumps(asdict(answer)))
    return answer


def judge(answer: Answer) -> list[Finding]:
    """What the answer means."""
    where = f"requirements/{answer.lock}"
    if answer.installed:
        return [Finding("ok", f"{where} is installed")]
    findings = []
    if answer.problem:
        findings.append(Finding("error", f"{where}: {answer.problem}", answer.advice))
    if answer.lost:
        findings += [
            Finding("error", line, f"{RENEW}, or take a newer state of this repository") for line in answer.lost
        ]
    if answer.changed:
        advice = f"if the index re-published it on purpose: {RENEW}; else do not trust that index"
        changed = ", ".join(answer.changed)
        findings.append(Finding("error", f"{where}: other bytes than the lock was made of: {changed}", advice))
    if findings:
        return findings
    ago = f" ({answer.age_seconds // 60} min ago)" if answer.age_seconds else ""
    return [Finding("ok", f"the package index has what {where} names, {answer.count} in all{ago}")]
