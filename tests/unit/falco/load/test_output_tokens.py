"""The fields in an output, and where Falco stops reading one; the lines that it shows of a file."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import Cause, CheckError, Reason
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.context import SNIPPET_WIDTH, Context
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.output import (
    output_tokens,
    output_words,
    refused_tokens,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import Mark

from ..condition.tables import table


@pytest.mark.parametrize(
    ("output", "tokens"),
    [
        ("no field", []),
        ("*%proc.name", [(1, "proc.name")]),
        ("%12proc.name and %proc.aname[1]", [(0, "proc.name"), (17, "proc.aname[1]")]),
        ("%tolower(proc.name)!", [(0, "tolower(proc.name)")]),
        ("%proc.name.", [(0, "proc.name")]),
        ("%proc.aname[", [(0, "proc.aname")]),
        ("%proc.namex", [(0, "proc.name")]),
        ("%proc.name%proc.pid", [(0, "proc.name"), (10, "proc.pid")]),
    ],
)
def test_the_fields_of_an_output(output: str, tokens: list[tuple[int, str]]) -> None:
    assert [(at, to_text(node)) for at, node in output_tokens(table(), output)] == tokens
    assert refused_tokens(table(), output) == []


@pytest.mark.parametrize(
    ("output", "message", "words"),
    [
        ("", "empty formatting token", []),
        ("at 50%", "invalid formatting syntax: formatting cannot end with a %", [(5, "")]),
        ("%fd.name %5", "invalid formatting syntax: formatting cannot end with a number", [(9, "")]),
        ("%tolower(proc.name, fd.name)", "unknown multivalue transformer", [(0, "tolower")]),
        ("%nope and %proc.nmae", "unknown filter: expected a field or a transformer", [(0, "nope"), (10, "proc.nmae")]),
        ("%container.info %nope.x", "unknown filter: expected a field or a transformer", [(16, "nope.x")]),
    ],
)
def test_an_output_that_falco_refuses(output: str, message: str, words: list[tuple[int, str]]) -> None:
    with pytest.raises(CheckError) as caught:
        output_tokens(table(), output)
    assert str(caught.value) == message
    assert [(one.offset, one.word) for one in refused_tokens(table(), output)] == words


def test_why_a_token_is_refused_is_told_of_all_of_it() -> None:
    (one,) = refused_tokens(table(), "%proc.nmae of it")
    assert one.cause == Cause(Reason.UNKNOWN_FIELD, "proc.nmae")


@pytest.mark.parametrize(
    ("output", "continued"),
    [
        ("%proc.name.x and %proc.name", [(0, "proc.name.x", "proc.name")]),
        ("%fd.types[x]", [(0, "fd.types[x]", "fd.types")]),
        ("%nope.x and %evt.nope. and %container.info.x and %tolower(fd.name)", []),
        ("%proc and %proc.name.", []),
    ],
)
def test_a_field_that_goes_on_as_a_longer_name_would(output: str, continued: list[tuple[int, str, str]]) -> None:
    assert [tuple(one) for one in output_words(table(), output)] == continued


@pytest.mark.parametrize(
    ("content", "offset", "snippet"),
    [
        ("abc\ndef\n", 5, "def\n ^\n"),
        # behind a line's end, or the text's, it is the last character before
        ("abc\n", 4, "abc\n  ^\n"),
        ("abc", 7, "abc\n  ^\n"),
        ("abc", 0, "abc\n^\n"),
        # a short line is not cut, however far behind it stands
        ("x\n" * 100 + "abc\nx\n", 201, "abc\n ^\n"),
        ("", 0, "<No context available>\n"),
        ("\n", 0, "<No context available>\n"),
        ("\nabcdefghij", 0, "...defg...\n"),
        ("x" * 300, 150, f"...{'x' * (SNIPPET_WIDTH - 5)}...\n{' ' * (SNIPPET_WIDTH // 2)}^\n"),
        # columns are those of bytes
        ("\u00e9" * 4, 2, "\u00e9\u00e9\u00e9\u00e9\n    ^\n"),
    ],
)
def test_the_line_that_falco_shows(content: str, offset: int, snippet: str) -> None:
    line_start = content.rfind("\n", 0, offset) + 1
    context = Context.of_file("f").at(Mark(content.count("\n", 0, offset), offset - line_start, offset), "list")
    assert context.to_json({"f": content})["snippet"] == snippet
