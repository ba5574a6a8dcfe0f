"""When certificates end, as cryptography wrote them."""

from __future__ import annotations

import datetime
import ssl

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.validity import ends
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

UTC = datetime.timezone.utc


def certificate(begin: datetime.datetime, end: datetime.datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a client with a name " + "x" * 40)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2126])
def test_the_end_is_read_from_both_ways_to_write_a_time(year: int) -> None:
    end = datetime.datetime(year, 11, 28, 5, 30, 7, tzinfo=UTC)
    text = certificate(datetime.datetime(1990, 1, 1, tzinfo=UTC), end)
    assert ends(text) == end
    assert ends(f"a word before it\n{text}{certificate(end, end + datetime.timedelta(days=1))}") == end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ends(text)


def element(tag: int, *contents: bytes) -> bytes:
    """An element of DER, with a length of one byte."""
    content = b"".join(contents)
    return bytes([tag, len(content)]) + content


def first_version(end: bytes) -> str:
    """A certificate as far as it is read, without a version: X.509's first had none, and openssl still makes it."""
    validity = element(0x30, element(0x17, b"200101000000Z"), end)
    signed = element(0x30, element(0x02, b"\x01"), element(0x30), element(0x30), validity, element(0x30))
    return ssl.DER_cert_to_PEM_cert(element(0x30, signed))


def test_a_certificate_of_the_first_version_ends_as_well() -> None:
    assert ends(first_version(element(0x17, b"281128053007Z"))) == datetime.datetime(2028, 11, 28, 5, 30, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (element(0x0C, b"281128053007Z"), "its end is no time, but an element 0xc"),
        (element(0x17, b"281328053007Z"), "does not match format"),
        (element(0x17, b"\xff81128053007Z"), "it is cut off or damaged"),
        (b"\x17\x7f28", "it is cut off or damaged"),
    ],
)
def test_an_end_that_is_no_time_is_told(end: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ends(first_version(end))
