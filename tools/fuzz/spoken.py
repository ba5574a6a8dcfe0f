# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged texts of what programs print and what was written down before: logs, metrics, charts, kernels, records."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import ssl
import struct
import tarfile
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.alerts.counters import read_counters
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.delivery import read_falco, read_sidekick
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.validity import ends
from ansible_collections.falconet.k8s.plugins.module_utils.awx.answers import read_answers
from ansible_collections.falconet.k8s.plugins.module_utils.awx.errors import AwxError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.learned import Said, learned
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.told import told
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rendered import check_rendered
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.templates import read_templates
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver import Policy, RawNode, decide
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.errors import DriverError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.features import features_of
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart, read_manifests
from ansible_collections.falconet.k8s.plugins.module_utils.incident.kept import incidents
from ansible_collections.falconet.k8s.plugins.module_utils.incident.note import TIMELINE
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.counters import read_audit_counters
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ExecError, KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.loaded import parse_shown
from ansible_collections.falconet.k8s.plugins.module_utils.node.state import RecordError, record_of

from tools.fuzz.subject import Subject, either, files, options, texts, value_of

#: Readers of files are given this one; the directory goes with the process.
_FOLDER = tempfile.TemporaryDirectory(prefix="falconet-fuzz-")
_PLACE = Path(_FOLDER.name) / "file"
_FILES = {
    "Chart.yaml": "chart",
    "values.yaml": "values",
    "templates/one.yaml": "template",
    "templates/_two.tpl": "helpers",
}
SINCE = datetime(2000, 1, 1, tzinfo=timezone.utc)
#: Roles whose variables surveys ask for.
ROLES = ("falco", "verify", "network_policies", "falco_rules", "node_prep", "respond")


def logs() -> Subject:
    """What Falco, Falcosidekick, API servers and shells in pods print: logs, metrics, verdicts, files, certificates."""
    return Subject([*texts("logs"), _certificate()], _hear)


def said_by_falco() -> Subject:
    """What Falco prints of itself: version, fields, events, plugins; a catalogue is made of it."""
    return Subject(texts("falco"), _learn)


def nodes() -> Subject:
    """What a node's kernel says, and what was written down of the node before."""
    return Subject(texts("node"), _prepare)


def incidents_kept() -> Subject:
    """Timelines of incidents, as they were kept on a disk."""
    return Subject(texts("incident"), _recall)


def surveys() -> Subject:
    """Answers of AWX's surveys."""
    return Subject(texts("survey"), _answer)


def charts() -> Subject:
    """Charts and what Helm makes of them."""
    return Subject([*texts("chart"), *files("sandbox/standins/charts/falco/templates/*.yaml")[:5]], _chart)


def _certificate() -> str:
    """The least that a certificate can be, as far as its end."""

    def element(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return bytes((tag, len(content))) + content

    time = element(0x17, b"261128053007Z")
    until = element(0x30, element(2, b"\1"), element(0x30), element(0x30), element(0x30, time, time))
    return ssl.DER_cert_to_PEM_cert(element(0x30, until))


def _hear(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole) if whole.startswith("{") else text
    # What comes out of a pod is decoded before it comes here.
    text = text.encode("utf-8", "replace").decode()
    lines = text.splitlines()
    read_falco(lines)
    read_sidekick(lines)
    read_counters(text)
    read_audit_counters(text)
    told(text)
    with contextlib.suppress(ExecError):
        parse_shown(text)
    with contextlib.suppress(ValueError):
        ends(text)


def _learn(number: int, text: str, whole: str) -> None:
    text = either(number, text, whole) if whole.startswith("{") else text
    for name in Said.__dataclass_fields__:
        with contextlib.suppress(FalcoError):
            learned(Said(**{name: text}), "0.44.0")


def _prepare(number: int, text: str, _whole: str) -> None:
    parts = [*re.split(r"^---$", text, flags=re.MULTILINE), *[""] * 6]
    release, config, lockdown, paranoid, systems, mounts = (part.strip("\n") for part in parts[:6])
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, number % 64, len(text) % 512)
    raw = RawNode(
        release,
        btf=header + text.encode("utf-8", "replace"),
        config=config,
        lockdown=lockdown or None,
        secure_boot=text.encode("utf-8", "replace")[:5] if number % 3 == 0 else None,
        paranoid=paranoid,
        cap_last_cap=paranoid,
        filesystems=systems,
        mounts=mounts,
    )
    with contextlib.suppress(DriverError):
        decide(features_of(raw), Policy())
    with contextlib.suppress(DriverError):
        Policy(falco_version=release)
    _PLACE.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(RecordError):
        record_of(str(_PLACE))


def _recall(number: int, text: str, whole: str) -> None:
    place = _PLACE.with_name("incidents") / "one" / TIMELINE
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(either(number, text, whole).encode("utf-8", "surrogatepass"))
    incidents(place.parents[1], SINCE, 10)


@functools.cache
def _declared() -> dict[str, Any]:
    return {name: option for role in ROLES for name, option in options(role).items()}


def _answer(_number: int, text: str, _whole: str) -> None:
    found = value_of(text)
    if isinstance(found, dict):
        with contextlib.suppress(AwxError):
            read_answers({str(name): value for name, value in found.items()}, _declared().__getitem__, _declared())


@functools.cache
def _parts() -> dict[str, str]:
    """The files of a small chart."""
    return {name: texts(f"chart-{kind}")[0] for name, kind in _FILES.items()}


def _chart(number: int, text: str, whole: str) -> None:
    parts = _parts()
    if whole in parts.values():
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, part in parts.items():
                content = (text if part == whole else part).encode("utf-8", "surrogatepass")
                entry = tarfile.TarInfo(f"falco/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        packed_bytes = bytearray(packed.getvalue())
        if number % 5 == 0:
            packed_bytes[number % len(packed_bytes)] ^= 1 + number % 255
        _PLACE.write_bytes(packed_bytes)
        with contextlib.suppress(KubeError):
            read_chart(str(_PLACE))
    with contextlib.suppress(KubeError, FalcoChartError):
        check_rendered(read_manifests(text))
    read_templates([text, whole])
