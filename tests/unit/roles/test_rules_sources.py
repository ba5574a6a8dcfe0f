"""Where the role falco_rules looks for the rules of one cluster alone."""

from __future__ import annotations

import json
import os
import subprocess

from ..test_roles import ROOT

ROLE = ROOT / "roles" / "falco_rules"


def sources(**variables: object) -> list[str]:
    done = subprocess.run(
        [
            "ansible",
            "east",
            "-c",
            "local",
            "-i",
            "east,",
            "-m",
            "ansible.builtin.debug",
            "-a",
            "var=__falco_rules_cluster_sources",
        ]
        + [f"--extra-vars=@{ROLE / folder / 'main.yml'}" for folder in ("defaults", "vars")]
        + [f"--extra-vars={json.dumps(variables)}"],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    found: list[str] = json.loads(text[text.index("[") : text.rindex("]") + 1]) if "[" in text else []
    return found


def test_each_directory_has_a_folder_for_each_cluster() -> None:
    assert sources(falco_rules_files=["/a/rules/", "/a/one.yaml", "/b"]) == ["/a/rules/east", "/b/east"]


def test_lists_may_be_given_as_text() -> None:
    assert sources(falco_rules_files='["/a"]') == ["/a/east"]


def test_others_are_named() -> None:
    assert sources(falco_rules_files=["/a"], falco_rules_cluster_files=["/east.yml"]) == ["/east.yml", "/a/east"]


def test_nothing_is_looked_for_beside_the_inventory() -> None:
    assert sources() == []
