# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue for some rules: of a version or of what a Falco printed, with plugins described or required."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..catalogue.catalogue import (
    Catalogue,
    catalogue_before,
    catalogue_for,
    described_plugins,
)
from .assumed import with_required

if TYPE_CHECKING:
    from ..catalogue.learned import Said


def known_for(
    texts: Iterable[str],
    version: str,
    plugins: tuple[str, ...] | None = None,
    descriptions: Iterable[Mapping[str, Any]] = (),
    said: Said | None = None,
) -> Catalogue:
    """What rules are judged by.

    Args:
        texts: the rules files.
        version: Falco's.
        plugins: the plugins that are loaded; None where nobody said, then those that rules require are there.
        descriptions: of plugins that no catalogue has, see `catalogue.plugin_from_mapping`; they are loaded, too.
        said: what a Falco printed; it counts in the place of `version` and `plugins`.

    Raises:
        FalcoError: a version that is too old or none, an unknown plugin, a description that is none.
    """
    described = described_plugins(descriptions)
    texts = list(texts)
    if said is not None:
        # few ask what a Falco printed
        from ..catalogue.learned import learned

        known = learned(said, version)
        told = bool(said.fields or said.plugins)
    else:
        names = {plugin.name for plugin in described}
        known = catalogue_for(version, plugins and tuple(name for name in plugins if name not in names), texts)
        told = plugins is not None
    if described:
        known = known.with_plugins(described)
    return with_required(known, texts, assume=not told)


def known_before(
    texts: Iterable[str],
    version: str,
    plugins: tuple[str, ...] | None,
    descriptions: Iterable[Mapping[str, Any]] = (),
) -> Catalogue:
    """What rules were judged by with another version: of plugins that are given, those that it knows.

    Args:
        texts, version, plugins, descriptions: as for `known_for`.

    Raises:
        FalcoError: a version that is too old or none, a description that is none.
    """
    if plugins is None:
        return known_for(texts, version, None, descriptions)
    known = catalogue_before(version, plugins).with_plugins(described_plugins(descriptions))
    return with_required(known, texts, assume=False)
