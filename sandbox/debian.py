"""What the machine's package manager knows and brings: mirror, suite, missing tools."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.process import run, say

#: The release that the nodes' root file system is made of, wherever the machine's mirror carries it.
PREFERRED_SUITE = "bookworm"

#: Program to the Debian package that brings it.
TOOLS: Mapping[str, str] = {
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}

#: How debootstrap and apt-get name packages that their mirror does not have, or not in the version that its index says.
_GONE = (
    re.compile(r"Couldn't (?:find these debs|download packages): ([^\n]+)"),
    re.compile(r"Unable to locate package (\S+)"),
    re.compile(r"Package '?([^\s']+)'? has no installation candidate"),
    re.compile(r"Failed to fetch \S+/([^\s/_]+)_\S+\s+404"),
)


@dataclass(frozen=True)
class Mirror:
    """A package mirror: its URL, the suite to take, and the components that hold what we need."""

    url: str
    suite: str
    components: tuple[str, ...]


def read_os_release(text: str) -> dict[str, str]:
    """The variables of an os-release file (see os-release(5))."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def choose_mirrors(os_release: Mapping[str, str], targets: Iterable[str]) -> list[Mirror]:
    """Mirrors to try, best first.

    Args:
        os_release: the machine's os-release.
        targets: lines ``<site> <codename> <component>`` of apt's index targets.

    Returns:
        On Debian ``PREFERRED_SUITE`` first, then the machine's own suite; elsewhere the machine's own suite.

    Raises:
        SandboxError: apt has no source for the machine's own release.
    """
    codename = os_release.get("VERSION_CODENAME", "")
    sites = [site for site, suite, component in map(str.split, targets) if suite == codename and component == "main"]
    if not sites:
        raise SandboxError(
            f"apt has no source for component main of {codename or 'this release'}",
            "the nodes are made from the mirror that apt is configured with; see /etc/apt/sources.list.d",
        )
    if os_release.get("ID") == "debian":
        suites = dict.fromkeys((PREFERRED_SUITE, codename))
        return [Mirror(sites[0], suite, ("main",)) for suite in suites]
    # Ubuntu keeps dnf and rpm in universe.
    return [Mirror(sites[0], codename, ("main", "universe"))]


def find_mirrors() -> list[Mirror]:
    """The mirrors of this machine, best first."""
    if not shutil.which("apt-get"):
        raise SandboxError(
            "no apt-get: the sandbox needs Debian or Ubuntu",
            "use SANDBOX=kind, or KUBECONFIG= with a cluster of your own",
        )
    ask = ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(COMPONENT)", "Created-By: Packages"]
    lines = run(ask).stdout.splitlines()
    os_release = read_os_release(Path("/etc/os-release").read_text())
    if not any(os_release.get("VERSION_CODENAME", "?") in line for line in lines):
        run(["apt-get", "update"], timeout_seconds=300, hint="apt could not fetch its package lists")
        lines = run(ask).stdout.splitlines()
    return choose_mirrors(os_release, (line for line in lines if len(line.split()) == 3))


def gone_packages(text: str) -> list[str]:
    """Packages that a mirror did not have, from the words of debootstrap or apt-get, each once."""
    found = [name for words in _GONE for match in words.findall(text) for name in match.split()]
    return list(dict.fromkeys(found))


def proxy_environment() -> dict[str, str]:
    """Our environment, with apt's proxy for programs that do not read apt's configuration."""
    environment = dict(os.environ)
    for scheme in ("http", "https"):
        lines = run(["apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy"]).stdout
        _, found, value = lines.partition("PROXY=")
        if found:
            environment.setdefault(f"{scheme}_proxy", value.strip().strip("'"))
    return environment


def missing_packages(has: Mapping[str, bool]) -> list[str]:
    """Packages to install, given for each program of ``TOOLS`` whether it is there."""
    return sorted({package for program, package in TOOLS.items() if not has.get(program)})


def install_tools() -> None:
    """Install by apt what the machine lacks of ``TOOLS``, and say so; nothing if all is there."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = missing_packages({program: shutil.which(program, path=search) is not None for program in TOOLS})
    if not missing:
        return
    say(f"installing by apt-get, because this machine lacks them: {', '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if run(install, timeout_seconds=300, env=environment, check=False).returncode != 0:
        run(["apt-get", "update"], timeout_seconds=300)
        run(install, timeout_seconds=300, env=environment, hint=f"install these packages yourself: {' '.join(missing)}")
