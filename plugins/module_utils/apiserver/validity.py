# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate ends, read from its DER: Python's own library tells that of CAs alone, and a node has no other."""

from __future__ import annotations

import binascii
import re
import ssl
from datetime import datetime, timezone

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


def ends(text: str) -> datetime:
    """When the first certificate of a PEM text ends, in UTC.

    Source: https://www.rfc-editor.org/rfc/rfc5280#section-4.1

    Raises:
        ValueError: it is no certificate.
    """
    found = _PEM.search(text)
    if not found:
        raise ValueError("there is no certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(found[0] + "\n")
        _tag, certificate, _rest = _element(der)
        _tag, signed, _rest = _element(certificate)
        tag, _version, rest = _element(signed)
        if tag != _VERSION:
            rest = signed
        for _skipped in ("serial number", "signature", "issuer"):
            _tag, _content, rest = _element(rest)
        _tag, validity, _rest = _element(rest)
        _tag, _begin, rest = _element(validity)
        tag, end, _rest = _element(rest)
        return _time(tag, end.decode("ascii"))
    except (IndexError, binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"it is cut off or damaged: {error}") from error


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows, of the first element."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise IndexError("an element is longer than what there is")
    return tag, data[start : start + length], data[start + length :]


def _time(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        # Years of two digits are those from 1950 to 2049.
        text = ("19" if text >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError(f"its end is no time, but an element {tag:#x}")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
