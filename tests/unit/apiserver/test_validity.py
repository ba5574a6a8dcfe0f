"""When certificates end, as cryptography wrote them."""

from __future__ import annotations

import datetime

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
