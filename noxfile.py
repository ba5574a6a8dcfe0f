"""What `make` runs, by name. Every session uses the one environment that the Makefile made; none installs anything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "sanity", "artifact", "unit", "docs"]

ROOT = Path(__file__).parent
#: Where a run of several sessions leaves what `make test` tells at its end (tools/test_results.py).
RESULTS = ROOT / "build" / "results"
CODE = ["plugins", "sandbox", "tools", "bench", "molecule", "noxfile.py"]


@nox.session
def lint_fast(session: nox.Session) -> None:
    """ruff and yamllint."""
    session.run("ruff", "check", ".", external=True)
    session.run("ruff", "format", "--check", ".", external=True)
    session.run("yamllint", "--strict", ".", external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, yamllint, vulture and ansible-lint (profile production)."""
    lint_fast(session)
    # First without the tests: what they alone use is dead as well.
    session.run("vulture", *CODE, external=True)
    session.run("vulture", *CODE, "tests", external=True)
    session.run("ansible-lint", "--offline", "--profile", "production", *session.posargs, external=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict for all that is Python; pyproject.toml says where that is."""
    session.run("mypy", external=True)
    # By their files, because the name of the folder is that of an installed package.
    session.run("mypy", "molecule", external=True)


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test sanity: the tests that need neither containers nor other Python versions."""
    session.run("python", "tools/sanity.py", *session.posargs, external=True)


@nox.session
def artifact(session: nox.Session) -> None:
    """What Galaxy gets, as galaxy-importer and antsibull-docs judge it."""
    session.run("python", "tools/artifact.py", *session.posargs, external=True)


@nox.session
def licences(session: nox.Session) -> None:
    """Whose each file is and under which licence, as the REUSE tool judges it."""
    session.run("python", "tools/licences.py", "--quiet", *session.posargs, external=True)


@nox.session
def sbom(session: nox.Session) -> None:
    """What the collection needs at run time, as a list of parts that fits CycloneDX's schema."""
    session.run("python", "tools/sbom.py", *session.posargs, external=True)


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of what the locks name; skipped, and said so, where no database of them answers."""
    session.run("python", "tools/audit.py", *session.posargs, external=True, success_codes=[0, 3])
    left = json.loads((ROOT / "build" / "audit.json").read_text())
    if left["verdict"] == "not audited":
        session.skip(left["told"][-1])


@nox.session
def docsite(session: nox.Session) -> None:
    """The documentation as a site, with its reference; a link that leads nowhere fails."""
    session.run("python", "tools/docsite.py", *session.posargs, external=True)


@nox.session
def unit(session: nox.Session) -> None:
    """Unit tests, on all processors."""
    left = f"--junitxml={RESULTS / session.name}.xml"
    session.run("pytest", "--numprocesses=auto", left, *(session.posargs or ["tests/unit"]), external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """The cores' own tests, and that they leave no room of a core below the floor; arguments are cores."""
    session.run("python", "tools/core_coverage.py", *session.posargs, external=True)


def _against_the_cluster(session: nox.Session, mark: str, *chosen: str) -> None:
    if not os.environ.get("KUBECONFIG"):
        session.error("KUBECONFIG is not set: run it by `make`, which boots the sandbox first")
    tests = chosen or session.posargs or ["tests/integration"]
    left = f"--junitxml={RESULTS / session.name}.xml"
    session.run("pytest", "-v", "-m", mark, "--durations=15", left, *tests, external=True)


@nox.session
def integration(session: nox.Session) -> None:
    """Tests against the cluster of KUBECONFIG."""
    _against_the_cluster(session, "cluster and not long")


@nox.session
def long(session: nox.Session) -> None:
    """Those that take minutes each."""
    _against_the_cluster(session, "cluster and long")


#: Of those that take minutes each, what CI runs: what the sandbox enforces against Kubernetes' own idea of it, the way
#: back by uninstall.yml, and the artifact without the repository.
LONG_IN_CI = [f"tests/integration/test_{name}.py" for name in ("netpol_oracle", "uninstall", "installed_artifact")]


@nox.session
def long_in_ci(session: nox.Session) -> None:
    """Those of `long` that CI runs."""
    _against_the_cluster(session, "cluster and long", *LONG_IN_CI)


@nox.session
def matrix_tests(session: nox.Session) -> None:
    """The part of `matrix` that needs no cluster, shared, since the unit tests are run beside it."""
    session.run("python", "tools/matrix.py", "--only=tests", "--share", *session.posargs, external=True)


@nox.session
def matrix_plays(session: nox.Session) -> None:
    """The part of `matrix` that needs the sandbox's cluster."""
    given = ["--inventory", "inventory/sandbox", "--site", "--only=plays"]
    session.run("python", "tools/matrix.py", *given, *session.posargs, external=True)


@nox.session
def matrix(session: nox.Session) -> None:
    """Modules, filters, roles' variables and playbooks' tasks with every ansible-core; with a cluster more of it.

    With KUBECONFIG also preflight.yml of INVENTORY, and in the sandbox site.yml on the oldest and the newest.
    """
    inventory = os.environ.get("INVENTORY") if os.environ.get("KUBECONFIG") else None
    against = ["--inventory", inventory, *(["--site"] if inventory == "inventory/sandbox" else [])] if inventory else []
    session.run("python", "tools/matrix.py", *against, *session.posargs, external=True)


#: Scenarios that are run by name alone, and why.
NOT_ON_THE_SANDBOX = {
    "existing": "is for a cluster of yours, by the name of its context",
    "kind": "needs kind, Docker and the internet",
    "rocky": "needs podman or Docker, images and package mirrors",
}
#: Scenarios that `make test` and CI run, on machines of their own and on the sandbox's cluster. `make molecule` runs
#: the others, too.
TESTED_ON_MACHINES = {"node_prep"}
TESTED_ON_THE_CLUSTER = {"default", "falco_rules", "network_policies"}


def _scenarios() -> set[str]:
    """Those that the sandbox can run."""
    return {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - set(NOT_ON_THE_SANDBOX)


def _molecule(session: nox.Session, scenarios: set[str]) -> None:
    for scenario in sorted(scenarios):
        session.run("molecule", "test", "--scenario-name", scenario, external=True)


@nox.session
def molecule(session: nox.Session) -> None:
    """Role scenarios; arguments are their names, none means all that the sandbox can run."""
    for scenario, reason in {} if session.posargs else NOT_ON_THE_SANDBOX.items():
        session.log(f"{scenario} is left out: it {reason}")
    _molecule(session, set(session.posargs) or _scenarios())


@nox.session
def molecule_machines(session: nox.Session) -> None:
    """Role scenarios on machines of their own."""
    _molecule(session, TESTED_ON_MACHINES)


@nox.session
def molecule_cluster(session: nox.Session) -> None:
    """Role scenarios on the sandbox's cluster."""
    _molecule(session, TESTED_ON_THE_CLUSTER)


@nox.session
def docs(session: nox.Session) -> None:
    """Every plugin's documentation renders, roles' pages say what they declare, changelog fragments are well-formed."""
    session.run("python", "tools/role_tables.py", external=True)
    session.run("antsibull-changelog", "lint", external=True)
    for plugin_type, folder in (("module", "modules"), ("filter", "filter")):
        files = (ROOT / "plugins" / folder).glob("*")
        names = sorted({p.stem for p in files if p.suffix in {".py", ".yml"}} - {"__init__"})
        asked = [f"falconet.k8s.{name}" for name in names]
        session.run("ansible-doc", "--type", plugin_type, *asked, external=True, silent=True, env={"PAGER": "cat"})
