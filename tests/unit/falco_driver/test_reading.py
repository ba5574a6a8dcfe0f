"""Formats: kernel releases, BTF, the kernel's configuration, lockdown, the EFI variable, mounts."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver import (
    DriverError,
    Probe,
    features_of,
    parse_release,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.btf import btf_names
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.features import (
    CONFIG_SHOWN,
    mount_point,
    parse_config,
    parse_lockdown,
    parse_secure_boot,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.known_bad import KNOWN_BAD, parse_falco_version
from hypothesis import given
from hypothesis import strategies as st

from .nodes import btf, raw


@pytest.mark.parametrize(
    ("text", "version", "enterprise", "bare"),
    [
        ("5.14.0-570.12.1.el9_6.x86_64\n", (5, 14, 0), 9, "5.14.0-570.12.1.el9_6"),
        ("4.18.0-553.el8_10.aarch64", (4, 18, 0), 8, "4.18.0-553.el8_10"),
        ("6.12.0-55.9.1.el10_0.x86_64+debug", (6, 12, 0), 10, "6.12.0-55.9.1.el10_0.x86_64+debug"),
        ("6.1.0-18-amd64", (6, 1, 0), None, "6.1.0-18-amd64"),
        ("6.8", (6, 8, 0), None, "6.8"),
        ("6.13-rc1", (6, 13, 0), None, "6.13-rc1"),
    ],
)
def test_releases(text: str, version: tuple[int, int, int], enterprise: int | None, bare: str) -> None:
    release = parse_release(text)
    assert (release.version, release.enterprise, release.without_architecture) == (version, enterprise, bare)


@pytest.mark.parametrize("text", ["", "linux", "5", "x5.14.0"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(DriverError, match=r"is no kernel release\. expected what `uname -r` prints, such as 5\."):
        parse_release(text)


@given(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 999)))
def test_a_release_is_at_least_itself_and_not_more(version: tuple[int, int, int]) -> None:
    release = parse_release("{}.{}.{}".format(*version))
    assert release.at_least(*version)
    assert release.at_least(version[0], version[1])
    assert not release.at_least(version[0], version[1], version[2] + 1)


def test_a_version_of_one_or_two_numbers_is_the_first_of_its_kind() -> None:
    release = parse_release("6.0.0")
    assert release.at_least(6)
    assert release.at_least(6, 0)
    assert not release.at_least(7)


@given(st.sets(st.from_regex(r"[A-Za-z_]{1,12}", fullmatch=True), max_size=8), st.sampled_from("<>"))
def test_btf_tells_exactly_the_names_it_holds(names: set[str], order: str) -> None:
    blob = btf(tuple(sorted(names)), order)
    assert btf_names(blob, names) == names
    assert btf_names(blob, {name + "x" for name in names} - names) == frozenset()


def test_a_part_of_a_name_in_btf_is_not_the_name() -> None:
    assert btf_names(btf(("BPF_MAP_TYPE_RINGBUF_X",)), ["BPF_MAP_TYPE_RINGBUF", "RINGBUF_X"]) == frozenset()


def test_btf_may_be_a_header_alone_and_nothing_less() -> None:
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 0)
    assert btf_names(header, ["a"]) == frozenset()
    with pytest.raises(DriverError, match="BTF of 23 bytes is shorter than its header of 24 bytes"):
        btf_names(header[:-1], [])


def test_what_type_information_tells_of_is_there_without_the_rest() -> None:
    tracing = features_of(raw(btf=btf(("BPF_PROG_TYPE_TRACING", "BPF_TRACE_RAW_TP"))))
    assert (tracing.tracing_programs, tracing.syscall_tracepoints) == (True, False)
    syscalls = features_of(raw(btf=btf(("btf_trace_sys_enter", "btf_trace_sys_exit"))))
    assert (syscalls.tracing_programs, syscalls.syscall_tracepoints) == (False, True)


def test_btf_of_another_version_is_refused() -> None:
    blob = bytearray(btf())
    blob[2] = 2
    with pytest.raises(DriverError, match="version 2 is unknown"):
        btf_names(bytes(blob), [])


def test_the_configuration_leaves_out_what_is_not_set() -> None:
    text = '# CONFIG_KPROBES is not set\nCONFIG_MODULES=y\nCONFIG_CC_VERSION_TEXT="gcc (GCC) 11.5"\n'
    assert parse_config(text) == {"CONFIG_MODULES": "y", "CONFIG_CC_VERSION_TEXT": '"gcc (GCC) 11.5"'}


def test_lockdown() -> None:
    assert parse_lockdown("none [integrity] confidentiality\n") == "integrity"
    with pytest.raises(DriverError, match=r"chooses no level$"):
        parse_lockdown("none integrity\n")


def test_secure_boot() -> None:
    assert parse_secure_boot(b"\6\0\0\0\1") is True
    assert parse_secure_boot(b"\6\0\0\0\0") is False
    wrong = {b"": "nothing", b"\1": "01", b"\6\0\0\0\7": "0600000007", b"\6\0\0\0\1\1": "060000000101"}
    for variable, shown in wrong.items():
        with pytest.raises(DriverError, match=f"SecureBoot reads {shown}, expected"):
            parse_secure_boot(variable)


def test_a_machine_that_was_not_booted_by_efi_has_no_secure_boot() -> None:
    assert features_of(raw(efi=False, secure_boot=None)).secure_boot is False
    assert features_of(raw(efi=True, secure_boot=None)).secure_boot is None


def test_as_data_the_configuration_is_what_matters_of_it_or_nothing() -> None:
    told = features_of(raw(config="CONFIG_MODULES=y\nCONFIG_OTHER=y\n")).as_dict()
    assert {name for name, value in told["config"].items() if value == "y"} == {"CONFIG_MODULES"}
    assert told["config"].keys() == set(CONFIG_SHOWN)
    assert features_of(raw(config=None)).as_dict()["config"] is None


def test_what_was_not_read_is_neither_yes_nor_no() -> None:
    def tracefs(**changes: object) -> tuple[bool | None, str | None]:
        found = features_of(raw(**changes))
        return found.tracefs_available, found.tracefs_mount

    assert tracefs() == (True, "/sys/kernel/tracing")
    assert tracefs(filesystems="nodev\tproc\n", mounts="") == (False, None)
    assert tracefs(filesystems=None, mounts=None) == (None, None)
    unread = ("config", "lockdown", "secure_boot", "efi", "paranoid", "cap_last_cap", "modules_disabled", "sig_enforce")
    bare = features_of(raw(btf=None, ring_buffer_probe=Probe(), **dict.fromkeys(unread)))
    told = (bare.config, bare.lockdown, bare.secure_boot, bare.perf_event_paranoid, bare.bpf_capability)
    features = (bare.ring_buffer, bare.tracing_programs, bare.syscall_tracepoints)
    assert (*told, *features, bare.modules_loadable, bare.module_signatures_enforced) == (None,) * 10
    assert bare.btf is False


def test_the_usual_mount_point_is_preferred() -> None:
    mounts = "tracefs /sys/kernel/debug/tracing tracefs rw 0 0\ntracefs /sys/kernel/tracing tracefs rw 0 0\nx\nx y\n"
    assert mount_point("tracefs /t tracefs\n", "tracefs") == "/t"
    assert mount_point(mounts, "tracefs", "/sys/kernel/tracing") == "/sys/kernel/tracing"
    assert mount_point(mounts, "tracefs", "/elsewhere") == "/sys/kernel/debug/tracing"
    assert mount_point(mounts, "bpf") is None


@pytest.mark.parametrize(("text", "version"), [("0.44.0", (0, 44, 0)), ("v0.45", (0, 45)), ("0.45.0-rc1", (0, 45, 0))])
def test_falco_versions(text: str, version: tuple[int, ...]) -> None:
    assert parse_falco_version(text) == version


def test_reports_on_bad_kernels_can_be_looked_up() -> None:
    assert all(entry.source.startswith("https://github.com/falcosecurity/") and entry.hint for entry in KNOWN_BAD)
