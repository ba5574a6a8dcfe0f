"""Runs the collection with every ansible-core that it claims, and tells in a table what was run.

Usage:
    python tools/matrix.py [--core 2.16 ...] [--inventory DIRECTORY] [--site] [--share]

Each ``requirements/ansible-core-VERSION.txt`` is a version, with an environment of its own in the cache. In each run
the tests of all modules (through their real main()), all filters, the roles' variables and the playbooks' tasks; with
an inventory also playbooks/preflight.yml. With --site the oldest takes back what is there and runs the whole of
site.yml from nothing, and the newest runs it after that and must find nothing to change: so both make the same of an
inventory. That is for the sandbox.

With --share, which is for a run beside the unit tests, the oldest and the newest run every test, those between them one
file in so many as they are, and the version of this environment none, for the unit tests are run with it.

A version whose Python this machine lacks is left out, which the table says. Exit code 1 if anything failed or if no
version was left.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.environment import SetupError, make, python_version  # noqa: E402 - run as a program, tools is found by then

#: Oldest and newest Python that an ansible-core supports on the controller, from its own metadata and release notes.
PYTHONS = {
    "2.16": ((3, 11), (3, 12)),
    "2.17": ((3, 11), (3, 12)),
    "2.18": ((3, 11), (3, 13)),
    "2.19": ((3, 11), (3, 13)),
    "2.20": ((3, 12), (3, 14)),
    "2.21": ((3, 12), (3, 14)),
}
#: ansible-core 2.16 takes the collections of the next environment: those in the package ansible 9 are too old.
COLLECTIONS_OF = {"2.16": "2.17"}
#: What a test names that has to do with Ansible; the cores' own tests have not.
OF_ANSIBLE = re.compile(r"plugins\.(filter|modules|plugin_utils)\b|module_runner|ansible[-_](playbook|galaxy)")
#: The proof of a site with a few of the triggers: what is tried here is what Ansible makes of playbooks.
FEW_TRIGGERS = '{"verify_catalogue": ["file-shown", "shadow-read", "falco-shadow-read"]}'
RECAP = re.compile(r"^\S+ +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)
LIMIT_SECONDS = 1200


class NoPythonError(Exception):
    """This machine has no Python that an ansible-core supports; the text says which it needs."""


@dataclass
class Row:
    """One ansible-core: what was run with it, and how that ended."""

    core: str
    python: str = ""
    release: str = ""
    ran: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left_out: str = ""

    @property
    def verdict(self) -> str:
        """In a word, or why there is none."""
        if self.failed:
            return f"failed: {', '.join(self.failed)}"
        return f"left out: {self.left_out}" if self.left_out else "passed"


@dataclass(frozen=True)
class Environment:
    """Where an ansible-core is installed, and the variables that make it find its programs and collections."""

    venv: Path
    variables: dict[str, str]

    def run(self, argv: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment, its output joined; it may fail."""
        return subprocess.run(
            [str(self.venv / "bin" / argv[0]), *argv[1:]],
            cwd=ROOT,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )


def versions(folder: Path = ROOT / "requirements") -> list[str]:
    """The ansible-cores that have a lock, oldest first."""
    found = [path.stem.removeprefix("ansible-core-") for path in folder.glob("ansible-core-*.txt")]
    return sorted(found, key=lambda core: [int(part) for part in core.split(".")])


def ansible_tests(folder: Path = ROOT / "tests" / "unit") -> list[Path]:
    """The unit tests of what runs inside Ansible: modules, filters, roles, playbooks."""
    # What is judged there is rules and the development tools, which do not depend on ansible-core.
    others = {"inventory", "sandbox", "tools"}
    return [
        path
        for path in sorted(folder.rglob("test_*.py"))
        if path.relative_to(folder).parts[0] not in {*others, "test_architecture.py", "test_scenarios.py"}
        and OF_ANSIBLE.search(path.read_text(encoding="utf-8"))
    ]


