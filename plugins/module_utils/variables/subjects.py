# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""What variables name of a cluster, objects and APIs: what does not exist is told with the nearest that does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common.words import nearest

#: How many names of objects that exist are told.
SHOWN = 8
#: Kinds of which a cluster has a default that serves where no name is given, and the annotation that makes it so.
#: Source: https://kubernetes.io/docs/reference/labels-annotations-taints/
DEFAULTS = {
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
}


@dataclass(frozen=True)
class Subject:
    """What a variable names.

    Attributes:
      kind: of the object, such as C(Secret).
      name: of the object.
      namespace: where it must be; empty for kinds without one.
      variable: that names it, for the message; may be empty.
      hint: what else could be done; may be empty.
      default: whether an empty name means the cluster's default of this kind (see C(DEFAULTS)), which must then exist.
    """

    kind: str
    name: str
    namespace: str = ""
    variable: str = ""
    hint: str = ""
    default: bool = False


@dataclass(frozen=True)
class Api:
    """A kind that the cluster must serve.

    Attributes:
      api_version: group and version, such as C(monitoring.coreos.com/v1).
      kind: such as C(ServiceMonitor).
      variable: that asks for it, for the message; may be empty.
      hint: how the cluster comes to serve it, or what else could be done; may be empty.
    """

    api_version: str
    kind: str
    variable: str = ""
    hint: str = ""


def is_default(kind: str, item: Mapping[str, Any]) -> bool:
    """Whether an object is what the cluster takes where none of its kind is named."""
    annotations = item["metadata"].get("annotations") or {}
    return str(annotations.get(DEFAULTS.get(kind, ""), "")).lower() == "true"


def told_missing(subject: Subject, there: Sequence[str] | None, namespace_exists: bool = True) -> str:
    """One sentence about an object that does not exist.

    Args:
      subject: what is missing.
      there: names of the objects of this kind there; None if they could not be listed.
      namespace_exists: whether its namespace does.
    """
    begin = f"{subject.variable}: " if subject.variable else ""
    where = f" in namespace {subject.namespace}" if subject.namespace else " in the cluster"
    text = f"{begin}there is no {subject.kind} {subject.name}{where}"
    if not namespace_exists:
        text += ", which does not exist itself"
    elif there is not None:
        close = nearest(subject.name, there)
        text += f"; did you mean {close}?" if close else f"; it has {_some(there, subject.kind)}"
    return _ended(text, subject.hint)


def told_without_default(subject: Subject, there: Sequence[str]) -> str:
    """One sentence about a kind of which the cluster has no default.

    Args:
      subject: without a name.
      there: names of the objects of this kind.
    """
    begin = f"{subject.variable}: " if subject.variable else ""
    text = f"{begin}none is named, and the cluster has no default {subject.kind}; it has {_some(there, subject.kind)}"
    return _ended(text, subject.hint)


def told_unserved(api: Api, kinds: Sequence[str], versions: Sequence[str]) -> str:
    """One sentence about a kind that the cluster does not serve.

    Args:
      api: what is missing.
      kinds: what the cluster serves of that group and version.
      versions: those of the group that the cluster serves.
    """
    begin = f"{api.variable}: " if api.variable else ""
    group = api.api_version.rpartition("/")[0]
    text = f"{begin}the cluster does not serve {api.kind} of {api.api_version}"
    if kinds:
        close = nearest(api.kind, kinds)
        text += f"; did you mean {close}?" if close else f"; that has {', '.join(sorted(kinds)[:SHOWN])}"
    elif versions:
        text += f"; of {group} it has {', '.join(versions)}"
    elif group:
        text += f"; it has no API group {group}"
    return _ended(text, api.hint)


def _some(names: Sequence[str], kind: str) -> str:
    if not names:
        return f"no {kind} at all"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(sorted(names)[:SHOWN])}{more}"


def _ended(text: str, hint: str) -> str:
    return f"{text if text.endswith('?') else f'{text}.'} {hint}".rstrip()
