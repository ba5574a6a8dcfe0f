"""A server that plays AWX: the part of its API that the modules of awx.awx use, objects in memory, on loopback.

    python molecule/awx_objects/awx_api.py up FOLDER PORT    starts it; FOLDER gets its process id and what it says
    python molecule/awx_objects/awx_api.py down FOLDER       ends it

It is not AWX: it knows the objects, filters and fields that are used here and refuses all others, so that what is not
understood is not taken for done. docs/awx.md says what was tried against AWX itself.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.unit.kube.fake_api import Answer, FakeApi, serve  # noqa: E402 - found through the path set above

#: Whoever brings it is let in.
BEARER = "planted-awx-token"
PREFIX = "/api/v2/"
START_SECONDS = 30
ENCRYPTED = "$encrypted$"
#: Fields of each kind that AWX fills where nothing is said, as far as modules or the role compare them.
KINDS: dict[str, dict[str, Any]] = {
    "organizations": {},
    "credential_types": {"description": "", "kind": "cloud", "inputs": {}, "injectors": {}, "managed": False},
    "credentials": {"description": "", "inputs": {}},
    "execution_environments": {"description": "", "image": "", "pull": ""},
    "projects": {"description": "", "scm_type": "", "scm_branch": "", "scm_revision": "0123abc", "local_path": ""},
    "inventories": {"description": "", "kind": "", "host_filter": None},
    "inventory_sources": {"description": "", "source_path": ""},
    "job_templates": {"description": "", "survey_enabled": False, "diff_mode": False},
    "workflow_job_templates": {"description": ""},
    "workflow_job_template_nodes": {},
    "workflow_approval_templates": {"description": ""},
    "schedules": {"description": "", "enabled": True},
}
#: What can be named as a job template, whatever it is.
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "workflow_approval_templates")
#: Fields with the id of another object, and of which kind that is.
RELATED = {
    "organization": ("organizations",),
    "credential_type": ("credential_types",),
    "credential": ("credentials",),
    "execution_environment": ("execution_environments",),
    "project": ("projects",),
    "source_project": ("projects",),
    "inventory": ("inventories",),
    "unified_job_template": UNIFIED,
    "workflow_job_template": ("workflow_job_templates",),
}
#: What goes with an object of these kinds: kinds that name it, by which field.
OWNED = {
    "workflow_job_templates": ("workflow_job_template_nodes", "workflow_job_template"),
    "job_templates": ("schedules", "unified_job_template"),
    "inventories": ("inventory_sources", "inventory"),
}
MANY = ("credentials", "success_nodes")


class RefusedError(Exception):
    """What AWX answers instead; its arguments are the status and the body."""


class Awx(FakeApi):
    """AWX's objects by kind, in C(collections)."""

    def __init__(self) -> None:
        super().__init__()
        self.collections = {kind: [] for kind in KINDS}
        self.surveys: dict[int, Any] = {}
        self.last_id = 0
        self._made("organizations", {"name": "Default"})

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        if path == f"{PREFIX}ping/":
            return 200, {"version": "of a stand-in"}
        if self.headers[-1].get("authorization") != f"Bearer {BEARER}":
            return 401, {"detail": "Authentication credentials were not provided."}
        try:
            return self._answer(method, path.removeprefix(PREFIX).strip("/").split("/"), query, body)
        except RefusedError as refused:
            status, told = refused.args
            return status, told

    def _answer(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Answer:
        kind, rest = parts[0], parts[1:]
        if kind == "project_updates" and method == "GET":
            return 200, {"id": int(rest[0]), "status": "successful"}
        if not rest and method == "GET":
            found = [self._shown(item) for item in self._listed(kind, query)]
            return 200, {"count": len(found), "next": None, "previous": None, "results": found}
        if kind not in KINDS:
            raise RefusedError(404, {"detail": f"{kind} is not played here."})
        if not rest and method == "POST":
            return 201, self._shown(self._made(kind, body))
        item = self._item(kind, int(rest[0]))
        if len(rest) == 1:
            return self._one(method, kind, item, body)
        return self._below(method, item, rest[1], body)

    def _one(self, method: str, kind: str, item: dict[str, Any], body: Any) -> Answer:
        """What is done to one object."""
        if method == "GET":
            return 200, self._shown(item)
        if method == "PATCH":
            item.update(self._fields(body))
            return 200, self._shown(item)
        if method == "DELETE":
            self._remove(kind, item["id"])
            return 204, b""
        raise RefusedError(405, {"detail": method})

    def _below(self, method: str, item: dict[str, Any], part: str, body: Any) -> Answer:
        """What is done to something that an object has."""
        if part == "survey_spec":
            if method == "GET":
                return 200, self.surveys.get(item["id"], {})
            self.surveys[item["id"]] = body if method == "POST" else {}
            return 200, {}
        if part == "create_approval_template" and method == "POST":
            made = self._made("workflow_approval_templates", body)
            item["unified_job_template"] = made["id"]
            return 201, self._shown(made)
        if part in MANY:
            has: list[int] = item.setdefault(part, [])
            if method == "GET":
                return 200, {"count": len(has), "next": None, "results": [{"id": one} for one in has]}
            if body.get("disassociate"):
                has.remove(body["id"])
            else:
                has.append(body["id"])
            return 204, b""
        raise RefusedError(404, {"detail": f"{part} is not played here."})

    def _listed(self, kind: str, query: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        for one in kinds:
            if one not in KINDS:
                raise RefusedError(404, {"detail": f"{one} is not played here."})
            for item in self.collections[one]:
                if all(self._has(item, name, values[0]) for name, values in query.items()):
                    yield item

    def _has(self, item: Mapping[str, Any], name: str, value: str) -> bool:
        """Whether an object is one that a filter asks for; a filter with C(__name) asks for a related object's name."""
        field, _, of = name.partition("__")
        if of == "name" and field in RELATED:
            related = self._related(field, item.get(field))
            return bool(related) and related["name"] == value
        if of or not (field in item or field in ("name", "identifier", "organization")):
            raise RefusedError(400, {"detail": f"{name} is not a filter that is played here."})
        return str(item.get(field)) == value

    def _item(self, kind: str, number: int) -> dict[str, Any]:
        for item in self.collections[kind]:
            if item["id"] == number:
                return item
        raise RefusedError(404, {"detail": "Not found."})

    def _related(self, field: str, number: Any) -> dict[str, Any]:
        found = [item for kind in RELATED[field] for item in self.collections[kind] if item["id"] == number]
        return found[0] if found else {}

    def _fields(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of what was sent: related objects must be there, and nothing is not kept."""
        said = {name: value for name, value in body.items() if value is not None}
        for name in RELATED.keys() & said.keys():
            if said[name] != "" and not self._related(name, said[name]):
                raise RefusedError(400, {name: [f'Invalid pk "{said[name]}" - object does not exist.']})
        return said

    def _made(self, kind: str, body: Any) -> dict[str, Any]:
        self.last_id += 1
        made: dict[str, Any] = {
            **KINDS[kind],
            **self._fields(body),
            "id": self.last_id,
            "type": {"inventories": "inventory"}.get(kind, kind.removesuffix("s")),
            "url": f"{PREFIX}{kind}/{self.last_id}/",
        }
        if kind == "workflow_job_template_nodes":
            made["success_nodes"] = []
        self.collections[kind].append(made)
        return made

    def _remove(self, kind: str, number: int) -> None:
        gone = self._item(kind, number)
        self.collections[kind].remove(gone)
        if kind == "workflow_job_template_nodes":
            approval = gone.get("unified_job_template")
            approvals = self.collections["workflow_approval_templates"]
            self.collections["workflow_approval_templates"] = [one for one in approvals if one["id"] != approval]
        if kind in OWNED:
            owned, by = OWNED[kind]
            for item in [item for item in self.collections[owned] if item[by] == number]:
                self._remove(owned, item["id"])

    def _shown(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """An object as the API shows it: secrets hidden, related objects by their names beside their ids."""
        summary: dict[str, Any] = {}
        for field in RELATED.keys() & item.keys():
            if related := self._related(field, item[field]):
                summary[field] = {key: related.get(key, "") for key in ("id", "name", "description")}
        related_urls = {"survey_spec": f"{item['url']}survey_spec/"}
        if "unified_job_template" in summary:
            related_urls["unified_job_template"] = self._related("unified_job_template", item["unified_job_template"])[
                "url"
            ]
        if item["type"] == "job_template":
            names = [self._item("credentials", one) for one in item.get("credentials", [])]
            summary["credentials"] = [{"id": one["id"], "name": one["name"]} for one in names]
        if item["type"] == "project":
            summary["current_update"] = {"id": item["id"]}
        shown = {**item, "related": related_urls, "summary_fields": summary}
        if item["type"] == "credential":
            shown["inputs"] = dict.fromkeys(item["inputs"], ENCRYPTED)
        return shown


def run(port: int) -> None:
    """Serve until the process is ended."""
    with serve(Awx(), port):
        signal.pause()


def up(folder: Path, port: int) -> None:
    """Start the server and wait until it answers; one that is left of another run is ended first."""
    down(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "awx.log").open("w") as log:
        argv = [sys.executable, __file__, "run", str(port)]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (folder / "awx.pid").write_text(str(process.pid))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{PREFIX}ping/", timeout=5) as told:
                if "of a stand-in" in json.load(told)["version"]:
                    return
        except (urllib.error.URLError, ValueError, KeyError):
            time.sleep(0.1)
    raise SystemExit(f"awx_api: it does not answer on port {port}: {(folder / 'awx.log').read_text()[-500:]}")


def down(folder: Path) -> None:
    """End the server, if it is the one that was started here."""
    file = folder / "awx.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    told = Path(f"/proc/{pid}/cmdline")
    if told.exists() and "awx_api.py" in told.read_text():
        os.kill(pid, signal.SIGTERM)
    file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, arguments in (("up", ("folder", "port")), ("run", ("port",)), ("down", ("folder",))):
        sub = commands.add_parser(command)
        for argument in arguments:
            sub.add_argument(argument, type=int if argument == "port" else Path)
    options = parser.parse_args()
    if options.command == "up":
        up(options.folder, options.port)
    elif options.command == "run":
        run(options.port)
    else:
        down(options.folder)


if __name__ == "__main__":
    main()
