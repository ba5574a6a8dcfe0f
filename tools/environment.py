"""Makes a Python environment of exactly what a lock names: nothing is resolved, so nothing that came later gets in.

Usage:
    python3 tools/environment.py LOCK VENV [--python PYTHON] [--least 3.11]

LOCK is a full lock: every package with its version and hashes. It is installed by ``pip install --no-deps``: a pip that
resolves looks for what an extra asks for in the newest version, which no hash of the lock fits. Whether the lock is
complete is asked afterwards (``pip check``). Only wheels are taken: what must be built would fetch build tools that no
lock names. What is to be had as source alone is named by whoever calls, and built by what the same lock brought before.

VENV is complete or absent: it counts only with its file ``.done``, written last, and one without is made anew. Standard
library only: it runs on the machine's own Python, before anything is installed.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DONE = ".done"
RENEW = "make renew"
#: Options of pip that a full lock is installed with; all of them are known to pip 23.0, which Debian 12 has.
INSTALL = (
    "install",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    # Most of the 21,000 files are never imported; Python compiles the others when they are.
    "--no-compile",
    "--no-input",
    "--progress-bar=off",
    "--disable-pip-version-check",
)
#: The same for what is built: by what the environment has already, not by what pip would fetch for it.
BUILD = (*(word for word in INSTALL if not word.startswith("--only-binary")), "--no-build-isolation")
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
_COLLECTING = re.compile(r"^(?:Collecting|Processing|Requirement already satisfied:) ?(\S+)")
_GONE = re.compile(r"No matching distribution found for ([^\s;]+)")
_OFFERED = re.compile(r"\(from versions: ([^)]*)\)")
_MISMATCH = re.compile(r"^\s{4}(\S+==\S+) (?:from|\()", re.MULTILINE)
_UNREACHABLE = re.compile(
    r"Retrying \(Retry|Could not fetch URL|NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError"
)
OFFERED_AT_MOST = 5


class SetupError(Exception):
    """An environment that cannot be made; the message says what is wrong, ``hint`` what would mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def pinned(lock: str) -> dict[str, str]:
    """Version by name of everything that a lock's text names, also of what other platforms need."""
    return {name.lower(): version for name, version in _PINNED.findall(lock)}


def python_version(python: str) -> tuple[int, int]:
    """Major and minor version of an interpreter.

    Raises:
        SetupError: it is no interpreter.
    """
    try:
        told = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{python} does not run: {error}", "name another one with --python") from error
    major, minor = map(int, told.split())
    return major, minor


def require_python(python: str, least: tuple[int, int]) -> None:
    """The interpreter is new enough, and can make environments.

    Raises:
        SetupError: it is not, or cannot.
    """
    found = python_version(python)
    if found < least:
        raise SetupError(
            f"falconet.k8s needs Python {least[0]}.{least[1]} or newer here, {python} is {found[0]}.{found[1]}",
            "install a newer one and put it first on PATH",
        )
    # Debian has venv in the library and what it needs in a package of its own.
    if subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
        raise SetupError(
            f"{python} cannot make environments: it has no venv or no ensurepip",
            "apt-get install python3-venv (Debian, Ubuntu), then the same command again",
        )


def gone(output: str) -> tuple[str, list[str]] | None:
    """The requirement that pip did not find, and the versions that the index offers instead; None if it found all."""
    found = _GONE.search(output)
    if not found or _UNREACHABLE.search(output):
        return None
    offered = _OFFERED.search(output)
    versions = [one.strip() for one in offered.group(1).split(",")] if offered else []
    return found.group(1), [one for one in versions if one and one != "none"]


def explain(output: str, lock: Path, python: str) -> SetupError:
    """What pip's output means for a user.

    Args:
        output: what pip printed, errors included.
        lock: what was to be installed.
        python: words for the interpreter and machine that it was to be installed on.
    """
    if "DO NOT MATCH THE HASHES" in output:
        names = ", ".join(dict.fromkeys(_MISMATCH.findall(output))) or "a package"
        return SetupError(
            f"{names}: what the package index gave is not what {lock} was made of (another SHA-256)",
            f"if the index re-published it on purpose: {RENEW}; else do not trust that index",
        )
    if "No space left on device" in output:
        return SetupError("no space left on the disk", "make room, or set FALCONET_CACHE to a bigger disk")
    missing = gone(output)
    if missing:
        newest = ", ".join(missing[1][-OFFERED_AT_MOST:]) or "no other version either"
        return SetupError(
            f"{missing[0]}, which {lock} names, is not to be had for {python}; the package index offers {newest}",
            f"renew the lock: {RENEW} (then run the tests, and commit it); "
            "if it is there for other machines or Pythons only, use one of these",
        )
    if _UNREACHABLE.search(output):
        return SetupError(
            "pip does not reach its package index",
            "check network and proxy, and what pip is configured with (pip config list); make doctor looks at the rest",
        )
    last = [line for line in output.splitlines() if line.strip()][-8:]
    return SetupError("pip failed:\n    " + "\n    ".join(last), "")


