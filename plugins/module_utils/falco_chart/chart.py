# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Helm chart as far as checks of values need it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Chart:
    """What a chart says about itself.

    Attributes:
      name, version, app_version: of Chart.yaml.
      defaults: parsed values.yaml.
      templates: text of its templates.
      subcharts: unpacked or packed in ``charts/``, by the key under which their values stand.
      missing: dependencies named in Chart.yaml that are not in ``charts/``.
    """

    name: str
    version: str
    app_version: str
    defaults: Mapping[str, Any]
    templates: tuple[str, ...] = ()
    subcharts: Mapping[str, Chart] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def chart_digest(chart: Chart) -> str:
    """A digest of all that the chart renders from: defaults and templates, subcharts included."""
    parts = [json.dumps(chart.defaults, sort_keys=True, default=str), *sorted(chart.templates)]
    parts += [chart_digest(sub) for _name, sub in sorted(chart.subcharts.items())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
