"""What a recording says: how many alerts, by whom and by what, and the picture of the loudest."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune import noise as module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.noise import FIELDS, Noise, Voice
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.picture import bars
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Alert

NOISY = {"container.image.repository": "backup", "k8s.ns.name": "prod", "proc.name": "bash", "proc.pname": "cron"}
SVG = "{http://www.w3.org/2000/svg}"


def noise(*groups: tuple[int, dict[str, Any]], rule: str = "Shell") -> Noise:
    found = Noise()
    for count, fields in groups:
        found.count(Alert(rule, "syscall", fields) for _number in range(count))
    return found


def test_too_many_kinds_of_alerts_are_counted_by_who_and_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PROFILES", 3)
    recording = noise(*((2, {**NOISY, "proc.pname": f"p{number % 9}"}) for number in range(10)))
    assert recording.total == recording.rules["Shell"] == sum(recording.profiles["Shell"].values()) == 20
    told = [(dict(zip(FIELDS, one))["proc.pname"], count) for one, count in recording.profiles["Shell"].items()]
    assert told == [("p0", 4), ("p1", 2), ("p2", 2), (None, 12)]
    assert {tuple(one[: FIELDS.index("proc.pname")]) for one in recording.profiles["Shell"]} == {
        ("backup", "prod", None, None, "bash", None)
    }
    assert recording.merged == {"Shell"}


def test_the_loudest_come_first_and_those_that_are_as_loud_by_their_names() -> None:
    recording = noise((2, NOISY), (5, {**NOISY, "proc.name": "sh"}), (5, {**NOISY, "proc.name": "ash"}))
    assert recording.loudest(2) == [
        Voice("Shell", "prod", "backup", "ash", 5),
        Voice("Shell", "prod", "backup", "sh", 5),
    ]
    assert recording.by("proc.name") == [("ash", 5), ("sh", 5), ("bash", 2)]
    assert recording.by("user.name") == [("", 12)]


def test_an_audit_event_is_loud_by_its_user_and_verb() -> None:
    recording = noise((3, {"ka.user.name": "ci", "ka.verb": "get"}), rule="Audit")
    assert recording.loudest(9) == [Voice("Audit", "ci", "", "get", 3)]
    assert noise((1, {"k8s.ns.name": "prod", "container.name": "web"})).loudest(9)[0].workload == "prod/web"


def test_a_picture_has_a_row_for_each_within_its_bounds() -> None:
    voices = [Voice("R" * 80, "", "", "", 300), Voice("R" * 81, "", "", "", 120), Voice("Quiet", "w", "i", "p", 0)]
    top = ET.fromstring(bars(voices))
    bar, label = list(top.iter(f"{SVG}rect")), list(top.iter(f"{SVG}text"))
    assert [int(str(one.get("width"))) for one in bar] == [360, 144, 1]
    assert [one.text for one in label] == ["R" * 80, "300", "R" * 79 + "…", "120", "Quiet · w · p", "0"]
    heights = [(int(str(one.get("y"))), int(str(one.get("height")))) for one in bar]
    assert heights == [(4, 16), (26, 16), (48, 16)]
    assert [int(str(one.get("y"))) for one in label] == [17, 17, 39, 39, 61, 61]
    assert [(one.get("x"), one.get("text-anchor")) for one in label[:2]] == [("512", "end"), ("886", None)]
    assert {one.get("x") for one in bar} == {"520"}
    assert (top.get("width"), top.get("height")) == ("960", "88")
    assert ET.fromstring(bars([])).get("height") == "22"


@pytest.mark.parametrize("code", [*range(32), 0xFFFD, 0xFFFE, 0xFFFF, 0xD800, ord("<"), ord("&")])
def test_a_picture_is_well_formed_whatever_a_name_holds(code: int) -> None:
    (label, _count) = ET.fromstring(bars([Voice(f"a{chr(code)}b", "", "", "", 1)])).iter(f"{SVG}text")
    kept = {9: "\t", 10: "\n", 13: "\n", ord("<"): "<", ord("&"): "&", 0xD800: "?"}
    assert label.text == f"a{kept.get(code, chr(0xFFFD))}b"
