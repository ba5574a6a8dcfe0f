# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values inside of what users have: a file, what ``helm get values`` prints, a HelmRelease, an Application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...common.yaml_text import YamlTextError, read_all
from ..problems import FalcoChartError, Problem, kind_of

#: Documents that carry values for a delivery tool.
_DELIVERING = ("HelmRelease", "Application")
#: What helm get values prints above the values in its default form.
_HEADING = re.compile(r"\A(?:USER-SUPPLIED|COMPUTED) VALUES:[ \t]*\r?\n")


def read_values(text: str) -> dict[str, Any]:
    """The values in this text.

    Args:
      text: YAML or JSON: a values file, the output of C(helm get values) in any of its forms, a HelmRelease of Flux
        (C(spec.values)) or an Application of Argo CD (C(spec.source.helm)).

    Raises:
      FalcoChartError: it is no YAML, or holds no values. The message shows nothing of the text, which may be secret.
    """
    try:
        documents = [one for one in read_all(_HEADING.sub("", text)) if one is not None]
    except YamlTextError as error:
        where = f"line {error.line}, column {error.column}" if error.line else "values"
        raise FalcoChartError([Problem(where, f"is no YAML: {error.problem}.")]) from None
    found = _of_falco(documents)
    if isinstance(found, Mapping) and "kind" in found and "spec" in found:
        found = _inside(found)
    if found is None:
        found = {}
    if not isinstance(found, Mapping):
        raise FalcoChartError([Problem("values", f"must be a mapping, not {kind_of(found)}.")])
    return {str(key): value for key, value in found.items()}


def _of_falco(documents: list[Any]) -> Any:
    """The document that is meant: the only one, or that of several which delivers the chart falco."""
    if len(documents) < 2:
        return documents[0] if documents else None
    delivering = [one for one in documents if isinstance(one, Mapping) and one.get("kind") in _DELIVERING]
    named = [one for one in delivering if isinstance(one.get("metadata"), Mapping)]
    found = [one for one in named if one["metadata"].get("name") == "falco"] or delivering
    if len(found) != 1:
        hint = "Give the one with the values of the chart falco."
        raise FalcoChartError([Problem("values", f"are in none or several of {len(documents)} documents.", hint)])
    return found[0]


def _inside(document: Mapping[str, Any]) -> Any:
    """The values that a document for a delivery tool carries."""
    kind, spec = document["kind"], document["spec"] if isinstance(document["spec"], Mapping) else {}
    if kind == "HelmRelease":
        return spec.get("values")
    if kind == "Application":
        source = spec.get("source")
        helm = source.get("helm") if isinstance(source, Mapping) else None
        helm = helm if isinstance(helm, Mapping) else {}
        return helm.get("valuesObject") or read_values(str(helm.get("values") or ""))
    hint = "Give a values file, the output of helm get values, a HelmRelease or an Application."
    raise FalcoChartError([Problem("kind", f"{kind} carries no values of Helm.", hint)])
