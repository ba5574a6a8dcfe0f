"""Each finding of the corpus stands where its header says: file, line, column, the word there, and the way to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile

CASES = sorted((Path(__file__).resolve().parents[3] / "corpus" / "findings").glob("*.yaml"))


def files_of(text: str) -> list[RulesFile]:
    parts = re.split(r"^#### file (\S+)\n", text, flags=re.M)[1:]
    return [RulesFile(name, part) for name, part in zip(parts[::2], parts[1::2])]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    head, *rest = re.split(r"(?=^#### file )", path.read_text(), maxsplit=1, flags=re.M)
    files = files_of("".join(rest))
    lines = {file.name: file.text.split("\n") for file in files}
    found = []
    for one in validate([Ruleset("", tuple(files))])[0].findings:
        if one.code == "FN009":
            continue  # what Falco's schema says once more
        assert one.line
        assert one.column
        start = rf"{re.escape(one.file)}:{one.line}:{one.column} {one.code}"
        wanted = re.search(rf"{start} '(.*?)'(?: \w+ '| beyond$|$)", head, re.M)
        word = wanted.group(1) if wanted else lines[one.file][one.line - 1][one.column - 1 :]
        assert lines[one.file][one.line - 1][one.column - 1 :].startswith(word)
        way = [" of ".join(reversed(one.way[1:])), "beyond" if one.beyond else ""]
        found.append(" ".join(filter(None, [f"# {one.file}:{one.line}:{one.column} {one.code} '{word}'", *way])) + "\n")
    assert "".join(found) == head
