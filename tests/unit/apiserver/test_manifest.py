"""Audit logging in an API server's manifest: in, out, byte for byte as before, and never over somebody else's."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError, ConflictError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.manifest import (
    Manifest,
    with_audit,
    without_audit,
)
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.wanted import Settings, Wanted, wanted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .manifests import BOTH, FOLDER, KUBEADM, LOG, LOG_ALONE, WEBHOOK_ALONE, edited, texts

FILE = "kube-apiserver.yaml"
AIMS = st.sampled_from([BOTH, LOG_ALONE, WEBHOOK_ALONE])


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts(), AIMS)
def test_the_edit_means_what_the_obvious_one_means_and_its_removal_leaves_no_trace(
    written: tuple[dict[str, Any], str], aim: Wanted
) -> None:
    pod, text = written
    assert yaml.safe_load(text) == pod
    found = with_audit(text, FILE, aim)
    assert yaml.safe_load(found) == edited(pod, aim)
    assert Manifest(found, FILE).fulfils(aim)
    assert with_audit(found, FILE, aim) == found
    assert without_audit(found, FILE) == text
    assert without_audit(text, FILE) == text


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(texts(), AIMS, AIMS)
def test_other_settings_take_the_place_of_the_first(
    written: tuple[dict[str, Any], str], first: Wanted, then: Wanted
) -> None:
    _, text = written
    assert with_audit(with_audit(text, FILE, first), FILE, then) == with_audit(text, FILE, then)


def test_kubeadms_manifest_keeps_every_line_that_it_had() -> None:
    found = with_audit(KUBEADM, FILE, BOTH)
    steps = [line for line in difflib.ndiff(KUBEADM.splitlines(), found.splitlines()) if line[0] in "+-"]
    assert [line for line in steps if line[0] == "-"] == []
    added = [line[2:] for line in steps]
    assert "    - --audit-policy-file=/etc/kubernetes/falconet-audit/policy.yaml" in added
    assert "    - --audit-webhook-config-file=/etc/kubernetes/falconet-audit/webhook.kubeconfig" in added
    assert "    - --audit-log-maxsize=100" in added
    assert '    falconet.k8s/audit-files: "sha256:00ff"' in added


FOREIGN = KUBEADM.replace(
    "    - --allow-privileged=true\n",
    "    - --audit_log_path\n    - /var/log/their.log # theirs\n    - --audit-policy-file=/etc/their.yaml\n",
)


def test_somebody_elses_audit_flags_are_never_overwritten_in_silence() -> None:
    with pytest.raises(ConflictError) as told:
        with_audit(FOREIGN, FILE, BOTH)
    assert f"{FILE}:16:7: --audit-log-path=/var/log/their.log" in str(told.value)
    assert f"{FILE}:18:7: --audit-policy-file=/etc/their.yaml" in str(told.value)
    assert "replace: true" in str(told.value)


def test_with_replace_they_are_kept_as_comments_and_come_back() -> None:
    found = with_audit(FOREIGN, FILE, BOTH, replace=True)
    argv = Manifest(found, FILE).argv
    assert [flag for flag in argv if "audit-policy-file" in flag] == [f"--audit-policy-file={FOLDER}/policy.yaml"]
    assert "/var/log/their.log" not in argv
    assert without_audit(found, FILE) == FOREIGN
    assert with_audit(found, FILE, BOTH, replace=True) == found


def test_flags_of_a_group_that_is_not_wanted_stay_somebody_elses() -> None:
    found = with_audit(FOREIGN, FILE, WEBHOOK_ALONE, replace=True)
    assert "/var/log/their.log" in Manifest(found, FILE).argv
    assert without_audit(found, FILE) == FOREIGN


def test_flags_in_another_order_and_written_otherwise_need_no_change() -> None:
    aim = wanted(Settings(FOLDER, None, LOG))
    found = with_audit(KUBEADM, FILE, aim)
    block = re.search(r"(    - --audit-.*\n)+", found)
    assert block
    shuffled = found.replace(block[0], "".join(reversed(block[0].splitlines(keepends=True))))
    shuffled = shuffled.replace("- --audit-log-maxage=7", "- '--audit-log-maxage'\n    - '7'")
    assert shuffled != found
    assert with_audit(shuffled, FILE, aim) == shuffled
    assert without_audit(shuffled, FILE) == KUBEADM


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- --audit-log-maxage=7", "- --audit-log-maxage=8"),
        ("    - --audit-log-maxage=7\n", ""),
        ("- --audit-log-maxage=7", "- --audit-log-maxage=7\n    - --audit-log-maxage=9"),
        ("readOnly: false", "readOnly: true"),
        ('"sha256:11"', '"sha256:12"'),
    ],
)
def test_what_was_changed_by_hand_is_put_right(before: str, after: str) -> None:
    right = with_audit(KUBEADM, FILE, LOG_ALONE)
    wrong = right.replace(before, after)
    assert wrong != right
    assert with_audit(wrong, FILE, LOG_ALONE) == right


MOUNTED = KUBEADM.replace("mountPath: /etc/kubernetes/pki", f"mountPath: {FOLDER}/")
IN_BRACKETS = (
    "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: kube-apiserver\n"
    "    command: [kube-apiserver, --audit-policy-file=/x]\n"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [b\nc: d", r"kube-apiserver\.yaml:2:1: a comma or \] is missing"),
        ("a: b\n  c: d", r"kube-apiserver\.yaml:2:4: a key within a text of several lines"),
        ("a: b\nc:\n\t- d", r"kube-apiserver\.yaml:3:1: a tab; use spaces"),
        ("a: \x07", r"kube-apiserver\.yaml:1:4: a character that YAML does not allow"),
        ("", r"kube-apiserver\.yaml: must hold one mapping"),
        (f"{KUBEADM}---\n{KUBEADM}", r"kube-apiserver\.yaml:\d+:1: another document"),
        (KUBEADM.replace("kind: Pod", "kind: Job"), r":2:7: must be a manifest of kind Pod"),
        (
            KUBEADM.replace("name: kube-apiserver\n    vol", "name: api\n    vol"),
            r"kube-apiserver; there is api",
        ),
        (KUBEADM.replace("- kube-apiserver\n", "- /bin/sh\n    - -c\n"), r":14:7: a shell starts the API server"),
        (KUBEADM.replace("- --allow-privileged=true", "- --"), r":16:7: no flag is read after --"),
        (
            KUBEADM.replace("- --allow-privileged=true", "- {a: b}"),
            r":16:7: an item of command must be a text on one line",
        ),
        (
            KUBEADM.replace("- --allow-privileged=true", "- |\n      --v=1"),
            r":16:7: an item of command must be a text on one",
        ),
        (KUBEADM.replace("  hostNetwork: true", "  volumes: []"), r":31:3: the key volumes stands here a second time"),
        (KUBEADM.replace("status: {}", "a: b\nd: *b"), r":\d+:4: an alias; write the value out"),
        (KUBEADM.replace("- command:\n", "- command: text\n    other:\n"), r":13:14: command must be a list"),
        (
            "kind: Pod\nmetadata: {}\nspec:\n  containers:\n  - name: kube-apiserver\n",
            r":5:5: the container has",
        ),
        (MOUNTED, r":27:7: something is mounted at /etc/kubernetes/falconet-audit already"),
        (IN_BRACKETS, r":6:31: --audit-policy-file stands in a list in brackets"),
        (
            KUBEADM.replace("  annotations:\n    k", "  annotations: text\n  labels:\n    k").replace(
                "  labels:\n    c", "    c"
            ),
            r":4:16: annotations must be a list or a mapping",
        ),
        (
            KUBEADM.replace("  annotations:\n    k", "  annotations: null # why\n  others:\n    k"),
            r":4:16: annotations is null; remove it, or write a list",
        ),
        (KUBEADM.replace("  - command:\n", "  - text\n  - command:\n"), r":13:5: must be a mapping, with the key name"),
        ("kind: Pod\nmetadata: []\nspec: {}", r":2:11: must have a mapping metadata"),
    ],
)
def test_what_cannot_be_edited_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ApiServerError, match=words):
        with_audit(text, FILE, BOTH, replace=True)


def test_what_somebody_has_written_between_a_dash_and_its_item_goes_with_it() -> None:
    found = with_audit(KUBEADM, FILE, BOTH)
    for name in ("falconet-audit", "falconet-audit-log"):
        found = found.replace(
            f"- name: {name}\n    hostPath", f"- # of falconet.k8s - the audit\n\n    name: {name}\n    hostPath"
        )
    assert found.count("# of falconet.k8s - the audit") == 2
    assert with_audit(found, FILE, BOTH) == found
    assert without_audit(found, FILE) == KUBEADM


def test_flags_below_their_dash_are_put_out_of_use_with_what_stands_between() -> None:
    text = FOREIGN.replace("- --audit-policy-file", "-\n      # theirs - too\n      --audit-policy-file")
    found = with_audit(text, FILE, BOTH, replace=True)
    assert "/etc/their.yaml" not in " ".join(Manifest(found, FILE).argv)
    assert without_audit(found, FILE) == text


def test_files_that_were_changed_by_hand_start_the_pod_again() -> None:
    found = with_audit(KUBEADM, FILE, BOTH)
    again = with_audit(found, FILE, BOTH.again())
    assert Manifest(again, FILE).annotation() == "sha256:00ff.again"
    assert not Manifest(again, FILE).fulfils(BOTH)
    assert with_audit(again, FILE, BOTH) == found


@pytest.mark.parametrize(
    "text", [json.dumps(yaml.safe_load(KUBEADM)), IN_BRACKETS.replace("--audit-policy-file=/x", "--v=1")]
)
@pytest.mark.parametrize("aim", [BOTH, LOG_ALONE, WEBHOOK_ALONE])
def test_a_manifest_in_braces_gets_keys_and_loses_them(text: str, aim: Wanted) -> None:
    found = with_audit(text, FILE, aim)
    assert yaml.safe_load(found) == edited(yaml.safe_load(text), aim)
    assert with_audit(found, FILE, aim) == found
    assert without_audit(found, FILE) == text


BRACES = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: kube-apiserver, args: [kube-apiserver]}]}}"
WITHOUT_VOLUMES = KUBEADM.replace("  volumes:\n", "  others:\n")


@pytest.mark.parametrize(
    ("text", "before", "after", "left"),
    [
        (KUBEADM, "    image:", "    - --v=9\n    image:", KUBEADM.replace("    image:", "    - --v=9\n    image:")),
        (
            WITHOUT_VOLUMES,
            "falconet.k8s: added\n",
            "falconet.k8s: added\n  # why\n",
            WITHOUT_VOLUMES.replace("status", "  # why\nstatus"),
        ),
        (BRACES, '00ff"', '00ff", b: c', BRACES.replace("name: a}", 'name: a, "annotations":  {b: c}}')),
        (
            BRACES,
            '"DirectoryOrCreate"}}',
            '"DirectoryOrCreate"}}, {name: b}',
            BRACES.replace("kube-apiserver]}]", 'kube-apiserver]}], "volumes":  [{name: b}]'),
        ),
    ],
    ids=["flag", "comment", "annotation in braces", "volume in braces"],
)
def test_what_somebody_puts_beside_ours_stays_when_ours_go(text: str, before: str, after: str, left: str) -> None:
    found = with_audit(text, FILE, BOTH)
    assert before in found
    assert without_audit(found.replace(before, after), FILE) == left


def test_letters_of_every_script_are_written_as_they_are() -> None:
    aim = wanted(Settings("/etc/pr\u00fcfung-\U0001f50d", {"mode": "batch"}), "sha256:22")
    assert yaml.safe_load(with_audit(KUBEADM, FILE, aim)) == edited(yaml.safe_load(KUBEADM), aim)


def test_an_empty_collection_of_somebody_s_is_no_leftover_of_ours() -> None:
    text = IN_BRACKETS.replace("{name: a}", "{name: a, annotations:  {}}")
    assert without_audit(text, FILE) == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Settings(FOLDER), "neither webhook nor log is set"),
        (Settings("etc/audit", {}), "folder is etc/audit: it must be an absolute path"),
        (Settings(FOLDER + "/", {}), "written without"),
        (Settings("/" + FOLDER, {}), "written without"),
        (Settings("/", {}), "written without"),
        (Settings(FOLDER, None, {"path": "audit.log"}), "log.path is audit.log: it must be an absolute path"),
        (Settings(FOLDER, None, {"path": f"{FOLDER}/audit.log"}), "the log needs a directory of its own"),
        (Settings(FOLDER, None, {"path": "/audit.log"}), "the log needs a directory of its own, not /"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: Settings, words: str) -> None:
    with pytest.raises(ApiServerError, match=words):
        wanted(given)
