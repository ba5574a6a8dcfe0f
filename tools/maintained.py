#!/usr/bin/env python3
"""Makes plugins/module_utils/falco/catalogue/maintained.py: which maintained rules file has, or had, a macro or list.

Usage:
    tools/maintained.py RULES_REPOSITORY FALCO_REPOSITORY

Both are git directories with all tags, of falcosecurity/rules and falcosecurity/falco; only names are read of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "plugins/module_utils/falco/catalogue/maintained.py"
NEWEST = ("falco-sandbox_rules.yaml", "falco-incubating_rules.yaml", "falco_rules.yaml")
"""The files of today; of a name that several have, the last of these counts."""
COMMENT = "a comment"
Names = dict[tuple[str, str], tuple[str, str]]


def git(folder: str, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=False, capture_output=True, text=True).stdout


def names_in(folder: str, revision: str, file: str, before: str = "") -> list[tuple[str, str]]:
    return re.findall(rf"^{before}- (macro|list): *([\w.-]+)", git(folder, "show", f"{revision}:{file}"), re.M)


def numbers(tag: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", tag)]


def releases(rules: str, falco: str) -> Iterator[tuple[str, str, str, str]]:
    """Folder, tag, file and what the release is called, the oldest first."""
    for tag in sorted((tag for tag in git(falco, "tag").split() if re.fullmatch(r"0\.\d+\.0", tag)), key=numbers):
        for file in git(falco, "ls-tree", "-r", "--name-only", tag, "rules").split():
            if file.endswith(".yaml"):
                yield falco, tag, file, f"Falco {tag[:-2]}"
    tags = (re.fullmatch(r"(falco(?:-\w+)?)-rules-([\d.]+)", tag) for tag in git(rules, "tag").split())
    for found in sorted(filter(None, tags), key=lambda one: (one.group(1), numbers(one.group(2)))):
        yield rules, found.group(), f"rules/{found.group(1)}_rules.yaml", found.group()


def collect(rules: str, falco: str) -> Names:
    found: Names = {}
    for folder, tag, file, title in releases(rules, falco):
        found.update({name: (Path(file).name, title) for name in names_in(folder, tag, file)})
    for file in NEWEST:
        found.update(dict.fromkeys(names_in(rules, "HEAD", f"rules/{file}"), (file, "")))
    for file in NEWEST:
        for name in names_in(rules, "HEAD", f"rules/{file}", "# *"):
            found.setdefault(name, (file, COMMENT))
    return found


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    head = TARGET.read_text().split("= {\n")[0]
    tail = TARGET.read_text().split("\n}\n")[1]
    rows = [
        f'    ("{kind}", "{name}"): ("{file}", "{last}"),'
        for (kind, name), (file, last) in sorted(collect(*sys.argv[1:]).items())
    ]
    TARGET.write_text(head + "= {\n" + "\n".join(rows) + "\n}\n" + tail)


if __name__ == "__main__":
    main()
