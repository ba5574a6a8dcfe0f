"""What nodes are configured with: PKI, manifests, component configuration, specifications of machines."""

from __future__ import annotations

import base64
import datetime
import json
import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import tomllib  # type: ignore[import-not-found]  # since 3.11, with which tests run
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from sandbox import addons, capability, cli, control_plane, images, instance, kind, machines, node_files, pki
from sandbox.errors import SandboxError
from sandbox.instance import NODES, Instance

WORLD = Instance("test", instance.NODE_NETWORKS[1])
CP, WORKER = NODES[0], NODES[1]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    pki.write_pki(folder / "kubernetes", pki.certificates(WORLD))
    for name in ("root", *(one.name for one in NODES)):
        pki.write_ssh_key(folder / "ssh", name, name)
    return folder


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_certificates_are_signed_by_their_authority(keys: Path) -> None:
    for spec in pki.certificates(WORLD):
        certificate = load(keys / "kubernetes" / f"{spec.path}.crt")
        certificate.verify_directly_issued_by(load(keys / "kubernetes" / f"{spec.authority}.crt"))
        assert certificate.not_valid_before_utc < datetime.datetime.now(datetime.timezone.utc)


def test_api_server_answers_for_all_its_names(keys: Path) -> None:
    certificate = load(keys / "kubernetes/apiserver.crt")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) >= {"kubernetes.default.svc", "localhost", "cp01"}
    wanted = {WORLD.address(CP), IPv4Address("127.0.0.1"), IPv4Address("10.96.0.1")}
    assert set(names.get_values_for_type(x509.IPAddress)) == wanted


def test_kubelet_is_a_node_to_the_authorizer(keys: Path) -> None:
    subject = load(keys / "kubernetes/users/kubelet-worker01.crt").subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:worker01"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"


def test_private_keys_are_private(keys: Path) -> None:
    private = [*keys.rglob("*.key"), keys / "ssh/root"]
    assert private
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in private)
    text = (keys / "ssh/root").read_text()
    assert text.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")


def test_kubeconfig_holds_everything(keys: Path) -> None:
    document = yaml.safe_load(control_plane.kubeconfig("https://api:6443", "admin", keys / "kubernetes"))
    user = document["users"][0]["user"]
    assert b"BEGIN CERTIFICATE" in base64.b64decode(user["client-certificate-data"])
    assert b"BEGIN EC PRIVATE KEY" in base64.b64decode(user["client-key-data"])
    assert document["clusters"][0]["cluster"]["server"] == "https://api:6443"


def spec_of(keys: Path, one: instance.Node) -> dict[str, Any]:
    return dict(machines.cluster_machine(WORLD, one, [Path("/layer"), Path("/root")], keys).spec)


def files_of(keys: Path, one: instance.Node) -> dict[str, dict[str, Any]]:
    found = spec_of(keys, one)["files"]
    by_path = {file["path"]: file for file in found}
    assert all(by_path[file["path"]]["text"] == file["text"] for file in found)
    return by_path


def test_manifests_use_only_files_that_are_there(keys: Path) -> None:
    files = files_of(keys, CP)
    manifests = {path: file for path, file in files.items() if path.startswith(control_plane.MANIFESTS)}
    assert len(manifests) == 4
    names = {spec.name for spec in images.IMAGES}
    for file in manifests.values():
        assert file["keep"], "edits of a user must survive"
        pod = yaml.safe_load(file["text"])
        container = pod["spec"]["containers"][0]
        assert container["image"] in names
        assert pod["metadata"]["labels"] == {"component": pod["metadata"]["name"], "tier": "control-plane"}
        folders = {volume["hostPath"]["path"] for volume in pod["spec"]["volumes"]}
        for path in re.findall(r"=(/etc/\S+)", "\n".join(container["command"])):
            assert path in files, path
            assert any(path == folder or path.startswith(f"{folder}/") for folder in folders), path


