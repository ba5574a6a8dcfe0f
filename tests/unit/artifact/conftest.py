"""What Galaxy gets: the collection built and installed as a user does, away from the repository and its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...installed_collection import Installed, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="session")
def files(installed: Installed) -> set[str]:
    """Paths of all shipped files."""
    return {str(path.relative_to(installed.collection)) for path in installed.collection.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def collection(installed: Installed) -> Path:
    return installed.collection
