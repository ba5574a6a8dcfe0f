# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in containers over the API server's exec stream: input in, output and exit code out, many at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from .client import Client
from .errors import ApiError, ConnectionFailedError, ExecError, KubeError
from .pod_stream import PodStream, StreamTimeoutError, opened

# Channels of the subprotocol v4.channel.k8s.io: the first byte of each message.
_STDIN, _STDOUT, _STDERR, _ERROR = range(4)
# The version that can end the input alone: a message on channel 255 names the channel to close.
_CLOSING_PROTOCOL = "v5.channel.k8s.io"
_CLOSE = 255
# The API server takes messages of any size, proxies between do not.
_CHUNK_BYTES = 32 * 1024


@dataclass(frozen=True)
class Command:
    """A command to run in a container.

    Attributes:
        namespace: namespace of the pod.
        pod: name of the pod.
        container: name of the container.
        argv: the command, never through a shell unless it names one.
        stdin: what the command reads; it must know by itself where its input ends, because the stream of older API
            servers cannot be closed on one side only.
        close_stdin: end the input after stdin, for commands that read to its end. Needs Kubernetes 1.30 or newer.
        tty: run it at a terminal. Both outputs are then one, its lines end with carriage return and newline.
        timeout_seconds: how long it may take from the connection to the exit code.
    """

    namespace: str
    pod: str
    container: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    timeout_seconds: float = 60.0
    close_stdin: bool = False
    tty: bool = False


@dataclass(frozen=True)
class Output:
    """What a command left: its output as text, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int


def run(client: Client, command: Command) -> Output:
    """Run one command.

    Raises:
        ExecError: it could not be started, or took too long. What came until then is lost.
        ForbiddenError: RBAC does not allow C(pods/exec).
        ConnectionFailedError: nobody answered, or the stream broke off.
    """
    query: list[tuple[str, str]] = [("command", word) for word in command.argv]
    query += [("container", command.container), ("stdout", "true")]
    query.append(("tty", "true") if command.tty else ("stderr", "true"))
    if command.stdin:
        query.append(("stdin", "true"))
    what = f"exec in {command.namespace}/{command.pod} ({command.container})"
    deadline = time.monotonic() + command.timeout_seconds
    headers = {"sec-websocket-protocol": _CLOSING_PROTOCOL} if command.close_stdin else {}
    try:
        with opened(client, (command.namespace, command.pod), "exec", query, what, headers) as stream:
            for start in range(0, len(command.stdin), _CHUNK_BYTES):
                stream.send(_STDIN, command.stdin[start : start + _CHUNK_BYTES])
            if command.close_stdin:
                stream.send(_CLOSE, bytes([_STDIN]))
            return _collect(stream, what, deadline)
    except StreamTimeoutError as error:
        raise ExecError(f"{what} did not end within {command.timeout_seconds:g} s") from error
    except ApiError as refused:
        if refused.status in (401, 403):
            raise
        if refused.status == 429 or refused.status >= 500:
            raise ConnectionFailedError(f"{what}: the API server is busy or away: {refused.message}") from refused
        raise ExecError(f"{what} was refused: {refused.message}") from refused


def _collect(stream: PodStream, what: str, deadline: float) -> Output:
    """Read a stream to its end."""
    received: dict[int, list[bytes]] = {_STDOUT: [], _STDERR: [], _ERROR: []}
    for channel, part in stream.messages(deadline):
        received.setdefault(channel, []).append(part)
        # The status comes last; waiting for the close as well would cost a round trip.
        if channel == _ERROR and part:
            break
    output = {channel: b"".join(parts).decode("utf-8", "replace") for channel, parts in received.items()}
    return Output(output[_STDOUT], output[_STDERR], _exit_code(output[_ERROR], what))


def _exit_code(status: str, what: str) -> int:
    """Exit code from the Status object that ends the stream."""
    if not status:
        raise ExecError(f"{what}: the stream ended without an exit code, the container may have been stopped")
    try:
        parsed = json.loads(status)
    except ValueError:
        raise ExecError(f"{what}: {status.strip()}") from None
    if parsed.get("status") == "Success":
        return 0
    if parsed.get("reason") == "NonZeroExitCode":
        for cause in (parsed.get("details") or {}).get("causes") or []:
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
    raise ExecError(f"{what} could not start: {parsed.get('message') or status}")


def run_again(client: Client, command: Command) -> Output:
    """Run a command that may be run twice: once more after the API server, if it went away meanwhile, has come back."""
    try:
        return run(client, command)
    except ConnectionFailedError:
        client.request("GET", "/readyz")
        return run(client, command)


def run_all(
    client: Client, commands: Iterable[tuple[Any, Command]], parallel: int, may_repeat: bool = False
) -> Iterator[tuple[Any, Output | KubeError]]:
    """Run many commands, some at a time, and give each result as it comes.

    Args:
        commands: pairs of a key and a command.
        parallel: how many run at once.
        may_repeat: the commands may be run twice, see C(run_again).

    Returns:
        Pairs of a key and its output, or the error that kept it from running. One command's failure is no failure of
        the others; missing rights are, since they will not come.
    """
    with ThreadPoolExecutor(max_workers=max(1, parallel)) as pool:
        futures = {pool.submit(run_again if may_repeat else run, client, command): key for key, command in commands}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except ApiError:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            except KubeError as error:
                yield futures[future], error
