"""Running other programs: argv lists, time limits, errors that show what the program said; waiting for conditions."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError

#: How much of a failed program's output an error shows.
TAIL_LINES = 15


def say(text: str) -> None:
    """Print a line of progress to standard error, at once, and whole when several threads speak."""
    sys.stderr.write(f"==> {text}\n")
    sys.stderr.flush()


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a text, each indented by four spaces."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


def tail_file(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, indented, or a sentence saying that there is none."""
    try:
        return tail(path.read_text(errors="replace"), lines) or f"    ({path} is empty)"
    except OSError:
        return f"    ({path} does not exist)"


def run(
    argv: Sequence[str],
    *,
    timeout_seconds: float = 60,
    text_input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hint: str = "",
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said.

    Args:
        argv: program and arguments.
        timeout_seconds: after this it is killed and counts as failed.
        text_input: its standard input; nothing if None.
        env: the whole environment; ours if None.
        cwd: its working directory.
        hint: added to the error.
        check: raise when the exit code is not zero.

    Raises:
        SandboxError: not found, failed (with ``check``), or out of time.
    """
    shown = " ".join(argv)
    shown = shown if len(shown) < 200 else shown[:200] + "..."
    more: dict[str, Any] = {"stdin": subprocess.DEVNULL} if text_input is None else {"input": text_input}
    try:
        done = subprocess.run(  # noqa: PLW1510 - checked below, with a better message
            list(argv),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            env=None if env is None else dict(env),
            cwd=cwd,
            **more,
        )
    except FileNotFoundError as error:
        raise SandboxError(f"{argv[0]} is not installed (wanted for: {shown})", hint) from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"still running after {timeout_seconds:.0f} s, ended: {shown}", hint) from error
    if check and done.returncode != 0:
        said = tail(done.stdout + "\n" + done.stderr)
        raise SandboxError(f"exit code {done.returncode} from: {shown}\n{said}", hint)
    return done


def wait_for(what: str, condition: Callable[[], Any], *, timeout_seconds: float, hint: str = "") -> Any:
    """Call ``condition`` until it returns something true, and return that.

    The pause between calls grows from 20 to 200 ms.

    Raises:
        SandboxError: the time is over; the message names ``what``.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = 0.02
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise SandboxError(f"waited {timeout_seconds:.0f} s in vain for: {what}", hint)
        time.sleep(pause)
        pause = min(0.2, pause * 1.3)
