"""falco_driver_info on nodes laid out as files, and on the kernel that runs these tests."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ..falco_driver.nodes import OLD_8, ROCKY_9, SECURE_BOOT_VARIABLE, btf, tree
from ..module_runner import run_module

MODULE = "falco_driver_info"


def test_a_rocky_9_node(tmp_path: Path) -> None:
    result = run_module(MODULE, {"root": str(tree(tmp_path))})
    assert (result["driver"], result["changed"], result["least_privileged"]) == ("modern_ebpf", False, True)
    assert result["features"]["kernel"] == ROCKY_9
    assert result["features"]["config_path"] == f"/boot/config-{ROCKY_9}"
    assert result["features"]["installed_kernels"] == [ROCKY_9]
    assert result["candidates"]["kmod"]["usable"] is True
    assert result["header_packages"] == []


def test_an_old_node_gets_the_module(tmp_path: Path) -> None:
    result = run_module(MODULE, {"root": str(tree(tmp_path, release=OLD_8, **{"sys/kernel/btf/vmlinux": None}))})
    assert result["driver"] == "kmod"
    assert result["header_packages"] == ["kernel-devel-4.18.0-147.8.1.el8_1", "kernel-headers-4.18.0-147.8.1.el8_1"]


def test_secure_boot_leaves_nothing_to_an_unsigned_module(tmp_path: Path) -> None:
    variable = {f"sys/firmware/efi/efivars/{SECURE_BOOT_VARIABLE}": b"\6\0\0\0\1"}
    root = str(tree(tmp_path, **variable))
    result = run_module(MODULE, {"root": root, "order": ["kmod"]})
    assert result["driver"] == "none"
    assert [reason["code"] for reason in result["reasons"]] == ["signature"]
    assert run_module(MODULE, {"root": root, "order": ["kmod"], "modules_signed": True})["driver"] == "kmod"


def test_a_node_without_lockdown_efi_and_boot_directory(tmp_path: Path) -> None:
    release = "6.18.4"
    changes = {
        "sys/kernel/security/lockdown": None,
        f"sys/firmware/efi/efivars/{SECURE_BOOT_VARIABLE}": None,
        f"boot/config-{release}": None,
        f"lib/modules/{release}/modules.dep": None,
        f"usr/src/kernels/{release}/Makefile": None,
        "proc/config.gz": gzip.compress(b"CONFIG_DEBUG_INFO_BTF=y\n"),
    }
    result = run_module(MODULE, {"root": str(tree(tmp_path, release=release, **changes))})
    features = result["features"]
    assert result["driver"] == "modern_ebpf"
    assert (features["lockdown"], features["secure_boot"], features["build_tree"]) == (None, False, False)
    assert (features["config_path"], features["modules_loadable"]) == ("/proc/config.gz", False)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    changes = {
        "sys/kernel/btf/vmlinux": b"\x7fELF" + bytes(30),
        f"boot/config-{ROCKY_9}": None,
        "proc/config.gz": b"no",
    }
    result = run_module(MODULE, {"root": str(tree(tmp_path, **changes))})
    assert "damaged" in result["candidates"]["modern_ebpf"]["reasons"][0]["message"]
    assert "/proc/config.gz" in result["features"]["unreadable"]


def test_what_exists_but_cannot_be_read_is_told(tmp_path: Path) -> None:
    root = tree(tmp_path, **{"sys/kernel/btf/vmlinux": None})
    (root / "sys/kernel/btf/vmlinux").mkdir(parents=True)
    result = run_module(MODULE, {"root": str(root), "order": ["modern_ebpf"]})
    assert result["driver"] == "none"
    assert "cannot be read: Is a directory" in result["reasons"][0]["message"]


def test_sockets_of_container_engines_are_found(tmp_path: Path) -> None:
    root = tree(tmp_path)
    (root / "run/containerd").mkdir(parents=True)
    (root / "run/crio").mkdir(parents=True)
    (root / "run/crio/crio.sock").write_text("a file is no socket")
    here = Path.cwd()
    os.chdir(root / "run/containerd")  # the path of a socket may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("containerd.sock")
    finally:
        os.chdir(here)
    assert run_module(MODULE, {"root": str(root)})["container_engines"] == {
        "containerd": "/run/containerd/containerd.sock"
    }


def test_a_site_may_avoid_a_kernel(tmp_path: Path) -> None:
    avoid = [{"driver": "modern_ebpf", "kernel": "5.14.0-570.*", "reason": "drops events"}]
    result = run_module(MODULE, {"root": str(tree(tmp_path)), "avoid": avoid})
    assert (result["driver"], "drops events" in result["summary"]) == ("kmod", True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": ["ebpf"]}, "must be one or more of: modern_ebpf, kmod"),
        ({"falco_version": "latest"}, "'latest' is no version of Falco. expected two or three numbers"),
        ({"avoid": [{"driver": "kmod", "kernel": "*"}]}, "missing required arguments: reason"),
        ({"root": "/nowhere"}, "/nowhere/proc/sys/kernel/osrelease: No such file or directory"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    result = run_module(MODULE, options)
    assert result["failed"] is True
    assert message in str(result["msg"])


def test_a_damaged_lockdown_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    result = run_module(MODULE, {"root": str(tree(tmp_path, **{"sys/kernel/security/lockdown": "?"}))})
    assert result["failed"] is True
    assert "/sys/kernel/security/lockdown reads '?'" in str(result["msg"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads the running Linux kernel")
def test_the_running_kernel_in_check_mode() -> None:
    result = run_module(MODULE, {}, check_mode=True)
    assert result["changed"] is False
    assert result["features"]["kernel"] == os.uname().release
    # Sysctls refuse big reads: this is the only place where a test meets the real ones.
    assert result["features"]["unreadable"] == {} or os.geteuid() != 0
    assert result["features"]["ring_buffer_probe"] in ("created", "refused", "denied", "skipped")


def test_big_endian_type_information(tmp_path: Path) -> None:
    result = run_module(MODULE, {"root": str(tree(tmp_path, **{"sys/kernel/btf/vmlinux": btf(order=">")}))})
    assert result["features"]["ring_buffer"] is True


def test_the_core_is_written_in_the_syntax_of_the_platform_python_of_rocky_9() -> None:
    core = Path(__file__).resolve().parents[3] / "plugins" / "module_utils" / "falco_driver"
    source = "import ast,sys; [ast.parse(open(f).read(), feature_version=(3, 9)) for f in sys.argv[1:]]"
    subprocess.run([sys.executable, "-c", source, *map(str, sorted(core.glob("*.py")))], check=True)
