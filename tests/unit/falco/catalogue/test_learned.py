"""The catalogue of the Falco that runs, from what it prints: the shape of each text, and what comes of it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import (
    Catalogue,
    FieldInfo,
    catalogue,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.learned import Said, learned
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.said import (
    SaidPlugin,
    classes_of,
    events_of,
    plugins_of,
    version_of,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

VERSION = """Falco version: 0.45.0 (x86_64)
Libs version:  0.26.0
Plugin API:    3.13.0
Engine:        0.65.0
Driver:
  API version:    9.0.0
"""
PLUGINS = """2 Plugins Loaded:

Name: container
Description: Enriches events
Contact: nobody
Version: 0.7.4
Capabilities:
  - Field Extraction
  - Async Events

Name: okta
Description: Okta log events
Contact: nobody
Version: 0.11.1
Capabilities:
  - Event Sourcing (ID=7, source='okta')
  - Field Extraction

"""
OKTA = """-------------------------------
Field Class:                  okta (plugin)
Event Sources:                okta

okta.actor.name               (Type: CHARBUF) Who did it, for
                              instance x.y (of a company)
okta.target.user.id           (Type: CHARBUF) (ARG_INDEX,ARG_REQUIRED,EPF_IS_LIST) Whom
okta.a.name.that.is.longer.than.its.column
                              (Type: UINT64) How often
okta.thirty.characters.exactly(Type: UINT64) A name that fills its column
"""
EVENTS = """The events below are valid for Falco *Schema Version*: 5.0.0
## Syscall events

< open(FD **fd**, FSPATH **name**, FLAGS32 **flags**: O_LARGEFILE, O_DIRECTORY)
< landlock_new(ERRNO **res**, DYNAMIC **oddity**)

## Metaevents

