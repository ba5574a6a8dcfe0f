"""What several tests of the tools need."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .package_index import Index, Quiet


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An empty package index, which pip asks alone."""
    folder = tmp_path / "index"
    (folder / "simple").mkdir(parents=True)
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        made = Index(folder)
        made.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        # What this machine's pip is configured with must not matter.
        for name, value in {"INDEX_URL": made.url, "CONFIG_FILE": os.devnull, "NO_CACHE_DIR": "1"}.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
