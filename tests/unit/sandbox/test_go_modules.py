"""The tests of the sandbox's own Go programs, run as part of the suite, and that their text is formatted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandbox import rootfs
from sandbox.errors import SandboxError
from sandbox.sensor import BTF, sensor_object
from sandbox.toolchain import Go, find_go

MODULES = Path(__file__).resolve().parents[3] / "sandbox" / "go"


def _go() -> Go:
    try:
        return find_go()
    except SandboxError as error:
        pytest.skip(reason=f"no Go on this machine: {error.message}")


def _sensor() -> dict[str, str]:
    """What lets the tests of the sensor attach it to this machine's kernel, where a sandbox was set up before."""
    root = rootfs.place() / "root"
    usable = os.geteuid() == 0 and BTF.exists() and root.exists()
    return {"SENSOR_OBJECT": str(sensor_object(root) / "sensor.o")} if usable else {}


@pytest.mark.parametrize("module", ["ociwrap", "standins"])
def test_go_tests_pass(module: str) -> None:
    go = _go()
    environment = {**go.environment(), **_sensor(), "PATH": f"{go.path.parent}:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        [str(go.path), "test", "./..."],
        cwd=MODULES / module,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["e2e", "ociwrap", "standins"])
def test_go_text_is_formatted(module: str) -> None:
    gofmt = _go().path.parent / "gofmt"
    if not gofmt.exists():
        pytest.skip(reason="this Go comes without gofmt")
    done = subprocess.run([str(gofmt), "-l", str(MODULES / module)], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
