"""Strategies: conditions as trees, and YAML that was a ruleset before something happened to it."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.lexer import MODIFIERS, STRING_OPERATORS
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import (
    And,
    Compare,
    Exists,
    Field,
    Macro,
    Node,
    Not,
    Or,
    Transformer,
    TransformerList,
    Value,
    ValueList,
)
from hypothesis import strategies as st

FIELDS = sorted(catalogue().sources["syscall"].names())
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
WORD = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
NAME = WORD.filter(lambda word: word not in ("and", "or", "not"))
NUMBER = st.from_regex(r"[+-]?[0-9]{1,6}", fullmatch=True)
FIELD = st.builds(Field, st.sampled_from(FIELDS), st.one_of(st.none(), TEXT.filter(bool)))


def transformers(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    listed = st.builds(TransformerList, st.lists(inner, max_size=3).map(tuple))
    args = st.lists(st.one_of(inner, st.builds(Value, TEXT), st.builds(Value, NUMBER), listed), min_size=1, max_size=3)
    names = st.sampled_from(("tolower", "b64", "len", "join", "concat", "getopt"))
    return st.builds(Transformer, names, args.map(tuple), st.one_of(st.none(), WORD))


OPERAND = st.recursive(FIELD, transformers, max_leaves=4)
RIGHT_FIELD = st.one_of(st.builds(lambda field: Transformer("val", (field,)), FIELD), transformers(FIELD))
VALUES = st.builds(ValueList, st.lists(TEXT, max_size=3).map(tuple))
CHECK = st.one_of(
    st.builds(Macro, NAME.filter(lambda name: "." not in name)),
    st.builds(Exists, OPERAND),
    st.builds(
        Compare, OPERAND, st.sampled_from(("<", "<=", ">", ">=")), st.one_of(st.builds(Value, NUMBER), RIGHT_FIELD)
    ),
    st.builds(Compare, OPERAND, st.sampled_from(STRING_OPERATORS), st.one_of(st.builds(Value, TEXT), RIGHT_FIELD)),
    st.builds(
        Compare,
        OPERAND,
        st.builds(" ".join, st.tuples(st.sampled_from(STRING_OPERATORS), st.sampled_from(MODIFIERS))),
        VALUES,
    ),
    st.builds(Compare, OPERAND, st.sampled_from(("in", "intersects", "pmatch")), st.one_of(VALUES, RIGHT_FIELD)),
)


def _compound(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(And, many), st.builds(Or, many), st.builds(Not, inner))


CONDITION = st.recursive(CHECK, _compound, max_leaves=8)

RULES = """- required_engine_version: 0.40.0
- list: shells
  items: [bash, sh, "a b"]
- macro: shell_started
  condition: >
    evt.type = execve and
    proc.name in (shells)
- rule: Shell
  desc: a shell
  condition: shell_started and not proc.pname startswith "x"
  output: "shell %proc.cmdline (user=%user.name)"
  priority: WARNING
  tags: [host, T1059]
  exceptions:
    - name: known
      fields: [proc.name, fd.name]
      comps: [=, in]
      values:
        - [bash, [/tmp, /var]]
- rule: Shell
  condition: and fd.num > 0
  override:
    condition: append
"""
PIECES = [
    *(
        "\t",
        "\n",
        "  ",
        "- ",
        ": ",
        ":",
        '"',
        "'",
        "#",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "!t ",
        "|\n",
        ">-\n",
        "?",
    ),
    *(
        "---\n",
        "...\n",
        "\0",
        "\x04",
        "\ufeff",
        "\udcff",
        "é",
        "\r\n",
        "\r",
        "~",
        "null",
        "<<: *a",
        "\\",
        "(",
        ")",
        "or ",
    ),
]


@st.composite
def mutated_rules(draw: st.DrawFn) -> str:
    text = RULES
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 12)))
        text = (
            text[:at]
            + draw(st.one_of(st.sampled_from(PIECES), st.just(""), st.just(text[at:until] * 2)))
            + text[until:]
        )
    return text
