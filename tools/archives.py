"""Unpacks archives with every Python that this project runs on, so that nothing lands outside of the folder."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(archive: tarfile.TarFile, target: Path) -> None:
    """Unpack an archive below a folder.

    Raises:
        tarfile.TarError: a member is outside of the folder, or no file, directory or link.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(target, filter="data")
        return
    # Python before 3.11.4, as in Debian 12 (https://docs.python.org/3/library/tarfile.html#extraction-filters).
    root = target.resolve()
    for member in archive.getmembers():
        places = [target / member.name]
        if member.issym() or member.islnk():
            beside = places[0].parent if member.issym() else target
            places.append(beside / member.linkname)
        inside = all(place.resolve().is_relative_to(root) for place in places)
        if not inside or not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            raise tarfile.TarError(f"{member.name} is not for this folder")
    archive.extractall(target)  # noqa: S202 - each member was looked at above
