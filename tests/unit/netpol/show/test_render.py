"""The matrix for people, in every form."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.connectivity import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.heatmap import MAX_ENDS, MAX_LABELS
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.show.table import MAX_CELLS

CONNECTIONS = [
    {"from": "prod/Deployment/web", "to": "prod/Deployment/api", "protocol": "TCP", "ports": "8080"},
    {"from": "prod/Deployment/web", "to": "prod/Deployment/api", "protocol": "UDP", "ports": "53,100-200"},
    {"from": "0.0.0.0/0", "to": "prod/Deployment/web", "protocol": "all", "ports": "all"},
    {"from": 'ops/Deployment/<b>&"x', "to": "prod/Deployment/web", "protocol": "TCP", "ports": "all"},
]


def connectivity(*args: Any, **options: Any) -> str:
    return FilterModule().filters()["connectivity"](*args, **options)


def test_text_is_an_aligned_grid_of_sources_and_destinations() -> None:
    lines = connectivity(CONNECTIONS[:3]).splitlines()
    assert lines == [
        "from \\ to            prod/Deployment/api       prod/Deployment/web",
        "prod/Deployment/web  TCP 8080; UDP 53,100-200  .",
        "0.0.0.0/0            -                         all",
    ]


def test_text_becomes_a_list_when_asked() -> None:
    lines = connectivity(CONNECTIONS[:3], layout="list").splitlines()
    assert lines[0].split() == ["from", "to", "ports"]
    assert lines[1].split(None, 2) == ["prod/Deployment/web", "prod/Deployment/api", "TCP 8080; UDP 53,100-200"]


def test_markdown_is_a_table() -> None:
    lines = connectivity(CONNECTIONS, "markdown").splitlines()
    assert set(lines[1]) == {"|", "-", " "}
    assert {line.count("|") for line in lines} == {4}


def test_csv_can_be_read_back() -> None:
    rows = list(csv.reader(io.StringIO(connectivity(CONNECTIONS, "csv"))))
    assert rows[0] == ["from", "to", "protocol", "ports"]
    assert ["prod/Deployment/web", "prod/Deployment/api", "UDP", "53,100-200"] in rows
    assert len(rows) == 1 + len(CONNECTIONS)


def test_mermaid_and_dot_escape_names() -> None:
    mermaid = connectivity(CONNECTIONS, "mermaid")
    assert mermaid.startswith("flowchart LR\n")
    assert '<b>&"x' not in mermaid
    dot = connectivity(CONNECTIONS, "dot", title='a "b"')
    assert dot.startswith('digraph "a \\"b\\"" {')
    assert '&\\"x"' in dot


def test_svg_is_self_contained_and_carries_every_connection() -> None:
    text = connectivity(CONNECTIONS, "svg", title="Who & whom")
    root = ElementTree.fromstring(text)
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "Who & whom"
    assert "prod/Deployment/web → prod/Deployment/api: TCP 8080; UDP 53,100-200" in titles
    assert any('<b>&"x' in title for title in titles)
    assert "href" not in text
    assert "<script" not in text


def test_members_without_connections_have_their_row_and_column() -> None:
    result = {"connections": [], "members": ["prod/Deployment/alone", "prod/Deployment/other"]}
    assert connectivity(result).splitlines()[1].split() == ["prod/Deployment/alone", ".", "-"]


def test_compact_blocks_are_understood() -> None:
    result = {"connections": [], "blocks": [{"from": ["a", "b"], "to": ["c"], "protocol": "TCP", "ports": "1"}]}
    assert connectivity(result, "csv").splitlines()[1:] == ["a,c,TCP,1", "b,c,TCP,1"]


@pytest.mark.parametrize(
    ("data", "form", "message"),
    [("x", "text", "needs the result"), ([{"from": "a"}], "text", "not a connection"), ([], "png", "unknown form")],
)
def test_what_is_no_matrix_is_refused(data: object, form: str, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        connectivity(data, form)


def test_a_layout_that_there_is_not_and_too_many_pairs_are_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="unknown layout 'tree': grid or list"):
        connectivity(CONNECTIONS, layout="tree")
    block = {"from": [f"a{number}" for number in range(MAX_CELLS + 1)], "to": ["b"], "protocol": "TCP", "ports": "1"}
    with pytest.raises(AnsibleFilterError, match=f"more than {MAX_CELLS} pairs: narrow the matrix"):
        connectivity({"blocks": [block]}, "csv")


@pytest.mark.parametrize(("ends", "named"), [(MAX_LABELS, True), (MAX_LABELS + 1, False)])
def test_a_picture_of_many_ends_has_no_names_beside_it(ends: int, named: bool) -> None:
    members = [f"w{number}" for number in range(ends)]
    assert ("rotate(-45)" in connectivity({"connections": [], "members": members}, "svg")) is named


def test_a_picture_of_more_ends_than_can_be_seen_is_refused() -> None:
    members = [f"w{number}" for number in range(MAX_ENDS + 1)]
    with pytest.raises(AnsibleFilterError, match=f"more than {MAX_ENDS} ends: group the matrix by namespace"):
        connectivity({"connections": [], "members": members}, "svg")
