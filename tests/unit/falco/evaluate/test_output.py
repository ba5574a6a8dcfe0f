"""Outputs: formatted fields, missing values, what `append_output` adds."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import FieldMap
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.output import CompiledOutput, extra_output

TABLES = {name: FieldTable(catalogue(), source) for name, source in catalogue().sources.items()}
FIELDS: dict[str, Any] = {
    "proc.name": "café",
    "proc.pid": 7,
    "evt.failed": True,
    "fd.sip": "10.0.0.1",
    "fd.snet": "<IPNET>",
    "container.id": "3f2a1b0c9d8e",
    "fd.types": ["file", "ipv4"],
    "evt.time": 1_700_000_000_000_000_123,
    "evt.rawtime.ns": 123,
    "fd.dev": "FE00",
    "proc.aname[1]": "sh",
    "proc.aname[2]": "sshd",
    "thread.cpu": 1.25,
}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("no fields", "no fields"),
        ("%proc.name (pid=%proc.pid)", "café (pid=7)"),
        ("*%proc.name", "café"),
        ("%proc.exe", "<NA>"),
        ("%proc.name%proc.pid", "café7"),
        ("%evt.failed", "true"),
        ("%fd.sip %fd.snet", "10.0.0.1 <IPNET>"),
        ("%fd.types", "(file,ipv4)"),
        ("%evt.time", "22:13:20.000000123"),
        ("%evt.time.s", "<NA>"),
        ("%evt.rawtime.ns", "000000123"),
        ("%fd.dev", "FE00"),
        ("%thread.cpu", "1.2"),
        ("%proc.aname[2]", "sshd"),
        ("%proc.apid", "7"),
        ("%proc.aname[x]", "sh sshd[x]"),
        ("%3proc.name|", "caf|"),
        ("%7proc.name|", "café  |"),  # bytes count
        ("%4proc.name|", "caf\udcc3|"),
        ("%toupper(proc.name)", "CAFé"),
        ("%basename(proc.exe)", "<NA>"),
        ("%len(proc.name)", "<NA>"),  # a text's format has no numbers
        ("%len(fd.types)", "2"),  # but of some, and of all plugins' fields
        ("%len(tolower(container.id))", "12"),
        ('%len(join("-", (container.id, proc.name)))', "<NA>"),
        ('%join("-", (proc.name, proc.pid))', "café-7"),
        ("100 %proc.pid", "100 7"),
        ("%proc.name.", "café."),
    ],
)
def test_formatting(output: str, text: str) -> None:
    assert CompiledOutput(TABLES["syscall"], output).text(FieldMap(FIELDS)) == text


def test_long_lists_are_cut() -> None:
    shown = CompiledOutput(TABLES["syscall"], "%fd.types").text(FieldMap({"fd.types": ["x" * 2000]}))
    assert shown == f"({'x' * 1022}"


def test_output_fields_hold_what_the_output_names_inside_transformers_too() -> None:
    output = CompiledOutput(TABLES["syscall"], "%proc.name %toupper(proc.exe) %proc.name %fd.types %proc.aname")
    assert output.values(FieldMap(FIELDS)) == {
        "proc.name": "café",
        "proc.exe": None,
        "fd.types": ["file", "ipv4"],
        "proc.aname": "sh sshd",
    }


def test_ancestors_that_were_recorded_as_a_whole_stay_as_they_were() -> None:
    fields = {"proc.aname": "recorded", "proc.aname[1]": "sh", "proc.apid": 9, "proc.pid": 7}
    assert CompiledOutput(TABLES["syscall"], "%proc.aname %proc.apid").values(FieldMap(fields)) == {
        "proc.aname": "recorded",
        "proc.apid": 9,
    }


@pytest.mark.parametrize(
    ("entry", "appended", "further"),
    [
        ({"extra_output": "on %evt.hostname"}, ["on %evt.hostname"], {}),
        ({"suggested_output": True}, ["container_id=%container.id"], {}),
        ({"extra_fields": [{"home": "%proc.cwd"}, "evt.hostname"]}, [], {"home": "%proc.cwd", "evt.hostname": None}),
        ({"match": {"source": "k8s_audit"}, "extra_output": "x"}, [], {}),
        ({"match": {"rule": "R", "tags": ["a"]}, "extra_output": "x"}, ["x"], {}),
        ({"match": {"rule": "other"}, "extra_output": "x"}, [], {}),
        ({"match": {"tags": ["a", "c"]}, "extra_output": "x"}, [], {}),
    ],
)
def test_append_output(entry: dict[str, Any], appended: list[str], further: dict[str, str | None]) -> None:
    assert extra_output([entry], ["container.id"], "R", "syscall", {"a", "b"}) == (appended, further)


@pytest.mark.parametrize(
    ("output", "fields", "text"),
    [
        # a length has the format of the field that it is the length of, and most texts have none for numbers
        ("%len(k8smeta.pod.labels)", {"k8smeta.pod.labels": ["a", "b"]}, "2"),
        ("%len(proc.name)", {"proc.name": "a"}, "<NA>"),
        ("%b64(evt.buffer)", {"evt.buffer": "YWJjZGU="}, "abcde\0"),
        ("%evt.buffer", {"evt.buffer": "ab"}, "ab"),
        # no comma stands before the first text that is not empty
        ("%fd.types", {"fd.types": ["", "a", "", "b"]}, "(a,,b)"),
        ("%fd.types", {"fd.types": [""]}, "()"),
    ],
)
def test_lengths_and_buffers(output: str, fields: dict[str, Any], text: str) -> None:
    assert CompiledOutput(TABLES["syscall"], output).text(FieldMap(fields)) == text
