"""Rules in every kind of file that people have: each fault is told at its own line and column of that file."""

from __future__ import annotations

import base64
import json
import re

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.embedded import all_placed, unpacked
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.templates import untemplated
from hypothesis import given
from hypothesis import strategies as st

RULES = """- macro: used
  condition: evt.type = open
- rule: Bad
  desc: d
  condition: used and proc.nmae = x
  output: o %proc.cmdlin
  priority: HIGH
  tag: [a]
"""
FAULTS = ("proc.nmae", "%proc.cmdlin", "HIGH", "tag")
ENTRIES = [
    {"macro": "used", "condition": "evt.type = open"},
    {
        "rule": "Bad",
        "desc": "d",
        "condition": "used and proc.nmae = x",
        "output": "o %proc.cmdlin",
        "priority": "HIGH",
        "tag": ["a"],
    },
]
TABBED = RULES.replace("used and", "used\tand\t")
TEMPLATED = RULES.replace("used and", 'used and k8s.ns.name in ({{ join ", " .Values.names }}) and')
JINJA = RULES.replace("used and", "used and k8s.ns.name in ({{ names | join(', ') }}) and")


def at(spaces: int, rules: str = RULES) -> str:
    return "".join(f"{' ' * spaces if line else ''}{line}\n" for line in rules.splitlines())


def folded(spaces: int) -> str:
    return "\n".join(f"{' ' * spaces}{line}\n" for line in RULES.splitlines())


VALUES = f"customRules:\n  mine.yaml: |-\n{at(4)}tty: true\n"
KINDS = {
    "values": VALUES,
    "values, below a subchart's key": f"falco:\n  customRules:\n    mine.yaml: |\n{at(6)}  tty: true\n",
    "values, indented by a number": f"customRules:\n  mine.yaml: |2\n{at(4)}",
    "values, with comments": f"customRules:\n  # ours\n  mine.yaml: |-   # keep\n    # the first\n\n{at(4)}",
    "values, folded": f"customRules:\n  mine.yaml: >\n{folded(4)}",
    "values, in double quotes": f"customRules:\n  mine.yaml: {json.dumps(RULES)}\n",
    "values, as a list": f"customRules:\n  mine.yaml:\n{at(4)}",
    "values, without a file's name": f"customRules: |\n{at(2)}",
    "values, by an anchor": f"rules: &rules |\n{at(2)}customRules:\n  mine.yaml: *rules\n",
    "values, that are no YAML elsewhere": f"image: {{}}\n  tag: x\ncustomRules:\n  mine.yaml: |-\n{at(4)}",
    "map of configuration": f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a.yaml: |\n{at(4)}",
    "list of manifests": f"kind: List\nitems:\n- kind: ConfigMap\n  data:\n    a.yaml: |\n{at(6)}",
    "secret": f"kind: Secret\nstringData:\n  a.yaml: |\n{at(4)}",
    "rulesfile": f"kind: Rulesfile\nspec:\n  inlineRules: |-\n{at(4)}  priority: 50\n",
    "rulesfile, as a list": f"kind: Rulesfile\nspec:\n  inlineRules:\n{at(4)}  priority: 50\n",
    "several manifests": f"kind: Namespace\n---\nkind: ConfigMap\ndata:\n  a.yaml: |\n{at(4)}---\nkind: Pod\n",
    "variables": f"---\n# ours\nfalco_rules_extra:\n{at(2)}other: 1\n",
    "variables, as a text": f"falco_rules_text: |\n{at(2)}other: 1\n",
    "variables, beside a vault": f"a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\nfalco_rules_extra:\n{at(2)}",
    "task": f"- ansible.builtin.copy:\n    dest: /etc/falco/rules.d/x.yaml\n    content: |\n{at(6)}",
    "application": f"spec:\n  helm:\n    values: |\n      customRules:\n        a.yaml: |-\n{at(10)}",
    "release": f"kind: HelmRelease\nspec:\n  values:\n    customRules:\n      mine.yaml: |-\n{at(8)}",
    "cloud-init": f"#cloud-config\nwrite_files:\n  - path: /etc/falco/x.yaml\n    content: |\n{at(6)}",
    "compose": f"services: {{}}\nconfigs:\n  falco:\n    content: |\n{at(6)}",
    "rules": RULES,
    "rules, indented": at(2),
    "rules, in a second document": f"- macro: other\n  condition: evt.type = openat\n---\n{RULES}",
    "rules, with tabs": TABBED,
    "values, with tabs": f"customRules:\n  mine.yaml: |-\n{at(4, TABBED)}",
    "rules, in JSON": json.dumps(ENTRIES, indent=2),
    "rules, in one line of JSON": json.dumps(ENTRIES),
    "variables, in JSON": json.dumps({"falco_rules_extra": ENTRIES}, indent=2),
    "variables, in one line of JSON": json.dumps({"a": [1, "]"], "falco_rules_extra": ENTRIES}),
    "map of configuration, in JSON": json.dumps({"kind": "ConfigMap", "data": {"a.yaml": RULES}}),
    "rules.md": f"# Rules\n\n* thus:\n\n  ```yaml\n{at(2)}  ```\n\n```sh\nls\n```\n",
    "tildes.md": f"# Rules\n\n~~~ yaml\n{RULES}~~~\n",
    "quote.md": f"# Rules\n\n> ```yaml\n{''.join(f'> {line}' + chr(10) for line in RULES.splitlines())}> ```\n",
    "values.md": f"# Values\n\n```yaml\n{VALUES}```\n",
    "open.md": f"# Rules\n\n```yaml\n{RULES}",
    "chart's template": f"{{{{- if .Values.x }}}}\ndata:\n  a.yaml: |\n{at(4, TEMPLATED)}{{{{- end }}}}\n",
    "rules.yaml.j2": f"{{% if x %}}\n- list: names\n  items: {{{{ names | to_json }}}}\n{{% endif %}}\n{JINJA}",
}


