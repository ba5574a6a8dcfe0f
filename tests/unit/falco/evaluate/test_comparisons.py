"""Comparisons on field maps: types, missing values, lists, and what Falco does differently than one would think."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.conditions import ConditionCompiler
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import FieldMap
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.reference import reference_holds
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.special import MAX_ANCESTORS

TABLES = {name: FieldTable(catalogue(), source) for name, source in catalogue().sources.items()}


def holds(condition: str, fields: dict[str, Any], source: str = "syscall") -> bool:
    node = parse(condition)
    result = ConditionCompiler(TABLES[source], {}).compile(node).test(FieldMap(fields))
    assert result is reference_holds(TABLES[source], {}, node, FieldMap(fields)), "the reference disagrees"
    return result


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        # a missing value makes every comparison false
        ("proc.name = x", {}, False),
        ("proc.name != x", {}, False),
        ("not proc.name = x", {}, True),
        ("proc.name exists", {"proc.name": None}, False),
        ("proc.name exists", {"proc.name": ""}, True),
        ("proc.name = proc.exe", {"proc.name": "proc.exe", "proc.exe": "y"}, True),
        ("proc.name = val(proc.exe)", {"proc.name": "x"}, False),
        ("proc.name = val(proc.exe)", {"proc.name": "x", "proc.exe": "x"}, True),
        ("proc.name != val(proc.exe)", {"proc.name": "x", "proc.exe": "x"}, False),
        ("proc.exe endswith val(proc.name)", {"proc.exe": "/bin/sh", "proc.name": "sh"}, True),
        ("proc.pid > val(proc.ppid)", {"proc.pid": 3, "proc.ppid": 2}, True),
        # texts
        ("proc.name icontains ÉA", {"proc.name": "éa"}, False),
        ("proc.name icontains ÉA", {"proc.name": "xÉa"}, True),
        ("proc.name startswith ''", {"proc.name": ""}, True),
        ('proc.name contains "\\xc3"', {"proc.name": "é"}, True),
        ('proc.name startswith "\\xa9"', {"proc.name": "é"}, False),
        ('proc.name endswith "\\xa9"', {"proc.name": "é"}, True),
        ('proc.name icontains "A\\xc3"', {"proc.name": "aé"}, True),
        ("proc.exe contains val(proc.name)", {"proc.exe": "é", "proc.name": "\udcc3"}, True),
        ("proc.exe startswith val(proc.name)", {"proc.exe": "é", "proc.name": "\udcc3"}, True),
        ("proc.exe endswith val(proc.name)", {"proc.exe": "é", "proc.name": "\udcc3"}, False),
        ("proc.exe icontains val(proc.name)", {"proc.exe": "aé", "proc.name": "A\udcc3"}, True),
        ("proc.name regex 'a\n^b'", {"proc.name": "a\nb"}, True),
        ("proc.name regex '.^b'", {"proc.name": "ab"}, False),
        ("proc.name in (a, b)", {"proc.name": "b"}, True),
        ("proc.name in ()", {"proc.name": "b"}, False),
        ("not proc.name in ()", {"proc.name": "b"}, True),
        ("proc.name intersects (a, b)", {"proc.name": "b"}, True),
        ("proc.name in a", {"proc.name": "a"}, True),
        # numbers: constants saturate and wrap
        ("proc.pid = 9223372036854775808", {"proc.pid": 9223372036854775807}, True),
        ("user.uid = -1", {"user.uid": 4294967295}, True),
        ("user.uid in (0, 4294967296)", {"user.uid": 0}, True),
        ("proc.pid = 5", {"proc.pid": "5"}, True),
        ("proc.pid = 5", {"proc.pid": "five"}, False),
        ("fd.num >= -1", {"fd.num": -1}, True),
        ("thread.cpu > 1", {"thread.cpu": 1.5}, True),
        ("fd.dev = 65024", {"fd.dev": "FE00"}, True),  # recorded in base 16
        ("fd.dev < 0", {"fd.dev": "FFFFFFFF"}, True),
        ("fd.dev = 16", {"fd.dev": 16}, True),
        ("fd.dev = 16", {"fd.dev": "device"}, False),
        ("evt.failed = true", {"evt.failed": True}, True),
        ("evt.failed != true", {"evt.failed": False}, True),
        ("evt.failed in (true, false)", {"evt.failed": False}, True),
        ("evt.failed = true", {"evt.failed": "true"}, True),
        ("evt.type.is.open = 1", {"evt.type": "open"}, True),
        ("evt.type.is.open = 0", {"evt.type": "close"}, True),
        ("evt.type.is.open exists", {}, False),
        # buffers
        ("evt.buffer bcontains 6263", {"evt.buffer": "abcd"}, True),
        ("evt.buffer bstartswith 6162", {"evt.buffer": "abcd"}, True),
        ("evt.buffer contains bc", {"evt.buffer": "abcd"}, True),
        ("len(evt.buffer) = 2", {"evt.buffer": "é"}, True),
        ("len(b64(evt.buffer)) = 2", {"evt.buffer": "YQ"}, True),  # Falco counts the NUL that it adds
        # modifiers
        ("proc.name startswith anyof (a, b)", {"proc.name": "bx"}, True),
        ("proc.name contains allof (a, b)", {"proc.name": "xbax"}, True),
        ("proc.name contains oneof (a, b)", {"proc.name": "xbax"}, False),
        ("proc.name contains oneof (a, a)", {"proc.name": "a"}, False),
        ("proc.name != anyof (a, b)", {"proc.name": "a"}, True),
        ("proc.name != allof (a, b)", {"proc.name": "a"}, False),
        ("proc.name regex anyof (a+, b+)", {"proc.name": "bb"}, True),
        ("proc.name = allof ()", {"proc.name": "a"}, False),
        ("proc.name != allof ()", {"proc.name": "a"}, False),
        # lists
        ("fd.types in (file, ipv4)", {"fd.types": ["file", "ipv4"]}, True),
        ("fd.types in (file, ipv4)", {"fd.types": ["file", "unix"]}, False),
        ("fd.types intersects (file)", {"fd.types": ["unix", "file"]}, True),
        ("fd.types intersects (file)", {"fd.types": []}, False),
        ("fd.types exists", {"fd.types": []}, False),
        ("len(fd.types) = 2", {"fd.types": ["file", "ipv4"]}, True),
        ("tolower(fd.types) intersects (file)", {"fd.types": ["FILE", "file"]}, False),  # the NUL at the end counts
        ('join("-", fd.types) = a-b', {"fd.types": ["a", "b"]}, True),
        # transformers
        ("tolower(proc.name) = a", {"proc.name": "A"}, True),
        ("toupper(tolower(proc.name)) in (A)", {"proc.name": "a"}, True),
        ("basename(proc.exepath) = sh", {"proc.exepath": "/bin/sh"}, True),
        ("b64(proc.name) = a", {"proc.name": "YQ=="}, True),
        ("b64(proc.name) exists", {"proc.name": "!"}, False),
        ("b64(proc.name) = ab", {"proc.name": "YWIAYw"}, True),  # up to the NUL
        ("b64(proc.name) in (ab)", {"proc.name": "YWIAYw"}, False),  # its length counts
        ("b64(proc.name) in (ab)", {"proc.name": "YWIAAA"}, True),  # NULs at the end do not
        ("b64(proc.name) = anyof (ab)", {"proc.name": "YWIAYw"}, False),
        ("b64(proc.name) = oneof (ab)", {"proc.name": "YWIAYw"}, True),
        ("len(proc.name) = 2", {"proc.name": "é"}, True),
        ('join("+", (proc.name, proc.exe)) = a+b', {"proc.name": "a", "proc.exe": "b"}, True),
        ('join("+", (proc.name, proc.exe)) exists', {"proc.name": "a"}, False),
        ("join('+', ()) exists", {}, True),
        ("join(getopt((proc.name), 'a'), (proc.name, proc.exe)) exists", {"proc.name": "a", "proc.exe": "b"}, False),
        ("concat(proc.exe, getopt((proc.name), 'a')) exists", {"proc.name": "a", "proc.exe": "b"}, False),
        ("concat(proc.exe, getopt((proc.name), 'a')) = ba", {"proc.name": "-a", "proc.exe": "b"}, True),
        ('join("+", (proc.name, proc.pid)) = a+7', {"proc.name": "a", "proc.pid": 7}, True),
        ("join(tolower(proc.exe), (proc.name, proc.name)) = a+", {"proc.name": "a", "proc.exe": "+"}, True),
        ("join(tolower(proc.exe), (proc.name, proc.name)) = a+a", {"proc.name": "a", "proc.exe": "+"}, False),
        ('join("+", (len(proc.name), proc.name)) startswith "\\x01+"', {"proc.name": "a"}, True),
        ('len(join("", (thread.cpu, "a"))) = 1', {"thread.cpu": 2.5}, True),  # the bytes of 2.5 begin with a NUL
        ('concat(proc.name, "-", proc.exe) = a-b', {"proc.name": "a", "proc.exe": "b"}, True),
        ("concat(proc.name, proc.exe) != x", {"proc.name": "a"}, False),
        ("proc.name in tolower(proc.exe)", {"proc.name": "a", "proc.exe": "A"}, False),  # the NUL at the end counts
        ("proc.name = tolower(proc.exe)", {"proc.name": "a", "proc.exe": "A"}, True),
        ("proc.name in val(proc.exe)", {"proc.name": "a", "proc.exe": "a"}, True),
        ('getopt((proc.name, "x"), "a:")[a] = x', {"proc.name": "-a"}, True),
        ('getopt((proc.name, "x"), "a:") intersects (x)', {"proc.name": "-a"}, True),
        ('len(getopt((proc.name, "xyz"), "a:")) = 1', {"proc.name": "-a"}, True),  # of the first, not of the list
        ('getopt(len(fd.types), "a") intersects (a)', {"fd.types": ["-a"]}, False),  # the bytes of the number 1
        ('getopt(len(fd.types), "a") in (b)', {"fd.types": ["-a"]}, True),
        # all of no options at all are among any
        ('tolower(getopt((proc.name, "x"), "a:")) in (y)', {"proc.name": "a"}, True),
        ('tolower(getopt((proc.name, "x"), "a:")) in (a, x)', {"proc.name": "-a"}, False),
        ('tolower(getopt((proc.name, "x"), "a:")) intersects (y)', {"proc.name": "a"}, False),
        # what joins several forgets the field that it is compared with
        ("concat(proc.name, proc.name) = val(proc.exe)", {"proc.name": "a", "proc.exe": "aa"}, False),
        ("concat(proc.name, proc.name) != val(proc.exe)", {"proc.name": "a", "proc.exe": "b"}, False),
        ("concat(proc.name, proc.name) = len(proc.exe)", {"proc.name": "a", "proc.exe": "b"}, False),
        ("proc.exe = concat(proc.name, proc.name)", {"proc.name": "a", "proc.exe": "aa"}, True),
        # times
        ("evt.time startswith 00:00:01", {"evt.time": 1_000_000_000}, True),
        ("evt.datetime = '1970-01-01 00:00:01.000000000'", {"evt.datetime": 1_000_000_000}, True),
        ("evt.around[1700000000000000000] = 1000", {"evt.rawtime": 1_700_000_000_500_000_000}, True),
        ("evt.around[-1] = 0", {"evt.rawtime": 2**64 - 1}, True),
        ("evt.around[1700000000000000000] = 100", {"evt.rawtime": 1_700_000_000_500_000_000}, False),
        # raw arguments are compared in a set as if they were empty
        ("evt.rawarg.res = 3", {"evt.rawarg.res": 3}, True),
        ("evt.rawarg.res in (3)", {"evt.rawarg.res": 3}, False),
        ("evt.rawarg.name in (a)", {"evt.rawarg.name": "a"}, True),
        # ... with the first constant, whatever the modifier
        ("evt.rawarg.res = anyof (3, 4)", {"evt.rawarg.res": 4}, False),
        ("evt.rawarg.res = oneof (3, 3)", {"evt.rawarg.res": 3}, True),
        ("evt.rawarg.res != allof (3, 4)", {"evt.rawarg.res": 4}, True),
        ("evt.rawarg.name startswith anyof (a, b)", {"evt.rawarg.name": "b"}, False),
        ("evt.rawarg.name regex anyof ('a.', 'b.')", {"evt.rawarg.name": "bc"}, False),
        ("evt.rawarg.name contains allof (a, b)", {"evt.rawarg.name": "ac"}, True),
        # ... and a buffer as if it were empty, without a byte it has no value
        ("evt.rawarg.data contains b", {"evt.rawarg.data": "abc"}, False),
        ("evt.rawarg.data bcontains 62", {"evt.rawarg.data": "abc"}, False),
        ("evt.rawarg.data startswith ''", {"evt.rawarg.data": "abc"}, True),
        ("evt.rawarg.data = ''", {"evt.rawarg.data": "abc"}, True),
        ("evt.rawarg.data = abc", {"evt.rawarg.data": "abc"}, False),
        ("evt.rawarg.data != abc", {"evt.rawarg.data": "abc"}, True),
        ("evt.rawarg.data != abc", {"evt.rawarg.data": ""}, False),
        ("evt.rawarg.data in (abc)", {"evt.rawarg.data": "abc"}, False),
        ("evt.rawarg.data in (abc, '')", {"evt.rawarg.data": "abc"}, True),
        ("evt.rawarg.data exists", {"evt.rawarg.data": ""}, False),
        ("evt.rawarg.data exists", {"evt.rawarg.data": "a"}, True),
    ],
)
def test_comparisons(condition: str, fields: dict[str, Any], expected: bool) -> None:
    assert holds(condition, fields) is expected


CONNECTION = {
    "fd.type": "ipv4",
    "fd.name": "10.0.0.1:1000->192.168.0.2:443",
    "fd.cip": "10.0.0.1",
    "fd.sip": "192.168.0.2",
    "fd.cport": 1000,
    "fd.sport": 443,
    "fd.cnet": "<IPNET>",
    "fd.snet": "<IPNET>",
}
CONNECTION_6 = {"fd.type": "ipv6", "fd.name": "::1:1000->2001:db8::2:443", "fd.sip": "2001:db8::2"}


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        ("fd.sip = 192.168.0.2", CONNECTION, True),
        ("fd.sip in (1.1.1.1, 192.168.0.2)", CONNECTION, True),
        ("fd.sip = ::1", CONNECTION, False),
        ("fd.sip != ::1", CONNECTION, True),
        ("fd.sip = 2001:db8:0::2", CONNECTION_6, True),
        ("fd.snet = 192.168.0.0/16", CONNECTION, True),
        ("fd.snet != 192.168.0.0/16", CONNECTION, False),
        ("fd.snet in (10.0.0.0/8, 192.168.0.0/16)", CONNECTION, True),
        ("fd.snet in (2001:db8::/32)", CONNECTION_6, True),
        ("fd.snet != 10.0.0.0/8", CONNECTION_6, True),
        ("fd.snet = anyof (192.168.0.0/16)", CONNECTION, False),  # an address is never in a set of networks
        ("fd.snet = oneof (192.168.0.0/16)", CONNECTION, True),
        ("fd.snet != allof (192.168.0.0/16)", CONNECTION, True),
        ("fd.snet exists", CONNECTION, True),
        ("fd.lnet exists", CONNECTION, False),
        ("fd.sport = https", CONNECTION, True),
        ("fd.sport < 500", CONNECTION, True),
        # both ends
        ("fd.ip = 10.0.0.1", CONNECTION, True),
        ("fd.ip = 192.168.0.2", CONNECTION, True),
        ("fd.ip != 10.0.0.1", CONNECTION, False),
        ("fd.ip != 1.1.1.1", CONNECTION, True),
        ("fd.ip in (10.0.0.1)", CONNECTION, False),  # never holds
        ("fd.ip = ::1", CONNECTION_6, True),
        ("fd.net = 10.0.0.0/8", CONNECTION, True),
        ("fd.net in (1.0.0.0/8, 10.0.0.0/8)", CONNECTION, False),  # only the first is looked at
        ("fd.net in (10.0.0.0/8, 1.0.0.0/8)", CONNECTION, True),
        ("fd.net != 10.0.0.0/8", CONNECTION, False),
        ("fd.port = 443", CONNECTION, True),
        ("fd.port in (1, 1000)", CONNECTION, True),
        ("fd.port != 443", CONNECTION, False),
        ("fd.port != 80", CONNECTION, True),
        ("fd.port > 900", CONNECTION, True),
        ("fd.port exists", {"fd.type": "file", "fd.name": "/x"}, True),  # any descriptor has one
        ("fd.port exists", {}, False),
        # a name that is none of two addresses has no ports
        ("fd.port = 1", {"fd.name": "/x:1"}, False),
        ("fd.port = 1", {"fd.name": "1.1.1.1:1->2.2.2.2:2->3.3.3.3:3"}, False),
        ("fd.port = 2", {"fd.name": "1.1.1.1:1->2.2.2.2:2"}, True),
        # a file that could not be opened has a name and a letter, but is no descriptor
        ("fd.port exists", {"fd.num": -1, "fd.type": None, "fd.typechar": "f", "fd.name": "/x"}, False),
        ("fd.ip exists", {"fd.num": 7, "fd.type": None, "fd.typechar": "o", "fd.name": ""}, False),
        ("fd.ip exists", {"fd.num": 7, "fd.type": "<NA>", "fd.typechar": "o", "fd.name": ""}, True),
        ("fd.net exists", {"fd.num": 3}, True),
        ("fd.port = 80", {"fd.type": "file", "fd.name": "/x"}, False),
        ("fd.port = 0", {"fd.type": "ipv4", "fd.name": ""}, True),  # a new socket
        ("fd.ip = 127.0.0.1", {"fd.type": "ipv4", "fd.name": "127.0.0.1:0"}, False),
        ("fd.ip = 127.0.0.1", {"fd.type": "ipv4", "fd.name": "127.0.0.1:80"}, True),  # it listens
        ("fd.net intersects (127.0.0.0/8)", {"fd.type": "ipv4", "fd.name": "127.0.0.1:80"}, True),
        ("fd.net intersects (1.0.0.0/8, 127.0.0.0/8)", {"fd.type": "ipv4", "fd.name": "127.0.0.1:80"}, False),
        ("fd.net intersects (10.0.0.0/8)", CONNECTION, False),  # of a connection it never holds
        ("fd.ip = 1.2.3.4", {"fd.lip": "1.2.3.4"}, True),
    ],
)
def test_connections(condition: str, fields: dict[str, Any], expected: bool) -> None:
    assert holds(condition, fields) is expected


ANCESTRY = {"proc.name": "cat", "proc.aname[1]": "sh", "proc.aname[2]": "sshd", "proc.apid[1]": 20, "proc.apid[2]": 10}


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        ("proc.aname = sshd", ANCESTRY, True),
        ("proc.aname[1] = sshd", ANCESTRY, False),
        ("proc.aname in (x, sshd)", ANCESTRY, True),
        ("proc.aname != sh", ANCESTRY, True),  # any ancestor that is not
        ("proc.aname startswith anyof (x, ssh)", ANCESTRY, False),  # only the first is looked at
        ("proc.aname exists", {}, False),
        ("proc.aname = bash", {"proc.pname": "bash"}, True),
        ("proc.apid = 10", ANCESTRY, True),
        ("proc.apid in (10, 20)", ANCESTRY, False),  # never holds
        ("proc.apid[2] in (10, 20)", ANCESTRY, True),
        # the process itself and its parent have two names
        ("proc.aname[0] = cat", ANCESTRY, True),
        ("proc.pname = sh", ANCESTRY, True),
        ("proc.aexepath[1] = /bin/sh", {"proc.pexepath": "/bin/sh"}, True),
        ("proc.aname[1] exists", {"proc.aname[1]": None, "proc.pname": "sh"}, False),  # as it was recorded
        ("proc.aname pmatch (ssh, sshd)", ANCESTRY, True),
    ],
)
def test_all_ancestors(condition: str, fields: dict[str, Any], expected: bool) -> None:
    assert holds(condition, fields) is expected


PODS, NAMES = "k8smeta.pod.labels", "k8smeta.ns.labels"


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        (f"{PODS} in val({NAMES})", {PODS: ["a"], NAMES: ["a", "b"]}, True),
        (f"{PODS} in val({NAMES})", {PODS: ["a", "c"], NAMES: ["a", "b"]}, False),
        (f"{PODS} intersects val({NAMES})", {PODS: ["a", "c"], NAMES: ["a", "b"]}, True),
        (f"{PODS} in val({NAMES})", {PODS: ["a"]}, False),
        (f"{PODS} in val({NAMES})", {NAMES: ["a"]}, False),
        # a changed text counts the NUL behind it, so that it is equal to a changed one alone
        (f"tolower({PODS}) in val({NAMES})", {PODS: ["A"], NAMES: ["a"]}, False),
        (f"tolower({PODS}) in tolower({NAMES})", {PODS: ["A"], NAMES: ["a"]}, True),
        ("tolower((proc.name, proc.exe)) in (a, b)", {"proc.name": "A", "proc.exe": "B"}, False),
        ("tolower((proc.name, proc.exe)) in (a, b)", {"proc.name": "A"}, False),
        # what several values are joined to is compared with nothing, in which an empty list is
        (f"tolower((proc.name)) in val({NAMES})", {"proc.name": "A", NAMES: ["a"]}, False),
        (f"tolower(()) in val({NAMES})", {NAMES: ["a"]}, True),
        (f"getopt({PODS}, 'a') in val({NAMES})", {PODS: ["x"], NAMES: ["a"]}, True),
        (f"getopt({PODS}, 'a') intersects val({NAMES})", {PODS: ["x"], NAMES: ["a"]}, False),
        (
            "concat(proc.name, proc.exe) = val(proc.pname)",
            {"proc.name": "a", "proc.exe": "b", "proc.pname": "ab"},
            False,
        ),
        # a field on the right-hand side
        ("proc.name glob val(proc.exe)", {"proc.name": "ab", "proc.exe": "a*"}, True),
        ("proc.name glob val(proc.exe)", {"proc.name": "AB", "proc.exe": "a*"}, False),
        ("proc.name iglob val(proc.exe)", {"proc.name": "AB", "proc.exe": "a*"}, True),
        ("proc.name < val(proc.exe)", {"proc.name": "a", "proc.exe": "b"}, True),
        ("proc.name >= val(proc.exe)", {"proc.name": "a", "proc.exe": "b"}, False),
        ("proc.name = b64(proc.exe)", {"proc.name": "ab", "proc.exe": "YWIA"}, True),
        ("proc.name pmatch a", {"proc.name": "/a/b"}, True),
        ("proc.name pmatch (/b/c)", {"proc.name": "/a/b"}, False),
        ("fd.snet = oneof (10.0.0.0/8, 10.0.0.0/16)", {"fd.sip": "10.0.0.1"}, False),
        ("fd.snet != anyof (10.0.0.0/8)", {"fd.sip": "11.0.0.1"}, True),
        ("proc.aname = anyof ()", ANCESTRY, False),
    ],
)
def test_lists_and_fields_on_the_right(condition: str, fields: dict[str, Any], expected: bool) -> None:
    assert holds(condition, fields) is expected


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        ("tolower(b64(proc.name)) = ab", {"proc.name": "QUIA"}, True),
        ("toupper(b64(proc.name)) = AB", {"proc.name": "YWI="}, True),
        (f"b64({PODS}) exists", {PODS: ["YWI="]}, True),
        # one text that is not base64 leaves no value at all
        (f"b64({PODS}) exists", {PODS: ["YWI=", "!"]}, False),
        (f"b64({PODS}) exists", {}, False),
        ("b64(evt.buffer) contains ab", {"evt.buffer": "YWI="}, True),
        ("b64(evt.buffer) = ab", {"evt.buffer": "YWI="}, False),
        ("len(evt.buffer) = 2", {"evt.buffer": "ab"}, True),
        ("len(proc.name) = 3", {"proc.name": "\ud800"}, True),  # JSON may have what UTF-8 has not
        # a number where a text is expected counts by its bytes in memory
        ('concat(len(proc.name), proc.exe) = "\\x03x"', {"proc.name": "abc", "proc.exe": "x"}, True),
        ("join(len(proc.name), (proc.exe, proc.pname)) startswith x", {"proc.name": "abc", "proc.exe": "x"}, False),
        (
            "join(len(proc.name), (proc.exe, proc.pname)) startswith x",
            {"proc.name": "abc", "proc.exe": "x", "proc.pname": "y"},
            True,
        ),
        (f"join(',', len({PODS})) = '\\x02'", {PODS: ["a", "b"]}, True),
        (f"getopt(len({PODS}), 'a') exists", {PODS: ["a"]}, True),
        (f"getopt({PODS}, 'a') exists", {}, False),
        (
            "join(',', (evt.buffer, evt.is_io, fd.num, fd.dev.major)) endswith ',7,\\x08'",
            {"evt.buffer": "b", "evt.is_io": True, "fd.num": 7, "fd.dev.major": 8},
            True,
        ),
        ("join(',', (thread.cpu, fd.sip)) exists", {"thread.cpu": 1.5, "fd.sip": "1.2.3.4"}, True),
    ],
)
def test_transformers_of_other_things_than_one_text(condition: str, fields: dict[str, Any], expected: bool) -> None:
    assert holds(condition, fields) is expected


@pytest.mark.parametrize(
    ("field", "value", "exists"),
    [
        ("fd.num", "five", False),
        ("fd.num", "-5", True),
        ("fd.num", {}, False),
        ("fd.dev", "device", False),
        ("evt.is_io", "yes", False),
        ("evt.is_io", 1, True),
        ("evt.is_io", {}, False),
        ("fd.sip", "nowhere", False),
        ("fd.sip", 5, False),
        ("evt.buffer", 5, False),
        ("thread.cpu", "1.5", True),
        ("thread.cpu", "much", False),
        ("thread.cpu", {}, False),
        ("proc.name", 5, True),  # as Falco prints it
        ("proc.name", {}, False),
        (PODS, "a", True),  # one alone
        (PODS, [], False),
    ],
)
def test_a_value_that_is_none_of_the_type_does_not_exist(field: str, value: Any, exists: bool) -> None:
    assert holds(f"{field} exists", {field: value}) is exists


def test_no_more_ancestors_are_looked_at_than_falco_keeps() -> None:
    fields = {f"proc.aname[{depth}]": "x" for depth in range(1, MAX_ANCESTORS - 1)}
    fields[f"proc.aname[{MAX_ANCESTORS - 1}]"] = "last"
    fields[f"proc.aname[{MAX_ANCESTORS}]"] = "beyond"
    assert holds("proc.aname = last", fields)
    assert not holds("proc.aname = beyond", fields)
