"""Instances: names, addresses that never overlap, state that can be lost."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import instance
from sandbox.errors import SandboxError
from sandbox.instance import NODE_NETWORKS, NODES, Instance


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "STATE", tmp_path)


@given(st.sets(st.sampled_from(NODE_NETWORKS)))
def test_chosen_network_is_free(taken: set[IPv4Network]) -> None:
    if len(taken) == len(NODE_NETWORKS):
        with pytest.raises(SandboxError, match="no free network"):
            instance.choose_network(taken)
    else:
        assert instance.choose_network(taken) not in taken


def test_network_that_a_bigger_route_covers_is_not_chosen() -> None:
    with pytest.raises(SandboxError):
        instance.choose_network([IPv4Network("10.0.0.0/8")])
    assert instance.choose_network([IPv4Network("10.250.0.0/15")]) == IPv4Network("10.252.0.0/24")


def test_instances_side_by_side_differ_in_everything() -> None:
    one, other = instance.create("one", []), instance.create("other", [])
    assert not one.network.overlaps(other.network)
    assert len({one.bridge, other.bridge}) == len({one.cgroup, other.cgroup}) == len({one.folder, other.folder}) == 2
    assert instance.known() == [one, other]
    assert instance.create("one", []) == one


def test_interface_names_fit_the_kernel() -> None:
    for network in NODE_NETWORKS:
        assert all(len(Instance("x" * 20, network).link(number)) <= 15 for number in (11, 254))


def test_pod_networks_do_not_overlap() -> None:
    networks = [node.pod_cidr for node in NODES]
    assert all(network.subnet_of(instance.POD_NETWORK) for network in networks)
    assert len(set(networks)) == len(NODES)
    outside = [instance.POD_NETWORK, instance.SERVICE_NETWORK, *NODE_NETWORKS]
    assert not any(instance.OUTSIDE_NETWORK.overlaps(network) for network in outside)


def test_more_control_planes_leave_all_others_what_they_were() -> None:
    one, three = (Instance("x", NODE_NETWORKS[0], count) for count in (1, 3))
    assert one.nodes == NODES
    assert set(one.nodes) < set(three.nodes)
    assert [node.name for node in three.nodes if node.control_plane] == ["cp01", "cp02", "cp03"]
    assert (one.api_url, three.api_url) == ("https://10.250.0.11:6443", "https://10.250.0.10:6443")
    assert set(three.machines) - set(one.machines) == {"cp02", "cp03", "balancer"}
    numbers = {node.number for node in three.nodes} | {instance.BALANCER_NUMBER, instance.OUTSIDE_NUMBER, 1}
    assert len(numbers) == len({node.pod_cidr for node in three.nodes}) + 3


@pytest.mark.parametrize(("control_planes", "members"), [(1, 1), (2, 1), (3, 3)])
def test_etcd_has_no_two_members(control_planes: int, members: int) -> None:
    assert len(Instance("x", NODE_NETWORKS[0], control_planes).etcd_nodes) == members


def test_the_number_of_control_planes_is_kept_and_no_other_is_taken_for_it() -> None:
    made = instance.create("three", [], 3)
    assert instance.load("three") == instance.create("three", []) == instance.create("three", [], 3) == made
    with pytest.raises(SandboxError, match=r"has 3 control plane\(s\), not 1") as told:
        instance.create("three", [], 1)
    assert "down --purge" in told.value.hint


def test_state_from_before_there_were_several_has_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/instance.json").write_text('{"network": "10.250.0.0/24"}')
    assert instance.load("old") == Instance("old", NODE_NETWORKS[0], 1)


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "a-", "../x", "x" * 21])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot be the name of a sandbox"):
        instance.check_name(name)


def test_unknown_node_is_named_with_the_known_ones() -> None:
    with pytest.raises(SandboxError, match="no node 'worker9'") as caught:
        instance.find_node("worker9")
    assert "worker01" in caught.value.hint


def test_damaged_state_is_named_and_can_still_be_taken_down(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/instance.json").write_text("{")
    with pytest.raises(SandboxError, match=r"broken/instance.json is damaged"):
        instance.load("broken")
    assert instance.load_damaged("broken").name == "broken"


def test_second_command_on_the_same_sandbox_is_refused() -> None:
    with (
        instance.exclusive("a", wait=False),
        pytest.raises(SandboxError, match="another command is at work on sandbox 'a'"),
        instance.exclusive("a", wait=False),
    ):
        pass