def found_in(name: str, text: str) -> list[Finding]:
    files, inner = unpacked((RulesFile(name, text),), templates=True)
    findings = all_placed(validate([Ruleset("", files)])[0].findings, inner)
    return [one for one in findings if one.code != "FN009" and not one.code.startswith("LOAD_UNUSED")]


def words_at(findings: list[Finding], text: str) -> list[str]:
    """What stands at each finding's place, up to where a word ends."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    rest = [lines[(one.line or 0) - 1][(one.column or 0) - 1 :] for one in findings]
    return sorted(re.match(r"\"?([^\s\":\\]*)", one).group(1) for one in rest)  # type: ignore[union-attr]  # always


@pytest.mark.parametrize("form", ["plain", "crlf", "bom"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_is_told_where_the_file_has_it(kind: str, form: str) -> None:
    text = KINDS[kind]
    text = text.replace("\n", "\r\n") if form == "crlf" else f"\ufeff{text}" if form == "bom" else text
    findings = found_in(kind, text)
    others = {"tag"} if "no YAML elsewhere" in kind else set()
    assert {one.file for one in findings} == {kind}
    assert set(words_at(findings, text)) - others == set(FAULTS) - others
    assert len(findings) == len(FAULTS) + ("no YAML elsewhere" in kind)


def test_what_is_encoded_is_told_at_its_beginning_with_the_line_within() -> None:
    text = f"kind: Secret\ndata:\n  a.yaml: {base64.b64encode(RULES.encode()).decode()}\n"
    findings = found_in("secret.yaml", text)
    assert {(one.line, one.column) for one in findings} == {(3, 11)}
    assert sorted(one.message.split("(line ")[1][0] for one in findings) == ["5", "6", "7", "8"]


@pytest.mark.parametrize(
    "kind", ["values", "values, in double quotes", "application", "variables, in JSON", "quote.md"]
)
def test_a_mend_is_one_of_the_file_around(kind: str) -> None:
    text = KINDS[kind]
    lines = text.split("\n")
    mends = [(one.fix, lines[one.fix.line - 1]) for one in found_in(kind, text) if one.fix]
    replaced = {line[fix.column - 1 : fix.end_column - 1]: fix.text for fix, line in mends}
    assert replaced == {"proc.nmae": "proc.name", "%proc.cmdlin": "%proc.cmdline", "tag": "tags"}


def test_nothing_is_said_of_what_an_expression_becomes() -> None:
    text = "{{ head }}\n- list: names\n  items: {{ names }}\n- macro: m\n  condition: {{ field }} = cat\n"
    assert found_in("rules.yaml", text) == []


@given(st.text("{}%#- ax\n\t'\"", max_size=60))
def test_a_template_keeps_its_lines_and_columns(text: str) -> None:
    plain = untemplated(text)
    assert [len(line) for line in plain.split("\n")] == [len(line) for line in text.split("\n")]
