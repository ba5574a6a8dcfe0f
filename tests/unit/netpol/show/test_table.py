"""A table has its ends in order and its protocols in order, and says how much is open between two of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.render import MAX_GRID, render
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.table import is_address, openness, read_table


def line(source: str, destination: str, protocol: str = "TCP", ports: str = "80") -> dict[str, str]:
    return {"from": source, "to": destination, "protocol": protocol, "ports": ports}


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        ([], 0),
        ([("TCP", "80")], 1),
        ([("TCP", "80,443")], 1),
        ([("TCP", "80"), ("UDP", "53,54")], 2),
        ([("TCP", "80-82")], 2),
        ([("TCP", "1-100")], 2),
        ([("TCP", "1-100"), ("UDP", "53")], 3),
        ([("TCP", "all")], 3),
        ([("TCP", "80"), ("UDP", "all")], 3),
        ([("all", "all")], 4),
    ],
    ids=[
        "nothing",
        "one",
        "two",
        "three",
        "a-range",
        "a-hundred",
        "more",
        "a-protocol",
        "one-and-all-of-another",
        "all",
    ],
)
def test_how_much_is_open_is_one_of_five_steps(texts: list[tuple[str, str]], step: int) -> None:
    assert openness(texts) == step


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("10.0.0.0/8", True),
        ("10.0.0.1-10.0.0.9", True),
        ("::/0", True),
        ("2001:db8::1-2001:db8::5", True),
        ("prod/Deployment/web", False),
        ("a.b.c.d", False),
        ("10.0.0/Deployment/web", False),
        ("1.2.3", False),
    ],
    ids=range(8),
)
def test_addresses_are_told_from_names(name: str, address: bool) -> None:
    assert is_address(name) is address


def test_pods_come_before_addresses_and_protocols_in_their_order() -> None:
    lines = [line("10.0.0.1", "b"), *(line("b", "a", one, "1") for one in ("SCTP", "UDP", "TCP")), line("::/0", "a")]
    table = read_table(lines)
    assert table.sources == ["b", "10.0.0.1", "::/0"]
    assert table.destinations == ["a", "b"]
    assert table.cells[("b", "a")] == (("TCP", "1"), ("UDP", "1"), ("SCTP", "1"))


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("80", "443", "80,443"), ("80,443", "443,8080", "80,443,8080"), ("80", "80", "80"), ("80", "all", "all")],
    ids=["two", "some-twice", "one-twice", "all"],
)
def test_lines_about_one_pair_and_protocol_are_told_together(first: str, second: str, told: str) -> None:
    for lines in ([first, second], [second, first]):
        ((protocol, ports),) = read_table([line("a", "b", "TCP", one) for one in lines]).cells[("a", "b")]
        assert (protocol, sorted(ports.split(","))) == ("TCP", sorted(told.split(",")))


@pytest.mark.parametrize("missing", ["from", "to", "protocol", "ports"])
def test_a_line_that_lacks_something_is_refused(missing: str) -> None:
    broken: dict[str, Any] = line("a", "b")
    del broken[missing]
    with pytest.raises(NetpolError, match="not a connection with from, to, protocol and ports"):
        read_table([broken])


def test_what_is_no_mapping_is_no_line() -> None:
    with pytest.raises(NetpolError, match="not a connection with from, to, protocol and ports: 5"):
        read_table([5])


def test_graphs_of_namespaces_have_no_frames_and_workloads_are_told_with_their_kind() -> None:
    assert render([line("prod", "ops")], "mermaid").splitlines() == [
        "flowchart LR",
        '  n0("prod")',
        '  n1("ops")',
        '  n0 -->|"TCP 80"| n1',
    ]
    for form in ("mermaid", "dot"):
        assert '"Deployment/web"' in render([line("prod/Deployment/web", "ops")], form)


@pytest.mark.parametrize(("ends", "first"), [(MAX_GRID, "from \\ to"), (MAX_GRID + 1, "from")])
def test_a_grid_is_shown_while_it_is_narrow_enough_to_read(ends: int, first: str) -> None:
    lines = [line("web", f"db{number:02}") for number in range(ends)]
    assert render(lines).splitlines()[0].partition("  ")[0] == first
    assert render(lines, layout="grid").startswith("from \\ to")
    assert not render(lines, layout="list").startswith("from \\ to")
    assert len(render(lines, layout="list").splitlines()) == ends + 1


def test_graphs_have_a_frame_for_each_namespace_and_addresses_beside_them() -> None:
    lines = [line("prod/web", "ops/db"), line("10.0.0.0/8", "prod/web", "all", "all")]
    assert render(lines, "mermaid").splitlines() == [
        "flowchart LR",
        '  subgraph g0["prod"]',
        '    n0["web"]',
        "  end",
        '  n1("10.0.0.0/8")',
        '  subgraph g2["ops"]',
        '    n2["db"]',
        "  end",
        '  n1 -->|"all"| n0',
        '  n0 -->|"TCP 80"| n2',
    ]
    assert render(lines, "dot", "t").splitlines() == [
        'digraph "t" {',
        "  rankdir=LR;",
        "  node [shape=box, style=rounded];",
        "  subgraph cluster_0 {",
        '    label="prod";',
        '    "prod/web" [label="web"];',
        "  }",
        '  "10.0.0.0/8" [shape=ellipse];',
        "  subgraph cluster_2 {",
        '    label="ops";',
        '    "ops/db" [label="db"];',
        "  }",
        '  "10.0.0.0/8" -> "prod/web" [label="all"];',
        '  "prod/web" -> "ops/db" [label="TCP 80"];',
        "}",
    ]
