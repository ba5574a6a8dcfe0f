"""Rules in the files that people have: found, and judged with the file's own lines and columns."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Fix
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import rules_within, unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from hypothesis import given
from hypothesis import strategies as st

RULES = """- macro: used
  condition: evt.type = open
- rule: Bad
  desc: d
  condition: used and proc.nmae = x
  output: o
  priority: NOTICE
"""


ENCODED = base64.b64encode(RULES.encode()).decode()


def indented(spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in RULES.splitlines())


HELM = f"image: {{}}\nfalco:\n  customRules:\n    mine.yaml: |-\n\n{indented(6)}    other.yaml: ''\ntty: true\n"
CONFIG_MAP = f"---\napiVersion: v1\nkind: ConfigMap\ndata:\n  a.yaml: |\n{indented(4)}---\nkind: Pod\n"
SECRET = f"apiVersion: v1\nkind: Secret\nstringData:\n  a.yaml: |\n{indented(4)}"
OPERATOR = f"kind: Rulesfile\nspec:\n  inlineRules: |-\n{indented(4)}  priority: 50\n"
OPERATOR_LIST = f"kind: Rulesfile\nspec:\n  inlineRules:\n{indented(4)}  priority: 50\n"
VARIABLES = f"# variables\nfalco_rules_extra:\n{RULES}falco_rules_disabled: []\n"
PLAYBOOK = f"- hosts: clusters\n  vars:\n    falco_rules_extra:\n{indented(6)}  tasks: []\n"
MARKDOWN = f"# Rules\n\n* thus:\n\n  ```yaml\n{indented(2)}  ```\n\n```sh\nls\n```\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("custom-rules.yaml", HELM),
        ("map.yaml", CONFIG_MAP),
        ("secret.yaml", SECRET),
        ("rulesfile.yaml", OPERATOR),
        ("rulesfile.yaml", OPERATOR_LIST),
        ("clusters.yml", VARIABLES),
        ("site.yml", PLAYBOOK),
        ("README.md", MARKDOWN),
    ],
)
def test_a_fault_is_told_where_the_file_has_it(name: str, text: str) -> None:
    (found,) = rules_within(name, text)
    (finding,) = [found.placed(one) for one in findings_of(load([found.file]))]
    lines = text.splitlines()
    expected = next(number for number, line in enumerate(lines) if "proc.nmae" in line)
    assert (finding.file, finding.line) == (name, expected + 1)
    assert lines[expected][(finding.column or 0) - 1 :].startswith("proc.nmae")
    assert "used and proc.nmae = x" in finding.excerpt
    assert finding.item == "rule 'Bad'"


@pytest.mark.parametrize(
    "text",
    [
        f"kind: Secret\ndata:\n  a.yaml: {ENCODED}\n",
        f"kind: ConfigMap\nbinaryData:\n  a.yaml: {ENCODED}\n",
    ],
)
def test_a_text_without_lines_is_told_at_its_beginning(text: str) -> None:
    (found,) = rules_within("f.yaml", text)
    finding = next(found.placed(one) for one in findings_of(load([found.file])) if "nmae" in one.message)
    assert (finding.line, finding.column) == (3, 11)
    assert " of the text that begins here)" in finding.message


def test_the_texts_of_a_map_come_in_the_order_of_their_names() -> None:
    text = f"customRules:\n  b.yaml: |-\n{indented(4)}  a.yaml: |-\n{indented(4)}"
    assert [one.file.name for one in rules_within("v.yaml", text)] == [
        "v.yaml#customRules.a.yaml",
        "v.yaml#customRules.b.yaml",
    ]


def test_two_documents_with_one_key_are_two_files() -> None:
    text = CONFIG_MAP.replace("kind: Pod", f"kind: ConfigMap\ndata:\n  a.yaml: |\n{indented(4)}")
    found = rules_within("cm.yaml", text)
    assert [one.file.name for one in found] == ["cm.yaml#data.a.yaml", "cm.yaml#data.a.yaml(2)"]


@pytest.mark.parametrize(
    ("host", "text", "name"),
    [
        ("d/values.yaml", HELM, "d/values-falco.customRules.mine.yaml"),
        ("README.md", MARKDOWN, "README-5.yaml"),
        ("site.yml", PLAYBOOK, "site--0-.vars.falco_rules_extra.yaml"),
    ],
)
def test_what_is_found_can_be_a_file_of_its_own(host: str, text: str, name: str) -> None:
    (own,), inner = unpacked([RulesFile(host, text)], named=True)
    assert own.name == name
    assert inner[name].host == host


@pytest.mark.parametrize(
    "text",
    [
        RULES,
        "- rule: x\n  text: |\n    - rule: y\n",
        "falco_rules_exceptions:\n  - rule: R\n    exceptions: [{name: a, values: [[b]]}]\n",
        # what has keys of entries and is none
        "plugins:\n  - {name: json, enabled: true, output: x}\n",
        "a: 1\n",
        "a: [\n",
        "",
        # neither is it a template that is YAML, nor one without rules
        RULES.replace("Bad", "'{{ name }}'"),
        "{% if x %}\na: 1\n{% endif %}\n",
    ],
)
def test_other_files_are_left_as_they_are(text: str) -> None:
    assert rules_within("f.yaml", text, templates=True) == []


def test_an_indented_separator_of_documents_is_one() -> None:
    text = f"customRules:\n  a.yaml: |-\n    - list: l\n      items: []\n    ---\n{indented(4)}"
    (found,) = rules_within("v.yaml", text)
    loaded = load([found.file])
    assert [one.line for one in findings_of(loaded) if "nmae" in one.message] == [10]


HOSTS = (HELM, CONFIG_MAP, SECRET, OPERATOR_LIST, PLAYBOOK, MARKDOWN)


@given(
    st.sampled_from(HOSTS), st.integers(0, 400), st.integers(0, 20), st.text("\r\n\t -|>'{[:!&*#\ufeff`", max_size=4)
)
def test_whatever_a_file_holds_is_read_or_left(host: str, start: int, length: int, put: str) -> None:
    text = host[:start] + put + host[start + length :]
    for name in ("f.yaml", "f.md"):
        for found in rules_within(name, text):
            for finding in findings_of(load([found.file])):
                assert found.placed(finding).file == name


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_ends_of_lines_count_as_well(newline: str) -> None:
    (found,) = rules_within("v.yaml", SECRET.replace("\n", newline))
    assert [found.placed(one).line for one in findings_of(load([found.file]))] == [9]


ONE = "{rule: A, desc: d, condition: proc.nmae = x, output: o, priority: INFO}"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (f"a: [{ONE}]\n", 1, 35),
        (f"a: [{ONE.replace('A', 'B')}, # ]\n    {ONE}]\n".replace("nmae", "name", 1), 2, 35),
        ("a: [" + ONE.replace("desc: d", "desc: ' ] { '") + "]\n", 1, 41),
        (f"a:\n  [{ONE}]\n", 2, 34),
        (f"a:\n  - [{ONE}]\n", 2, 36),
        (f"a:\n- {ONE}\nb: c\n", 2, 33),
        # one within another list is told at its beginning
        ("a:\n- - " + ONE[1:-1].replace(", ", "\n    ") + "\n", 2, 3),
        # an alias is the very same text
        (f"a: &x [{ONE}]\nb: *x\n", 1, 38),
        (f"a: [{{b: &x {ONE}}}]\nc: [*x]\n", 2, 4),
    ],
)
def test_a_list_in_brackets_is_read_where_it_stands(text: str, line: int, column: int) -> None:
    (found,) = rules_within("v.yaml", text)
    finding = next(found.placed(one) for one in findings_of(load([found.file])) if "nmae" in one.message)
    assert (finding.line, finding.column) == (line, column)


@pytest.mark.parametrize(
    "data",
    [
        "x", "[a]", "{a: [x], b: {c: d}}", f"{{? [y] : {ENCODED}}}", "{a: '%%%'}", f"{{a: '%{ENCODED}'}}", "{a: /w==}",
        "{a: YQ==}",
    ],
    ids=["text", "list", "no text", "a key that is none", "no Base64", "not all Base64", "no UTF-8", "no rules"],
)  # fmt: skip
def test_a_secret_without_rules_has_none(data: str) -> None:
    assert rules_within("s.yaml", f"kind: Secret\ndata: {data}\n") == []


def test_blank_lines_and_comments_end_no_list_of_rules() -> None:
    text = VARIABLES.replace("- rule:", "\n# ours\n- rule:")
    (found,) = rules_within("v.yaml", text)
    assert [found.placed(one).line for one in findings_of(load([found.file]))] == [9]


def quoted(text: str) -> str:
    return "a: " + json.dumps(text) + "\n"


def test_what_is_wrong_with_the_whole_of_a_quoted_text_has_no_line() -> None:
    (found,) = rules_within("v.yaml", quoted(RULES))
    (finding, *_others) = findings_of(load([found.file]))
    fix = Fix(1, 1, 2, "x")
    placed = found.placed(replace(finding, line=None, column=None, fix=fix))
    assert (placed.file, placed.line, placed.column, placed.fix) == ("v.yaml", None, None, None)


def test_places_in_a_quoted_text_are_those_of_its_letters_from_the_first_to_the_last() -> None:
    text = quoted("- macro: m\n  condition: evt.type = open\n")
    (found,) = rules_within("v.yaml", text)
    (unused,) = findings_of(load([found.file]))
    first = replace(unused, line=1, column=3)
    assert (found.placed(first).line, found.placed(first).column) == (1, text.index("macro") + 1)
    beyond = replace(unused, line=2, column=99)
    assert (found.placed(beyond).line, found.placed(beyond).column) == (1, text.rindex('"') + 1)


@pytest.mark.parametrize(("text", "mended"), [("proc.name", True), ("a\\b", False), ('"a"', False)])
def test_a_mend_within_a_quoted_text_is_one_where_it_is_written_the_same(text: str, mended: bool) -> None:
    (found,) = rules_within("v.yaml", quoted(RULES))
    finding = next(one for one in findings_of(load([found.file])) if "nmae" in one.message)
    assert finding.line
    assert finding.column
    fix = Fix(finding.line, finding.column, finding.column + len("proc.nmae"), text)
    column = quoted(RULES).index("proc.nmae") + 1
    wanted = Fix(1, column, column + len("proc.nmae"), text) if mended else None
    assert found.placed(replace(finding, fix=fix)).fix == wanted


TEMPLATE = "{{ if x }}\n" + RULES.replace("Bad", "{{ name }}") + "{{ end }}\n"


def test_a_finding_on_a_template_shows_what_its_author_wrote() -> None:
    (found,) = rules_within("t.yaml", TEMPLATE + "  x: {{ y }}\n]\n", templates=True)
    errors = [one for one in findings_of(load([found.file])) if one.severity == "error"]
    (finding,) = [found.placed(one) for one in errors]
    assert finding.line
    assert finding.excerpt.startswith((TEMPLATE + "  x: {{ y }}\n]\n").split("\n")[finding.line - 1])
    for other in (replace(finding, line=None, column=None), replace(finding, line=99)):
        assert found.placed(other).excerpt == other.excerpt
        assert found.knows(replace(finding, line=None, column=None))


def test_a_finding_beside_an_expression_shows_the_expression() -> None:
    text = "{% if x %}\n" + RULES.replace("used and", "proc.pname in ({{ names }}) and") + "{% endif %}\n"
    (found,) = rules_within("t.yaml", text, templates=True)
    shown = [found.placed(one).excerpt for one in findings_of(load([found.file])) if "nmae" in one.message]
    assert [one.split("\n")[0] for one in shown] == ["  condition: proc.pname in ({{ names }}) and proc.nmae = x"]


def test_markdown_is_no_template() -> None:
    (found,) = rules_within("r.md", f"{{{{ toc }}}}\n\n```yaml\n{RULES}```\n", templates=True)
    assert found.template == ""


def test_a_template_that_is_yaml_is_read_as_that() -> None:
    assert rules_within("t.yaml", "a: '{{ x }}'\nb: c\n", templates=True) == []


@pytest.mark.parametrize("text", ["- &a {<<: *a}", "- A: 1\n  b: &a {<<: *a}\n", "a: &a [1, *a]\n", "&a {b: *a}"])
def test_values_that_contain_themselves_are_looked_through_once(text: str) -> None:
    assert rules_within("values.yaml", text) == []


def test_rules_beside_values_that_contain_themselves_are_found() -> None:
    (found,) = rules_within("values.yaml", f"own: &a {{more: *a}}\nrules:\n{indented(2)}")
    assert load([found.file]).collector.macros.keys() == {"used"}


def test_a_list_that_contains_itself_is_no_list_of_rules() -> None:
    text = "values: &a {rules: [{rule: r, condition: c, own: *a}]}\n"
    assert rules_within("values.yaml", text) == []
