"""Every case of the corpus comes out as its header says: verdict, codes and the item that each points to."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.codes import FALCO_ERRORS, FALCO_WARNINGS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import LoadResult
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile

CORPUS = Path(__file__).resolve().parents[3] / "corpus" / "falco"
CASES = sorted(CORPUS.glob("*.yaml"))
LOADER = Loader()


def lines_of(result: LoadResult) -> list[str]:
    lines = [f"# {result.name}: {'accepted' if result.successful else 'refused'}"]
    for kind, issues in (("error", result.errors), ("warning", result.warnings)):
        for issue in issues:
            item, name = issue.context.item
            field = f" {issue.deprecated_field}" if issue.deprecated_field else ""
            lines.append(f"#   {kind} {issue.code} {item} {name!r}{field}")
    return lines


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    head, text = path.read_text().split("#### file\n")
    wanted = head.splitlines()
    files = [RulesFile(f"{number}.yaml", part) for number, part in enumerate(text.split("#### next file\n"), 1)]
    loaded = LOADER.load(files)
    if wanted[0] == "# Falco ends without a report.":
        assert not loaded.successful
        assert all(issue.context.locations for result in loaded.results for issue in result.errors)
        return
    assert [line for result in loaded.results for line in lines_of(result)] == wanted


def test_the_corpus_has_every_code_that_a_file_can_get() -> None:
    heads = "".join(path.read_text().split("#### file\n")[0] for path in CASES)
    # Unreadable files are the module's business; extension items exist only in programs that embed Falco's engine.
    elsewhere = {"LOAD_ERR_FILE_READ", "LOAD_ERR_EXTENSION", "LOAD_WARNING_EXTENSION"}
    missing = [code for code in (*FALCO_ERRORS, *FALCO_WARNINGS) if f" {code} " not in heads and code not in elsewhere]
    assert missing == []
