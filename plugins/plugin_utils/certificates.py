# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A CA and the certificates under it for TLS between Falco and Falcosidekick: kept while good, renewed in time.

Runs on the controller alone, where ansible-core brings the library cryptography. Keys are on the curve P-256. Profile:
RFC 5280; names in subjectAltName as RFC 9525 wants them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = ""
"""Why the library cannot be used; empty if it can."""

#: How long the CA lasts. Renewed as certificates are, when a third of it is left.
CA_DAYS = 3650
#: Clocks of nodes may be behind the controller's.
SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Certificates:
    """What both ends need.

    Attributes:
      authority: the CA that signs.
      trust: PEM of the CA and of earlier ones that are still valid, so that a new CA is trusted before it is used up.
      server: Falcosidekick's.
      client: Falco's, and that of a Falcosidekick which feeds others.
    """

    authority: Pair
    trust: str
    server: Pair
    client: Pair


def keep_or_issue(
    authority: Pair | None,
    trust: str,
    server: Pair | None,
    client: Pair | None,
    names: Sequence[str],
    days: int,
    now: datetime.datetime,
) -> Certificates:
    """The given certificates where they are good for a while yet, otherwise new ones.

    A certificate is kept if it can be read, fits its key, is signed by the CA, has the wanted names and purpose, and
    has more than a third of its time left. A CA is kept on the same terms.

    Args:
      authority, server, client: those of before; None if there are none.
      trust: the trusted CAs of before, PEM.
      names: DNS names of the server.
      days: how long new server and client certificates last, at least 3.
      now: the time, with its zone.
    Raises:
      ValueError: no names, or too few days.
    """
    if not names or days < 3:
        raise ValueError("certificates need a name and at least 3 days")
    found = _read(authority)
    if found is None or not _lasts(found[0], now) or not _signed_by(found[0], found[0]):
        found = _new_authority(now)
    ca, ca_key = found
    trusted = [ca, *(old for old in _read_all(trust) if old != ca and _until(old) > now)]
    wanted_server, wanted_client = sorted(set(names)), ["falco"]
    return Certificates(
        authority=_pair(ca, ca_key),
        trust="".join(_pem(certificate) for certificate in trusted),
        server=_keep(server, ca, wanted_server, ExtendedKeyUsageOID.SERVER_AUTH, now)
        or _issue(ca, ca_key, wanted_server, ExtendedKeyUsageOID.SERVER_AUTH, days, now),
        client=_keep(client, ca, wanted_client, ExtendedKeyUsageOID.CLIENT_AUTH, now)
        or _issue(ca, ca_key, wanted_client, ExtendedKeyUsageOID.CLIENT_AUTH, days, now),
    )


if TYPE_CHECKING:
    _Read = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _keep(
    before: Pair | None,
    ca: x509.Certificate,
    names: Iterable[str],
    use: x509.ObjectIdentifier,
    now: datetime.datetime,
) -> Pair | None:
    found = _read(before)
    if found is None or not _lasts(found[0], now) or not _signed_by(found[0], ca):
        return None
    try:
        extensions = found[0].extensions
        has = extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        uses = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        return None
    return before if sorted(has) == list(names) and uses == [use] else None


def _issue(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    use: x509.ObjectIdentifier,
    days: int,
    now: datetime.datetime,
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + datetime.timedelta(days=days), _until(ca))
    # A common name has at most 64 characters; nobody reads it where there are alternative names.
    builder = _builder(names[0][:64], ca.subject, key, now, until)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(digital_signature=True), critical=True)
    return _pair(builder.add_extension(_authority_of(ca_key), critical=False).sign(ca_key, hashes.SHA256()), key)


def _new_authority(now: datetime.datetime) -> _Read:
    key = ec.generate_private_key(ec.SECP256R1())
    # Each CA has a name of its own, so that nobody takes an old one for the new.
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"falconet.k8s {now:%Y-%m-%d} {x509.random_serial_number():x}"[:64])]
    )
    builder = _builder("", name, key, now, now + datetime.timedelta(days=CA_DAYS)).subject_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256()), key


def _builder(
    subject: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    until: datetime.datetime,
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])) if subject else builder