> drop(UINT32 **ratio**)
"""


def listing(known: Catalogue) -> str:
    """The built-in fields and those of plugins as `falco --list -v` prints them."""
    classes: dict[str, list[FieldInfo]] = {}
    for info in known.sources["syscall"].builtin.values():
        if not info.deprecated:
            classes.setdefault(info.origin, []).append(info)
    for plugin in known.plugins.values():
        classes.setdefault(f"{plugin.name} (plugin)", []).extend(plugin.fields)
    out = []
    for name, fields in classes.items():
        out += ["-------------------------------", f"{'Field Class:':30}{name}", f"{'Event Sources:':30}syscall ", ""]
        for info in fields:
            tags = [
                tag
                for tag, on in (
                    ("ARG_ALLOWED", info.argument == "optional"),
                    ("ARG_INDEX", info.index),
                    ("ARG_KEY", info.key),
                    ("ARG_REQUIRED", info.argument == "required"),
                    ("EPF_IS_LIST", info.is_list),
                    ("EPF_NO_RHS", info.no_rhs),
                    ("EPF_NO_TRANSFORMER", info.no_transformer),
                )
                if on
            ]
            kind = "DYNAMIC" if info.type == "dyn" else info.type.upper()
            said = f"(Type: {kind}) " + (f"({','.join(tags)}) " if tags else "") + "What evt.type is (see there)."
            if len(info.name) > 30:
                out += [info.name, " " * 30 + said]
            else:
                out += [f"{info.name:30}{said}"]
    return "\n".join(out) + "\n"


def test_what_the_newest_prints_makes_the_newest_of_an_older_one() -> None:
    newest = catalogue()
    found = learned(Said(fields=listing(newest)), "0.43")
    assert set(newest.sources["syscall"].builtin) <= set(found.sources["syscall"].builtin)
    fields = {info.name: info for plugin in newest.plugins.values() for info in plugin.fields}
    assert {info.name: info for plugin in found.plugins.values() for info in plugin.fields} == fields
    assert len(fields) > 150


def test_a_plugin_that_nobody_knew_is_known() -> None:
    found = learned(Said(VERSION, listing(catalogue("0.44", ("container",))) + OKTA, EVENTS, PLUGINS), "0.44")
    assert (found.engine, list(found.plugins)) == ("0.65.0", ["container", "okta"])
    assert "0.45.0" in found.note
    assert found.plugins["container"].version == "0.7.4"
    assert found.plugins["container"].events == catalogue().plugins["container"].events
    fields = found.sources["okta"].plugin
    assert fields["okta.target.user.id"] == FieldInfo(
        "okta.target.user.id", "charbuf", "required", is_list=True, index=True, origin="okta"
    )
    assert fields["okta.thirty.characters.exactly"].type == "uint64"
    assert fields["okta.a.name.that.is.longer.than.its.column"].type == "uint64"
    assert "okta.actor.name" in fields
    rule = (
        "- required_engine_version: 0.64.0\n- required_plugin_versions:\n  - name: okta\n    version: 0.11.0\n"
        "- rule: R\n  desc: d\n  condition: okta.actor.name = x and okta.target.user.id[0] intersects (y)\n"
        "  output: '%okta.actor.name'\n  priority: NOTICE\n  source: okta\n"
        "- rule: S\n  desc: d\n  condition: evt.type = landlock_new and evt.arg.oddity exists\n"
        "  output: o\n  priority: NOTICE\n"
    )
    loaded = Loader(found).load([RulesFile("a.yaml", rule)])
    assert loaded.successful, loaded.to_json()
    assert not Loader(catalogue()).load([RulesFile("a.yaml", rule)]).successful


def test_a_field_that_falco_lists_no_more_is_unknown_and_one_it_never_lists_is_kept() -> None:
    text = listing(catalogue()).replace("proc.name ", "proc.nom  ")
    found = learned(Said(fields=text), "0.44").sources["syscall"].builtin
    assert "proc.name" not in found
    assert found["proc.nom"].type == "charbuf"
    assert {"evt.dir", "evt.around"} <= set(found)


def test_without_anything_it_is_the_version() -> None:
    assert learned(Said(), "0.42").sources["syscall"].builtin == catalogue("0.42").sources["syscall"].builtin


def test_json_is_read_as_well() -> None:
    version = json.dumps({"falco_version": "0.44.1", "engine_version": "62", "engine_version_semver": "0.62.0"})
    assert version_of(version) == ("0.44.1", "0.62.0")
    fields = [
        {"name": "okta.a", "type": "CHARBUF", "desc": "d", "is_list": False, "argument": None},
        {
            "name": "okta.b",
            "type": "UINT64",
            "desc": "d",
            "is_list": True,
            "argument": {"required": False, "type": ["INDEX"]},
        },
    ]
    text = json.dumps({"fieldclasses": [{"name": "okta (plugin)", "event_sources": ["okta"], "fields": fields}]})
    found = learned(Said(fields=text), "0.44")
    assert list(found.plugins) == ["okta"]
    assert found.plugins["okta"].extracts == ("okta",)
    assert found.plugins["okta"].fields == (
        FieldInfo("okta.a", "charbuf", origin="okta"),
        FieldInfo("okta.b", "uint64", "optional", is_list=True, index=True, origin="okta"),
    )


def test_the_parts_as_they_stand() -> None:
    assert version_of(VERSION) == ("0.45.0", "0.65.0")
    assert plugins_of(PLUGINS) == [SaidPlugin("container", "0.7.4", None), SaidPlugin("okta", "0.11.1", "okta")]
    assert events_of(EVENTS)["landlock_new"] == [("res", "errno"), ("oddity", "dyn")]
    assert [one.plugin for one in classes_of(OKTA)] == ["okta"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Said(version="Helm 3"), "falco --version"),
        (Said(fields="proc.name\nproc.pid\n"), "falco --list"),
        (Said(fields="{"), "begins as JSON"),
        (Said(fields='{"fieldclasses": [{}]}'), "falco --list --format json"),
        (Said(events="nothing"), "falco --list-events"),
        (Said(plugins="nothing"), "falco --list-plugins"),
        (Said(plugins="1 Plugins Loaded:\n\nName: \nVersion: 1.0.0\n"), "falco --list-plugins"),
        (Said(version='{"falco_version": ' + "[" * 2000), "begins as JSON"),
        (Said(version="Falco version: 0.37.1\n"), "0.37.1"),
    ],
)
def test_what_falco_does_not_print_is_refused_by_name(said: Said, told: str) -> None:
    with pytest.raises(FalcoError, match=told):
        learned(said, "0.44")


def test_a_listing_that_is_cut_behind_its_last_field_has_that_field() -> None:
    assert classes_of(OKTA.rstrip()) == classes_of(OKTA)


def test_a_field_that_is_listed_without_its_type_keeps_what_is_known_of_it() -> None:
    known = catalogue("0.44", ("container",))
    names = [info.name for info in known.plugins["container"].fields]
    plain = "-------------------------------\nField Class:                  container (plugin)\n\n" + "".join(
        f"{name:30}What it is.\n" if len(name) < 30 else f"{name}\n{'':30}What it is.\n" for name in names
    )
    found = learned(Said(fields=listing(catalogue("0.44", ())) + plain), "0.44")
    assert found.plugins["container"].fields == known.plugins["container"].fields


def test_it_is_said_of_a_newer_version_what_is_taken_from_where() -> None:
    assert "printed of itself" not in learned(Said(VERSION), "0.44").note
    assert "but for what it printed of itself" in learned(Said(VERSION, listing(catalogue())), "0.44").note


def test_a_plugin_that_does_not_say_its_source_has_the_one_that_is_known() -> None:
    found = learned(Said(plugins="1 Plugins Loaded:\n\nName: k8saudit\nVersion: 0.99.0\n"), "0.44")
    assert (found.plugins["k8saudit"].version, found.plugins["k8saudit"].source) == ("0.99.0", "k8s_audit")


def test_a_field_that_is_listed_without_its_type_has_the_one_that_is_known_and_what_is_said() -> None:
    text = "-------------------------------\nField Class:                  container (plugin)\n\n"
    text += f"{'container.privileged':30}(EPF_IS_LIST) What it is.\n{'container.novel':30}(EPF_IS_LIST) What it is.\n"
    fields = learned(Said(fields=text), "0.44").plugins["container"].fields
    assert [(info.name, info.type, info.is_list) for info in fields] == [
        ("container.privileged", "bool", True),
        ("container.novel", "charbuf", True),
    ]


def test_a_field_of_all_events_that_nobody_knew_is_one_of_every_source() -> None:
    text = listing(catalogue())
    for known, novel in (("evt.num  ", "evt.novel"), ("proc.name  ", "proc.novel")):
        line = next(one for one in text.split("\n") if one.startswith(known))
        text = text.replace(line, f"{line}\n{novel:30}(Type: UINT64) It is new.")
    sources = learned(Said(fields=text), "0.44").sources
    assert {"evt.novel", "proc.novel"} <= set(sources["syscall"].builtin)
    assert "evt.novel" in sources["k8s_audit"].builtin
    assert "proc.novel" not in sources["k8s_audit"].builtin