def shares(tests: Sequence[Path], cores: Sequence[str], here: str) -> dict[str, list[Path]]:
    """Which tests each version runs when they share them; ``here`` is the version that this environment has.

    A file that breaks between two versions breaks on the oldest or on the newest too, but for what came and went again:
    that is what the share of the others is for.
    """
    between = [core for core in cores[1:-1] if core != here]
    own = {core: list(tests[place :: len(between)]) for place, core in enumerate(between)}
    return {core: own.get(core, [] if core == here else list(tests)) for core in cores}


def pythons() -> Iterator[str]:
    """Interpreters of this machine: this one, those on PATH, those of pyenv."""
    yield sys.executable
    names = [f"python3.{minor}" for minor in range(11, 15)]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from (str(Path(folder) / name) for name in names if (Path(folder) / name).exists())
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3")))


def python_for(core: str, candidates: Sequence[str]) -> str:
    """The first interpreter that this ansible-core supports.

    Raises:
        NoPythonError: there is none.
    """
    oldest, newest = PYTHONS[core]
    there = set()
    for candidate in candidates:
        try:
            found = python_version(candidate)
        except SetupError:  # a shim of pyenv for a version that is not chosen
            continue
        if oldest <= found <= newest:
            return candidate
        there.add(found)
    wanted = " to ".join(".".join(map(str, version)) for version in (oldest, newest))
    has = ", ".join(".".join(map(str, version)) for version in sorted(there)) or "none"
    raise NoPythonError(f"needs Python {wanted}, here is {has}")


def cache_root() -> Path:
    """Where slow things are kept, as in the Makefile."""
    return Path(os.environ.get("FALCONET_CACHE") or Path.home() / ".cache" / "falconet")


def venv_of(core: str, python: str) -> Path:
    """The environment of an ansible-core, made if it is not there; its name is what is in it.

    Raises:
        SetupError: it cannot be made.
    """
    lock = ROOT / "requirements" / f"ansible-core-{core}.txt"
    version = ".".join(map(str, python_version(python)))
    name = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:16]
    venv = cache_root() / "venv" / name
    make(lock, venv, python)
    return venv


def environment_of(core: str, candidates: Sequence[str]) -> Environment:
    """Everything that this ansible-core needs, ready to run.

    Raises:
        NoPythonError: this machine has no Python for it.
        SetupError: it cannot be made.
    """
    venv = venv_of(core, python_for(core, candidates))
    # The development environment is left: its Ansible must not be the one that runs.
    path = [part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part).parent / "pyvenv.cfg").exists()]
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    variables = {**kept, "PATH": os.pathsep.join([str(venv / "bin"), *path]), "ANSIBLE_NOCOLOR": "1"}
    if core in COLLECTIONS_OF:
        lender = COLLECTIONS_OF[core]
        (packages,) = (venv_of(lender, python_for(lender, candidates)) / "lib").glob("python3.*/site-packages")
        variables["ANSIBLE_COLLECTIONS_PATH"] = f"{ROOT / 'build' / 'collections'}{os.pathsep}{packages}"
    return Environment(venv, variables)


def changed(output: str) -> int:
    """How much a playbook changed, by its recap."""
    return sum(int(count) for count, _, _ in RECAP.findall(output))


def plays_of(core: str, possible: Sequence[str], inventory: Path | None, site: bool) -> list[str]:
    """What is played with an ansible-core: names of playbooks, with a second site.yml as one that changes nothing."""
    if inventory is None:
        return []
    from_nothing = ["uninstall", "site"] if site and core == possible[0] else []
    again = ["site again"] if site and core == possible[-1] else []
    # Whoever runs the whole site has run the preflight.
    return from_nothing + again or ["preflight"]