def _key_usage(**uses: bool) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{use: uses.get(use, False) for use in every})


def _authority_of(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _read(pair: Pair | None) -> _Read | None:
    """Certificate and key that belong together; None for what cannot be used."""
    if pair is None:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
        key = serialization.load_pem_private_key(pair.key.encode(), password=None)
    except (ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        return None
    return certificate, key


def _read_all(text: str) -> list[x509.Certificate]:
    end = "-----END CERTIFICATE-----\n"
    found = []
    for part in text.replace("\r", "").split(end)[:-1]:
        try:
            found.append(x509.load_pem_x509_certificate((part + end).encode()))
        except ValueError:
            continue
    return found


def _signed_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    public, algorithm = ca.public_key(), certificate.signature_hash_algorithm
    if certificate.issuer != ca.subject or not isinstance(public, ec.EllipticCurvePublicKey) or algorithm is None:
        return False
    try:
        public.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _lasts(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether more than a third of its time is left."""
    begin, end = _from(certificate), _until(certificate)
    return begin <= now and end - now > (end - begin) / 3


def _from(certificate: x509.Certificate) -> datetime.datetime:
    return _utc(certificate, "not_valid_before")


def _until(certificate: x509.Certificate) -> datetime.datetime:
    return _utc(certificate, "not_valid_after")


def _utc(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """A time with its zone, also from a cryptography before 42, whose times have none."""
    aware: datetime.datetime | None = getattr(certificate, f"{name}_utc", None)
    return aware or getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(_pem(certificate), text.decode())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def told_of_server(server: Pair | None, trust: str, names: Sequence[str], now: datetime.datetime) -> dict[str, Any]:
    """Whether a server's certificate is one that clients take, and for how long; nothing of it is secret.

    Args:
      server: certificate and key; None if there are none.
      trust: the CAs that clients trust, PEM.
      names: DNS names of the server, the first of which clients ask for.
      now: the time, with its zone.

    Returns:
      C(problem), empty if there is none; C(until), RFC 3339; C(days_left), and C(days), how long it lasts in all.
    """
    found = _read(server)
    if found is None:
        problem = "there is none" if server is None else "it cannot be read, or does not fit its key"
        return {"problem": problem, "until": None, "days_left": None, "days": None}
    certificate, day = found[0], datetime.timedelta(days=1)
    begin, end = _from(certificate), _until(certificate)
    told = {"until": f"{end:%Y-%m-%dT%H:%M:%SZ}", "days_left": round((end - now) / day, 2), "days": (end - begin) / day}
    return {"problem": _why_refused(certificate, trust, names[0], now), **told}


def _why_refused(certificate: x509.Certificate, trust: str, name: str, now: datetime.datetime) -> str:
    if not _from(certificate) <= now <= _until(certificate):
        return f"it holds from {_from(certificate):%Y-%m-%d} to {_until(certificate):%Y-%m-%d}"
    if not any(_signed_by(certificate, ca) for ca in _read_all(trust) if _until(ca) > now):
        return "no CA that API servers are told to trust has signed it"
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        has = alternative.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        has = []
    return "" if name in has else f"it is not for {name}, which API servers ask for"


def as_secrets(certificates: Certificates) -> dict[str, Mapping[str, str]]:
    """Data of the Secrets, by the file names that the charts want: authority, trust, server, client."""
    made = certificates
    return {
        "authority": {"ca.crt": made.authority.certificate, "ca.key": made.authority.key},
        "trust": {"ca.crt": made.trust},
        "server": {"server.crt": made.server.certificate, "server.key": made.server.key, "ca.crt": made.trust},
        "client": {"client.crt": made.client.certificate, "client.key": made.client.key, "ca.crt": made.trust},
    }


def of_secrets(data: Mapping[str, Mapping[str, str]], kind: str, name: str) -> Pair | None:
    """A pair from the data of a Secret; None where a part is missing."""
    secret = data.get(kind) or {}
    if not secret.get(f"{name}.crt") or not secret.get(f"{name}.key"):
        return None
    return Pair(secret[f"{name}.crt"], secret[f"{name}.key"])
