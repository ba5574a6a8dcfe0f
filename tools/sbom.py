"""Writes what the collection needs at run time as a list of parts: CycloneDX 1.6, in JSON.

Usage:
    python tools/sbom.py [--output FILE] [--without-validation]

The parts are what execution-environment.yml and galaxy.yml name and what the roles deploy by default. Python packages
have the versions of the locks, which the tests ran with: an execution environment that is built later may get newer
ones within its bounds, and what is in its image a scanner of images tells. The document has no time and no chance in
it: the same tree gives the same bytes. The library of cyclonedx, in the environment of requirements/release.txt, holds
it to the schema.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.environment import SetupError  # noqa: E402 - run as a program, tools is found by then
from tools.licences import release_environment  # noqa: E402 - run as a program, tools is found by then

SPECIFICATION = "1.6"
VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(str(found) if found else 0)
"""
#: Locks by what is taken of them, the first one first.
LOCKS = ("dev", "awx")
#: Names of properties begin with it.
OWN = "falconet:"
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\\n]+))?")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)", re.MULTILINE)

_OTHER_PLATFORM = re.compile(r"^.*platform:dpkg.*$", re.MULTILINE)

Component = dict[str, Any]


class Package(NamedTuple):
    """A package of a lock.

    Attributes:
        name: as an index spells it.
        version: the version that is locked.
        marker: where it is needed (PEP 508); empty if everywhere.
        via: names of packages that need it.
    """

    name: str
    version: str
    marker: str
    via: frozenset[str]


def packages(lock: str) -> dict[str, Package]:
    """The packages of a lock's text, by name."""
    found = {}
    for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        head = _ENTRY.match(entry)
        if head:
            comments = re.findall(r"^    #(?: {3}| via )(?!-r )(\S+)$", entry, re.MULTILINE)
            via = frozenset(name for name in comments if name != "via")
            name = head["name"].lower()
            found[name] = Package(name, head["version"], (head["marker"] or "").strip(), via)
    return found


def needed(locked: Mapping[str, Package], wanted: set[str]) -> Iterator[Package]:
    """Packages of a lock that some need, these included, by name.

    Raises:
        KeyError: one of them is not in the lock.
    """
    reached = set[str]()
    fresh = {locked[name].name for name in wanted}
    while fresh:
        reached |= fresh
        fresh = {one.name for one in locked.values() if one.via & fresh} - reached
    return (locked[name] for name in sorted(reached))


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def _properties(**values: str) -> dict[str, Any]:
    told = [{"name": OWN + name.replace("_", "-"), "value": value} for name, value in values.items() if value]
    return {"properties": told} if told else {}


