# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants on the right-hand side of a comparison, read by the field's type as Falco reads them.

Source: `userspace/libsinsp/value_parser.cpp` and `tuples.cpp` in falcosecurity/libs. Falco reads numbers
with C's `sscanf`, which wraps and saturates rather than refuses, so 2^63 and ` 1` are fine and `0x7f` is not.
"""

from __future__ import annotations

import re

from ..errors import Cause, CheckError, Reason
from .services import SERVICES

_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_V4 = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}", re.A)
_NUMERIC = frozenset(
    (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "fd", "errno", "pid", "l4proto",
        "mode", "uid", "gid", "reltime", "abstime", "double", "flags8", "flags16", "flags32", "enumflags8",
        "enumflags16", "enumflags32",
    )
)  # fmt: skip
_TEXT = frozenset(("charbuf", "sockaddr", "socktuple", "sockfamily", "fspath", "fsrelpath"))
MAX_TEXT_BYTES = 255
"""The longest constant that fits Falco's buffer for a text field, without its terminator."""
MAX_BUFFER_BYTES = 255
"""The longest constant for a byte buffer field."""


def size_bytes(text: str) -> int:
    """Length in UTF-8; bytes that were not UTF-8 count as one."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def check_value(text: str, kind: str) -> None:
    """Check one constant against a field's type.

    Args:
        text: the constant, unescaped.
        kind: Falco's type in lower case.

    Raises:
        CheckError: Falco cannot read the constant as that type.
    """
    if kind == "charbuf":  # by far the most frequent
        _check_size(text)
        if "\0" in text:
            raise CheckError("filter error: filter value cannot contain a NUL byte (\\x00)")
        return
    if kind == "bytebuf":
        if size_bytes(text) > MAX_BUFFER_BYTES:
            raise CheckError("filter parameter too long (byte buf)")
        return
    if "\0" in text:
        raise CheckError("filter error: filter value cannot contain a NUL byte (\\x00)")
    if kind in _NUMERIC:
        if not _NUMBER.fullmatch(text):
            raise CheckError(f"{text} is not a valid number")
    elif kind in _TEXT:
        _check_size(text)
    elif kind == "bool":
        if text not in ("true", "false"):
            raise CheckError(f"filter error: unrecognized boolean value {text}")
    elif kind == "port":
        _check_port(text)
    elif kind in ("ipaddr", "ipv4addr", "ipv6addr"):
        _check_address(text, kind == "ipv4addr" or (kind == "ipaddr" and "." in text))
    elif kind in ("ipnet", "ipv4net", "ipv6net"):
        _check_net(text, kind == "ipv4net" or (kind == "ipnet" and "." in text))
    else:
        raise CheckError(f"wrong parameter type {kind}")


def _check_size(text: str) -> None:
    if len(text) * 4 > MAX_TEXT_BYTES and size_bytes(text) > MAX_TEXT_BYTES:
        raise CheckError(f"filter parameter too long (used={size_bytes(text) + 1}, available=256):{text}")


def _check_address(text: str, v4: bool) -> None:
    if v4 and not _is_v4(text):
        raise CheckError(f"unrecognized IPv4 address {text}", Cause(Reason.BAD_ADDRESS, text))
    if not v4 and not _is_v6(text):
        raise CheckError(f"unrecognized IPv6 address {text}", Cause(Reason.BAD_ADDRESS, text))


def _is_v4(text: str) -> bool:
    """Four decimal numbers up to 255, without leading zeros, as C's `inet_pton` has it."""
    return _V4.fullmatch(text) is not None and all(int(part) < 256 for part in text.split("."))


def _is_v6(text: str) -> bool:
    # most rulesets hold no IPv6 constant, and every one would pay for the import
    from ipaddress import AddressValueError, IPv6Address

    if "%" in text:
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _check_port(text: str) -> None:
    if not text:
        return
    if text.isascii() and text.isdigit():
        if int(text) > 0x7FFFFFFF:
            raise CheckError("stoi")
        return
    if text in SERVICES:
        return
    raise CheckError(f"unrecognized protocol {text}", Cause(Reason.BAD_ADDRESS, text))


def _check_net(text: str, v4: bool) -> None:
    if "/" not in text:
        message = f"unrecognized IP network {text}" if v4 else f"invalid v6 netmask: {text}"
        raise CheckError(message, Cause(Reason.BAD_ADDRESS, text))
    address, _slash, mask = text.partition("/")
    mask = mask.split("\n", 1)[0]
    if not (_is_v4(address) if v4 else _is_v6(address)):
        message = f"unrecognized IP address {text}" if v4 else f"unrecognized IPv6 address {text}"
        raise CheckError(message, Cause(Reason.BAD_ADDRESS, text))
    if not _NUMBER.fullmatch(mask):
        raise CheckError(f"{mask} is not a valid number")
    length = wrapped_byte(mask)
    if v4 and length > 32:
        raise CheckError(f"invalid netmask {mask}")
    if not v4 and (length == 0 or length > 128):
        raise CheckError(f"invalid v6 netmask {mask}")


def wrapped_byte(text: str) -> int:
    """Read a number as C does into 32 bits unsigned, and keep its lowest byte."""
    number = int(text.strip(" \t\n\v\f\r"))
    # strtoul saturates at 64 bits; the conversion to 32 bits and then to a byte keeps the low bits
    if number > 0xFFFFFFFFFFFFFFFF or number < -0xFFFFFFFFFFFFFFFF:
        number = 0xFFFFFFFFFFFFFFFF
    return number & 0xFF