def test_secrets_of_a_node_are_private_and_workers_have_no_keys_of_the_cluster(keys: Path) -> None:
    for one in NODES:
        for path, file in files_of(keys, one).items():
            if "PRIVATE KEY" in file["text"] or (path.endswith(".conf") and "kubernetes" in path):
                assert file["mode"] == 0o600, path
    assert not [path for path in files_of(keys, WORKER) if path.endswith("ca.key")]


def test_specification_changes_with_its_content(keys: Path) -> None:
    machine = machines.cluster_machine(WORLD, WORKER, [Path("/a")], keys)
    assert machine.digest == machines.cluster_machine(WORLD, WORKER, [Path("/a")], keys).digest
    assert machine.digest != machines.cluster_machine(WORLD, WORKER, [Path("/b")], keys).digest
    json.dumps(machine.spec)


def test_nodes_route_to_pods_services_and_outside_but_nowhere_else(keys: Path) -> None:
    routes = dict(spec_of(keys, WORKER)["network"]["routes"])
    assert routes == {
        "10.96.0.0/16": "",
        "198.51.100.0/24": str(WORLD.network[254]),
        "10.244.0.0/24": str(WORLD.address(CP)),
        "10.244.2.0/24": str(WORLD.address(NODES[2])),
    }


@pytest.mark.parametrize(("control_planes", "members"), [(2, 1), (3, 3)])
def test_several_control_planes_know_each_other(keys: Path, control_planes: int, members: int) -> None:
    world = Instance("test", instance.NODE_NETWORKS[1], control_planes)
    found: dict[str, list[str]] = {}
    for one in world.nodes[:control_planes]:
        files = {file["path"]: file["text"] for file in control_plane.files(world, one, keys / "kubernetes")}
        for path in (path for path in files if path.startswith(control_plane.MANIFESTS)):
            found.setdefault(Path(path).stem, []).append(files[path])
        assert f"https://{world.address(one)}:6443" in files["/etc/kubernetes/scheduler.conf"]
        assert world.api_url in files["/etc/kubernetes/admin.conf"]
    assert {name: len(texts) for name, texts in found.items()} == {
        "etcd": members,
        "kube-apiserver": control_planes,
        "kube-controller-manager": control_planes,
        "kube-scheduler": control_planes,
    }
    assert all(text.count(":2380") == members + 2 for text in found["etcd"])
    assert all("--leader-elect=true" in text for text in found["kube-scheduler"])
    last = "127.0.0.1" if members == control_planes else str(world.address(world.nodes[0]))
    assert f"--etcd-servers=https://{last}:2379" in found["kube-apiserver"][-1]
    names = {name for spec in pki.certificates(world) for name in spec.alternatives}
    assert {str(world.address(one)) for one in world.nodes[:control_planes]} | {str(world.api_address)} < names


def test_the_balancer_knows_all_api_servers() -> None:
    world = Instance("test", instance.NODE_NETWORKS[1], 3)
    machine = machines.balancer_machine(world, [Path("/layer")])
    [service] = machine.spec["services"]
    assert service["argv"][-4:] == ["6443", *(str(world.address(one)) for one in world.nodes[:3])]
    assert machine.number not in {one.number for one in world.nodes}


def test_only_the_control_planes_kubelet_does_not_wait_for_the_api(keys: Path) -> None:
    for one in NODES:
        kubelet = next(service for service in spec_of(keys, one)["services"] if service["name"] == "kubelet")
        assert any("tcp" in condition for condition in kubelet["wait"]) is not one.control_plane
        assert f"--node-ip={WORLD.address(one)}" in kubelet["argv"]


def test_containerd_is_told_what_the_machine_can_grant() -> None:
    for granted in (True, False):
        config = tomllib.loads(node_files.containerd_config(sys_resource=granted))
        assert config["plugins"]["io.containerd.cri.v1.runtime"]["restrict_oom_score_adj"] is not granted
        assert config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == images.PAUSE_IMAGE


def test_capability_is_read_from_the_bounding_set() -> None:
    assert capability.grants_sys_resource("Name:\tx\nCapBnd:\t000001ffffffffff\n")
    assert not capability.grants_sys_resource("CapBnd:\t000001fffeffffff\n")


