"""Where slow things are kept: folders named by the hash of their inputs, complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """``$FALCONET_CACHE``, by default ``~/.cache/falconet``; made if it is not there."""
    root = Path(os.environ.get("FALCONET_CACHE") or Path.home() / ".cache" / "falconet")
    root.mkdir(parents=True, exist_ok=True)
    return root.resolve()


def digest(parts: Iterable[str | bytes]) -> str:
    """16 hexadecimal digits for a sequence of texts; no two sequences collide by being joined.

    Each part goes in with its length before it, so ``["ab", "c"]`` and ``["a", "bc"]`` differ.
    """
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(f"{len(data)}:".encode())
        state.update(data)
    return state.hexdigest()[:16]


def digest_files(folder: Path, patterns: Iterable[str]) -> list[bytes]:
    """Relative names and contents of the files below ``folder`` that match, in order of name: parts for ``digest``."""
    found = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
    parts: list[bytes] = []
    for path in found:
        parts += [str(path.relative_to(folder)).encode(), path.read_bytes()]
    return parts


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel drops it when we die."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def produce(target: Path, make: Callable[[Path], None]) -> Path:
    """Return ``target``, after ``make`` filled it if it did not exist.

    ``make`` gets an empty folder beside the target, renamed to it only when ``make`` returned:
    whoever is killed in between leaves a folder that the next call throws away.

    Args:
        target: folder whose name holds the hash of its inputs.
        make: fills the folder that it is given.
    """
    if target.exists():
        return target
    with locked(target.parent / f".{target.name}.lock"):
        if target.exists():
            return target
        partial = target.parent / f".{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(target)
    return target


def prune(folder: Path, used: Container[Path], older_than_seconds: float = 86400) -> list[Path]:
    """Remove what newer inputs have replaced.

    Args:
        folder: whose children were made by `produce`.
        used: those that are in use now.
        older_than_seconds: younger ones stay too: another checkout may be using them.

    Returns:
        What was removed.
    """
    if not folder.is_dir():
        return []
    limit = time.time() - older_than_seconds
    finished = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    old = [path for path in finished if path not in used and path.stat().st_mtime < limit]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
        (folder / f".{path.name}.lock").unlink(missing_ok=True)
    return old


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> bool:
    """Write a file so that a reader sees the old or the new content whole.

    Returns:
        Whether the content changed.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == data and path.stat().st_mode & 0o777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    partial.chmod(mode)
    partial.replace(path)
    return True
