# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a shell in a pod does the actions of triggers, one after the other, and says when each began and ended.

The times are those of the pod's node, whose clock Falco's events have, too. Between two actions of an image whose
C(date) knows no fractions the second turns, so that no two share one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

#: More than that goes into several scripts: each is a part of a URL, which proxies limit.
SCRIPT_BYTES = 3000
#: Shells with a variable for it (busybox, bash) start no program to know the time; others have a date with fractions.
_HEAD = (
    'now() { if [ -n "$EPOCHREALTIME" ]; then echo "$EPOCHREALTIME"; else date +%s.%N; fi; }; '
    'turn() { case "$(now)" in *[.,]*[!0-9]*|*[.,]) sleep 1;; esac; }; '
    # By its bare name busybox's shell may do a program's work itself, and then nobody sees it start.
    'act() { p=$1; shift; case "$p" in */*) ;; *) IFS=:; for d in $PATH; do [ -f "$d/$p" ] && [ -x "$d/$p" ] && '
    'p="$d/$p" && break; done; unset IFS;; esac; "$p" "$@"; }'
)
_LINE = re.compile(r"falconet-trigger (\d+) (began|ended) (\d+)[.,](\d*)\S*(?: (\d+))?\s*$")
_SECOND = 10**9


@dataclass(frozen=True)
class Done:
    """One action that was done.

    Attributes:
        began_ns, ended_ns: nanoseconds since the epoch, by the node's clock; the end is exclusive.
        exit_code: of the command.
    """

    began_ns: int
    ended_ns: int
    exit_code: int


def scripts(commands: Iterable[tuple[int, Sequence[str]]]) -> Iterator[tuple[str, list[int]]]:
    """Shell scripts that do all commands in their order, each with the numbers of its commands.

    Args:
        commands: each with a number of its own.
    """
    parts: list[str] = []
    numbers: list[int] = []
    for number, command in commands:
        part = _part(number, command)
        if parts and sum(map(len, parts)) + len(part) > SCRIPT_BYTES:
            yield "; ".join([_HEAD, *parts]), numbers
            parts, numbers = [], []
        parts.append(part)
        numbers.append(number)
    if parts:
        yield "; ".join([_HEAD, *parts]), numbers


def _part(number: int, command: Sequence[str]) -> str:
    mark = f"falconet-trigger {number}"
    # It may be refused what it tries; what counts is the alert. What it prints may be secret, and is of no use.
    return (
        f'turn; echo "{mark} began $(now)"; act {shlex.join(command)} </dev/null >/dev/null 2>&1; code=$?; '
        f'echo "{mark} ended $(now) $code"'
    )


def read_done(output: str) -> dict[int, Done]:
    """What a script said of its commands, by their numbers; a command that did not end is not among them."""
    began: dict[int, int] = {}
    done: dict[int, Done] = {}
    for line in output.splitlines():
        found = _LINE.search(line)
        if not found:
            continue
        number, what, seconds, fraction, code = found.groups()
        moment = int(seconds) * _SECOND + int((fraction + "0" * 9)[:9])
        if what == "began":
            began[int(number)] = moment
        elif int(number) in began:
            # What is cut off the end is a part of it: without fractions the whole second.
            end = moment + 10 ** (9 - min(len(fraction), 9))
            done[int(number)] = Done(began[int(number)], end, int(code or 0))
    return done
