# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Constants of conditions as values to compare with, read by the field's type as Falco reads them.

What Falco refuses was refused when the rules were loaded (`condition/values.py`); here the text is known to be fine.
Numbers are read by C's `sscanf`: they saturate at 64 bits and then lose the bits that their type has no room for.
Source: `userspace/libsinsp/value_parser.cpp`, `utils.cpp` (`sinsp_numparser`) and `tuples.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple, Union

from ..condition.services import SERVICES

SIGNED_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "fd": 64, "errno": 64, "pid": 64}
UNSIGNED_BITS = {
    "uint8": 8, "flags8": 8, "enumflags8": 8, "l4proto": 8, "sigtype": 8,
    "uint16": 16, "flags16": 16, "enumflags16": 16, "syscallid": 16,
    "uint32": 32, "flags32": 32, "enumflags32": 32, "mode": 32, "uid": 32, "gid": 32,
    "uint64": 64, "reltime": 64, "abstime": 64,
}  # fmt: skip
"""Width of each numeric type as Falco compares it."""
STRING_TYPES = frozenset(("charbuf", "fspath", "fsrelpath"))
ADDRESS_TYPES = frozenset(("ipaddr", "ipv4addr", "ipv6addr"))
NET_TYPES = frozenset(("ipnet", "ipv4net", "ipv6net"))
BLANKS = " \t\n\v\f\r"


class Net(NamedTuple):
    """A network: the address's leading bits as a number, how many bits follow them, and the address's size."""

    prefix: int
    shift: int
    size_bytes: int

    def holds(self, address: bytes) -> bool:
        """Whether an address, 4 or 16 bytes, is in the network; one of the other family is not."""
        return len(address) == self.size_bytes and int.from_bytes(address, "big") >> self.shift == self.prefix


Constant = Union[str, bytes, int, float, bool, Net]


def number(text: str, bits: int, signed: bool) -> int:
    """Read a number into a type of 8 to 64 bits.

    Args:
        text: optional blanks, an optional sign, decimal digits.
        bits: width of the type.
        signed: whether it has a sign.
    """
    value = int(text.strip(BLANKS))
    if signed:
        value = max(-(1 << 63), min((1 << 63) - 1, value))
    elif abs(value) >= 1 << 64:
        value = (1 << 64) - 1  # out of range, whatever the sign
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def constant(text: str, kind: str) -> Constant:
    """Read a constant.

    Args:
        text: the constant, unescaped; it has passed `check_value`.
        kind: Falco's type in lower case.

    Returns:
        Text for strings, bytes for buffers and addresses (4 or 16), a `Net` for networks, else a number or boolean.
    """
    if kind in STRING_TYPES:
        return text
    if kind in SIGNED_BITS:
        return number(text, SIGNED_BITS[kind], True)
    if kind in UNSIGNED_BITS:
        return number(text, UNSIGNED_BITS[kind], False)
    if kind == "bool":
        return text == "true"
    if kind == "port":
        return _port(text)
    if kind == "double":
        return float(number(text, 32, True))
    if kind in ADDRESS_TYPES:
        packed = address(text)
        if packed is None:
            raise ValueError(f"not an address: {text}")
        return packed
    if kind in NET_TYPES:
        return _net(text)
    return octets(text)


def _port(text: str) -> int:
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return int(text) & 0xFFFF
    return SERVICES[text]


def _net(text: str) -> Net:
    base, _slash, mask = text.partition("/")
    packed = address(base)
    if packed is None:
        raise ValueError(f"not a network: {text}")
    shift = len(packed) * 8 - number(mask.split("\n", 1)[0], 8, False)
    return Net(int.from_bytes(packed, "big") >> shift, shift, len(packed))


@lru_cache(maxsize=4096)
def address(text: str) -> bytes | None:
    """An address in bytes, 4 or 16, in network order; None for what is none."""
    try:
        return IPv6Address(text).packed if ":" in text else IPv4Address(text).packed
    except AddressValueError:
        return None


def octets(text: str) -> bytes:
    """Text in UTF-8; lone surrogates stand for bytes that are not, or, where none can, for themselves."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
