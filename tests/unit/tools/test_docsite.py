"""The documentation's site: its links hold, every page is in it, and what Sphinx warns of fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import docsite

ROOT = Path(__file__).resolve().parents[3]
PAGES = {Path(name) for name in ("README.md", "docs/falco.md", "docs/guides/engineer.md", "roles/falco/README.md")}


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("README.md", f"{docsite.REPOSITORY}docs/falco.md", "docs/falco.md"),
        ("roles/falco/README.md", f"{docsite.REPOSITORY}docs/falco.md#rules", "../../docs/falco.md#rules"),
        ("docs/guides/engineer.md", "../falco.md#rules", "../falco.md#rules"),
        ("docs/guides/engineer.md", "../../roles/falco/README.md", "../../roles/falco/README.md"),
        ("docs/falco.md", "../plugins/modules/x.py", f"{docsite.REPOSITORY}plugins/modules/x.py"),
        ("docs/falco.md", "rbac/read.yaml", f"{docsite.REPOSITORY}docs/rbac/read.yaml"),
        ("docs/falco.md", "#rules", "#rules"),
        ("docs/falco.md", "pictures/evidence.png", "pictures/evidence.png"),
        ("docs/falco.md", "https://falco.org/docs", "https://falco.org/docs"),
    ],
)
def test_a_link_leads_to_the_page_or_to_the_repository(page: str, link: str, expected: str) -> None:
    assert docsite.relinked(f"see [it]({link}).", Path(page), PAGES) == f"see [it]({expected})."


def test_every_page_is_laid_out_and_in_the_index(tmp_path: Path) -> None:
    docsite.lay_out(ROOT, tmp_path)
    index = (tmp_path / "index.rst").read_text()
    for page in docsite.pages(ROOT):
        assert (tmp_path / page).is_file()
        name = page.with_suffix("")
        assert f"   {name}\n" in index or f"   {name.parent}/*\n" in index, page


def test_warnings_are_complaints_but_for_labels_of_other_documentation() -> None:
    ours = "docs/falco.md:3: WARNING: local id not found in doc 'rules': 'x' [myst.xref_missing]"
    broken = "x.rst:3: WARNING: undefined label: 'ansible_collections.falconet.k8s.gone_module' [ref.ref]"
    foreign = "x.rst:1: WARNING: undefined label: 'ansible_plugins.collections' [ref.ref]"
    assert docsite.complaints(f"{ours}\n{broken}\n{foreign}\nbuild succeeded, 3 warnings.") == [ours, broken]