def parted(lock: str, built: Collection[str]) -> tuple[str, str]:
    """A lock's text without some packages, and with these alone."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    chosen = [bool((found := _PINNED.match(entry)) and found.group(1).lower() in built) for entry in entries]
    rest = "".join(entry for entry, one in zip(entries, chosen) if not one)
    return rest, "".join(entry for entry, one in zip(entries, chosen) if one)


def install(pip: Sequence[str], lock: Path, python: str = "", built: Collection[str] = ()) -> None:
    """Install exactly what a lock names, then ask whether anything is missing.

    Args:
        pip: how pip is called, such as ``[python, "-m", "pip"]``.
        lock: the full lock.
        python: words for messages; by default those of this interpreter.
        built: names of packages that the index has as source alone; the lock names what builds them too.

    Raises:
        SetupError: a version is gone, a hash differs, the index is away, or the lock is not complete.
    """
    python = python or f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if built:
        with tempfile.TemporaryDirectory() as folder:
            parts = [Path(folder) / name for name in ("wheels.txt", "sources.txt")]
            for part, text in zip(parts, parted(lock.read_text(encoding="utf-8"), built)):
                part.write_text(text, encoding="utf-8")
            _put(pip, INSTALL, parts[0], lock, python)
            _put(pip, BUILD, parts[1], lock, python)
    else:
        _put(pip, INSTALL, lock, lock, python)
    checked = subprocess.run(
        [*pip, "--disable-pip-version-check", "check"], capture_output=True, text=True, check=False
    )
    if checked.returncode:
        raise SetupError(
            f"{lock} is not complete:\n    "
            + "\n    ".join((checked.stdout + checked.stderr).strip().splitlines()[-8:]),
            f"renew the lock: {RENEW}",
        )


def _put(pip: Sequence[str], options: Sequence[str], asked: Path, lock: Path, python: str) -> None:
    total = len(pinned(asked.read_text(encoding="utf-8")))
    process = subprocess.Popen(
        [*pip, *options, "--requirement", str(asked)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
    reader.start()
    seen, lines = 0, []
    for line in process.stdout or ():
        lines.append(line)
        if _COLLECTING.match(line):
            seen += 1
            progress(seen, total)
    reader.join()
    if process.wait():
        raise explain("".join([*lines, *errors]), lock, python)


def progress(seen: int, total: int) -> None:
    """Tell how far it is: on a terminal in one line, else every twenty packages."""
    if sys.stderr.isatty():
        end = "\n" if seen >= total else ""
        print(f"\r    {seen} of about {total} packages", end=end, file=sys.stderr, flush=True)
    elif seen % 20 == 0:
        print(f"    {seen} of about {total} packages", file=sys.stderr, flush=True)


@contextmanager
def alone(venv: Path) -> Iterator[None]:
    """Nobody else makes this environment meanwhile; the kernel drops the lock when we die."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with (venv.parent / f".{venv.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make(
    lock: Path,
    venv: Path,
    python: str = sys.executable,
    least: tuple[int, int] = (3, 11),
    built: Collection[str] = (),
) -> bool:
    """The environment is there and complete.

    Args:
        lock: full lock of what is in it.
        venv: where it is.
        python: interpreter that it is made with.
        least: major and minor version that the interpreter must have.
        built: names of packages that are to be had as source alone.

    Returns:
        Whether it had to be made.

    Raises:
        SetupError: it cannot be made; what was begun is taken away.
    """
    if (venv / DONE).exists():
        return False
    if not lock.is_file():
        raise SetupError(f"there is no lock {lock}", RENEW)
    require_python(python, least)
    with alone(venv):
        if (venv / DONE).exists():
            return False
        print(
            f"==> Python environment of {lock} in {venv} (first time only, a minute or two)",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(venv, ignore_errors=True)
        try:
            made = subprocess.run([python, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
            if made.returncode:
                told = (made.stdout + made.stderr).strip().splitlines()
                raise SetupError(f"{python} -m venv failed: {' '.join(told[-3:])}", "apt-get install python3-venv")
            version = ".".join(map(str, python_version(python)))
            words = f"Python {version} on {platform.system()} {platform.machine()}"
            install([str(venv / "bin" / "python"), "-m", "pip"], lock, words, built)
        except BaseException:
            shutil.rmtree(venv, ignore_errors=True)
            raise
        (venv / DONE).touch()
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, make the environment, tell errors as sentences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lock", type=Path)
    parser.add_argument("venv", type=Path)
    parser.add_argument("--python", default=sys.executable, help="interpreter to make it with (default: this one)")
    parser.add_argument("--least", default="3.11", help="oldest Python that will do (default: 3.11)")
    options = parser.parse_args(arguments)
    major, _, minor = options.least.partition(".")
    try:
        make(options.lock, options.venv.absolute(), options.python, (int(major), int(minor)))
    except SetupError as error:
        print(f"{Path(__file__).name}: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"    try: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command begins anew", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
