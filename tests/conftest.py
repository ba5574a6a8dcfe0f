"""Lets tests import the collection by its real name, ansible_collections.falconet.k8s, as Ansible does."""

from __future__ import annotations

from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from hypothesis import settings

# Speed is measured in bench/; a busy machine fails no test. One commit gives one answer, so examples are the same each
# time; `--hypothesis-profile=explore` draws new ones.
settings.register_profile("falconet", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("falconet")

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    collections = ROOT / "build" / "collections"
    if not (collections / "ansible_collections" / "falconet" / "k8s").exists():
        raise SystemExit("build/collections is missing: run `make setup` first")
    _AnsibleCollectionFinder(paths=[str(collections)])._install()
