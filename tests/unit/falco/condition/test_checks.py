"""What Falco says of a check that it refuses, and where the refused part of it stands."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import FieldInfo, Source, catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.blame import blamed
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.checks import check_compare, check_exists
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Compare, Exists, Node
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import CheckError, EngineAbortError

from .tables import table


def refused(text: str, fields: FieldTable | None = None) -> str:
    """The message with which a check is refused; empty when it is taken."""
    node = parse(text)
    try:
        if isinstance(node, Exists):
            check_exists(fields or table(), node)
        else:
            assert isinstance(node, Compare)
            check_compare(fields or table(), node, [])
    except (CheckError, EngineAbortError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("nosuch.field exists", "nosuch", "filter_check called with nonexistent field nosuch.field"),
        ("tolower(nosuch.field) exists", "nosuch", "filter_check called with nonexistent field nosuch.field"),
        ("proc.name = val(proc.pname)[x]", "val", "filter error: transformer 'val' does not support field arguments"),
        (
            "tolower(proc.name)[x] = y",
            "tolower",
            "filter error: transformer 'tolower' does not support field arguments",
        ),
        ("join(proc.name) = x", "join", "unknown field transfomer 'join'"),
        ('join(",", proc.name, proc.exe) = x', "join", "join() requires exactly 2 arguments: separator and list"),
        ("join((proc.name), (proc.exe)) = x", "join", "join() first argument (separator) must be a single value"),
        ('join(",", proc.name) = x', "join", "join() second argument must be a list"),
        ('concat("a", fd.num) = x', "concat", "concat() arguments must be strings"),
        ("concat(proc.name, (proc.exe)) = x", "concat", "concat() arguments must be strings"),
        (
            "concat(tolower(proc.name), nosuch.field) = x",
            "nosuch",
            "filter_check called with nonexistent field nosuch.field",
        ),
        ("concat(proc.name, proc.exe)[x] = y", "concat", "transformer 'concat' does not support field arguments"),
        ("tolower(proc.name, proc.exe) = y", "tolower", "unknown multivalue transformer"),
        (
            'getopt(proc.args, "a:", "b") exists',
            "getopt",
            "getopt() requires exactly 2 arguments: args list and optstring",
        ),
        ('getopt(proc.name, "a:") exists', "getopt", "getopt() first argument must be a list"),
        (
            "getopt((proc.name), (proc.exe)) exists",
            "getopt",
            "getopt() second argument (optstring) must be a single value",
        ),
        ("getopt((proc.name), 'a') = a", "= a", "filter error: '=' operator not supported list filters"),
        ("getopt((proc.name), fd.num) exists", "getopt", "getopt() arguments must be strings"),
        ('getopt((proc.name), "ab:")[ab] = x', "getopt", "getopt() field argument must be a single option character"),
        ("evt.rawarg.euid == 1", "==", "filter error: '=' operator not supported for type 'uid'"),
        ("fd.num startswith 1", "startswith", "filter error: 'startswith' operator not supported for numeric filters"),
        ("evt.is_io < 1", "<", "filter error: '<' operator not supported for numeric filters"),
        ("fd.sip contains a", "contains", "filter error: 'contains' operator not supported for ip address and network"),
        ("fd.types = file", "=", "filter error: '=' operator not supported list filters"),
        (
            "evt.buffer bcontains cafg",
            "cafg",
            "filter error: bcontains and bstartswith operator support hex strings only",
        ),
        (
            "evt.buffer bstartswith caf",
            "caf",
            "filter error: bcontains and bstartswith operator support hex strings only",
        ),
        ("evt.buffer bcontains " + "ca" * 256, "caca", "filter parameter too long (byte buf)"),
        ("len(evt.type) = 4", "4", "unknown event type 4"),
        ("evt.around[5] != 1", "1", "evt.around supports only '=' comparison operator"),
        ("proc.name regex val(proc.pname)", "val", "operator 'REGEX' doesn't support right-hand side fields"),
        ("fd.net = val(fd.cnet)", "val", "field type 'IPNET' doesn't support right-hand side fields"),
        ("evt.arg.uid = val(proc.aname[1])", "val", "field 'proc.aname' can't be used as a right-hand side field"),
        ("len(fd.num) = 1", "len", "can't add field transformer: type 'int64' is not supported by 'len' transformer"),
        ("toupper(fd.port) = a", "toupper", "field 'fd.port' does not support transformers"),
        (
            "proc.name = val(fd.num)",
            "val",
            "field 'proc.name' has type 'CHARBUF' while the right-hand side field 'fd.num'",
        ),
        (
            "fd.types in val(proc.name)",
            "val",
            "field 'fd.types' doesn't support right-hand side fields",
        ),
        ("proc.name = val(nosuch.field)", "nosuch", "filter_check called with nonexistent field nosuch.field"),
        ("fd.num in (x, 1)", "x", "x is not a valid number"),
        ("proc.name in (a, b, '\\x00c')", "'\\x00c'", "filter error: filter value cannot contain a NUL byte"),
        ("fd.num in (1, 2, x)", "x", "x is not a valid number"),
        ("fd.num in ('1', ' 2', 3x, 4)", "3x", "3x is not a valid number"),
        ("evt.type in (open, 'openat', 'opne')", "'opne'", "unknown event type opne"),
    ],
)
def test_what_is_refused_and_where(text: str, at: str, message: str) -> None:
    assert refused(text).startswith(message)
    assert blamed(table(), parse(text), text) == text.index(at)


@pytest.mark.parametrize(
    "text",
    [
        'join(",", (proc.name, proc.exe)) = x',
        "concat(proc.name, proc.exe) contains x",
        'getopt((proc.name), "a:") in (a)',
        'getopt((proc.name), "a:")[a] = x',
        "tolower((proc.name, proc.exe)) in (x)",
        "len(fd.types) > 1",
        "len(evt.buffer) > 1",
        # what joins several values forgets to compare the types
        "concat(proc.name, proc.exe) = val(fd.num)",
        "evt.around[5] = 1",
        "evt.buffer bcontains 0123456789abcdefABCDEF",
        "evt.buffer bcontains " + "ca" * 255,
        # no field but an argument of an event has the type of a path
        "evt.rawarg.path startswith /etc",
        "evt.type = ''",
    ],
)
def test_what_is_taken(text: str) -> None:
    assert refused(text) == ""


def test_an_invalid_expression_is_refused_since_0_44_and_only_where_it_is_one() -> None:
    node, text = parse("proc.name regex '(a'"), parse("proc.name = '(a'")
    assert isinstance(node, Compare)
    assert isinstance(text, Compare)
    with pytest.raises(CheckError, match="invalid regex pattern"):
        check_compare(table("0.44"), node, [])
    check_compare(table("0.43"), node, [])
    check_compare(table("0.44"), text, [])


def test_of_what_is_no_check_the_start_is_told() -> None:
    node: Node = parse("  m")
    assert blamed(table(), node, "  m") == 2


def test_of_a_check_that_is_not_refused_the_start_is_told() -> None:
    assert blamed(table(), parse("  proc.name in (a, b)"), "  proc.name in (a, b)") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "toupper(my.ports) in (a)",
            "can't add field transformer: type 'port' is not supported by 'toupper' transformer "
            "applied on list field 'my.ports'",
        ),
        ("getopt(my.ports, 'a:') exists", "getopt() arguments must be strings"),
        (
            "my.ports in val(my.port)",
            "field 'my.ports' has type 'PORT (list)' while the right-hand side field 'my.port' "
            "has incompatible type 'PORT'",
        ),
        ("my.ports in val(my.ports)", ""),
    ],
)
def test_a_list_of_what_is_no_text_as_a_plugin_may_have(text: str, message: str) -> None:
    fields = {"my.ports": FieldInfo("my.ports", "port", is_list=True), "my.port": FieldInfo("my.port", "port")}
    assert refused(text, FieldTable(catalogue(NEWEST), Source("mine", {}, fields, ()))) == message


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("proc.name = fd.name", "'fd.name' may be a valid field misused as a const string value"),
        ("proc.name = 'tolower(fd.name)'", "'tolower(fd.name)' may be a valid field transformer misused"),
        ("proc.name = 'val(x)'", "'val(x)' may be a valid field transformer misused as a const string value"),
        ("proc.name = fd.types[x]", ""),  # its argument is wrong, so that it is no valid field
        ("proc.name = a.b", ""),
        ("proc.name regex ^abc$", "regex check with '^abc$' may be optimized with simpler operators"),
        ("proc.name regex '.*abc.*'", "regex check with '.*abc.*' may be optimized with simpler operators"),
        ("proc.name regex 'a.*b'", ""),
        ("proc.name regex '[ab]'", ""),
        ("proc.name regex 'a^b'", ""),
        ("proc.name regex 'a$b'", ""),
        ("proc.name regex '.bc'", ""),
        ("proc.name regex 'ab+'", ""),
        ("proc.name regex '^.a'", ""),
        ("proc.name regex 'a+bc'", ""),
        ("proc.name regex '.*.a'", ""),
        ("proc.name regex '.'", ""),
        ("proc.name = abc", ""),
        ("proc.name = 'val(x'", ""),
    ],
)
def test_a_value_that_may_be_meant_otherwise(text: str, warned: str) -> None:
    node = parse(text)
    assert isinstance(node, Compare)
    warnings: list[tuple[Node, str]] = []
    check_compare(table(), node, warnings)
    assert [message[: len(warned)] for _node, message in warnings] == ([warned] if warned else [])
