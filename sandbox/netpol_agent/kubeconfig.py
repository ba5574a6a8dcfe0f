"""Kubeconfig files without a YAML library: JSON, or the plain block style that tools write."""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import re
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEY = re.compile(r"^([A-Za-z0-9_.\-/]+):(?:\s+(.*))?$")


class KubeconfigError(ValueError):
    """A kubeconfig that cannot be read; the message names the file and what is wrong."""


@dataclass(frozen=True)
class Access:
    """How to reach an API server."""

    server: str
    tls: ssl.SSLContext | None
    token: str = ""


def _scalar(text: str) -> Any:
    if text[:1] in "\"'" and len(text) > 1 and text[-1] == text[0]:
        return json.loads(text) if text[0] == '"' else text[1:-1].replace("''", "'")
    if text in ("", "null", "~"):
        return None
    if text in ("{}", "[]"):
        return json.loads(text)
    if text[0] in "{[&*|>!":
        raise KubeconfigError(f"only plain block style is understood, not {text[:20]!r}")
    return text


def _lines(text: str) -> list[tuple[int, str]]:
    out = []
    for line in text.splitlines():
        content = line.strip()
        if content and not content.startswith("#") and content != "---":
            out.append((len(line) - len(line.lstrip(" ")), content))
    return out


def parse(text: str) -> Any:
    """Return the document; raises :class:`KubeconfigError`."""
    if text.lstrip().startswith("{"):
        return json.loads(text)
    lines = _lines(text)
    value, end = _block(lines, 0, lines[0][0] if lines else 0)
    if end != len(lines):
        raise KubeconfigError(f"unexpected indentation at {lines[end][1]!r}")
    return value


def _block(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[Any, int]:
    if at < len(lines) and lines[at][1].startswith("- "):
        items: list[Any] = []
        while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
            # The item's first key stands behind the dash: read it as a line of its own, deeper by the dash.
            inner = indent + 2
            lines[at] = (inner, lines[at][1][2:].lstrip())
            if _KEY.match(lines[at][1]):
                value, at = _block(lines, at, inner)
            else:
                value, at = _scalar(lines[at][1]), at + 1
            items.append(value)
        return items, at
    mapping: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent:
        found = _KEY.match(lines[at][1])
        if not found:
            raise KubeconfigError(f"a line is no 'key: value': {lines[at][1][:20]!r}")
        key, rest = found.group(1), found.group(2) or ""
        at += 1
        # A list may stand at the indentation of its key.
        deeper = at < len(lines) and (
            lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))
        )
        if rest or not deeper:
            mapping[key] = _scalar(rest)
        else:
            mapping[key], at = _block(lines, at, lines[at][0])
    return mapping, at


def _named(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    for entry in document.get(kind + "s") or []:
        if entry.get("name") == name:
            return entry.get(kind) or {}
    raise KubeconfigError(f"there is no {kind} named {name!r}")


def _pem(section: dict[str, Any], key: str, folder: Path) -> str | None:
    if section.get(f"{key}-data"):
        return base64.b64decode(section[f"{key}-data"]).decode()
    if section.get(key):
        return Path(folder, str(section[key])).read_text(encoding="utf-8")
    return None


def load(path: Path) -> Access:
    """Read the current context's server and credentials; raises :class:`KubeconfigError`."""
    try:
        document = parse(path.read_text(encoding="utf-8"))
        context = _named(document, "context", document.get("current-context", ""))
        cluster, user = _named(document, "cluster", context["cluster"]), _named(document, "user", context["user"])
        server = cluster["server"]
        if server.startswith("http://"):
            return Access(server, None, user.get("token") or "")
        tls = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority", path.parent))
        certificate, key = _pem(user, "client-certificate", path.parent), _pem(user, "client-key", path.parent)
    except (OSError, KeyError, ValueError, AttributeError, ssl.SSLError) as error:
        raise KubeconfigError(f"kubeconfig {path}: {error}") from error
    if certificate and key:
        # ssl takes certificates from files only; the file is private and gone at once.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate + "\n" + key)
            file.flush()
            tls.load_cert_chain(file.name)
    return Access(server, tls, user.get("token") or "")
