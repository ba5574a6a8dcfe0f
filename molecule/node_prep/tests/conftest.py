"""Machines as testinfra sees them, and runs of the role as a user starts them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

SCENARIO = Path(__file__).resolve().parents[1]
ROOT = SCENARIO.parents[1]
INVENTORY = SCENARIO / "inventory"


@pytest.fixture(scope="session")
def machine() -> Callable[[str], Host]:
    """A machine by its name."""
    os.chdir(ROOT)  # the inventory reaches machines through a program of this repository
    return lambda name: testinfra.get_host(f"ansible://{name}?ansible_inventory={INVENTORY}")


@pytest.fixture(scope="session")
def prepare() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the role on some machines; further arguments are ansible-playbook's."""

    def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        argv = ["ansible-playbook", "--inventory", str(INVENTORY), str(SCENARIO / "prepare_any.yml"), *arguments]
        # ansible.cfg of the repository, not the one that molecule wrote for its own steps.
        own = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))}
        whole = {**own, **(environment or {})}
        return subprocess.run(argv, cwd=ROOT, env=whole, capture_output=True, text=True, timeout=600, check=False)

    return run
