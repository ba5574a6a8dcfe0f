# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged texts of what changes are made of: rules within other files, rulesets, recordings, clusters."""

from __future__ import annotations

import contextlib
import functools
import textwrap
from collections.abc import Callable

from ansible_collections.falconet.k8s.plugins.module_utils.common.yaml_text import read_all
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.compose import Scope, Wishes, compose
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.merge import merge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.change.scope import Target, scope
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.compare import compare
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.info import describe
from ansible_collections.falconet.k8s.plugins.module_utils.falco.describe.page import page
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import all_placed, unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.generate import generate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.noise import Noise
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.picture import bars
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Lines
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.suggest import Tuner
from ansible_collections.falconet.k8s.plugins.module_utils.falco.upgrade.upgrade import upgrade
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABELS
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.plan import Wanted, plan, restored
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.proof import open_connections
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.rules import falco_rules

from tools.fuzz.detection import LOADER, alert_lines
from tools.fuzz.subject import Subject, either, files, rules_files, texts

#: Rules that stand within other files are shortened to so many lines, so that a run is about what is around them.
_LINES = 12
_AROUND: tuple[tuple[str, str, str], ...] = (
    ("values.yaml", "customRules:\n  mine.yaml: |-\n", "    "),
    ("config-map.yaml", "kind: ConfigMap\nmetadata: {name: rules}\ndata:\n  mine.yaml: |\n", "    "),
    ("site.yml", "- hosts: clusters\n  vars:\n    falco_rules_extra:\n", "      "),
    ("README.md", "# Rules\n\n```yaml\n", ""),
    ("template.yaml", "{{- if .Values.rules }}\ndata:\n  mine.yaml: |-\n", "    "),
)
#: What a quarantine noted of a pod's labels.
_TAKEN = '{"app": "web", "tier": "front"}'
_TARGET = Target(namespaces=("prod", "dev-*"))
_WISHES = Wishes(
    disabled_tags=("network",), extra=({"list": "further", "items": ["a"]},), scope=Scope(_TARGET, rules="own")
)


def embedded() -> Subject:
    """Rules within values, ConfigMaps, playbooks, Markdown and templates: found, judged and told in their places."""
    found = []
    for number, text in enumerate(rules_files()):
        _name, head, indent = _AROUND[number % len(_AROUND)]
        found.append(head + textwrap.indent("\n".join(text.splitlines()[:_LINES]) + "\n", indent))
    return Subject(found, _find)


def rule_changes() -> Subject:
    """Rulesets described, compared, scoped, merged, composed for a site, and taken to another version."""
    return Subject(rules_files(), _change)


def recordings() -> Subject:
    """Recorded alerts and rules that they are of: first tests written, exceptions suggested."""
    return Subject(alert_lines(), _learn)


def quarantines() -> Subject:
    """Clusters in which a pod is held or what policies deny is watched."""
    return Subject(texts("cluster"), _hold)


def _find(number: int, text: str, _whole: str) -> None:
    name = _AROUND[number % len(_AROUND)][0]
    found, inner = unpacked([RulesFile(name, text)], templates=bool(number % 2))
    loaded = LOADER.load(found)
    all_placed(judge(loaded), inner)


def _change(number: int, text: str, whole: str) -> None:
    file = RulesFile("damaged.yaml", text)
    loaded, before = LOADER.load([file]), LOADER.load([RulesFile("whole.yaml", whole)])
    if loaded.successful:
        page(describe(loaded), loaded)
    if loaded.successful and before.successful:
        compare(before, loaded)
    asked: tuple[Callable[[], object], ...] = (
        lambda: scope([file], _TARGET),
        lambda: merge([RulesFile("whole.yaml", whole), file]),
        lambda: compose({"damaged.yaml": text}, _WISHES, [RulesFile("whole.yaml", whole)] if number % 2 else None),
        lambda: upgrade([file], catalogue("0.40"), catalogue("0.44")),
    )
    with contextlib.suppress(FalcoError):
        asked[number // 2 % len(asked)]()


@functools.cache
def _of_audit() -> tuple[RulesFile, ...]:
    found = files(*(f"inventory/files/audit_rules/{name}.yaml" for name in ("01-trusted", "10-pods", "50-users")))
    return tuple(RulesFile(f"{number}.yaml", text) for number, text in enumerate(found))


@functools.cache
def _tuner() -> Tuner:
    return Tuner(LOADER, _of_audit())


def _learn(number: int, text: str, whole: str) -> None:
    lines = either(number, text, whole).encode("utf-8", "replace").splitlines()
    with contextlib.suppress(FalcoError):
        generate(_tuner().before.loaded, {"own": ["rules"]}, None, lines or [b""])
    noise = Noise()
    noise.count(Lines(("k8s.ns.name", "k8s.pod.name", "ka.user.name")).read(lines))
    bars(noise.loudest(5))
    with contextlib.suppress(FalcoError):
        _tuner().suggest(noise, 1, 0.0)


def _hold(number: int, text: str, whole: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    with contextlib.suppress(NetpolError):
        falco_rules(load([Input("damaged.yaml", text=text)], "skip"), () if number % 2 else ("prod",))
    # A snapshot has what the API server has taken, for which an annotation is any text.
    objects = [one for one in read_all(whole, in_c=True) if isinstance(one, dict)]
    for one in objects:
        if LABELS in one["metadata"].get("annotations", {}):
            one["metadata"]["annotations"][LABELS] = either(number // 2, text, _TAKEN)
    wanted = Wanted("prod", "web-0", ("192.0.2.0/24",) if number % 3 else (), dns=bool(number % 2))
    with contextlib.suppress(NetpolError):
        change = plan(objects, wanted, ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"))
        open_connections(change.overlay(objects), wanted)
        for policy in change.amended:
            restored(policy)
