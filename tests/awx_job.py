"""Runs a job template of the role awx_objects as AWX does: ansible-runner, a private directory, injected credentials.

What AWX does was read from its source: awx/main/tasks/jobs.py (directory, inventory, extra variables as unsafe) and
awx/main/models/credential.py (injectors).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2.sandbox
import yaml
from ansible_collections.falconet.k8s.plugins.filter.awx_objects import awx_objects

from tools.artifact import environment

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "awx" / "project"
#: What AWX hands every job beside the survey's answers.
OF_AWX = {
    "awx_job_id": 7,
    "awx_job_launch_type": "manual",
    "awx_job_template_name": "falconet",
    "awx_project_revision": "0123abc",
    "awx_inventory_name": "falconet Clusters",
    "awx_user_name": "operator",
    "tower_job_id": 7,
}


@dataclass(frozen=True)
class Job:
    """What a job left.

    Attributes:
      returncode: of ansible-runner, which is the job's.
      output: what AWX shows of it.
      artifacts: folder with all that AWX takes into its database (events, output, facts).
      stats: what C(set_stats) left, AWX's artifacts of the job.
    """

    returncode: int
    output: str
    artifacts: Path
    stats: dict[str, Any] = field(default_factory=dict)

    def has(self, secret: str) -> list[str]:
        """Files of the artifacts with a text in them."""
        files = [path for path in self.artifacts.rglob("*") if path.is_file()]
        return [str(path.relative_to(self.artifacts)) for path in files if secret.encode() in path.read_bytes()]


class _Unsafe(str):
    """A text that Ansible must not template."""


class _Dumper(yaml.SafeDumper):
    """As AWX writes what operators gave."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {_unsafe(key): _unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unsafe(item) for item in value]
    return _Unsafe(value) if isinstance(value, str) else value


def template(name: str) -> dict[str, Any]:
    """Fields of a job template by its name without the prefix."""
    defaults = yaml.safe_load((ROOT / "roles" / "awx_objects" / "defaults" / "main.yml").read_text())
    objects = awx_objects({**defaults, "awx_objects_project_url": "https://git.example/site.git"})
    fields = [one["fields"] for one in objects if (one["kind"], one["name"]) == ("job_template", f"falconet {name}")]
    found: dict[str, Any] = fields[0]
    return found


def run(
    folder: Path,
    name: str,
    inventory: dict[str, Any],
    answers: dict[str, Any] | None = None,
    credentials: dict[str, dict[str, str]] | None = None,
    files: Path = ROOT / "inventory" / "files",
    limit_seconds: float = 600,
) -> Job:
    """Run a job template.

    Args:
      folder: an empty folder, which becomes the private data directory.
      name: of the job template, without the prefix.
      inventory: as C(ansible-inventory --list) tells it, which is how AWX hands it on.
      answers: of the survey, without C(survey_).
      credentials: inputs by the names of the catalogue's credential types; C(Machine) has C(ssh_key_data).
      files: rules and policies of the project.
      limit_seconds: after which the job is ended.
    """
    fields = template(name)
    for part in ("env", "inventory"):
        (folder / part).mkdir(parents=True)
    shutil.copytree(EXAMPLE, folder / "project")
    shutil.copytree(files, folder / "project" / "files")
    _write_inventory(folder / "inventory" / "hosts", inventory)
    arguments = ["--check"] if fields["job_type"] == "check" else []
    arguments += ["--diff"] if fields["diff_mode"] else []
    collections = [str(ROOT / "build" / "collections"), os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")]
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(filter(None, collections)),
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "JOB_ID": "7",
        "AWX_PRIVATE_DATA_DIR": str(folder),
    }
    for kind, inputs in (credentials or {}).items():
        if kind == "Machine":
            (folder / "env" / "ssh_key").write_text(inputs["ssh_key_data"])
        else:
            _inject(folder, kind, inputs, variables, arguments)
    asked = {f"survey_{question}": answer for question, answer in (answers or {}).items()}
    (folder / "env" / "extravars").write_text(yaml.dump(_unsafe({**OF_AWX, **asked}), Dumper=_Dumper))
    (folder / "env" / "envvars").write_text(yaml.safe_dump(variables))
    (folder / "env" / "cmdline").write_text(" ".join(arguments))
    runner = environment(ROOT / "requirements" / "awx.txt") / "bin" / "ansible-runner"
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "K8S_AUTH_", "KUBECONFIG"))
    }
    kept["PWD"] = str(folder)  # in AWX that of the container
    done = subprocess.run(
        [str(runner), "run", str(folder), "--playbook", fields["playbook"], "--ident", "7"],
        capture_output=True,
        text=True,
        timeout=limit_seconds,
        check=False,
        env=kept,
    )
    artifacts = folder / "artifacts" / "7"
    return Job(done.returncode, done.stdout + done.stderr, artifacts, _stats(artifacts))


def _write_inventory(path: Path, inventory: dict[str, Any]) -> None:
    """A program that prints the inventory, as AWX writes it: no directory beside it has variables of groups."""
    path.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(inventory)!r})\n")
    path.chmod(stat.S_IRWXU)


def _inject(folder: Path, kind: str, inputs: dict[str, str], variables: dict[str, str], arguments: list[str]) -> None:
    """Files, environment and extra variables of a credential."""
    catalogue = yaml.safe_load((ROOT / "roles" / "awx_objects" / "files" / "catalogue.yml").read_text())
    (found,) = [one for one in catalogue["credential_types"] if one["name"] == kind]
    jinja = jinja2.sandbox.ImmutableSandboxedEnvironment()
    names: dict[str, Any] = {key: value for key, value in inputs.items() if value}
    written = {}
    for label, text in found["injectors"].get("file", {}).items():
        path = folder / "env" / f"tmp_{label}"
        path.write_text(jinja.from_string(text).render(**names))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        written[label.partition(".")[2]] = str(path)
    names["tower"] = {"filename": written}
    for variable, text in found["injectors"].get("env", {}).items():
        variables[variable] = jinja.from_string(text).render(**names)
    more = {
        key: jinja.from_string(text).render(**names) for key, text in found["injectors"].get("extra_vars", {}).items()
    }
    if more:
        path = folder / "env" / f"vars_{kind.replace(' ', '_')}"
        path.write_text(yaml.dump(_unsafe(more), Dumper=_Dumper))
        path.chmod(stat.S_IRUSR)
        arguments += ["-e", f"@{path}"]


def _stats(artifacts: Path) -> dict[str, Any]:
    for path in (artifacts / "job_events").glob("*.json"):
        event = json.loads(path.read_text())
        if event.get("event") == "playbook_on_stats":
            found: dict[str, Any] = event["event_data"].get("artifact_data") or {}
            return found
    return {}
