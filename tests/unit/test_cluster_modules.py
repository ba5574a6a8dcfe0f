"""The connection options are one thing said in three places: doc fragment, argument spec and action group."""

from __future__ import annotations

import importlib
from pathlib import Path

import yaml
from ansible_collections.falconet.k8s.plugins.doc_fragments.cluster import ModuleDocFragment
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS

ROOT = Path(__file__).resolve().parents[2]
MODULES = "ansible_collections.falconet.k8s.plugins.modules"


def documented(module: Path) -> list[str]:
    text = importlib.import_module(f"{MODULES}.{module.stem}").DOCUMENTATION
    fragments = yaml.safe_load(text).get("extends_documentation_fragment") or []
    return [fragments] if isinstance(fragments, str) else fragments


def test_fragment_and_argument_spec_agree() -> None:
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {k: (v["type"], v.get("aliases", [])) for k, v in options.items()} == {
        k: (v["type"], v.get("aliases", [])) for k, v in CLUSTER_ARGUMENTS.items()
    }


def test_every_module_that_connects_is_in_the_action_group() -> None:
    connect = [p.stem for p in (ROOT / "plugins" / "modules").glob("*.py") if "falconet.k8s.cluster" in documented(p)]
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["cluster"]
    assert sorted(group) == sorted(connect)
