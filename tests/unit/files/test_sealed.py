"""Sealed files of an inventory are found where Ansible would read them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.falconet.k8s.plugins.filter.sealed_files import sealed_files

WHOLE = "$ANSIBLE_VAULT;1.1;AES256\n3636\n"
INLINE = "token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3636\n"


def test_sealed_files_are_found_by_groups_and_hosts(tmp_path: Path) -> None:
    contents = {
        "group_vars/clusters/secret.yml": WHOLE,
        "group_vars/clusters/plain.yml": "a: 1\n",
        "group_vars/clusters/deep/er.yml": INLINE,
        "group_vars/workers.yml": WHOLE,
        "group_vars/strangers.yml": WHOLE,
        "host_vars/n1": WHOLE,
        "host_vars/n9.yml": WHOLE,
        "other/secret.yml": WHOLE,
    }
    for name, text in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "hosts.yml").write_text("{}")
    sources = [str(tmp_path / "hosts.yml"), str(tmp_path), "n1,", str(tmp_path / "nowhere")]
    found = sealed_files(sources, ["all", "clusters", "workers"], ["n1"])
    assert found == [
        {"path": str(tmp_path / "group_vars/clusters/deep/er.yml"), "whole": False},
        {"path": str(tmp_path / "group_vars/clusters/secret.yml"), "whole": True},
        {"path": str(tmp_path / "group_vars/workers.yml"), "whole": True},
        {"path": str(tmp_path / "host_vars/n1"), "whole": True},
    ]
