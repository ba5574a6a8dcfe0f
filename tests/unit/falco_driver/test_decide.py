"""The decision on the kernels that nodes really have, and every single reason that can turn it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver import (
    Decision,
    DriverError,
    Policy,
    Probe,
    RawNode,
    decide,
    features_of,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.decide import Avoid
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.features import BTF_WANTED
from hypothesis import given
from hypothesis import strategies as st

from .nodes import OLD_8, ROCKY_8, ROCKY_9, btf, raw


def decided(node: RawNode, policy: Policy | None = None) -> Decision:
    return decide(features_of(node), policy or Policy())


def codes(decision: Decision, driver: str, effect: str) -> set[str]:
    candidate = next(c for c in decision.candidates if c.driver == driver)
    return {reason.code for reason in candidate.reasons if reason.effect == effect}


@pytest.mark.parametrize("release", [ROCKY_9, ROCKY_8, "6.12.0-55.9.1.el10_0.aarch64"])
def test_a_kernel_with_every_feature_takes_modern_ebpf_whatever_its_version(release: str) -> None:
    decision = decided(raw(release=release))
    assert decision.driver == "modern_ebpf"
    assert decision.header_packages == ()
    assert codes(decision, "modern_ebpf", "blocks") == codes(decision, "modern_ebpf", "warns") == set()


def test_an_architecture_that_is_not_known_hinders_no_driver() -> None:
    decision = decided(raw(machine=""))
    assert decision.driver == "modern_ebpf"
    assert codes(decision, "kmod", "blocks") == set()


def test_an_old_kernel_without_btf_takes_the_module_and_names_its_headers() -> None:
    decision = decided(raw(release=OLD_8, btf=None, ring_buffer_probe=Probe("refused", "EINVAL")))
    assert decision.driver == "kmod"
    assert decision.header_packages == ("kernel-devel-4.18.0-147.8.1.el8_1", "kernel-headers-4.18.0-147.8.1.el8_1")
    assert codes(decision, "modern_ebpf", "blocks") == {"btf", "ring_buffer"}
    assert "not modern_ebpf: no /sys/kernel/btf/vmlinux" in decision.summary


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("BPF_MAP_TYPE_RINGBUF", "ring_buffer"),
        ("BPF_PROG_TYPE_TRACING", "tracing_programs"),
        ("BPF_TRACE_RAW_TP", "tracing_programs"),
        ("btf_trace_sys_enter", "syscall_tracepoints"),
        ("btf_trace_sys_exit", "syscall_tracepoints"),
    ],
)
def test_each_feature_is_needed(missing: str, code: str) -> None:
    blob = btf(tuple(name for name in BTF_WANTED if name != missing))
    decision = decided(raw(btf=blob, ring_buffer_probe=Probe()))
    assert decision.driver == "kmod"
    assert codes(decision, "modern_ebpf", "blocks") == {code}


def test_the_running_kernel_is_believed_before_its_type_information() -> None:
    assert codes(decided(raw(ring_buffer_probe=Probe("refused", "EINVAL"))), "modern_ebpf", "blocks") == {"ring_buffer"}


def test_a_denied_probe_warns_and_the_type_information_decides() -> None:
    decision = decided(raw(ring_buffer_probe=Probe("denied", "EPERM: Operation not permitted")))
    assert decision.driver == "modern_ebpf"
    assert codes(decision, "modern_ebpf", "warns") == {"bpf_denied"}
    assert "EPERM" not in decision.summary
    assert "(the kernel tells its types (BTF), BPF ring buffers, " in decision.summary


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"btf": b"\x7fELF" + bytes(40)}, "damaged: BTF starts with 7f45, not with its magic number eb9f"),
        ({"btf": btf()[:-1]}, f"at byte {len(btf()) - 1}, its string section should end at byte {len(btf())}"),
        ({"btf": b""}, "shorter than its header"),
        (
            {"btf": None, "unreadable": {"/sys/kernel/btf/vmlinux": "Permission denied"}},
            "cannot be read: Permission denied",
        ),
        ({"btf": None, "config": "CONFIG_MODULES=y\n"}, f"CONFIG_DEBUG_INFO_BTF is not set in /boot/config-{ROCKY_9}"),
    ],
)
def test_bad_type_information_blocks_and_says_how(changes: dict[str, object], message: str) -> None:
    decision = decided(raw(**changes), Policy(order=("modern_ebpf",)))
    assert decision.driver == "none"
    assert message in decision.reasons[0].message


def test_type_information_that_should_be_there_is_not_laid_to_the_configuration() -> None:
    said = decided(raw(btf=None), Policy(order=("modern_ebpf",))).reasons[0].message
    assert said == "no /sys/kernel/btf/vmlinux"


def test_lockdown_at_confidentiality_leaves_only_a_signed_module() -> None:
    node = raw(lockdown="none integrity [confidentiality]\n")
    assert decided(node).driver == "none"
    assert decided(node, Policy(modules_signed=True)).driver == "kmod"


def test_lockdown_at_integrity_does_not_hinder_modern_ebpf() -> None:
    assert decided(raw(lockdown="none [integrity] confidentiality\n")).driver == "modern_ebpf"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secure_boot": b"\6\0\0\0\1"}, "Secure Boot is on"),
        ({"sig_enforce": "Y\n"}, "enforces module signatures"),
        ({"config": "CONFIG_MODULES=y\nCONFIG_MODULE_SIG_FORCE=y\n"}, "enforces module signatures"),
        ({"lockdown": "none [integrity] confidentiality\n"}, "lockdown is at 'integrity'"),
    ],
)
def test_whatever_demands_signatures_blocks_an_unsigned_module(changes: dict[str, object], words: str) -> None:
    only_kmod = Policy(order=("kmod",))
    decision = decided(raw(**changes), only_kmod)
    assert decision.driver == "none"
    assert words in decision.summary
    assert "mokutil --import" in decision.reasons[0].hint
    signed = decided(raw(**changes), replace(only_kmod, modules_signed=True))
    assert signed.driver == "kmod"
    assert codes(signed, "kmod", "warns") == {"signature"}


@pytest.mark.parametrize("changes", [{"config": "CONFIG_BPF=y\n"}, {"modules_disabled": "1\n"}])
def test_a_kernel_that_loads_no_modules_has_no_kmod(changes: dict[str, object]) -> None:
    assert decided(raw(**changes), Policy(order=("kmod",))).driver == "none"


@pytest.mark.parametrize(
    ("machine", "release", "driver"),
    [
        ("riscv64", "6.8.0", "kmod"),
        ("riscv64", "4.19.0", "none"),
        ("aarch64", "3.10.0", "none"),
        ("x86_64", "3.10.0-1160.el7.x86_64", "kmod"),
        ("x86_64", "2.6.32-754.el6.x86_64", "none"),
        ("armv7l", "6.1.0", "none"),
        ("x86_64", "3.9.11", "none"),
        ("aarch64", "3.15.10", "none"),
        ("aarch64", "3.16.0", "kmod"),
        ("s390x", "3.9.11", "none"),
        ("s390x", "3.10.0", "kmod"),
        ("ppc64le", "3.9.11", "none"),
        ("ppc64le", "3.10.0", "kmod"),
        ("riscv64", "5.0.0", "kmod"),
        ("", "3.9.11", "none"),
        ("", "3.10.0", "kmod"),
    ],
)
def test_architectures_have_drivers_and_oldest_kernels_of_their_own(machine: str, release: str, driver: str) -> None:
    assert decided(raw(machine=machine, release=release, btf=None, ring_buffer_probe=Probe())).driver == driver


@pytest.mark.parametrize(
    ("release", "falco", "driver"),
    [
        ("7.0.0-31-generic", "0.44.1", "kmod"),
        ("7.0.0-31-generic", "0.45.0", "modern_ebpf"),
        ("7.0.0-31-generic", "0.45", "modern_ebpf"),
        ("6.19.7-200.fc43.x86_64", "0.43.0", "kmod"),
        ("6.19.7-200.fc43.x86_64", "0.44.0", "modern_ebpf"),
        ("6.18.4", "0.43.0", "modern_ebpf"),
        ("6.12.0-55.9.1.el10_0.x86_64", "0.39.2", "kmod"),
        ("6.12.0-55.9.1.el10_0.x86_64", "0.40.0", "modern_ebpf"),
        ("6.11.11", "0.39.2", "modern_ebpf"),
    ],
)
def test_kernels_known_to_be_bad_are_so_for_some_versions_of_falco(release: str, falco: str, driver: str) -> None:
    decision = decided(raw(release=release), Policy(falco_version=falco))
    assert decision.driver == driver
    assert (codes(decision, "modern_ebpf", "blocks") == {"known_bad_kernel"}) == (driver == "kmod")


def test_a_site_may_avoid_kernels_of_its_own() -> None:
    policy = Policy(avoid=(Avoid("modern_ebpf", "5.14.0-570.*", "drops events here"),))
    decision = decided(raw(), policy)
    assert decision.driver == "kmod"
    assert "drops events here" in decision.summary
    assert decided(raw(release="5.14.0-503.11.1.el9_5.x86_64"), policy).driver == "modern_ebpf"


@pytest.mark.parametrize(
    ("changes", "policy", "least", "words"),
    [
        ({}, Policy(), True, "suffice"),
        ({"cap_last_cap": "39\n"}, Policy(), True, "suffice"),
        ({"cap_last_cap": "38\n"}, Policy(), False, "CAP_BPF"),
        ({"cap_last_cap": None}, Policy(), False, "CAP_BPF"),
        ({"paranoid": "3\n"}, Policy(), False, "perf_event_paranoid is 3"),
        ({"paranoid": None}, Policy(), True, "suffice"),
        ({}, Policy(order=("kmod",)), False, "privileged pod"),
        ({"btf": None}, Policy(order=("modern_ebpf",)), False, "no driver"),
    ],
)
def test_least_privileges_are_told_apart(changes: dict[str, object], policy: Policy, least: bool, words: str) -> None:
    decision = decided(raw(**changes), policy)
    assert (decision.least_privileged, words in decision.least_privileged_reason) == (least, True)


def test_tracefs_that_is_not_mounted_warns() -> None:
    assert codes(decided(raw(mounts="proc /proc proc rw 0 0\n")), "modern_ebpf", "warns") == {"tracefs"}
    assert codes(decided(raw(filesystems="nodev\tproc\n", mounts="")), "modern_ebpf", "warns") == {"tracefs"}


def test_a_missing_build_tree_warns_and_names_the_package() -> None:
    decision = decided(raw(build_tree=False), Policy(order=("kmod",)))
    assert decision.driver == "kmod"
    assert any(reason.hint == "install kernel-devel-5.14.0-570.12.1.el9_6" for reason in decision.reasons)


@pytest.mark.parametrize(
    "policy", [{"order": ("ebpf",)}, {"falco_version": "latest"}, {"avoid": (Avoid("x", "*", ""),)}]
)
def test_a_policy_that_means_nothing_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises(DriverError):
        Policy(**policy)  # type: ignore[arg-type]  # wrong on purpose


optional_text = st.none() | st.text(max_size=40)


@given(
    release=st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}(\.[0-9]{1,3})?[-+._a-z0-9]{0,20}", fullmatch=True),
    machine=st.sampled_from(["x86_64", "aarch64", "riscv64", "mips", ""]),
    blob=st.none() | st.binary(max_size=64) | st.sets(st.sampled_from(BTF_WANTED)).map(lambda names: btf(tuple(names))),
    config=optional_text,
    lockdown=st.none() | st.sampled_from(["[none] integrity", "none [integrity]", "[confidentiality]"]),
    secure_boot=st.none() | st.sampled_from([b"\6\0\0\0\0", b"\6\0\0\0\1"]),
    efi=st.none() | st.booleans(),
    paranoid=optional_text,
    last_cap=optional_text,
    signed=st.booleans(),
    outcome=st.sampled_from(["created", "refused", "denied", "skipped"]),
)
def test_every_decision_follows_from_its_reasons(
    release: str,
    machine: str,
    blob: bytes | None,
    config: str | None,
    lockdown: str | None,
    secure_boot: bytes | None,
    efi: bool | None,
    paranoid: str | None,
    last_cap: str | None,
    signed: bool,
    outcome: str,
) -> None:
    node = raw(
        release=release,
        machine=machine,
        btf=blob,
        config=config,
        lockdown=lockdown,
        secure_boot=secure_boot,
        efi=efi,
        paranoid=paranoid,
        cap_last_cap=last_cap,
        ring_buffer_probe=Probe(outcome),
    )
    decision = decided(node, Policy(modules_signed=signed))
    usable = [candidate.driver for candidate in decision.candidates if candidate.usable]
    assert decision.driver == (usable[0] if usable else "none")
    for candidate in decision.candidates:
        assert candidate.reasons
        assert candidate.usable == all(reason.effect != "blocks" for reason in candidate.reasons)
        assert all(reason.message for reason in candidate.reasons)
    if decision.driver == "modern_ebpf":
        assert blob is not None
        assert lockdown != "[confidentiality]"
    if decision.driver == "kmod" and not signed and efi is not False:
        assert secure_boot != b"\6\0\0\0\1"
    if decision.least_privileged:
        assert decision.driver == "modern_ebpf"
    assert "\n" not in decision.summary
