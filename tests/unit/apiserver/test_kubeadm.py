"""kubeadm's ClusterConfiguration: audit logging in, out, byte for byte as before."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError, ConflictError
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.kubeadm import (
    configuration_with_audit,
    configuration_without_audit,
)
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.source import ADDED
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.wanted import Wanted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .manifests import BOTH, FOLDER, LOG_ALONE, WEBHOOK_ALONE

FILE = "kubeadm-config"
TOP = "apiVersion: kubeadm.k8s.io/v1beta{}\nkind: ClusterConfiguration\n"
AIMS = st.sampled_from([BOTH, LOG_ALONE, WEBHOOK_ALONE])
ARGUMENTS = {
    3: ["", "  extraArgs:\n    v: '2' # loud\n", "  extraArgs: {}\n", "  extraArgs: {v: '2'}\n", "  extraArgs:\n"],
    4: [
        "",
        "  extraArgs:\n  - name: v\n    value: '2' # loud\n",
        "  extraArgs: []\n",
        '  extraArgs: [{name: v, value: "2"}]\n',
    ],
}
VOLUMES = ["", "  extraVolumes: []\n", "  extraVolumes:\n  - name: a\n    hostPath: /a\n    mountPath: /a\n"]


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """A ClusterConfiguration as kubeadm or a person writes it."""
    version = draw(st.sampled_from([3, 4]))
    inside = draw(st.sampled_from(ARGUMENTS[version])) + draw(st.sampled_from(VOLUMES))
    if draw(st.booleans()):
        inside += "  timeoutForControlPlane: 4m0s\n"
    server = (
        f"apiServer: # ours\n{inside}" if inside else draw(st.sampled_from(["apiServer: {}\n", "", "apiServer:\n"]))
    )
    top = f"apiVersion: kubeadm.k8s.io/v1beta{version}\n"
    rest = "certificatesDir: /etc/kubernetes/pki\nkind: ClusterConfiguration\n# the end\nnetworking: {}\n"
    text = draw(st.sampled_from([server + top + rest, top + server + rest, top + rest + server]))
    return text if draw(st.booleans()) else text.rstrip("\n")


def edited(document: dict[str, Any], aim: Wanted) -> dict[str, Any]:
    """The slow reference: the same edit on values."""
    document = copy.deepcopy(document)
    server = document["apiServer"] = document.get("apiServer") or {}
    if document["apiVersion"].endswith("3"):
        server["extraArgs"] = {**(server.get("extraArgs") or {}), **aim.all_flags}
    else:
        extra = [{"name": name, "value": value} for name, value in aim.all_flags.items()]
        server["extraArgs"] = (server.get("extraArgs") or []) + extra
    server["extraVolumes"] = (server.get("extraVolumes") or []) + [
        {"name": v.name, "hostPath": v.path, "mountPath": v.path, "readOnly": v.read_only, "pathType": v.kind}
        for v in aim.volumes
    ]
    return document


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(configurations(), AIMS, AIMS)
def test_the_edit_means_what_the_obvious_one_means_and_its_removal_leaves_no_trace(
    text: str, aim: Wanted, other: Wanted
) -> None:
    found = configuration_with_audit(text, FILE, aim)
    assert yaml.safe_load(found) == edited(yaml.safe_load(text), aim)
    assert configuration_with_audit(found, FILE, aim) == found
    assert configuration_with_audit(configuration_with_audit(text, FILE, other), FILE, aim) == found
    assert configuration_without_audit(found, FILE) == text
    assert configuration_without_audit(text, FILE) == text


@pytest.mark.parametrize("version", [3, 4])
def test_what_kubeadm_has_written_anew_needs_no_change(version: int) -> None:
    text = f"apiServer: {{}}\napiVersion: kubeadm.k8s.io/v1beta{version}\nkind: ClusterConfiguration\n"
    document = yaml.safe_load(configuration_with_audit(text, FILE, BOTH))
    for volume in document["apiServer"]["extraVolumes"]:
        if not volume["readOnly"]:
            del volume["readOnly"]
    again = yaml.safe_dump(document)
    assert configuration_with_audit(again, FILE, BOTH) == again
    left = yaml.safe_load(configuration_without_audit(again, FILE))
    assert left["apiServer"] == {"extraArgs": None, "extraVolumes": None}


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("server", ["", "apiServer:\n", "apiServer: {}\n"])
def test_a_cluster_whose_api_server_has_no_settings_gets_them_and_loses_them(version: int, server: str) -> None:
    text = f"{server}apiVersion: kubeadm.k8s.io/v1beta{version}\nkind: ClusterConfiguration\n"
    found = configuration_with_audit(text, FILE, BOTH)
    assert yaml.safe_load(found) == edited(yaml.safe_load(text), BOTH)
    assert configuration_with_audit(found, FILE, BOTH) == found
    assert configuration_without_audit(found, FILE) == text
    assert configuration_without_audit(text, FILE) == text


def test_settings_of_somebody_stay_where_the_collection_s_flags_were_taken_out_by_hand() -> None:
    text = f"{TOP.format(4)}apiServer:\n  timeoutForControlPlane: 4m0s\n  extraArgs: {ADDED}\n"
    volumes = "  extraVolumes:\n  - name: falconet-audit\n    hostPath: /a\n    mountPath: /a\n"
    left = yaml.safe_load(configuration_without_audit(text.replace("  extraArgs", f"{volumes}  extraArgs"), FILE))
    assert left["apiServer"]["timeoutForControlPlane"] == "4m0s"


def test_a_volume_of_the_collection_s_name_without_a_directory_makes_no_flag_the_collection_s() -> None:
    text = FOREIGN.replace("/their.yaml", "their.yaml").replace(
        "apiServer:\n", "apiServer:\n  extraVolumes:\n  - name: falconet-audit\n    hostPath: ''\n"
    )
    with pytest.raises(ConflictError, match=r"audit-policy-file: their\.yaml"):
        configuration_with_audit(text, FILE, BOTH)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("style", ["|", "|-", "|+", ">+"])
def test_a_text_of_several_lines_keeps_its_empty_ones(style: str, end: str) -> None:
    text = (
        f"apiServer:\n  extraEnvs:\n  - name: a\n    value: {style}\n      b\n\n\n"
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
    ).replace("\n", end)
    found = configuration_with_audit(text, FILE, BOTH)
    assert yaml.safe_load(found) == edited(yaml.safe_load(text), BOTH)
    assert configuration_without_audit(found, FILE) == text


FOREIGN = (
    "apiServer:\n  extraArgs:\n  - name: v\n    value: '2'\n  - name: audit-policy-file\n    value: /their.yaml\n"
    "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
)


def test_somebody_elses_settings_are_named_and_go_when_that_is_said() -> None:
    with pytest.raises(ConflictError, match=r"kubeadm-config:5:5: audit-policy-file: /their\.yaml"):
        configuration_with_audit(FOREIGN, FILE, BOTH)
    found = yaml.safe_load(configuration_with_audit(FOREIGN, FILE, BOTH, replace=True))["apiServer"]["extraArgs"]
    assert [one["value"] for one in found if one["name"] == "audit-policy-file"] == [f"{FOLDER}/policy.yaml"]
    assert {"name": "v", "value": "2"} in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: InitConfiguration", "kubeadm-config:1:7: must be of kind ClusterConfiguration"),
        ("kind: ClusterConfiguration", "kubeadm-config:1:1: apiVersion must be one of kubeadm"),
        (
            "kind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta9",
            "kubeadm-config:2:13: apiVersion must be one of",
        ),
        (FOREIGN.replace("apiServer:\n  extraArgs:\n", "apiServer:\n"), "kubeadm-config:2:3: apiServer must be a"),
        (FOREIGN.replace("v1beta4", "v1beta3"), "kubeadm-config:3:3: extraArgs must be a mapping"),
        (FOREIGN.replace("v1beta4", "v1beta2"), "kubeadm-config:3:3: extraArgs must be a mapping"),
        (
            f"apiServer: {{extraArgs: }}\n{TOP.format(4)}",
            "kubeadm-config:1:24: extraArgs is null; remove it, or write a list",
        ),
        (
            f"apiServer:\n  extraArgs: ~\n{TOP.format(3)}",
            "kubeadm-config:2:14: extraArgs is null; remove it, or write a list",
        ),
        (f"apiServer:\n  extraVolumes: /a\n{TOP.format(4)}", "kubeadm-config:2:17: extraVolumes must be a list"),
        (f"apiServer:\n  extraArgs: [v=2]\n{TOP.format(4)}", "kubeadm-config:2:15: must be a mapping, with the key na"),
        ("{kind: ClusterConfiguration}", "kubeadm-config:1:1: must be written in lines"),
    ],
)
def test_what_cannot_be_edited_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ApiServerError) as told:
        configuration_with_audit(text, FILE, BOTH)
    assert words in str(told.value)
