"""Every command that a document shows is run by a test, or has the reason why none does (tests/corpus/commands.yml)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_documentation import DOCUMENTS, ROOT

KNOWN: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "corpus" / "commands.yml").read_text())
PROGRAM = re.compile(
    r"(ansible(-\w+)?|cp|docker|git|helm|kubectl|make|molecule|nox|openssl|pip|podman|pytest|python3?|ssh-keygen)$"
)
#: A language that shows no commands.
OTHER = {"yaml", "json", "mermaid", "diff", "markdown", "python", "go", "toml", "ini", "xml"}


def commands_in(text: str) -> list[str]:
    """Commands of blocks, without prompts, comments and variables before them; ends of long ones joined."""
    found = []
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        if language in OTHER:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"^(\w+=\S* )+", "", re.sub(r"\s+#.*", "", line.strip().removeprefix("$ ")))
            program = command.partition(" ")[0]
            if PROGRAM.match(program) or program.startswith(("tools/", "sudo", "systemctl", "$EDITOR")):
                found.append(re.sub(r"\s+", " ", command))
    return found


def entry_of(command: str) -> dict[str, Any] | None:
    fitting = [entry for entry in KNOWN if command.startswith(entry["command"])]
    return max(fitting, key=lambda entry: len(entry["command"]), default=None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_are_run_or_have_a_reason(document: Path) -> None:
    assert [command for command in commands_in(document.read_text()) if entry_of(command) is None] == []


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry["command"])
def test_an_entry_names_a_test_that_is_there_or_a_reason(entry: dict[str, Any]) -> None:
    assert set(entry) in ({"command", "test"}, {"command", "reason"})
    if "test" in entry:
        path, _, name = entry["test"].partition("::")
        assert not name or re.search(rf"^(def )?{name}\b", (ROOT / path).read_text(), re.MULTILINE), entry["test"]
        assert (ROOT / path).is_file()


def test_no_entry_is_left_over() -> None:
    shown = [entry_of(command) for document in DOCUMENTS for command in commands_in(document.read_text())]
    assert [entry["command"] for entry in KNOWN if entry not in shown] == []


def test_commands_are_found_in_blocks_of_any_depth() -> None:
    text = "make nothing\n```console\n$ A=1 make demo  # all\nbuilt\n```\n1. x\n\n   ```\n   git \\\n     log\n   ```\n"
    text += "```yaml\nmake: x\n```"
    assert commands_in(text) == ["make demo", "git log"]
