"""What the documents show exists: make targets, files behind links, variables, playbooks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
DOCUMENTS = sorted(ROOT / name for name in TRACKED.split() if (ROOT / name).exists())
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
#: Where the repository is read when it is not beside the reader: Galaxy shows these documents on their own.
BASE = "https://github.com/falconet-k8s/falconet.k8s/blob/main/"
ON_GALAXY = [ROOT / "README.md", *sorted((ROOT / "roles").glob("*/README.md"))]
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SAMPLE = sorted((ROOT / "inventory" / "sample").rglob("*.yml"))


def declared() -> set[str]:
    files = [ROOT / "playbooks" / "vars" / "inventory_variables.yml"]
    files += sorted((ROOT / "roles").glob("*/meta/argument_specs.yml"))
    return {name for file in files for name in yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"]}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_to_the_repository_lead_somewhere(document: Path) -> None:
    named = re.findall(rf"{re.escape(BASE)}([^)#\s]+)", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def anchors(document: Path) -> set[str]:
    """What links to headings of a document end with, as GitHub and the docsite make it of the headings' words."""
    prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", prose), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_to_headings_lead_to_one(document: Path) -> None:
    broken = []
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", document.read_text()):
        # A path that begins at the root is what remains of a joined one.
        page = document.parent / (ROOT / link[len(BASE) :] if link.startswith(BASE) else link or document)
        if page.suffix == ".md" and anchor not in anchors(page):
            broken.append(f"{link}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("document", ON_GALAXY, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_work_from_galaxy(document: Path) -> None:
    assert LINK.findall(document.read_text()) == [], "Galaxy has no file beside this one: link to the repository's URL"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_make_targets_exist(document: Path) -> None:
    # Only what stands as code: in prose, "make" is a verb.
    code = re.findall(r"```.*?```|`[^`\n]+`", document.read_text(), re.DOTALL)
    shown = {
        name for text in code for line in text.splitlines() for name in re.findall(r"^[`\s]*make ([a-z0-9-]+)", line)
    }
    assert shown - TARGETS == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_playbooks_exist(document: Path) -> None:
    shown = set(re.findall(r"playbooks/[a-z_]+\.yml", document.read_text()))
    assert [name for name in sorted(shown) if not (ROOT / name).exists()] == []


#: Folders of the repository: a name in code that begins with one is a path from its top.
FOLDERS = sorted(
    {
        line.split("/")[0]
        for line in subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if "/" in line
    }
)


def paths_in(text: str) -> list[str]:
    """Paths that a document names in code within its prose, without those that hold a placeholder."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    named = re.findall(rf"`((?:{'|'.join(map(re.escape, FOLDERS))})/[^`\s]*)`", prose)
    return [name for name in named if not re.search(r"[<>{}$…]", name)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_that_are_named_exist(document: Path) -> None:
    named = [name.partition(":")[0].rstrip("/") for name in paths_in(document.read_text())]
    tops = [ROOT, ROOT / "docs" / "examples" / "awx" / "project"]
    assert [name for name in named if not any(any(top.glob(name)) for top in tops)] == []


def test_paths_are_found_in_prose_alone() -> None:
    assert len([name for document in DOCUMENTS for name in paths_in(document.read_text())]) > 50
    text = "`plugins/nowhere.py`, `docs/<name>.md`, `other/x`\n```\n`docs/in-a-block.md`\n```\n`tests/unit/*.py`"
    assert paths_in(text) == ["plugins/nowhere.py", "tests/unit/*.py"]


@pytest.mark.parametrize(
    "path", [p for p in SAMPLE if "group_vars" in p.parts], ids=lambda p: str(p.relative_to(ROOT / "inventory"))
)
def test_sample_variables_are_declared_typed_and_commented(path: Path) -> None:
    text = path.read_text()
    for name in yaml.safe_load(text) or {}:
        assert name in declared(), f"{name} is no role's variable"
        comment = text[: text.index(f"\n{name}:")].splitlines()[-1]
        assert comment.startswith("#"), f"{name} has no comment above it"


def test_changelog_names_each_version() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = set(yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"])
    # What comes next has fragments; its page is made when it is released.
    if "-dev" in version:
        assert version.partition("-")[0] not in named
        version = max(named)
    assert {version, *(tag.removeprefix("v") for tag in tags.split())} - named == set()
    page = (ROOT / "CHANGELOG.rst").read_text()
    assert [one for one in named if f"\nv{one}\n=" not in page] == []


def test_the_smallest_inventory_says_of_a_cluster_what_the_sample_does_but_for_its_nodes() -> None:
    (shown,) = re.findall(
        r"```yaml\n(# inventory/mine.*?)```", (ROOT / "docs" / "getting-started.md").read_text(), re.DOTALL
    )
    sample = (ROOT / "inventory" / "sample" / "hosts.yml").read_text()
    hosts = [yaml.safe_load(text)["all"]["children"]["clusters"]["hosts"] for text in (shown, sample)]
    assert hosts[0]["production"].pop("falco_redis_storage") == "storage_class", "it has no node for a directory"
    assert hosts[0] == hosts[1]


def test_sample_rules_and_policies_are_yaml() -> None:
    for path in sorted((ROOT / "inventory" / "sample").rglob("*.yaml")):
        assert list(yaml.safe_load_all(path.read_text())), path


def test_every_make_target_of_the_help_is_declared_phony() -> None:
    text = (ROOT / "Makefile").read_text()
    shown = set(re.findall(r"^([a-z0-9-]+):.*## ", text, re.MULTILINE))
    assert shown <= set(re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE))


#: What begins like a variable of a role: `role_name`.
ROLES = sorted(path.parent.parent.name for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
LIKE_A_VARIABLE = re.compile(rf"(?:{'|'.join(ROLES)}|cluster|kube)_[a-z_]+[a-z]")


def named_variables(text: str) -> set[str]:
    """What a document names in code, alone or before a colon, in the form of a role's or the inventory's variable."""
    return {
        match[1]
        for code in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        if (match := re.fullmatch(rf"({LIKE_A_VARIABLE.pattern})(:.*)?", code))
    }


#: Every word of what is shipped: options within options, keys of results, plugins and groups have the same form.
SHIPPED = {
    word
    for pattern in (
        "roles/*/*/*.yml",
        "playbooks/**/*.yml",
        "plugins/modules/*.py",
        "plugins/filter/*.*",
        "inventory/**/*.yml",
    )
    for path in ROOT.glob(pattern)
    for word in re.findall(r"\w+", path.read_text())
} | {path.name for path in (ROOT / "plugins" / "module_utils").iterdir()}


#: Filters of 0.2.0, which the page on the upgrade names because they are there no more.
GONE = {
    "falco_certificates",
    "falco_changed_releases",
    "falco_container_engine",
    "falco_driver_releases",
    "falco_helm_values",
    "falco_outputs_secret",
    "falco_secret_fingerprint",
    "falco_sidekick_releases",
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_variables_that_are_named_exist(document: Path) -> None:
    gone = GONE if document == ROOT / "docs" / "upgrading.md" else set()
    assert named_variables(document.read_text()) - SHIPPED - gone == set()


def test_variables_are_found_in_code_alone() -> None:
    text = (
        "`falco_outputs`, `falco_outputs: {slack: {}}`, `verify_nothing_of_it`, falco_prose\n```\nfalco_block: 1\n```"
    )
    assert named_variables(text) == {"falco_outputs", "verify_nothing_of_it"}


def test_the_readme_is_one_page_that_begins_with_the_evidence() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 110
    (picture,) = [number for number, line in enumerate(lines) if line.startswith("![")]
    assert picture < 10
    assert lines[picture].endswith("/docs/pictures/evidence.png)")


def test_what_the_readme_says_of_findings_stands_on_pages_whose_examples_are_run() -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    pages = " ".join((ROOT / "docs" / f"{name}.md").read_text() for name in ("rules", "rule-tests", "default-deny"))
    assert [line for line in shown.splitlines() if line not in " ".join(pages.split())] == []


def test_the_index_of_the_documentation_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    folders = {ROOT / "docs", ROOT / "docs" / "guides"}
    pages = [path.relative_to(ROOT / "docs") for path in DOCUMENTS if path.parent in folders]
    assert [str(page) for page in pages if str(page) != "README.md" and f"({page})" not in index] == []
