"""Workflows have the rights that a job names and no others, run pinned actions, and put nothing foreign into a shell.

That of the tests keeps its cache where the tests look for it, and tries regularly without one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.actions import pins

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "docs/examples/gate/github-actions.yml"]
#: What a job may write, by workflow; to read is allowed to all.
MAY_WRITE = {
    ("release.yml", "sign"): {"attestations", "id-token"},
    ("release.yml", "publish"): {"contents"},
    ("github-actions.yml", "gate"): {"pull-requests", "security-events"},
}
#: Jobs that see a secret, and the environment whose reviewers let them.
SECRETS = {("release.yml", "sign"): "release", ("release.yml", "galaxy"): "galaxy"}


def workflow(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    return {("on" if key is True else key): value for key, value in yaml.safe_load(path.read_text()).items()}


CI = workflow(ROOT / ".github" / "workflows" / "ci.yml")
STEPS = CI["jobs"]["test"]["steps"]
CACHE = next(step for step in STEPS if step.get("uses", "").startswith("actions/cache@"))
RUN = next(step for step in STEPS if ".ci/run" in step.get("run", ""))


def test_the_cache_is_where_make_looks_for_it() -> None:
    assert CACHE["with"]["path"] == "${{ env.FALCONET_CACHE }}"
    assert CI["env"]["FALCONET_CACHE"].startswith("/home/runner/")
    assert "FALCONET_CACHE" in RUN["run"].split("--preserve-env=")[1].split()[0].split(",")
    assert re.search(r"^CACHE := \$\(or \$\(FALCONET_CACHE\),", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_runner_owns_the_cache_when_it_is_saved() -> None:
    owned = next(step for step in STEPS if "chown" in step.get("run", ""))
    assert STEPS.index(owned) > STEPS.index(RUN)
    assert owned["if"] == "always()"


def test_it_is_tried_from_an_empty_cache_once_a_week() -> None:
    (entry,) = CI["on"]["schedule"]
    assert entry["cron"].split()[-1] != "*"
    assert CACHE["if"] == "github.event_name != 'schedule'"


JOBS = [(path.name, name, job) for path in WORKFLOWS for name, job in workflow(path)["jobs"].items()]
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
each_job = pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=[f"{file}-{name}" for file, name, _ in JOBS])


@each_workflow
def test_a_workflow_has_no_rights_by_itself(path: Path) -> None:
    assert workflow(path)["permissions"] == {}


@each_job
def test_rights_of_a_job_are_named_and_small(file: str, name: str, job: dict[str, Any]) -> None:
    rights = job["permissions"]
    assert set(rights.values()) <= {"read", "write"}
    assert {right for right, kind in rights.items() if kind == "write"} == MAY_WRITE.get((file, name), set())
    assert job["runs-on"] != "ubuntu-latest"


@each_workflow
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    used = [line for line in path.read_text().splitlines() if re.search(r"\buses:", line)]
    assert used
    assert [line for line in used if not pins(line)] == []


def test_one_version_of_an_action_is_one_commit() -> None:
    found = {pin for path in WORKFLOWS for pin in pins(path.read_text())}
    assert len({(pin.action, pin.tag) for pin in found}) == len(found)


@each_job
def test_nothing_is_put_into_a_shell_by_its_text(file: str, name: str, job: dict[str, Any]) -> None:
    assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == [], (file, name)


@each_job
def test_a_checkout_leaves_no_token_behind(file: str, name: str, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, (file, name)


@each_job
def test_a_secret_is_seen_by_few_jobs_after_a_review(file: str, name: str, job: dict[str, Any]) -> None:
    if (file, name) in SECRETS:
        assert job["environment"] == SECRETS[file, name]
    else:
        assert "secrets." not in repr(job)


def test_what_builds_a_release_has_no_key_and_what_signs_runs_nothing_of_the_repository() -> None:
    jobs = workflow(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert "secrets." not in repr(jobs["build"])
    for name in ("sign", "publish"):
        assert "actions/checkout@" not in repr(jobs[name])
        assert "make " not in repr(jobs[name])
    assert [jobs[name].get("needs") for name in ("build", "sign", "publish", "galaxy")] == [
        None,
        "build",
        "sign",
        "publish",
    ]
