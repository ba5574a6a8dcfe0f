# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory of a repository holds beside manifests: patches of Kustomize, templates of charts, values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import yamltext

#: Names of the file that tells Kustomize what to build.
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: Why documents of a directory are skipped.
NO_OBJECT = "no API object"
PATCH = "patch of Kustomize"
CHART_TEMPLATE = "template of a chart"
NO_TEXT = "not UTF-8 text"

#: Annotations of OpenShift's manifests that say which kinds of clusters an object is for.
_PROFILES = "include.release.openshift.io/"
_VERSION = re.compile(r"""^[\s{\-]*["']?apiVersion["']?\s*:""", re.MULTILINE)


def patch_files(text: str) -> list[str]:
    """Files that a kustomization takes for patches, relative to it. Text that is no kustomization has none."""
    found: list[str] = []
    for document in yamltext.read(text):
        value = getattr(document, "value", None)
        if not isinstance(value, Mapping):
            continue
        for field in ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements"):
            listed = value.get(field)
            found.extend(name for item in (listed if isinstance(listed, list) else ()) for name in _name(item))
    return found


def _name(item: Any) -> list[str]:
    path = item.get("path") if isinstance(item, Mapping) else item
    # A patch may stand in the kustomization itself.
    return [path] if isinstance(path, str) and "\n" not in path else []


def looks_like_object(text: str) -> bool:
    """Whether a text that cannot be read may have been meant as a manifest."""
    return "{{" not in text and _VERSION.search(text) is not None


def alternatives(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two objects of one name are for different kinds of clusters, so that none replaces the other."""
    mine, theirs = _profiles(first), _profiles(second)
    return bool(mine) and bool(theirs) and not mine & theirs


def _profiles(value: Mapping[str, Any]) -> set[str]:
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    keys = (str(key) for key in annotations) if isinstance(annotations, Mapping) else ()
    return {key for key in keys if key.startswith(_PROFILES)}