def asked_for(definition: Mapping[str, Any]) -> set[str]:
    """Python packages that an execution environment asks for by itself."""
    own = _REQUIREMENT.findall((ROOT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8"))
    engines = [definition["dependencies"][name]["package_pip"] for name in ("ansible_core", "ansible_runner")]
    return {name.lower() for name in (*own, *_REQUIREMENT.findall("\n".join(engines)))}


def python_packages(wanted: set[str]) -> tuple[list[Component], dict[str, list[str]]]:
    """Python packages with all that they need, and what each of them needs.

    Raises:
        SetupError: one of them is in no lock.
    """
    found = dict[str, Package]()
    for lock in LOCKS:
        locked = packages((ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8"))
        for one in needed(locked, wanted & set(locked)):
            before = found.get(one.name, one)
            found[one.name] = before._replace(via=before.via | one.via)
    missing = wanted - set(found)
    if missing:
        raise SetupError(f"no lock has {', '.join(sorted(missing))}")
    components, needs = [], dict[str, list[str]]()
    for one in sorted(found.values()):
        purl = f"pkg:pypi/{one.name}@{one.version}"
        component = {"type": "library", "bom-ref": purl, "name": one.name, "version": one.version, "purl": purl}
        components.append({**component, **_properties(marker=one.marker)})
        users = [found[name] for name in one.via if name in found]
        for user in users:
            needs.setdefault(f"pkg:pypi/{user.name}@{user.version}", []).append(purl)
    return components, {name: sorted(whom) for name, whom in needs.items()}


def collections(wanted: Mapping[str, str], definition: Mapping[str, Any]) -> Iterator[Component]:
    """Ansible's collections, with the versions that are asked for: which one is there is the user's choice."""
    further = {one["name"]: "*" for one in definition["dependencies"]["galaxy"]["collections"]}
    for name, bounds in sorted({**further, **wanted}.items()):
        if name != "falconet.k8s":
            place = f"https://galaxy.ansible.com/ui/repo/published/{name.replace('.', '/')}/"
            yield {
                "type": "library",
                "bom-ref": f"collection:{name}",
                "name": name,
                "externalReferences": [{"type": "distribution", "url": place}],
                **_properties(wanted=bounds),
            }


def helm(definition: Mapping[str, Any]) -> Component:
    """Helm, as execution-environment.yml fetches it."""
    steps = "\n".join(definition["additional_build_steps"]["append_final"])
    version = _argument(steps, "HELM_VERSION")
    archives = [
        {
            "type": "distribution",
            "url": f"https://get.helm.sh/helm-{version}-linux-{machine}.tar.gz",
            "hashes": [{"alg": "SHA-256", "content": _argument(steps, f"HELM_SHA256_{machine}")}],
        }
        for machine in ("amd64", "arm64")
    ]
    purl = f"pkg:golang/helm.sh/helm/v3@{version}"
    named = {"type": "application", "bom-ref": purl, "name": "helm", "version": version.removeprefix("v"), "purl": purl}
    return {**named, "externalReferences": archives}


def _argument(steps: str, name: str) -> str:
    found = re.search(rf"^ARG {name}=(\S+)$", steps, re.MULTILINE)
    if not found:
        raise SetupError(f"execution-environment.yml has no ARG {name}")
    return found[1]


def image(reference: str, wanted_by: str) -> Component:
    """A container image by its tag, which whoever owns it can move."""
    place, _, tag = reference.rpartition(":")
    registry, _, path = place.partition("/")
    purl = f"pkg:docker/{path}@{tag}?repository_url={registry}"
    return {
        "type": "container",
        "bom-ref": purl,
        "name": place,
        "version": tag,
        "purl": purl,
        **_properties(wanted_by=wanted_by),
    }


def programs(definition: Mapping[str, Any]) -> Iterator[Component]:
    """Programs that the base image's package manager brings, in its version."""
    bindep = (ROOT / "meta" / "ee-bindep.txt").read_text(encoding="utf-8")
    asked = [*_REQUIREMENT.findall(_OTHER_PLATFORM.sub("", bindep))]
    asked += [one.split()[0] for one in definition["dependencies"]["system"]]
    for name in sorted({*asked, definition["dependencies"]["python_interpreter"]["package_system"]}):
        yield {"type": "application", "bom-ref": f"rpm:{name}", "name": name, **_properties(kind="rpm")}


def deployed() -> Iterator[Component]:
    """What the roles put on a cluster by their defaults."""
    falco = _read("roles/falco/defaults/main.yml")
    name, version = falco["falco_chart_ref"], falco["falco_chart_version"]
    yield {
        "type": "application",
        "bom-ref": f"chart:{name}",
        "name": name,
        "version": version,
        "description": "Helm chart; its images are those of its values, or of falco_images and falco_image_registry.",
        "externalReferences": [{"type": "distribution", "url": falco["falco_chart_repo_url"]}],
        **_properties(wanted_by="role falco", kind="helm-chart"),
    }
    for reference in falco["falco_artifacts"]:
        name, _, version = reference.partition(":")
        yield {
            "type": "data",
            "bom-ref": f"artifact:{name}",
            "name": name,
            "version": version,
            "description": "Rules from a registry, fetched by falcoctl; the version is the newest that begins so.",
            **_properties(wanted_by="role falco", kind="falcoctl-artifact"),
        }
    references = dict[str, list[str]]()
    for path in sorted((ROOT / "roles").glob("*/defaults/main.yml")):
        for variable, value in (_read(str(path.relative_to(ROOT))) or {}).items():
            if variable.endswith("_image") and value and "{{" not in value:
                references.setdefault(value, []).append(f"{variable} of role {path.parts[-3]}")
    for reference, users in sorted(references.items()):
        yield image(reference, ", ".join(users))


def document() -> dict[str, Any]:
    """The list of parts, in the form of https://cyclonedx.org/docs/1.6/json/.

    Raises:
        SetupError: what is read lacks something.
    """
    galaxy, definition = _read("galaxy.yml"), _read("execution-environment.yml")
    wanted = asked_for(definition)
    python, needs = python_packages(wanted)
    base = image(definition["images"]["base_image"]["name"], "execution-environment.yml")
    parts = [*python, *collections(galaxy["dependencies"], definition), helm(definition), base]
    parts += [*programs(definition), *deployed()]
    name, version = f"{galaxy['namespace']}.{galaxy['name']}", str(galaxy["version"])
    own = {"type": "library", "bom-ref": name, "name": name, "version": version, "description": galaxy["description"]}
    (licence,) = galaxy["license"]
    own["licenses"] = [{"license": {"id": licence}}]
    own["externalReferences"] = [{"type": "vcs", "url": galaxy["repository"]}]
    indirect = {one["bom-ref"] for one in python if one["name"] not in wanted}
    direct = sorted(part["bom-ref"] for part in parts if part["bom-ref"] not in indirect)
    found = {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "pre-build"}], "component": own},
        "components": sorted(parts, key=lambda part: str(part["bom-ref"])),
        "dependencies": [
            {"ref": name, "dependsOn": direct},
            *({"ref": ref, "dependsOn": whom} for ref, whom in sorted(needs.items())),
        ],
        # What the chart and the images have in them is not told.
        "compositions": [{"aggregate": "incomplete", "assemblies": [name]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, galaxy["repository"] + json.dumps(found, sort_keys=True))
    return {**found, "serialNumber": serial.urn}


def main(arguments: list[str] | None = None) -> int:
    """Write and validate; 1 if the document does not fit the schema, or something cannot be had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="the file (default: build/sbom/<collection>-<version>.cdx.json)")
    parser.add_argument("--without-validation", action="store_true", help="do not hold it to the schema")
    options = parser.parse_args(arguments)
    try:
        made = document()
        own = made["metadata"]["component"]
        named = ROOT / "build" / "sbom" / f"{own['name'].replace('.', '-')}-{own['version']}.cdx.json"
        target = options.output or named
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        if not options.without_validation:
            python = str(release_environment() / "bin" / "python")
            done = subprocess.run([python, "-c", VALIDATE, str(target)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise SetupError(f"{target} does not fit CycloneDX {SPECIFICATION}: {done.stderr.strip()[-800:]}")
    except SetupError as error:
        print(f"sbom: {error.message}" + (f"\n    try: {error.hint}" if error.hint else ""), file=sys.stderr)
        return 1
    checked = "not held to" if options.without_validation else "fits"
    print(f"{target}: {len(made['components'])} parts, {checked} the schema of CycloneDX {SPECIFICATION}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
