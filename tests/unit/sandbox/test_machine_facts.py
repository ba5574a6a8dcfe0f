"""The doctor's judgements, mirrors, toolchain, packages, inventory, status and command line."""

from __future__ import annotations

import dataclasses
import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import cli, debian, doctor, instance, inventory, kind, machines, packages, status, toolchain, up
from sandbox.builds import BUILDS, GoBuild
from sandbox.doctor import GIB, Facts, judge
from sandbox.errors import SandboxError
from sandbox.instance import NODE_NETWORKS, Instance

WELL = Facts(tools=dict.fromkeys(debian.TOOLS, True))

BAD = [
    ({"uid": 1000}, "error", "not root"),
    ({"python": (3, 9)}, "error", "Python 3.9"),
    ({"has_apt": False, "os_id": "fedora"}, "error", "fedora has no apt-get"),
    ({"os_id": "mint"}, "note", "tried on Debian only"),
    ({"tools": {}}, "note", "not installed yet: debootstrap"),
    ({"overlay_error": "unknown filesystem type"}, "error", "no overlayfs: unknown filesystem type"),
    ({"namespace_error": "Operation not permitted"}, "error", "no namespaces: Operation not permitted"),
    ({"nftables": False}, "error", "no nftables"),
    ({"nftables": None}, "note", "could not find out"),
    ({"controllers": frozenset({"cpu", "pids"})}, "error", "lack cpuset, memory"),
    ({"cgroup_version": 1}, "note", "version 1"),
    ({"sys_resource": False}, "note", "CAP_SYS_RESOURCE"),
    ({"btf": False}, "note", "no /sys/kernel/btf/vmlinux: the stand-in for Falco will refuse to start"),
    ({"cache_free_bytes": 2 * GIB}, "error", "2 GiB free for the cache, 10 GiB are needed"),
    ({"state_free_bytes": 1 * GIB}, "error", "1 GiB free for the state, 3 GiB are needed"),
    ({"memory_bytes": 1 * GIB}, "note", "1.0 GiB of memory available"),
    ({"routes": (IPv4Network("10.0.0.0/8"),)}, "error", "routes into all of 10.250.0.0/24"),
    ({"routes": (IPv4Network("10.96.0.0/12"),)}, "note", "networks of Services (10.96.0.0/16)"),
]


def test_good_machine_has_only_good_findings() -> None:
    assert {finding.level for finding in judge(WELL)} == {"ok"}


@pytest.mark.parametrize(("change", "level", "text"), BAD, ids=[text for _, _, text in BAD])
def test_each_lack_is_found_and_advised_on(change: dict[str, Any], level: str, text: str) -> None:
    findings = [finding for finding in judge(dataclasses.replace(WELL, **change)) if finding.level != "ok"]
    assert [finding.level for finding in findings] == [level]
    assert text in findings[0].what
    if level == "error":
        assert findings[0].advice


def test_built_cache_needs_little_more_room() -> None:
    facts = dataclasses.replace(WELL, cache_free_bytes=2 * GIB, cache_used=True)
    assert {finding.level for finding in judge(facts)} == {"ok"}


def test_routes_of_our_own_sandboxes_are_no_conflict() -> None:
    facts = dataclasses.replace(WELL, routes=NODE_NETWORKS[:2], instances=NODE_NETWORKS[:2])
    assert {finding.level for finding in judge(facts)} == {"ok"}


def test_unusable_machine_is_refused_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "gather", lambda: Facts(uid=1000))
    monkeypatch.setattr(up, "prepare", lambda: pytest.fail("began to build"))
    with pytest.raises(SandboxError, match=r"this machine cannot run a sandbox(.|\n)*not root"):
        up.up("test")


def test_mirror_comes_from_apt() -> None:
    targets = ["http://m/debian trixie main", "http://m/security trixie-security main"]
    found = debian.choose_mirrors({"ID": "debian", "VERSION_CODENAME": "trixie"}, targets)
    assert [(one.url, one.suite) for one in found] == [("http://m/debian", "bookworm"), ("http://m/debian", "trixie")]
    ubuntu = debian.choose_mirrors({"ID": "ubuntu", "VERSION_CODENAME": "noble"}, ["http://u noble main"])
    assert ubuntu == [debian.Mirror("http://u", "noble", ("main", "universe"))]
    with pytest.raises(SandboxError, match="no source for component main of noble"):
        debian.choose_mirrors({"ID": "ubuntu", "VERSION_CODENAME": "noble"}, targets)


def test_os_release_is_read() -> None:
    text = '# comment\nID=debian\nNAME="Debian GNU/Linux"\n\n'
    assert debian.read_os_release(text) == {"ID": "debian", "NAME": "Debian GNU/Linux"}


