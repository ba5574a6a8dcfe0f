"""How findings are told: their place, their hint, how many names, and which comes first."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.finding import about, names, on, row, told
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.lint import lint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_lint import FALCO, FINE, SIDEKICK, WEB, findings, pod, policy


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, ""), (1, "n1"), (5, "n1, n2, n3, n4, n5"), (6, "n1, n2, n3, n4, n5 and 1 more")],
)
def test_five_names_are_spelled_out(number: int, said: str) -> None:
    assert names([f"n{one}" for one in range(1, number + 1)]) == said


@pytest.mark.parametrize(
    ("source", "line", "hint", "said"),
    [
        ("a.yaml", 3, "do it", "a.yaml:3: warning: Service prod/x: it is so [code] (do it)"),
        ("a.yaml", None, "", "warning: Service prod/x: it is so [code]"),
    ],
)
def test_a_finding_is_a_line_and_a_row(source: str, line: int | None, hint: str, said: str) -> None:
    found = on("Service prod/x", "code", "warning", "it is so", hint, source, line)
    assert told(found) == said
    assert row(found) == {
        "code": "code",
        "severity": "warning",
        "object": "Service prod/x",
        "message": "it is so",
        "hint": hint,
        "source": source,
        "line": line,
    }


def test_what_is_found_of_a_policy_has_its_place() -> None:
    model = load([Input("a.yaml", text=yaml.safe_dump_all([WEB, FINE]))])
    found = about(model.policies[0], "code", "info", "it is so")
    assert (found.item, found.file, found.line) == ("NetworkPolicy prod/p", "a.yaml", model.policies[0].origin.line)


def test_errors_come_first_then_warnings_each_by_its_object() -> None:
    covers = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", "a-covers")
    closed = policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "z-closed")
    nothing = [policy("{podSelector: {matchLabels: {app: none}}}", name) for name in ("y-nothing", "b-nothing")]
    pods = [pod("falco", labels=FALCO, ip="10.0.0.1"), pod("sidekick", labels=SIDEKICK)]
    found = findings(*pods, covers, closed, *nothing)
    assert list(dict.fromkeys(one.severity for one in found)) == ["error", "warning", "info"]
    assert found == sorted(found, key=lambda one: ("error warning info".index(one.severity), one.item, one.code))
    assert [one.item.rpartition("/")[2] for one in found if one.code == "selects-nothing"] == ["b-nothing", "y-nothing"]


@pytest.mark.parametrize(("number", "told_of"), [(5, 5), (6, 1)])
def test_five_objects_that_a_file_repeats_are_told_each(number: int, told_of: int) -> None:
    text = yaml.safe_dump_all([WEB, *(policy("{podSelector: {}}", f"p{one}") for one in range(number - 1))])
    model = load([Input("base.yaml", text=text), Input("all.yaml", text=text)])
    found = [one for one in lint(model, model.policies, Options()) if one.code == "duplicate-object"]
    assert len(found) == told_of
    assert all(one.severity == "error" for one in found)


def test_an_object_that_is_left_out_is_no_finding() -> None:
    broken = policy("{podSelector: {}, ingress: 7}", "broken")
    model = load([Input("test", objects=[WEB, FINE, broken])], on_invalid="skip")
    assert model.errors
    assert lint(model, model.policies, Options()) == []
