"""Words of other analysers as sets of ports, and lists of connections piece by piece."""

from __future__ import annotations

import pytest

from tools.agreement.flows import EVERYTHING, NOTHING, common, differences, join, read_ports, restrict, shared, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("All Connections", EVERYTHING),
        ("No Connections", NOTHING),
        ("TCP 80", {("TCP", 80, 80)}),
        ("SCTP 1-65535,TCP 1-79,81-65535", {("SCTP", 1, 65535), ("TCP", 1, 79), ("TCP", 81, 65535)}),
        ("TCP:[80,443], UDP:[53], SCTP", {("TCP", 80, 80), ("TCP", 443, 443), ("UDP", 53, 53), ("SCTP", 1, 65535)}),
        ("TCP http,local-dns", {("TCP", "http", 0), ("TCP", "local-dns", 0)}),
        (" local-port", {(protocol, "local-port", 0) for protocol in ("TCP", "UDP", "SCTP")}),
        ("TCP 80,81", {("TCP", 80, 81)}),
        ("all all", EVERYTHING),
    ],
)
def test_words_are_ports(text: str, expected: set[tuple[str, int | str, int]]) -> None:
    assert read_ports(text) == expected


def test_ports_in_one_line() -> None:
    assert told(read_ports("TCP 1-79,http")) == "TCP 1-79, TCP http"
    assert (told(EVERYTHING), told(NOTHING)) == ("all", "nothing")


def test_common_ports() -> None:
    assert common(read_ports("TCP 1-100,http"), read_ports("TCP 80-200,http")) == read_ports("TCP 80-100,http")
    assert common(read_ports("TCP 80"), read_ports("UDP 80")) == NOTHING
    assert join(read_ports("TCP 1-5"), read_ports("TCP 4-9")) == read_ports("TCP 1-9")


def test_ranges_are_compared_whatever_their_cuts() -> None:
    one = {("0.0.0.0-127.255.255.255", "a/x[Pod]"): EVERYTHING, ("128.0.0.0/1", "a/x[Pod]"): EVERYTHING}
    assert differences(one, {("0.0.0.0/0", "a/x[Pod]"): EVERYTHING}) == []
    (found,) = differences(one, {("0.0.0.0-127.255.255.255", "a/x[Pod]"): EVERYTHING})
    assert str(found) == "128.0.0.0/1 => a/x[Pod]: theirs all, ours nothing"


def test_a_family_that_one_side_never_tells_is_left_out() -> None:
    both = {("0.0.0.0/0", "a/x[Pod]"): EVERYTHING, ("::/0", "a/x[Pod]"): EVERYTHING}
    assert differences({("0.0.0.0/0", "a/x[Pod]"): EVERYTHING}, both) == []
    assert len(differences({}, both)) == 2


def test_restricted_and_shared() -> None:
    flows = {("0.0.0.0/0", "x"): read_ports("TCP 80"), ("y", "x"): EVERYTHING}
    assert restrict(flows, [("10.0.0.0/8", "x")]) == {("10.0.0.0/8", "x"): read_ports("TCP 80")}
    assert shared(flows, {("1.2.3.4", "x"): EVERYTHING}) == {("1.2.3.4", "x"): read_ports("TCP 80")}
    assert shared(flows, {("1.2.3.4", "x"): read_ports("UDP 80")}) == {}
