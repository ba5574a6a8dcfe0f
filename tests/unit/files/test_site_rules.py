"""Where a site's rules files are looked for, and what is said of places that are wrong: all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.files.site_rules import PlaceError, read_base, read_site


def test_a_folder_of_the_clusters_name_is_taken_in_each_directory(tmp_path: Path) -> None:
    for folder in ("a", "a/east", "a/west", "b", "b/east"):
        (tmp_path / folder).mkdir()
        name = folder.replace("/", "-")
        (tmp_path / folder / f"{name}.yaml").write_text(name)
    found = read_site([str(tmp_path / "a"), str(tmp_path / "b")], cluster="east")
    assert list(found.texts) == ["a-east.yaml", "a.yaml", "b-east.yaml", "b.yaml"]
    assert found.paths["b-east.yaml"] == str(tmp_path / "b" / "east" / "b-east.yaml")
    assert list(read_site([str(tmp_path / "a")]).texts) == ["a.yaml"]


def test_a_directory_without_rules_of_its_own_may_have_those_of_clusters(tmp_path: Path) -> None:
    (tmp_path / "east").mkdir()
    (tmp_path / "east" / "one.yaml").write_text("")
    assert list(read_site([str(tmp_path)], cluster="east").texts) == ["one.yaml"]
    assert read_site([str(tmp_path)], cluster="west").texts == {}


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PlaceError) as refused:
        read_site([str(tmp_path / "x"), str(tmp_path / "y")])
    assert refused.value.problems == tuple(f"files: there is no {tmp_path}/{n} on the controller." for n in "xy")


def test_bytes_that_are_no_text_come_back_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\n")
    assert read_site([str(tmp_path)]).texts["a.yaml"].encode("utf-8", "surrogateescape") == b"\xff\n"


def test_the_base_keeps_the_order_in_which_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules.d").mkdir()
    for name in ("z.yaml", "rules.d/b.yaml", "rules.d/a.yaml"):
        (tmp_path / name).write_text(name)
    found = read_base([str(tmp_path / "z.yaml"), str(tmp_path / "rules.d")])
    assert [one.text for one in found] == ["z.yaml", "rules.d/a.yaml", "rules.d/b.yaml"]
    with pytest.raises(PlaceError, match="base_files: there is no"):
        read_base([str(tmp_path / "none")])
