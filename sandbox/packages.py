"""The nodes' package repository: RPMs that the sandbox builds itself, each saying so in its summary.

They are placeholders: right names, versions, provides and requires, so that dnf and rpm behave as on a
real machine, and a few files where something looks for them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.cache import cache_root, digest, produce
from sandbox.process import say
from sandbox.scratch import run_in_scratch

#: Where the nodes find the repository.
PLACE = "var/lib/sandbox-repo"

#: Kernels of Rocky Linux 9.5, 9.6 and 9.7, as `uname -r` shows them without the architecture.
ROCKY_KERNELS = ("5.14.0-503.14.1.el9_5", "5.14.0-570.17.1.el9_6", "5.14.0-611.5.1.el9_7")


@dataclass(frozen=True)
class Package:
    """An RPM as data.

    Attributes:
        name: of the package.
        version: without hyphens.
        release: without hyphens.
        provides: capabilities beyond its own name, such as ``kernel-devel-uname-r = 5.14.0``.
        requires: capabilities that it needs.
        files: absolute path to content.
        links: absolute path of a symbolic link to its target.
    """

    name: str
    version: str
    release: str = "1"
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name, version and release, as rpm prints them."""
        return f"{self.name}-{self.version}-{self.release}"


def kernel_identity(name: str, release: str) -> tuple[str, str, str]:
    """Name, version and release of a package for a kernel, so that ``<name>-<release>`` finds it.

    A kernel of an RPM distribution is called ``<version>-<release>``. Others (Debian's ``6.1.0-18-amd64``) have
    more hyphens than an RPM's version and release may hold; the surplus becomes part of the package's name.

    Args:
        name: such as ``kernel-devel``.
        release: ``uname -r`` without the architecture.
    """
    if release.count("-") == 1 and ".el" in release:
        version, _, build = release.partition("-")
        return name, version, build
    start, _, version = f"{name}-{release}".rpartition("-")
    return start, version.replace("~", "_"), "1"


def kernel_devel(release: str, architecture: str) -> Package:
    """kernel-devel for a kernel: a source tree that holds a Makefile, linked to from the kernel's modules."""
    name, version, build = kernel_identity("kernel-devel", release)
    full = release if release.endswith(f".{architecture}") or ".el" not in release else f"{release}.{architecture}"
    return Package(
        name,
        version,
        build,
        # A version may hold one hyphen at most, so only kernels of RPM distributions can be named in full.
        provides=("installonlypkg(kernel)", *([f"kernel-devel-uname-r = {full}"] if ".el" in release else [])),
        files={
            f"/usr/src/kernels/{full}/Makefile": f"# Placeholder of the falconet sandbox for the sources of {full}.\n"
        },
        links={f"/usr/lib/modules/{full}/build": f"/usr/src/kernels/{full}"},
    )


def packages(running: str, architecture: str) -> tuple[Package, ...]:
    """What the repository holds.

    Args:
        running: the machine's ``uname -r``.
        architecture: as rpm spells it, such as ``x86_64``.
    """
    running = running.removesuffix(f".{architecture}")
    kernels = dict.fromkeys((*ROCKY_KERNELS, running))
    headers = (Package(*kernel_identity("kernel-headers", release)) for release in ROCKY_KERNELS)
    return (
        *(kernel_devel(release, architecture) for release in kernels),
        *headers,
        Package("gcc", "11.5.0", "5.el9_5", requires=("make",)),
        Package("make", "4.3", "8.el9"),
        Package("elfutils-libelf-devel", "0.192", "5.el9"),
        Package(
            "dkms", "3.2.1", "1.el9", requires=("gcc", "make"), files={"/etc/dkms/framework.conf": "# placeholder\n"}
        ),
        Package("firewalld", "1.3.4", "15.el9_6", files={"/etc/firewalld/firewalld.conf": "# placeholder\n"}),
        Package("policycoreutils", "3.6", "2.1.el9"),
        Package("policycoreutils-python-utils", "3.6", "2.1.el9", requires=("policycoreutils",)),
        Package("chrony", "4.6.1", "1.el9"),
    )


def spec_text(package: Package) -> str:
    """The spec file of a package."""
    paths = [*package.files, *package.links]
    install = [f"mkdir -p '%{{buildroot}}{Path(path).parent}'" for path in paths]
    for path, content in package.files.items():
        install += [f"cat > '%{{buildroot}}{path}' <<'END_OF_FILE'", content.rstrip("\n"), "END_OF_FILE"]
    install += [f"ln -s '{target}' '%{{buildroot}}{path}'" for path, target in package.links.items()]
    lines = [
        f"Name: {package.name}",
        f"Version: {package.version}",
        f"Release: {package.release}",
        f"Summary: Placeholder for {package.name}, built by the falconet sandbox",
        "License: GPL-3.0-or-later",
        "AutoReqProv: no",
        *(f"Provides: {capability}" for capability in package.provides),
        *(f"Requires: {capability}" for capability in package.requires),
        "%description",
        f"A package of the falconet sandbox: it is called {package.label}, and does nothing.",
        "%prep",
        "%build",
        "%install",
        "mkdir -p %{buildroot}",
        *install,
        "%files",
        *paths,
    ]
    return "\n".join(lines) + "\n"


_BUILD = """
mkdir -p /tmp/rpm /out/packages
for spec in /out/specs/*.spec; do
  rpmbuild --quiet -bb --define '_topdir /tmp/rpm' --define '_build_id_links none' --define '_rpmdir /out/packages' \
    --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "$spec" >/tmp/log 2>&1 || {
      cat /tmp/log >&2
      exit 1
    }
done
createrepo_c --quiet /out/packages
"""


def build_repository(root: Path, wanted: Sequence[Package]) -> Path:
    """A repository of these packages in the cache.

    Args:
        root: the nodes' root file system, which has rpmbuild and createrepo_c.
        wanted: what to build.

    Returns:
        The folder with the RPMs and ``repodata``; ``baseurl=file://`` of it is a repository.
    """
    specs = {package.label: spec_text(package) for package in wanted}

    def make(folder: Path) -> None:
        say(f"building {len(specs)} packages for the nodes' repository (about {1 + len(specs) // 3} s)")
        (folder / "specs").mkdir()
        for label, text in specs.items():
            (folder / "specs" / f"{label}.spec").write_text(text)
        run_in_scratch(root, folder, _BUILD, env={}, timeout_seconds=300)

    key = digest([str(root), _BUILD, *specs.values()])
    return produce(cache_root() / "repository" / key, make) / "packages"


def layer_of(repository: Path, place: str = PLACE) -> Path:
    """A layer for a node's root that shows the repository at ``place``."""

    def make(folder: Path) -> None:
        (folder / place).parent.mkdir(parents=True)
        # A second name for the same files where the file system allows; see cp(1).
        for source in _files(repository):
            target = folder / place / source.relative_to(repository)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(source)

    return produce(cache_root() / "repository" / f"layer-{digest([str(repository), place])}", make)


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def package_layer(root: Path) -> Path:
    """The layer with the nodes' own repository."""
    machine = platform.uname()
    return layer_of(build_repository(root, packages(machine.release, machine.machine)))
