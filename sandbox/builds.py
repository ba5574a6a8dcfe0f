"""Go programs of the sandbox: what is built, from which pinned module, with which flags."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import cache_root, digest, digest_files, locked, produce
from sandbox.errors import SandboxError
from sandbox.process import run, say
from sandbox.toolchain import Go, find_go

HERE = Path(__file__).resolve().parent

#: Other files that a program may embed.
EMBEDDED = ("*.tsv", "*.txt", "*.json", "*.yaml")

#: How the go command tells a module that its proxy does not have.
_GONE = re.compile(r"([\w.~/-]+@v[\w.+-]+): (?:reading [^\n]*: )?(?:404 Not Found|410 Gone|403 Forbidden|not found)")

#: A build is not expected to take longer, even with empty caches on one slow core.
LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class GoBuild:
    """One ``go build`` (or ``go test -c``) whose output is a folder of programs.

    Attributes:
        name: name of the build; image sources speak of ``<name>/<file>``.
        module: folder with go.mod, go.sum and the main package.
        packages: what to build: ``"."`` or import paths.
        files: names of the programs that must be there afterwards.
        tags: build tags.
        settings: string variables set by the linker (``-X``), name to value.
        is_test: ``go test -c`` instead of ``go build``.
        cold_seconds: about how long it takes with empty caches on two cores; for the progress display.
    """

    name: str
    module: Path
    packages: tuple[str, ...] = (".",)
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    is_test: bool = False
    cold_seconds: int = 30

    def flags(self) -> list[str]:
        """Flags of the go command."""
        variables = "".join(f" -X {name}={value}" for name, value in self.settings)
        # go vet of a test build would analyse all of Kubernetes again.
        verb = ["test", "-c", "-vet=off"] if self.is_test else ["build"]
        return [
            *verb,
            "-trimpath",
            "-ldflags",
            f"-s -w{variables}",
            *(["-tags", ",".join(self.tags)] if self.tags else []),
        ]

    def key(self, go_version: str) -> str:
        """Hash of everything that the output depends on."""
        sources = digest_files(self.module, ["go.mod", "go.sum", "*.go", *EMBEDDED])
        return digest([go_version, *self.flags(), *self.packages, *self.files, *sources])


def _version_of_kubernetes(version: str) -> tuple[tuple[str, str], ...]:
    major, minor, _ = version.removeprefix("v").split(".")
    base = "k8s.io/component-base/version."
    # Charts compare kubeVersion with this; without it a cluster says v0.0.0.
    return (
        (base + "gitVersion", version),
        (base + "gitMajor", major),
        (base + "gitMinor", minor),
        (base + "gitTreeState", "clean"),
    )


_CNI = "github.com/containernetworking/plugins/plugins/"
_CONTAINERD = "github.com/containerd/containerd/v2/"

BUILDS: tuple[GoBuild, ...] = (
    GoBuild(
        "kubernetes",
        HERE / "go" / "kubernetes",
        files=("kubernetes",),
        settings=_version_of_kubernetes("v1.35.4"),
        cold_seconds=330,
    ),
    GoBuild(
        "agnhost",
        HERE / "go" / "kubernetes",
        packages=("k8s.io/kubernetes/test/images/agnhost",),
        files=("agnhost",),
        cold_seconds=20,
    ),
    GoBuild(
        "containerd",
        HERE / "go" / "containerd",
        packages=tuple(_CONTAINERD + "cmd/" + name for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
        files=("containerd", "containerd-shim-runc-v2", "ctr"),
        tags=("no_btrfs", "no_zfs", "no_devmapper", "no_tracing", "no_aufs"),
        settings=((_CONTAINERD + "version.Version", "v2.4.2"),),
        cold_seconds=60,
    ),
    GoBuild(
        "cni",
        HERE / "go" / "cni",
        packages=tuple(_CNI + path for path in ("main/ptp", "main/loopback", "ipam/host-local", "meta/portmap")),
        files=("ptp", "loopback", "host-local", "portmap"),
        settings=(("github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion", "v1.9.1"),),
        cold_seconds=10,
    ),
    GoBuild(
        "helm",
        HERE / "go" / "helm",
        packages=("helm.sh/helm/v3/cmd/helm",),
        files=("helm",),
        settings=(("helm.sh/helm/v3/internal/version.version", "v3.20.2"),),
        cold_seconds=45,
    ),
    GoBuild("coredns", HERE / "go" / "coredns", files=("coredns",), cold_seconds=60),
    GoBuild("pause", HERE / "go" / "pause", files=("pause",), cold_seconds=3),
    GoBuild("ociwrap", HERE / "go" / "ociwrap", files=("ociwrap",), cold_seconds=5),
)


def gone_modules(text: str) -> list[str]:
    """Modules with versions that the module proxy did not have, from the words of the go command, each once."""
    return list(dict.fromkeys(_GONE.findall(text)))


def _compile(build: GoBuild, go: Go, folder: Path) -> None:
    # One build at a time: each already uses all cores.
    with locked(cache_root() / "go" / ".lock"):
        output = str(folder / build.files[0]) if len(build.files) == 1 else f"{folder}/"
        try:
            run(
                ["nice", "-n", "5", str(go.path), *build.flags(), "-o", output, *build.packages],
                cwd=build.module,
                env=go.environment(),
                timeout_seconds=LIMIT_SECONDS,
                hint="the build is resumed where it stopped when you run the command again",
            )
        except SandboxError as error:
            gone = gone_modules(error.message)
            if not gone:
                raise
            raise SandboxError(
                f"build {build.name}: the Go module proxy does not have {', '.join(gone)}, which {build.module}/go.mod "
                f"needs:\n{error.message}",
                "see what GOPROXY is (go env GOPROXY); a version that is gone for good is replaced in that go.mod",
            ) from error
    missing = [name for name in build.files if not (folder / name).is_file()]
    if missing:
        raise SandboxError(f"build {build.name}: {', '.join(missing)} did not come out of {build.module}")


def places(builds: Iterable[GoBuild], go: Go) -> dict[str, Path]:
    """Name of each build to where the cache holds it, once it is built by that toolchain."""
    return {build.name: cache_root() / "builds" / f"{build.name}-{build.key(go.version)}" for build in builds}


def built(builds: Iterable[GoBuild]) -> dict[str, Path]:
    """Build what the cache does not hold yet.

    Returns:
        Name of each build to the folder with its files.

    Raises:
        SandboxError: a build failed; the message has the compiler's words.
    """
    wanted = list(builds)
    go = find_go()
    targets = places(wanted, go)
    todo = [build for build in wanted if not targets[build.name].exists()]
    for number, build in enumerate(todo, start=1):
        left = sum(later.cold_seconds for later in todo[number - 1 :])
        say(
            f"building {build.name} ({number} of {len(todo)}; with empty caches about {build.cold_seconds} s "
            f"of {left} s left, warm a few seconds)"
        )
        began = time.monotonic()
        produce(targets[build.name], lambda folder, build=build: _compile(build, go, folder))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        say(f"built {build.name} in {time.monotonic() - began:.0f} s")
    return targets
