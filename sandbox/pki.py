"""Keys and certificates of a cluster, under the names and for the purposes that kubeadm gives them.

Source of the table: Kubernetes documentation, "PKI certificates and requirements".
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.cache import produce
from sandbox.instance import KUBERNETES_SERVICE, Instance

VALID_DAYS = 3650
_CLIENT, _SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class Certificate:
    """A certificate to be made.

    Attributes:
        path: file name without ending, below the PKI folder.
        authority: path of the authority that signs it.
        common_name: the user name, for clients.
        organization: the group, for clients; may be empty.
        server: whether servers show it.
        client: whether clients show it.
        alternatives: DNS names and addresses it stands for.
    """

    path: str
    authority: str
    common_name: str
    organization: str = ""
    server: bool = False
    client: bool = True
    alternatives: tuple[str, ...] = ()


AUTHORITIES: Mapping[str, str] = {"ca": "kubernetes", "front-proxy-ca": "front-proxy-ca", "etcd/ca": "etcd-ca"}

#: Kubeconfig files: name to user and group.
USERS: Mapping[str, tuple[str, str]] = {
    "admin": ("kubernetes-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "netpol-agent": ("sandbox:netpol-agent", ""),
}


def users(instance: Instance) -> dict[str, tuple[str, str]]:
    """`USERS`, and the kubelet of each node."""
    kubelets = {f"kubelet-{node.name}": (f"system:node:{node.name}", "system:nodes") for node in instance.nodes}
    return {**USERS, **kubelets}


def certificates(instance: Instance) -> list[Certificate]:
    """Every certificate of the cluster, authorities apart; control planes share those of API servers and of etcd."""
    control_planes = [node for node in instance.nodes if node.control_plane]
    first = control_planes[0].name
    names = [node.name for node in control_planes]
    addresses = [str(instance.address(node)) for node in control_planes]
    balancer = [str(instance.api_address)] if instance.balanced else []
    service_names = ["kubernetes" + suffix for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
    reached = (*addresses, *balancer, "127.0.0.1", str(KUBERNETES_SERVICE))
    api_names = (*names, "localhost", *service_names, *reached)
    etcd_names = (*names, "localhost", *addresses, "127.0.0.1")
    masters = "system:masters"
    return [
        Certificate("apiserver", "ca", "kube-apiserver", server=True, client=False, alternatives=api_names),
        Certificate("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", masters),
        Certificate("front-proxy-client", "front-proxy-ca", "front-proxy-client"),
        Certificate("etcd/server", "etcd/ca", first, server=True, alternatives=etcd_names),
        Certificate("etcd/peer", "etcd/ca", first, server=True, alternatives=etcd_names),
        Certificate("etcd/healthcheck-client", "etcd/ca", "kube-etcd-healthcheck-client"),
        Certificate("apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client"),
        *(Certificate(f"users/{name}", "ca", user, group) for name, (user, group) in users(instance).items()),
    ]


def _name(common_name: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    # An hour back: clocks of containers and of the machine may differ by a little.
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=VALID_DAYS))
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def write_pki(folder: Path, wanted: Sequence[Certificate]) -> None:
    """Write authorities, certificates and the service account key pair below ``folder``.

    Keys are elliptic (P-256): made in a millisecond where RSA takes a tenth of a second each.
    """
    signers: dict[str, tuple[x509.Certificate, ec.EllipticCurvePrivateKey]] = {}
    for path, common_name in AUTHORITIES.items():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        signers[path] = (certificate, key)
        _write(folder / f"{path}.crt", certificate.public_bytes(Encoding.PEM), 0o644)
        _write(folder / f"{path}.key", _private(key), 0o600)
    for spec in wanted:
        issuer, issuer_key = signers[spec.authority]
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [usage for usage, on in ((_SERVER, spec.server), (_CLIENT, spec.client)) if on]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = (
            _builder(_name(spec.common_name, spec.organization), issuer.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(authority, critical=False)
        )
        if spec.alternatives:
            names = x509.SubjectAlternativeName([_alternative(text) for text in spec.alternatives])
            builder = builder.add_extension(names, critical=False)
        signed = builder.sign(issuer_key, hashes.SHA256())
        _write(folder / f"{spec.path}.crt", signed.public_bytes(Encoding.PEM), 0o644)
        _write(folder / f"{spec.path}.key", _private(key), 0o600)
    account = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "sa.key", _private(account), 0o600)
    public = account.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(folder / "sa.pub", public, 0o644)


def write_ssh_key(folder: Path, name: str, comment: str) -> None:
    """Write an Ed25519 key pair in OpenSSH's format: ``name`` and ``name.pub``."""
    key = ed25519.Ed25519PrivateKey.generate()
    _write(folder / name, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), 0o600)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, PublicFormat.OpenSSH)
    _write(folder / f"{name}.pub", public + f" {comment}\n".encode(), 0o644)


def ensure_keys(instance: Instance) -> Path:
    """The instance's folder of keys: ``kubernetes/`` as on a control plane node, ``ssh/`` for root and the nodes."""

    def make(folder: Path) -> None:
        write_pki(folder / "kubernetes", certificates(instance))
        write_ssh_key(folder / "ssh", "root", f"falconet-sandbox-{instance.name}")
        for node in instance.nodes:
            write_ssh_key(folder / "ssh", node.name, node.name)

    return produce(instance.folder / "keys", make)