def test_missing_packages_are_named_once() -> None:
    has = dict.fromkeys(debian.TOOLS, True) | {"unshare": False, "nsenter": False}
    assert debian.missing_packages(has) == ["util-linux"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.6 linux/amd64", (1, 26, 6)),
        ("go version go1.27 linux/arm64", (1, 27, 0)),
        ("no such thing", ()),
    ],
)
def test_version_of_go(text: str, version: tuple[int, ...]) -> None:
    assert toolchain.parse_version(text) == version


def test_toolchain_is_new_enough_for_every_module() -> None:
    for build in BUILDS:
        line = next(line for line in (build.module / "go.mod").read_text().splitlines() if line.startswith("go "))
        assert toolchain.parse_version(line.replace(" ", "")) <= toolchain.NEEDED, build.name


def test_key_of_a_build_sees_sources_flags_and_compiler(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module x\n")
    build = GoBuild("x", tmp_path, files=("x",))
    keys = {build.key("go1"), build.key("go2"), dataclasses.replace(build, tags=("t",)).key("go1")}
    keys.add(dataclasses.replace(build, settings=(("a", "b"),)).key("go1"))
    (tmp_path / "main.go").write_text("package main\n")
    keys.add(build.key("go1"))
    assert len(keys) == 5


def test_every_module_is_pinned() -> None:
    for build in BUILDS:
        assert (build.module / "go.mod").exists()
        requires = "require" in (build.module / "go.mod").read_text()
        assert (build.module / "go.sum").exists() is requires, build.name


def test_flags_of_a_build() -> None:
    build = GoBuild("x", Path("/m"), tags=("a", "b"), settings=(("v", "1"),), is_test=True)
    assert build.flags() == ["test", "-c", "-vet=off", "-trimpath", "-ldflags", "-s -w -X v=1", "-tags", "a,b"]


@pytest.mark.parametrize(
    ("release", "identity"),
    [
        ("5.14.0-570.17.1.el9_6", ("kernel-devel", "5.14.0", "570.17.1.el9_6")),
        ("6.1.0-18-amd64", ("kernel-devel-6.1.0-18", "amd64", "1")),
        ("6.8.0", ("kernel-devel", "6.8.0", "1")),
    ],
)
def test_kernel_packages_are_found_by_the_kernels_name(release: str, identity: tuple[str, str, str]) -> None:
    assert packages.kernel_identity("kernel-devel", release) == identity
    assert packages.kernel_devel(release, "x86_64").label.startswith(f"kernel-devel-{release}")


def test_packages_say_what_they_are() -> None:
    wanted = packages.packages("6.1.0-18-amd64", "x86_64")
    assert len({package.label for package in wanted}) == len(wanted)
    for package in wanted:
        text = packages.spec_text(package)
        assert "built by the falconet sandbox" in text
        assert not set("-~") & set(package.release)
    devel = packages.kernel_devel("5.14.0-570.17.1.el9_6", "x86_64")
    full = "5.14.0-570.17.1.el9_6.x86_64"
    assert f"kernel-devel-uname-r = {full}" in devel.provides
    assert devel.links == {f"/usr/lib/modules/{full}/build": f"/usr/src/kernels/{full}"}
    assert f"/usr/src/kernels/{full}/Makefile\n" in packages.spec_text(devel)


WORLD = Instance("test", NODE_NETWORKS[2])


def test_inventory_says_only_how_things_are_reached() -> None:
    children = inventory.hosts(WORLD)["all"]["children"]
    assert children["clusters"]["hosts"]["sandbox"]["cluster_kubeconfig"] == str(WORLD.kubeconfig)
    assert children["clusters"]["hosts"]["sandbox"]["sandbox_outside_address"] == "198.51.100.10"
    nodes = children["kube_nodes"]
    assert nodes["vars"]["kube_cluster"] == "sandbox"
    assert nodes["vars"]["ansible_user"] == "root"
    workers = nodes["children"]["workers"]["hosts"]
    assert workers == {"worker01": {"ansible_host": "10.252.0.21"}, "worker02": {"ansible_host": "10.252.0.22"}}
    assert list(children["redis_nodes"]["hosts"]) == ["worker01"]


def test_inventory_is_the_sample_system(tmp_path: Path) -> None:
    (tmp_path / "group_vars/stale").mkdir(parents=True)
    inventory.write_inventory(WORLD, tmp_path)
    assert yaml.safe_load((tmp_path / "hosts.yml").read_text()) == inventory.hosts(WORLD)
    assert not (tmp_path / "group_vars/stale").exists()
    for file in (inventory.SAMPLE / "group_vars").rglob("*.yml"):
        assert (tmp_path / "group_vars" / file.relative_to(inventory.SAMPLE / "group_vars")).exists()
    for file in (inventory.DEMO / "group_vars").rglob("*.yml"):
        assert (tmp_path / "group_vars" / file.relative_to(inventory.DEMO / "group_vars")).exists()


def service_state(state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "restarts": 0, "waits_for": None, **more}


def test_services_in_one_line() -> None:
    text, good = status.describe_services({"sshd": service_state("running"), "netpol-agent": service_state("stopped")})
    assert (text, good) == ("1 of 2 services run", True)
    waiting = service_state("waiting", waits_for={"tcp": "10.250.0.11:6443"}, restarts=2)
    text, good = status.describe_services({"kubelet": waiting})
    assert (text, good) == ("0 of 1 services run, 2 restarts; kubelet waiting for 10.250.0.11:6443", False)


def test_enforcement_in_one_line() -> None:
    assert status.describe_enforcement({"a": "running", "b": "running"})[0].startswith("on:")
    assert status.describe_enforcement({"a": "stopped", "b": "stopped"})[0].startswith("off:")
    assert status.describe_enforcement({"a": "stopped", "b": "running"}) == ("partly: a stopped, b running", False)


def pod(phase: str, statuses: list[dict[str, Any]], **annotations: str) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": "p", "annotations": annotations}
    return {"metadata": metadata, "status": {"phase": phase, "containerStatuses": statuses}}


def test_pods_that_do_not_run_are_named_with_the_reason() -> None:
    waiting = {"ready": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    fine = [
        pod("Running", [{"ready": True}]),
        pod("Succeeded", []),
        pod("Pending", [], **{"kubernetes.io/config.mirror": "1"}),
    ]
    text, bad = status.describe_pods([*fine, pod("Pending", [waiting])])
    assert text == "3 of 4 pods are ready or done"
    assert bad == ["ns/p: Pending, ImagePullBackOff"]


def test_commands_need_a_sandbox_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instance, "STATE", tmp_path)
    monkeypatch.delenv("SANDBOX", raising=False)
    for command in (["status"], ["inventory"], ["enforcement", "on"], ["exec", "cp01", "--", "true"]):
        assert cli.main(["--name", "absent", *command]) == 1
        said = capsys.readouterr().err
        assert "there is no sandbox 'absent'" in said
        assert "python -m sandbox --name absent up" in said


def test_name_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_NAME", "other")
    assert cli.parser().parse_args(["up"]).name == "other"
    assert cli.parser().parse_args(["exec", "cp01", "--", "ls", "-l"]).argv[-2:] == ["ls", "-l"]


def test_kind_is_used_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The calls are right for a kind that does as its documentation says; a stand-in takes its place here."""
    monkeypatch.setenv("SANDBOX", "kind")
    monkeypatch.setattr(kind, "STATE", tmp_path)
    program = tmp_path / "bin/kind"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1 $2" != "get kubeconfig" ] || echo config\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert cli.main(["--name", "a", "up"]) == 0
    assert cli.main(["--name", "a", "down"]) == 0
    assert cli.main(["--name", "a", "enforcement", "off"]) == 1
    assert "not for kind clusters" in capsys.readouterr().err
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[1].startswith("create cluster --name falconet-a --config - --wait 300s --kubeconfig")
    assert calls[2] == "delete cluster --name falconet-a"


def test_host_programs_are_links_that_follow_the_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path))
    for version in ("1", "2"):
        outputs = {name: tmp_path / f"{name}-{version}" for name in ("kubernetes", "helm")}
        up.link_host_programs(outputs)
        assert (tmp_path / "bin/kubectl").readlink() == tmp_path / f"kubernetes-{version}/kubernetes"
        assert (tmp_path / "bin/helm").readlink() == tmp_path / f"helm-{version}/helm"


def test_last_up_is_plain_data() -> None:
    clock = up.Clock()
    clock.reached("nodes_ready")
    assert json.loads(json.dumps(clock.seconds))["nodes_ready"] >= 0


def test_clones_of_the_repository_share_their_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    files = {"containerd": ("containerd", "containerd-shim-runc-v2", "ctr"), "kubernetes": ("kubernetes",)}
    outputs = {name: tmp_path / name for name in ("containerd", "kubernetes", "ociwrap", "helm", "cni")}
    for name, folder in outputs.items():
        folder.mkdir()
        for file in files.get(name, (name,)):
            (folder / file).write_text(file)
    layers = []
    for number, text in enumerate(["same", "same", "other"]):
        clone = tmp_path / f"clone-{number}"
        clone.mkdir()
        for script in ("supervisor.py", "outside_server.py", "api_balancer.py"):
            (clone / script).write_text(text)
        monkeypatch.setattr(machines, "HERE", clone)
        layers.append(machines.program_layer(outputs))
    assert layers[0] == layers[1]
    assert layers[1] != layers[2]
