# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Transformers on single texts: `tolower`, `toupper`, `basename`, `b64`, `len` and the scan of `getopt`.

Texts are strings whose lone surrogates stand for bytes that are not UTF-8. Falco sets no locale, so only ASCII letters
have two cases, and lengths are in bytes.
Source: `userspace/libsinsp/sinsp_filter_transformers/`, `base64.h` and
`sinsp_filtercheck_multivalue_transformer.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Sequence

from .constants import octets

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_ALPHABET = frozenset(string.ascii_letters + string.digits + "+/")


def to_lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_LOWER)


def to_upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER)


def basename(text: str) -> str:
    """What follows the last slash."""
    return text[text.rfind("/") + 1 :]


def decode_base64(text: str) -> bytes | None:
    """Decode; None when it is not base64 as Falco has it.

    Padding may be left out, but at most two `=` may stand at the end, and bits left over must be zero.
    """
    if not text:
        return b""
    body = text[:-1] if text.endswith("=") else text
    if body is not text and len(body) > 0 and body.endswith("="):
        body = body[:-1]
    if not body or len(body) % 4 == 1 or not _ALPHABET.issuperset(body):
        return None
    decoded = base64.b64decode(body + "=" * (-len(body) % 4))
    canonical = base64.b64encode(decoded).decode("ascii").rstrip("=")
    return decoded if canonical == body else None


def size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(octets(text))


def option_table(optstring: str) -> dict[str, bool]:
    """Option characters of a getopt string, and whether each takes a value."""
    options: dict[str, bool] = {}
    index = 1 if optstring.startswith(":") else 0
    while index < len(optstring):
        option = optstring[index]
        index += 1
        if option == ":":
            continue
        options.setdefault(option, False)
        if optstring.startswith(":", index):
            options[option] = True
            index += 1
    return options


def scan_options(arguments: Sequence[str], options: dict[str, bool], selected: str | None) -> list[str] | None:
    """Short options of a command line as `getopt` yields them.

    Args:
        arguments: the command line without the program.
        options: of `option_table`.
        selected: only this option's last value, or its name when it takes none; None yields all.

    Returns:
        Options and values in order; with `selected` one text, or None when it does not occur.
    """
    results: list[str] = []
    last: str | None = None
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        if argument == "--":
            break
        if len(argument) > 2 and argument.startswith("--"):
            at += 1
            continue
        if len(argument) < 2 or argument[0] != "-":
            break
        for index in range(1, len(argument)):
            option = argument[index]
            if option not in options:
                results.append("?")
                continue
            wanted = selected is None or option == selected
            if not options[option]:
                if wanted:
                    results.append(option)
                    last = option
                continue
            if index + 1 < len(argument):
                value: str | None = argument[index + 1 :]
            elif at + 1 < len(arguments):
                at += 1
                value = arguments[at]
            else:
                value = None
            if wanted:
                results.extend(("",) if value is None else (option, value))
                last = value or ""
            break
        at += 1
    if selected is None:
        return results
    return None if last is None else [last]
