"""The gate as its page shows it: the playbook, the command on the example's options, the workflows that run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "gate"
PAGE = (ROOT / "docs" / "gate.md").read_text()
WORKFLOWS = ["github-actions.yml", "gitlab-ci.yml"]
RULES = """\
- rule: Shell
  desc: A shell in a container
  condition: evt.type = execve and proc.name in (bash, sh)
  output: A shell (command=%proc.cmdline)
  priority: WARNING
  tags: [T1059]
"""
TESTS = """\
rulesets:
  own: [../rules]
cases:
  - name: A shell
    given: {evt.type: execve, proc.name: bash}
    expect: Shell
    table:
      - [evt.type, proc.name, fires]
      - [execve, sh, true]
      - [execve, cat, false]
      - [openat, sh, false]
  - name: The first shell
    given: {evt.type: execve, proc.name: bash}
    expect: Shell
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}, namespace: prod}}
spec:
  selector: {{matchLabels: {{app: {0}}}}}
  template:
    metadata: {{labels: {{app: {0}}}}}
    spec: {{containers: [{{name: {0}, image: {0}, ports: [{{containerPort: 8080}}]}}]}}
---
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: backend, namespace: prod}
spec:
  podSelector: {matchLabels: {app: backend}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: frontend}}}]
      ports: [{port: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: prod}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


@pytest.fixture
def after(tmp_path: Path) -> Path:
    """A repository as the page has it, and beside it the revision before, which is the same."""
    for side in ("before", "after"):
        files = {
            "rules/shell.yaml": RULES,
            "rules_tests/shell.yaml": TESTS,
            "manifests/prod.yaml": WORKLOAD.format("frontend") + WORKLOAD.format("backend") + POLICY,
            "gate.yml": (EXAMPLES / "gate.yml").read_text(),
        }
        for name, text in files.items():
            (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / name).write_text(text)
    return tmp_path / "after"


def break_it(after: Path) -> None:
    """The two mistakes of the page."""
    (after / "rules" / "shell.yaml").write_text(RULES.replace("(bash, sh)", "(bash)"))
    policy = after / "manifests" / "prod.yaml"
    policy.write_text(policy.read_text().replace("[{port: 8080}]", "[{port: 8081}]"))


def started(after: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=after,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def by_playbook(after: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return started(after, "ansible-playbook", "falconet.k8s.gate", "-e", "@gate.yml", *arguments)


def by_command(after: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return started(after, sys.executable, str(ROOT / "tools" / "gate.py"), *arguments)


def test_the_playbook_passes_what_is_right_and_writes_the_comment_where_it_was_started(after: Path) -> None:
    done = by_playbook(after, "-e", "before=../before", "-e", "markdown_path=gate.md", "-e", "sarif_path=gate.sarif")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (after / "gate.md").read_text().startswith("<!-- falconet.k8s gate -->\n## Rules and policies: passed\n")
    assert (after / "gate.sarif").is_file()


def test_the_playbook_fails_what_is_wrong(after: Path) -> None:
    break_it(after)
    done = by_playbook(after, "-e", "before=../before", "-e", "markdown_path=gate.md")
    assert done.returncode != 0
    assert "rule 'Shell' did not fire" in done.stdout + done.stderr
    assert "2 of 2 parts failed" in (after / "gate.md").read_text()


def test_the_command_says_what_the_page_shows(after: Path) -> None:
    break_it(after)
    done = by_command(after, "--before", "../before")
    assert done.returncode == 1, done.stderr
    shown = re.search(r"<!-- comment -->\n```markdown\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert done.stdout == shown.group(1)
    assert done.stderr.startswith("rules own: rules_tests/shell.yaml:")


def test_the_command_passes_what_is_right_and_writes_nothing_when_it_checks(after: Path) -> None:
    with (after / "gate.yml").open("a") as file:
        file.write("markdown_path: gate.md\n")
    done = by_command(after, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (after / "gate.md").exists()
    assert by_command(after).returncode == 0
    assert (after / "gate.md").read_text() == done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nowhere.yml: cannot be read: No such file or directory"),
        ("a: [", "nowhere.yml: no YAML: "),
        ("- a", "nowhere.yml: is no mapping of the module's options"),
        ("rulesetz: []", "rulesetz"),
        ("{}", "there is nothing to judge"),
    ],
)
def test_the_command_tells_options_that_are_none(after: Path, text: str | None, said: str) -> None:
    if text is not None:
        (after / "nowhere.yml").write_text(text)
    done = by_command(after, "nowhere.yml")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_hook_runs_what_is_there() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program = ROOT / hook["entry"].split()[0]
    assert os.access(program, os.X_OK)
    assert hook["id"] in PAGE


def strings(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(strings(one) for one in value.values())
    return "\n".join(map(strings, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_workflows_run_the_playbook_with_options_that_it_has(name: str) -> None:
    text = strings(yaml.safe_load((EXAMPLES / name).read_text()))
    (command,) = re.findall(r"ansible-playbook falconet\.k8s\.gate.*", text)
    named = set(re.findall(r"-e \"?(\w+)=", command))
    playbook = (ROOT / "playbooks" / "gate.yml").read_text()
    assert named == {"before", "markdown_path", "sarif_path", "junit_path"}
    assert all(f"{option} is defined" in playbook for option in named)
    assert name in PAGE


def test_the_workflow_may_do_what_it_needs_alone_and_pins_what_it_runs() -> None:
    workflow = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert "write-all" not in strings(job["permissions"])
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one)] == []


def test_the_playbook_passes_every_option_on_but_those_that_a_reader_of_it_would_not_miss() -> None:
    module = (ROOT / "plugins" / "modules" / "change_gate.py").read_text()
    options = set(yaml.safe_load(module.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"])
    (play,) = yaml.safe_load((ROOT / "playbooks" / "gate.yml").read_text())
    assert options - set(play["tasks"][0]["falconet.k8s.change_gate"]) == {"jobs"}
