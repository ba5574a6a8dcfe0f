"""A folder with rules and a falco.yaml, as the tests of the stand-in for Falco begin with."""

from __future__ import annotations

import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sandbox.standins.falco.config import Config, read_config

BASE = """
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name = sh
  output: shell %proc.cmdline tty=%proc.tty parent=%proc.aname[2]
  priority: NOTICE
  tags: [b, a]
- rule: Read
  desc: d
  condition: evt.type in (open, openat) and evt.is_open_read = true and fd.name = /etc/shadow
  output: read %fd.name
  priority: WARNING
"""


def rule(name: str, condition: str, more: str = "") -> str:
    """A rule with the least that it needs."""
    return f"- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n{more}"


def configured(folder: Path, more: str = "", *overrides: str) -> Config:
    """Rules in `falco_rules.yaml`, an empty `rules.d`, and a configuration of them with further lines."""
    (folder / "rules.d").mkdir(exist_ok=True)
    (folder / "falco_rules.yaml").write_text(BASE)
    (folder / "falco.yaml").write_text(
        f"rules_files: [{folder}/falco_rules.yaml, {folder}/absent.yaml, {folder}/rules.d]\n"
        "load_plugins: [container]\nplugins: [{name: container, library_path: libcontainer.so}]\n"
        f"json_output: true\n{more}append_output: [{{suggested_output: true}}]\n"
    )
    return read_config(folder / "falco.yaml", overrides)


def certificate(file: Path) -> Path:
    """A key and its own certificate for 127.0.0.1, one after the other in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file
