"""Each finding of the corpus is what its header says: file, line, column, the word there, the way, advice and mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

CASES = sorted((Path(__file__).resolve().parents[3] / "corpus" / "findings").glob("*.yaml"))


def files_of(text: str) -> list[RulesFile]:
    parts = re.split(r"^#### file (\S+)\n", text, flags=re.M)[1:]
    return [RulesFile(name, part) for name, part in zip(parts[::2], parts[1::2])]


def told(one: Finding, lines: list[str], head: str) -> str:
    """A finding as headers tell it: the word at its place (as long as the header has it), its way, advice and mend."""
    assert one.line
    assert one.column
    start = f"# {one.file}:{one.line}:{one.column} {one.code}"
    wanted = re.search(rf"{re.escape(start)} '(.*?)'(?: \w+ '| beyond$|$)", head, re.M)
    rest = lines[one.line - 1][one.column - 1 :]
    word = wanted.group(1) if wanted else rest
    assert rest.startswith(word)
    way = [" of ".join(reversed(one.way[1:])), "beyond" if one.beyond else ""]
    said = [" ".join(filter(None, [start, f"'{word}'", *way]))]
    if one.hint:
        said.append(f"#   {one.hint}")
    if one.fix:
        elsewhere = (one.fix.line, one.fix.column) != (one.line, one.column)
        spot = f"{one.fix.line}:{one.fix.column} " if elsewhere else ""
        wrong = lines[one.fix.line - 1][one.fix.column - 1 : one.fix.end_column - 1]
        said.append(f"#   {spot}{wrong} -> {one.fix.text}")
    return "".join(f"{line}\n" for line in said)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    head, *rest = re.split(r"(?=^#### file )", path.read_text(), maxsplit=1, flags=re.M)
    files = files_of("".join(rest))
    lines = {file.name: file.text.split("\n") for file in files}
    # FN009 is what Falco's schema says once more.
    found = [one for one in validate([Ruleset("", tuple(files))])[0].findings if one.code != "FN009"]
    assert "".join(told(one, lines[one.file], head) for one in found) == head
