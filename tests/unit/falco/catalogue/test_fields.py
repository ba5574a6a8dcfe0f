"""Texts that name fields: what Falco's classes of fields take as argument, and in which words they refuse the rest."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import CheckError


def table(version: str = "0.44", source: str = "syscall") -> FieldTable:
    known = catalogue(version)
    return FieldTable(known, known.sources[source])


NEWEST, OLDER, AUDIT = table(), table("0.40"), table(source="k8s_audit")


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("fd.types", "fd.types", "charbuf"),
        ("fd.types[3]", "fd.types", "charbuf"),
        ("fd.types[ +3]", "fd.types", "charbuf"),
        ("proc.env", "proc.env", "charbuf"),
        ("proc.env[PATH]", "proc.env", "charbuf"),
        ("proc.aenv[2]", "proc.aenv", "charbuf"),
        ("proc.aname", "proc.aname", "charbuf"),
        ("proc.aname[2]", "proc.aname", "charbuf"),
        ("proc.args[1]", "proc.args", "charbuf"),
        ("thread.cgroup.cpu_set", "thread.cgroup", "charbuf"),
        ("thread.cgroups", "thread.cgroups", "charbuf"),
        ("evt.around[5]", "evt.around", "uint64"),
        ("evt.type.is.open", "evt.type.is", "uint32"),
        ("evt.type.is.5", "evt.type.is", "uint32"),
        ("evt.arg[0]", "evt.arg", "charbuf"),
        ("evt.arg.name", "evt.arg", "charbuf"),
        ("evt.abspath.dst", "evt.abspath", "charbuf"),
        # A raw argument has the type of its parameter.
        ("evt.rawarg.fd", "evt.rawarg", "fd"),
        ("evt.rawarg.res", "evt.rawarg", "errno"),
    ],
)
def test_arguments_that_falcos_own_fields_take(text: str, name: str, kind: str) -> None:
    found = NEWEST.need(text)
    assert (found.name, found.type) == (name, kind)


@pytest.mark.parametrize(
    "text",
    [
        "fd.types[3]x",
        "fd.typesx",
        "proc.env[",
        "proc.env[PATH]x",
        "proc.environment",
        "proc.aname[",
        "proc.aname[x]",
        "proc.aname[2]x",
        "proc.names",
        "thread.cgroup.cpu-1",
        "evt.type.is.nope",
        "evt.arg[0]x",
        "evt.arg.namex",
        "evt.abspath.there",
    ],
)
def test_texts_that_name_no_field_though_they_begin_like_one(text: str) -> None:
    assert NEWEST.find(text) is None
    with pytest.raises(CheckError, match="nonexistent field"):
        NEWEST.need(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arg.name", "filter error: proc.arg filter not implemented yet"),
        ("fd.types[x]", "x is not a valid number"),
        ("thread.cgroup", "filter syntax error: thread.cgroup"),
        ("evt.around", "filter syntax error: evt.around"),
        ("evt.around[x]", "x is not a valid number"),
        ("evt.around.name", "wrong syntax for evt.around"),
        ("evt.type.is", "filter syntax error: evt.type.is"),
        ("evt.arg", "filter syntax error: evt.arg"),
        ("evt.arg.nosuch", "unknown event argument nosuch"),
        ("evt.rawarg[0]", "evt.arg fields must be expressed explicitly"),
    ],
)
def test_arguments_that_falcos_own_fields_refuse(text: str, message: str) -> None:
    for _again in range(2):  # what was looked up once is remembered
        with pytest.raises(CheckError) as refused:
            NEWEST.find(text)
        assert str(refused.value) == message


def test_labels_and_mounts_while_they_were_falcos_own() -> None:
    for text in ("span.tag[a]", "span.tag.a", "k8s.pod.label.app", "container.mount[0]"):
        assert OLDER.need(text).name == text.replace(".app", "").removesuffix(".a").partition("[")[0]
    for text in ("span.tag[a]x", "mesos.task.label.a!"):
        assert OLDER.find(text) is None
    with pytest.raises(CheckError, match=r"^filter syntax error: container\.mount\.x$"):
        OLDER.find("container.mount.x")
    with pytest.raises(CheckError, match=r"^the field 'k8s\.pod\.label' requires an argument but '\]' is not found$"):
        OLDER.find("k8s.pod.label[app")


IMAGE = "ka.req.pod.containers.image"


def test_fields_of_plugins_take_a_key_or_a_number_of_64_bits() -> None:
    assert AUDIT.need("jevt.value[/a]").name == "jevt.value"
    assert AUDIT.need(IMAGE).name == AUDIT.need(f"{IMAGE}[0]").name == AUDIT.need(f"{IMAGE}[{2**64 - 1}]").name == IMAGE
    assert AUDIT.find("ka.verbs") is None
    assert AUDIT.find(f"{IMAGE}[0]x") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jevt.value", "filter 'jevt.value': jevt.value requires an argument but none provided"),
        ("jevt.values", "filter 'jevt.values': jevt.value requires an argument but none provided"),
        ("jevt.value[", "filter 'jevt.value[': jevt.value terminates with incomplete argument brackets"),
        ("jevt.value[/a", "filter 'jevt.value[/a': jevt.value has unbalanced argument brackets"),
        (
            "ka.verb[0]",
            "filter 'ka.verb[0]': ka.verb does not allow nor require an argument but one is provided: 0",
        ),
        (f"{IMAGE}[01]", f"filter {IMAGE}[01] {IMAGE} has an invalid index argument: 01"),
        (f"{IMAGE}[x]", f"filter {IMAGE}[x] {IMAGE} has an invalid index argument: x"),
        (
            f"{IMAGE}[{2**64}]",
            f"filter {IMAGE}[{2**64}] {IMAGE} has an invalid index argument not representable on 64 bit: {2**64}",
        ),
    ],
)
def test_arguments_that_fields_of_plugins_refuse(text: str, message: str) -> None:
    with pytest.raises(CheckError) as refused:
        AUDIT.find(text)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["proc.args[0]", "proc.aargs[1]", "proc.aargs"])
def test_an_argument_that_came_with_a_later_version(text: str) -> None:
    assert NEWEST.find(text) is not None
    assert OLDER.find(text) is None
