"""Constants, read by the field's type: what Falco takes, and its words for what it does not."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.values import check_value, wrapped_byte
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import CheckError


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("charbuf", "x" * 255),
        ("charbuf", "é" * 127),
        ("fspath", ""),
        ("bytebuf", "a\0b"),
        ("bytebuf", "x" * 255),
        ("uint8", "99999999999999999999"),  # wraps and saturates in C
        ("uint64", " -1"),
        ("bool", "true"),
        ("port", ""),
        ("port", "2147483647"),
        ("port", "https"),
        ("ipv4addr", "10.0.0.255"),
        ("ipaddr", "10.0.0.1"),
        ("ipaddr", "fe80::1"),
        ("ipv6addr", "::ffff:1.2.3.4"),
        ("ipnet", "10.0.0.0/0"),
        ("ipnet", "10.0.0.0/32"),
        ("ipv4net", "10.0.0.0/256"),  # the length is a byte, which wraps
        ("ipnet", "fe80::/10"),
        ("ipv6net", "fe80::/128\nx"),
        ("ipv6net", "::ffff:10.0.0.0/96"),
    ],
)
def test_what_is_taken(kind: str, text: str) -> None:
    check_value(text, kind)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("charbuf", "x" * 256, f"filter parameter too long (used=257, available=256):{'x' * 256}"),
        ("fspath", "é" * 128, f"filter parameter too long (used=257, available=256):{'é' * 128}"),
        ("charbuf", "a\0", "filter error: filter value cannot contain a NUL byte (\\x00)"),
        ("uint8", "1\0", "filter error: filter value cannot contain a NUL byte (\\x00)"),
        ("bytebuf", "x" * 256, "filter parameter too long (byte buf)"),
        ("uint8", "0x7f", "0x7f is not a valid number"),
        ("uint8", "", " is not a valid number"),
        ("bool", "True", "filter error: unrecognized boolean value True"),
        ("port", "2147483648", "stoi"),
        ("port", "HTTPS", "unrecognized protocol HTTPS"),
        ("port", "٣", "unrecognized protocol ٣"),
        ("port", "-1", "unrecognized protocol -1"),
        ("ipv4addr", "fe80::1", "unrecognized IPv4 address fe80::1"),
        ("ipaddr", "10.0.0.256", "unrecognized IPv4 address 10.0.0.256"),
        ("ipaddr", "10.0.0.01", "unrecognized IPv4 address 10.0.0.01"),
        ("ipaddr", "web", "unrecognized IPv6 address web"),
        ("ipv6addr", "fe80::1%eth0", "unrecognized IPv6 address fe80::1%eth0"),
        ("ipnet", "10.0.0.0", "unrecognized IP network 10.0.0.0"),
        ("ipnet", "fe80::", "invalid v6 netmask: fe80::"),
        ("ipnet", "10.0.0/8", "unrecognized IP address 10.0.0/8"),
        ("ipnet", "fe80:/8", "unrecognized IPv6 address fe80:/8"),
        ("ipnet", "10.0.0.0/", " is not a valid number"),
        ("ipnet", "10.0.0.0/8x", "8x is not a valid number"),
        ("ipnet", "10.0.0.0/33", "invalid netmask 33"),
        ("ipnet", "fe80::/0", "invalid v6 netmask 0"),
        ("ipnet", "fe80::/129", "invalid v6 netmask 129"),
        ("uid", "0x", "0x is not a valid number"),
        ("sigset", "1", "wrong parameter type sigset"),
    ],
)
def test_what_is_refused(kind: str, text: str, message: str) -> None:
    with pytest.raises(CheckError) as caught:
        check_value(text, kind)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        (" 256", 0),
        ("-1", 255),
        ("18446744073709551615", 255),
        ("18446744073709551616", 255),
        ("-18446744073709551615", 1),
        ("-18446744073709551616", 255),
        ("-999999999999999999999", 255),
    ],
)
def test_a_length_is_the_lowest_byte_of_what_c_reads(text: str, value: int) -> None:
    assert wrapped_byte(text) == value
