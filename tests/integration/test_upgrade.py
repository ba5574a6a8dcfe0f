"""A site that the last 0.x deployed, upgraded in place: the inventory as it was, the data kept, all of it proven."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tools import archives

from ..installed_collection import Installed, install, take
from .cluster import Cluster
from .playbook import ROOT, Site
from .test_uninstall import data

pytestmark = [pytest.mark.cluster, pytest.mark.long]
#: The commit that made 0.2.0.
LAST = "faf2f90f2a14ac882e4f18534d4546218dfa4953"
LIMIT_SECONDS = 900
#: What the sandbox's own part of the inventory says and 0.2.0 does not know.
NEW = ("falconet_files",)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The tree of the last 0.x."""
    asked = subprocess.run(["git", "-C", str(ROOT), "archive", LAST], capture_output=True, check=False)
    if asked.returncode:
        pytest.fail(f"the history of this clone does not have 0.2.0: git fetch --unshallow ({asked.stderr.decode()})")
    packed, tree = tmp_path / "0.2.0.tar", tmp_path / "0.2.0"
    packed.write_bytes(asked.stdout)
    tree.mkdir()
    with tarfile.open(packed) as archive:
        archives.unpack(archive, tree)
    return tree


@pytest.fixture
def there(tmp_path: Path, before: Path, site: Site) -> Installed:
    """0.2.0 as it is installed, and an inventory as it was then: its sample, and what makes the sandbox of it."""
    found = install(tmp_path, before)
    folder = found.work / "inventory" / "site"
    shutil.copytree(before / "inventory" / "sample", folder)
    shutil.copytree(before / "sandbox" / "demo" / "group_vars", folder / "group_vars", dirs_exist_ok=True)
    hosts = yaml.safe_load((site.inventory / "hosts.yml").read_text())
    (sandbox,) = hosts["all"]["children"]["clusters"]["hosts"].values()
    for name in NEW:
        del sandbox[name]
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return found


def play(there: Installed, of: Path, playbook: str, *arguments: str) -> tuple[str, int]:
    """What a playbook prints, and how much it changed; with the stand-ins' chart of a tree. It must end well."""
    done = there.run(
        "ansible-playbook",
        f"falconet.k8s.{playbook}",
        "--inventory=inventory/site",
        *arguments,
        limit_seconds=LIMIT_SECONDS,
        FALCO_CHART=str(of / "sandbox" / "standins" / "charts" / "falco"),
        ANSIBLE_NOCOLOR="1",
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    recap = done.stdout.rpartition("PLAY RECAP")[2]
    return done.stdout, sum(int(line.partition("changed=")[2].split()[0]) for line in recap.splitlines()[1:] if line)


def test_a_site_of_the_last_0_x_is_upgraded_in_place(
    there: Installed, before: Path, site: Site, cluster: Cluster
) -> None:
    assert site.run("uninstall.yml").returncode == 0
    play(there, before, "site")
    kept = data(cluster)
    assert any("redis" in name for name in kept), kept

    take(there, ROOT)
    state = cluster.digest()
    play(there, ROOT, "preflight")
    play(there, ROOT, "site", "--check", "--diff")
    assert cluster.digest() == state, "check mode changed something"

    _, changes = play(there, ROOT, "site")
    assert changes > 0
    assert data(cluster) == kept
    (written,) = there.work.rglob("report.json")
    report = json.loads(written.read_text())
    assert report["summary"]["failed"] == 0
    assert {check["stage"] for check in report["checks"]} >= {"node_prep", "falco", "falco_rules", "network_policies"}

    _, changes = play(there, ROOT, "site")
    assert changes == 0