def test_component_configurations() -> None:
    kubelet = yaml.safe_load(node_files.kubelet_config(CP))
    assert kubelet["failCgroupV1"] is False
    assert kubelet["staticPodPath"] == control_plane.MANIFESTS
    assert kubelet["registerWithTaints"][0]["key"] == "node-role.kubernetes.io/control-plane"
    assert "staticPodPath" not in yaml.safe_load(node_files.kubelet_config(WORKER))
    assert yaml.safe_load(node_files.proxy_config(WORKER))["conntrack"]["maxPerCore"] == 0
    cni = json.loads(node_files.cni_config(WORKER))
    assert cni["plugins"][0]["type"] == "ptp"
    assert cni["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert f"{WORLD.address(WORKER)} worker01" in node_files.hosts(WORLD)


def test_addons_are_applied_under_their_own_names() -> None:
    for path, document in addons.documents("api:6443"):
        assert path.endswith(f"/{document['metadata']['name']}")
        assert document["metadata"].get("namespace", "kube-system") == "kube-system"
    service = next(one for path, one in addons.documents("x") if path.endswith("services/kube-dns"))
    assert service["spec"]["clusterIP"] == "10.96.0.10"
    assert "198.51.100.10 outside.sandbox.test" in addons.COREFILE


def pod(started: str | None, where: str = "worker01", *, static: bool = False, ready: bool = True) -> dict[str, Any]:
    statuses = [{"ready": ready, "state": {"running": {"startedAt": started}}}] if started else []
    annotations = {"kubernetes.io/config.mirror": "1"} if static else {}
    return {
        "metadata": {"namespace": "kube-system", "name": "p", "annotations": annotations},
        "spec": {"nodeName": where},
        "status": {"containerStatuses": statuses},
    }


def test_what_was_said_before_a_node_came_up_does_not_count() -> None:
    booted = {"worker01": datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)}
    assert addons.stale_pods([pod("2026-01-01T11:59:59Z")], booted) == ["kube-system/p"]
    assert (
        addons.stale_pods([pod("2026-01-01T12:00:00Z"), pod(None), pod("2020-01-01T00:00:00Z", "other")], booted) == []
    )


def test_static_pods_count_once_their_kubelet_reported() -> None:
    now = "2026-01-01T12:00:00Z"
    assert addons.unready_static_pods([pod(None, static=True), pod(now, ready=False), pod(now, static=True)]) == []
    assert addons.unready_static_pods([pod(now, static=True, ready=False)]) == ["kube-system/p"]


def test_kind_has_the_same_shape_and_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    config = yaml.safe_load(kind.cluster_config())
    assert [one["role"] for one in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert config["networking"] == {"podSubnet": "10.244.0.0/16", "serviceSubnet": "10.96.0.0/16"}
    for value, expected in (("", False), ("native", False), ("kind", True)):
        monkeypatch.setenv("SANDBOX", value)
        assert kind.selected() is expected
    monkeypatch.setenv("SANDBOX", "minikube")
    with pytest.raises(SandboxError, match="SANDBOX=minikube is unknown"):
        kind.selected()


def test_kind_makes_one_control_plane_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDBOX", "kind")
    assert cli.main(["--name", "x", "up", "--control-planes", "3"]) == 1
    assert "kind clusters have one control plane here" in capsys.readouterr().err


@pytest.mark.parametrize("again", [False, True])
def test_what_kubeadm_was_told_of_the_cluster_outlasts_another_up(again: bool) -> None:
    applied = []

    class Api:
        url = "https://192.0.2.1:6443"

        def get(self, path: str) -> dict[str, Any]:
            if path.endswith("/kubeadm-config") and not again:
                raise SandboxError("not found")
            return {}

        def apply(self, path: str, document: dict[str, Any]) -> None:
            applied.append(path)

    addons.apply_documents(Api())  # type: ignore[arg-type]  # what it asks of an API
    names = [path.rpartition("/")[2] for path in applied]
    assert ("kubeadm-config" in names, "coredns" in names) == (not again, True)
