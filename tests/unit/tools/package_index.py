"""A package index on this machine's loopback, with packages that tests make."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import tarfile
import zipfile
from pathlib import Path


def wheel(folder: Path, name: str, version: str, *requires: str, extras: tuple[str, ...] = ()) -> Path:
    """A wheel without code, as the index would offer it."""
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {one}" for one in requires]
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text.encode())}\n"
        for path, text in files.items()
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            # Without the time of day: the same bytes each time.
            archive.writestr(zipfile.ZipInfo(path), text)
    target = folder / f"{name}-{version}-py3-none-any.whl"
    target.write_bytes(content.getvalue())
    return target


#: Builds a wheel by what the environment has; without that it ends with an import error.
BACKEND = """
import base64, hashlib, zipfile
import {builder}

def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = "{name}-{version}.dist-info"
    with zipfile.ZipFile(f"{{directory}}/{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr("{name}.py", f"built_by = {{{builder}.version!r}}\\n")
        archive.writestr(f"{{info}}/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        tags = "Generator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(f"{{info}}/WHEEL", "Wheel-Version: 1.0\\n" + tags)
        archive.writestr(f"{{info}}/RECORD", "")
    return "{name}-{version}-py3-none-any.whl"
"""


def source(folder: Path, name: str, version: str, builder: str) -> Path:
    """A package as source alone, which another one builds."""
    system = ["[build-system]", f'requires = ["{builder}"]', 'build-backend = "backend"', 'backend-path = ["."]', ""]
    files = {
        "pyproject.toml": "\n".join(system),
        "backend.py": BACKEND.format(name=name, version=version, builder=builder),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    target = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return target


class Index:
    """A package index on this machine's loopback (PEP 503)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""

    def offer(self, name: str, version: str, *requires: str, extras: tuple[str, ...] = ()) -> str:
        """Put a package into it; returns its line for a lock."""
        page = self._page(name)
        page.mkdir(parents=True, exist_ok=True)
        made = wheel(page, name, version, *requires, extras=extras)
        self._list(page)
        return f"{name}=={version} --hash=sha256:{digest(made)}\n"

    def offer_source(self, name: str, version: str, builder: str) -> str:
        """Put a package into it as source alone; returns its line for a lock."""
        page = self._page(name)
        page.mkdir(parents=True, exist_ok=True)
        made = source(page, name, version, builder)
        self._list(page)
        return f"{name}=={version} --hash=sha256:{digest(made)}\n"

    def withdraw(self, name: str, version: str) -> None:
        """Take a version out of it."""
        (self._page(name) / f"{name}-{version}-py3-none-any.whl").unlink()
        self._list(self._page(name))

    def only_for(self, name: str, version: str, tags: str) -> None:
        """Let a version be there for other machines alone."""
        page = self._page(name)
        (page / f"{name}-{version}-py3-none-any.whl").rename(page / f"{name}-{version}-{tags}.whl")
        self._list(page)

    def _page(self, name: str) -> Path:
        return self.folder / "simple" / name.replace("_", "-")

    def _list(self, page: Path) -> None:
        files = sorted((*page.glob("*.whl"), *page.glob("*.tar.gz")))
        links = [f'<a href="{one.name}#sha256={digest(one)}">{one.name}</a>' for one in files]
        (page / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
