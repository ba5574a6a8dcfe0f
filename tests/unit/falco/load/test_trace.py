"""Where characters of resolved conditions were written: the same as a slow way that notes it for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.items import Entry, ListItem, Rule, Written
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.substitution import (
    Edit,
    exception_parts,
    quote_item,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.trace import Origin, Traced, Tracer
from hypothesis import example, given
from hypothesis import strategies as st

WORDS = st.sampled_from(["sh", "bash", "a b", "'q'", "one", "two", "three", "'a \"b\"'", "(x)"])


def slowly(rule: Rule, loaded: Loaded) -> list[Origin | None]:
    """The origin of each character, kept for all of them while the text is put together."""
    origins = of_parts(rule.written)
    if rule.exceptions:
        origins = [None, *origins, None]
        for exception, (text, entry) in exception_parts(rule):
            origins += of_entry(text, entry, ("exception", exception.name))
    edits: list[Edit] = []
    text = "".join(["(", rule.condition, ")", *[part[0] for _one, part in exception_parts(rule)]])
    loaded.compiler.lists.apply(text if rule.exceptions else rule.condition, edits)
    for edit in edits:
        name = origins[edit.at]
        inner = of_list(edit.name, loaded)
        outer = name.way if name else ()
        placed = [one._replace(way=(*outer, *one.way)) if one else name for one in inner]
        origins = [*origins[: edit.start], *([name] if edit.blank else []), *placed, None, *origins[edit.end :]]
    return origins


def of_parts(parts: Sequence[Written]) -> list[Origin | None]:
    origins: list[Origin | None] = []
    for part in parts:
        origins += [None] if origins else []
        origins += [Origin(part, offset) for offset in range(len(part.node.value))]
    return origins


def of_entry(text: str, entry: Entry | None, way: tuple[str, str]) -> list[Origin | None]:
    if entry is None or entry.written is None:
        return [None] * len(text)
    return of_quoted(text, entry.text, entry.written, (way,))


def of_quoted(text: str, value: str, written: Written, way: tuple[tuple[str, str], ...]) -> list[Origin | None]:
    lead = max(text.find(value), 0)
    last = max(len(value) - 1, 0)
    return [Origin(written, min(max(offset - lead, 0), last), way) for offset in range(len(text))]


def of_list(name: str, loaded: Loaded) -> list[Origin | None]:
    lists = loaded.compiler.collector.lists
    origins: list[Origin | None] = []
    for value, written, way in items_of(lists[name], lists, name):
        origins += [None, None] if origins else []
        origins += of_quoted(quote_item(value), value, written, way)
    return origins


def items_of(
    item: ListItem, lists: dict[str, ListItem], name: str
) -> list[tuple[str, Written, tuple[tuple[str, str], ...]]]:
    found: list[tuple[str, Written, tuple[tuple[str, str], ...]]] = []
    for part in item.written:
        for node in part.node.value:
            other = lists.get(node.value)
            if other is not None and other.index < item.visibility:
                way = (("list", name), ("list", node.value))
                found += [
                    (one.value, Written(inner.file, one), way) for inner in other.written for one in inner.node.value
                ]
            else:
                found.append((node.value, Written(part.file, node), (("list", name),)))
    return found


@example(one=["sh", "''", "bash"], two=["''", "one", "''"], values=[], appended=False)
@given(
    one=st.lists(WORDS, min_size=1, max_size=3),
    two=st.lists(WORDS, min_size=1, max_size=3),
    values=st.lists(WORDS, max_size=3),
    appended=st.booleans(),
)
def test_each_character_has_the_origin_that_the_slow_way_has(
    one: list[str], two: list[str], values: list[str], appended: bool
) -> None:
    text = f"- list: one\n  items: [{', '.join(one)}]\n- list: two\n  items: [{', '.join(two)}]\n"
    text += "- rule: R\n  desc: d\n  condition: evt.type = open and (proc.name in (one, x, two) or fd.name in (two))\n"
    text += "  output: o\n  priority: NOTICE\n"
    if values:
        text += (
            "  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      comps: [in, =]\n      values:\n"
        )
        text += "".join(f"        - [[one, {value}], {value}]\n" for value in values)
    change = "- rule: R\n  condition: and proc.pname in ( one )\n  override: {condition: append}\n" if appended else ""
    loaded = load([RulesFile("a.yaml", text), RulesFile("b.yaml", change)])
    rule = loaded.collector.rules["R"]
    traced = Tracer(loaded.compiler).rule(rule)
    if "R" in loaded.compiler.rules:
        assert traced.text == loaded.compiler.rules["R"].condition
    assert [traced.origin(index) for index in range(len(traced.text))] == slowly(rule, loaded)


RULE = "- rule: R\n  desc: d\n  condition: |\n    {}\n  output: o\n  priority: NOTICE\n"
LISTED = "- list: one\n  items: [sh, a b]\n" + RULE.format("evt.type = open and proc.name in (one)")
APPENDED = LISTED + "- rule: R\n  condition: and fd.num = 1\n  override: {condition: append}\n"
EXCEPTED = LISTED + "  exceptions: [{name: e, fields: [proc.name], comps: [=], values: [[one]]}]\n"


def traced(text: str) -> Traced:
    loaded = load([RulesFile("a.yaml", text)])
    return Tracer(loaded.compiler).rule(loaded.collector.rules["R"])


def spot(text: str, before: str, shift: int = 0) -> tuple[str, int] | None:
    """The scalar and the offset in it of what follows some text of a condition."""
    found = traced(text)
    origin = found.at(found.text.index(before) + len(before) + shift)
    return origin and (origin.written.node.value.strip(), origin.offset)


def test_what_was_put_in_has_the_place_behind_what_was_written_before_it() -> None:
    whole = "evt.type = open and proc.name in (one)"
    assert spot(LISTED, "", -5) == spot(LISTED, "") == (whole, 0)
    assert spot(LISTED, "evt") == (whole, 3)
    assert spot(LISTED, "( ") == ("sh", 0)
    # a comma between items is of the list's name
    assert spot(LISTED, "sh") == (whole, whole.index("one"))
    assert spot(LISTED, "sh, ") == ("a b", 0)
    # behind the list, and behind all of the text and the blanks at its end
    assert spot(LISTED, '"a b"') == ("a b", 3)
    assert spot(LISTED, ")", 5) == (whole, len(whole))
    assert spot(APPENDED, ")\n") == (whole, len(whole))
    assert spot(APPENDED, "and fd.num") == ("and fd.num = 1", 10)
    assert spot(EXCEPTED, "") == (whole, 0)


def test_the_steps_of_a_stretch_are_those_of_its_words() -> None:
    found = traced(EXCEPTED)
    size = len(found.text)
    assert list(found.ways(0, found.text.index("in"))) == []
    assert set(found.ways(0, size)) == {("list", "one"), ("exception", "e")}
    behind = found.text.index("and not")
    assert next(iter(found.ways(behind + 7, size))) == ("exception", "e")