def steps(
    environment: Environment, plays: Sequence[str], inventory: Path | None, tests: Sequence[Path]
) -> Iterator[tuple[str, bool, str]]:
    """What is run, whether it passed, and its output; nothing after what failed."""
    if tests:
        files = [str(path.relative_to(ROOT)) for path in tests]
        done = environment.run(["pytest", "--numprocesses=auto", "-p", "no:cacheprovider", *files])
        counted = re.findall(r"(\d+) passed", done.stdout)
        passed = done.returncode == 0 and bool(counted)
        yield f"{counted[-1] if counted else 'no'} tests", passed, done.stdout
        if not passed:
            return
    for play in plays:
        name, _, again = play.partition(" ")
        few = ["--extra-vars", FEW_TRIGGERS] if name == "site" else []
        done = environment.run(["ansible-playbook", f"playbooks/{name}.yml", "--inventory", str(inventory), *few])
        passed = done.returncode == 0 and bool(RECAP.search(done.stdout)) and not (again and changed(done.stdout))
        yield f"{name}.yml" + (" without a change" if again else ""), passed, done.stdout
        if not passed:
            return


def run(
    core: str, plays: Sequence[str], inventory: Path | None, candidates: Sequence[str], tests: Sequence[Path]
) -> Row:
    """Everything with one ansible-core."""
    row = Row(core)
    if not tests and not plays:
        row.left_out = "its tests are the unit tests of this environment"
        print(f"==> ansible-core {core} is left out: {row.left_out}", flush=True)
        return row
    try:
        environment = environment_of(core, candidates)
    except NoPythonError as error:
        row.left_out = str(error)
        print(f"==> ansible-core {core} is left out: {error}", flush=True)
        return row
    except SetupError as error:
        row.failed.append(f"its environment: {error.message}")
        return row
    asked = "import ansible.release, platform; print(ansible.release.__version__, platform.python_version())"
    row.release, row.python = environment.run(["python", "-c", asked]).stdout.split()
    began = time.monotonic()
    for name, passed, output in steps(environment, plays, inventory, tests):
        (row.ran if passed else row.failed).append(name)
        took, began = time.monotonic() - began, time.monotonic()
        verdict = "passed" if passed else "FAILED"
        print(f"==> ansible-core {row.release}: {name}: {verdict} after {took:.0f} s", flush=True)
        if not passed:
            print(output[-8000:], flush=True)
    return row


def table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [("ansible-core", "Python", "what was run", "")]
    lines += [(row.release or row.core, row.python, ", ".join(row.ran), row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the versions, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--core", action="append", choices=versions(), help="only this version (may be repeated)")
    parser.add_argument("--inventory", type=Path, help="inventory of a cluster, for preflight.yml")
    parser.add_argument("--site", action="store_true", help="the whole of site.yml on the oldest and the newest")
    parser.add_argument("--share", action="store_true", help="beside the unit tests: versions in the middle share them")
    parser.add_argument("--only", choices=["tests", "plays"], help="only what needs no cluster, or only what needs one")
    options = parser.parse_args(arguments)
    if options.only == "plays" and options.inventory is None:
        parser.error("--only plays needs --inventory: without a cluster nothing would be run")
    wanted = options.core or versions()
    candidates = list(dict.fromkeys(pythons()))
    possible = [core for core in wanted if _possible(core, candidates)]
    tests = [] if options.only == "plays" else ansible_tests()
    inventory = None if options.only == "tests" else options.inventory
    plays = {core: plays_of(core, possible, inventory, options.site) for core in possible}
    of = shares(tests, possible, _version_here()) if options.share else dict.fromkeys(possible, tests)
    rows = [run(core, plays.get(core, []), inventory, candidates, of.get(core, [])) for core in wanted]
    print(table(rows))
    counted = [row for row in rows if not row.left_out]
    failed = [row for row in counted if row.failed]
    print(f"{len(counted) - len(failed)} passed, {len(failed)} failed, {len(rows) - len(counted)} skipped")
    return 1 if failed or not counted else 0


def _version_here() -> str:
    """The ansible-core of this environment, "2.19"."""
    return ".".join(version("ansible-core").split(".")[:2])


def _possible(core: str, candidates: Sequence[str]) -> bool:
    try:
        python_for(core, candidates)
    except NoPythonError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
