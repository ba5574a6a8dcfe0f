"""Constants: numbers as C reads them, ports, addresses, networks."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.constants import (
    Constant,
    Net,
    address,
    constant,
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("9223372036854775808", "int64", 9223372036854775807),
        ("-9223372036854775809", "int64", -9223372036854775808),
        ("4294967295", "int32", -1),
        ("300", "int8", 44),
        ("-1", "uint32", 4294967295),
        ("-1", "uint64", 18446744073709551615),
        ("18446744073709551616", "uint64", 18446744073709551615),
        ("-18446744073709551616", "uint64", 18446744073709551615),
        ("65536", "uint16", 0),
        (" +7", "uint64", 7),
        ("65536", "port", 0),
        ("443", "port", 443),
        ("https", "port", 443),
        ("", "port", 0),
        ("true", "bool", True),
        ("12", "double", 12.0),
        (str((1 << 31) - 1), "double", 2147483647.0),
        (str(1 << 31), "double", -2147483648.0),
        (str((1 << 16) + 1), "port", 1),
        (str((1 << 16) - 1), "port", 65535),
        ("10.0.0.1", "ipaddr", bytes((10, 0, 0, 1))),
        ("::1", "ipaddr", bytes(15) + b"\1"),
        ("10.1.2.3/8", "ipnet", Net(10, 24, 4)),
        ("1.2.3.4/0", "ipnet", Net(0, 32, 4)),
        ("2001:db8::/32", "ipnet", Net(0x20010DB8, 96, 16)),
        ("é", "charbuf", "é"),
        ("é", "bytebuf", b"\xc3\xa9"),
    ],
)
def test_constants(text: str, kind: str, value: Constant) -> None:
    assert constant(text, kind) == value


@pytest.mark.parametrize(
    ("kinds", "bits"),
    [
        ("uint8 flags8 enumflags8 l4proto sigtype", 8),
        ("uint16 flags16 enumflags16 syscallid", 16),
        ("uint32 flags32 enumflags32 mode uid gid", 32),
        ("uint64 reltime abstime", 64),
    ],
)
def test_a_number_without_a_sign_wraps_at_the_width_of_its_type(kinds: str, bits: int) -> None:
    for kind in kinds.split():
        assert constant(str((1 << bits) - 1), kind) == (1 << bits) - 1
        assert constant(str((1 << bits) + 1), kind) == (1 if bits < 64 else (1 << 64) - 1)
        assert constant("-1", kind) == (1 << bits) - 1


@pytest.mark.parametrize(("kinds", "bits"), [("int8", 8), ("int16", 16), ("int32", 32), ("int64 fd errno pid", 64)])
def test_a_number_with_a_sign_wraps_at_half_of_it(kinds: str, bits: int) -> None:
    half = 1 << (bits - 1)
    for kind in kinds.split():
        assert constant(str(half - 1), kind) == half - 1
        assert constant(str(half), kind) == (-half if bits < 64 else half - 1)
        assert constant(str(-half), kind) == -half


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
        ("10.0.0.7/31", "10.0.0.6", "10.0.0.8"),
        ("0.0.0.0/0", "255.1.1.1", "::1"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ("::1/128", "::1", "::2"),
    ],
)
def test_networks(network: str, inside: str, outside: str) -> None:
    net = constant(network, "ipnet")
    assert isinstance(net, Net)
    assert net.holds(address(inside) or b"")
    assert not net.holds(address(outside) or b"")


@pytest.mark.parametrize(("kind", "told"), [("ipaddr", "not an address: nowhere"), ("ipnet", "not a network: nowhere")])
def test_what_is_no_address_is_refused(kind: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        constant("nowhere", kind)
