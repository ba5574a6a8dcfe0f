"""Options of a documentation fragment are said there alone, and are what its modules really take."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = "ansible_collections.falconet.k8s.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))


class BegunError(Exception):
    """The module asked for its arguments."""


def options_of(name: str) -> dict[str, Any]:
    """Options of a fragment or of a part of one, named as a module names it: falconet.k8s.FRAGMENT[.PART]."""
    fragment, _dot, part = name.removeprefix("falconet.k8s.").partition(".")
    found = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment}").ModuleDocFragment
    options: dict[str, Any] = yaml.safe_load(getattr(found, part.upper() or "DOCUMENTATION")).get("options") or {}
    return options


def fragments() -> list[str]:
    """Names of all fragments and of their parts."""
    names = []
    for path in sorted((ROOT / "plugins" / "doc_fragments").glob("*.py")):
        found = importlib.import_module(f"{PLUGINS}.doc_fragments.{path.stem}").ModuleDocFragment
        parts = [part for part in vars(found) if part.isupper()]
        names += [f"falconet.k8s.{path.stem}" + ("" if p == "DOCUMENTATION" else f".{p.lower()}") for p in parts]
    return names


def documentation_of(module: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{module}").DOCUMENTATION)
    return document


def taken_by(module: str) -> dict[str, Any]:
    """The argument specification that the module's real main() gives to Ansible."""
    imported = importlib.import_module(f"{PLUGINS}.modules.{module}")
    with mock.patch.object(imported, "AnsibleModule", side_effect=BegunError) as begun, pytest.raises(BegunError):
        imported.main()
    spec: dict[str, Any] = begun.call_args.kwargs["argument_spec"]
    return spec


def told(option: dict[str, Any]) -> dict[str, Any]:
    return {key: option.get(key) for key in ("type", "elements", "default", "choices")}


@pytest.mark.parametrize("module", MODULES)
def test_module_takes_the_options_of_its_fragments(module: str) -> None:
    document = documentation_of(module)
    for name in document.get("extends_documentation_fragment") or []:
        spec = taken_by(module)
        for option, said in options_of(name).items():
            if option not in document["options"]:  # else the module says how it differs
                assert told(spec[option]) == told(said), f"{name}: {option}"


@pytest.mark.parametrize("module", MODULES)
def test_module_repeats_no_option_of_a_fragment(module: str) -> None:
    own = documentation_of(module).get("options") or {}
    for fragment in fragments():
        shared = options_of(fragment)
        assert [option for option in own if own[option] == shared.get(option)] == [], f"{fragment} says it"
