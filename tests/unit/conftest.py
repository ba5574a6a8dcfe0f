"""Fixtures: a fake API server and a client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .kube.fake_api import FakeApi, serve

if TYPE_CHECKING:
    from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    with serve(fake):
        yield fake


@pytest.fixture
def client(api: FakeApi) -> Client:
    # Here, because pytest loads this file before the collection's loader is installed.
    from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect

    return connect({"host": api.url, "api_key": "planted-token"}, patience_seconds=2)
