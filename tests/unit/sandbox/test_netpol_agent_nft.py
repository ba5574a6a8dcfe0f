"""The NetworkPolicy agent's nftables text: its shape, and nft's own opinion of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .netpol_objects import NODE, namespace, pod, policy
from .test_netpol_agent import NAMESPACES, PODS, _policy, named

from netpol_agent import nft, rules  # isort: skip -- importable once netpol_objects has set the path

POD_NETWORK = IPv4Network("10.244.0.0/16")


def text_for(policies: list[dict[str, object]]) -> str:
    return nft.render(rules.make_plan(PODS, NAMESPACES, policies, NODE), POD_NETWORK)


def test_the_table_is_replaced_in_one_transaction() -> None:
    lines = text_for([]).splitlines()
    assert lines[:3] == ["table inet netpol", "delete table inet netpol", "table inet netpol {"]


def test_unknown_pod_addresses_are_dropped_both_ways() -> None:
    text = text_for([])
    assert "ip saddr 10.244.0.0/16 ip saddr != @known counter drop" in text
    assert "ip daddr 10.244.0.0/16 ip daddr != @known counter drop" in text


def test_the_nodes_own_packets_are_not_filtered() -> None:
    assert "hook output" not in text_for([policy("deny", policyTypes=["Ingress", "Egress"])])


def test_an_isolated_pod_is_in_the_map_and_its_group_ends_in_a_drop() -> None:
    text = text_for([policy("deny")])
    assert "map ingress_pods" in text
    assert f"{'10.244.1.2'} : goto pods_ingress_" in text
    assert "counter drop\n  }" in text
    assert "map egress_pods { type ipv4_addr : verdict; }" in text


def test_the_same_input_gives_the_same_text_whatever_its_order() -> None:
    policies = [policy("one"), policy("two", ingress=[{}]), policy("three", namespace="b")]
    forwards = nft.render(rules.make_plan(PODS, NAMESPACES, policies, NODE), POD_NETWORK)
    backwards = nft.render(rules.make_plan(PODS[::-1], NAMESPACES[::-1], policies[::-1], NODE), POD_NETWORK)
    assert forwards == backwards


def test_an_error_has_nfts_words(tmp_path: Path) -> None:
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\necho 'Error: no such hook' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(nft.NftError, match="no such hook"):
        nft.load("", str(program))
    with pytest.raises(nft.NftError, match="nowhere"):
        nft.load("", "/nowhere/nft")


def _real_nft(folder: Path) -> str:
    """A command that runs nft in an empty network namespace, so that nothing of the machine is touched."""
    program = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    inner = f'{program} "$@"'
    if program is None:
        cache = Path(os.environ.get("FALCONET_CACHE", Path.home() / ".cache" / "falconet"))
        root = next((path.parents[2] for path in sorted(cache.glob("rootfs/*/root/usr/sbin/nft"))), None)
        if root is None:
            pytest.skip(reason="no nft on this machine and no node root file system in the cache")
        inner = f'chroot {root} nft "$@"'
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip(reason="nft checks a transaction only as root in a network namespace of its own")
    wrapper = folder / "nft"
    wrapper.write_text(f"#!/bin/sh\nexec unshare --net sh -c '{inner}' nft \"$@\"\n")
    wrapper.chmod(0o755)
    return str(wrapper)


def test_nft_accepts_every_kind_of_rule(tmp_path: Path) -> None:
    peers = [{"namespaceSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]
    ports = [
        {"port": "http"},
        {"port": 8000, "endPort": 8100},
        {"port": 8050},
        {"protocol": "UDP"},
        {"protocol": "SCTP", "port": 7},
    ]
    out = [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "http"}]}, {"to": peers}]
    policies = [
        policy("deny", policyTypes=["Ingress", "Egress"]),
        policy("in", ingress=[{"from": peers, "ports": ports}, {}]),
        policy("out", policyTypes=["Egress"], egress=out),
    ]
    nft.check(text_for(policies), _real_nft(tmp_path))


def test_nft_accepts_empty_state_and_many_pods(tmp_path: Path) -> None:
    program = _real_nft(tmp_path)
    nft.check(nft.render(rules.make_plan([], [], [], NODE), POD_NETWORK), program)
    many = [pod(f"p{n}", f"10.244.{n // 200}.{n % 200 + 2}") for n in range(600)]
    plan = rules.make_plan(many, [namespace("a")], [policy("p", ingress=[{"from": [{"podSelector": {}}]}])], NODE)
    nft.check(nft.render(plan, POD_NETWORK), program)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(specs=st.lists(_policy, min_size=2, max_size=6))
def test_nft_accepts_whatever_policies_give(specs: list[dict[str, object]], tmp_path: Path) -> None:
    nft.check(text_for(named(specs)), _real_nft(tmp_path))


def test_nft_refuses_nonsense(tmp_path: Path) -> None:
    with pytest.raises(nft.NftError):
        nft.check("table inet netpol { chain x { jump nowhere } }", _real_nft(tmp_path))
