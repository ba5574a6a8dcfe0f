# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the tags of Falco's images fit the chart, which is made for one version of Falco."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .chart import Chart
from .problems import Problem

#: Images that are released with Falco, and so have its version.
_PATHS = (("image",), ("driver", "loader", "initContainer", "image"))
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?![\d])")
#: Tags that are another image tomorrow.
_MOVING = ("latest", "master", "main", "nightly")


def wrong_tags(values: Mapping[str, Any], chart: Chart) -> Iterator[Problem]:
    """Tags of another Falco than the chart's ``appVersion``, and tags that move.

    A tag that is no version (one's own build) says nothing and passes.
    """
    made_for = _VERSION.match(chart.app_version)
    for path in _PATHS:
        node: Any = values
        for key in (*path, "tag"):
            node = node.get(key) if isinstance(node, Mapping) else None
        tag, _at, digest = str(node or "").partition("@")
        where = f"{'.'.join(path)}.tag"
        version = _VERSION.match(tag)
        if tag.split("-")[0] in _MOVING and not digest:
            hint = f"Name a version ({chart.app_version}) or a digest (variable falco_images)."
            yield Problem(where, f"{tag} is another image tomorrow.", hint)
        elif version and made_for and version.groups() != made_for.groups():
            fits = ".".join(made_for.groups())
            yield Problem(
                where,
                f"{tag} is another Falco than {fits}, for which the chart {chart.name} {chart.version} is made.",
                f"Leave the tag to the chart, or take a chart for Falco {'.'.join(version.groups())} "
                "(variables falco_images and falco_chart_version).",
            )
