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
