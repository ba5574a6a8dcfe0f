"""A role's variables as a command line or a survey gives them, as strings, mean what they mean with their types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.kept_secrets import decoded

from ..ansible_playbook import ansible_playbook
from ..test_roles import ROLES, ROOT
from .samples import SAMPLES, options

NODES = [
    {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {"nodeInfo": {"containerRuntimeVersion": "containerd://2.1.0"}},
    }
    for name in ("worker01", "worker02")
]
#: What a role makes of its variables, as expressions; each variable that is handed on as it is comes beside them.
PLANS = {
    "awx_objects": {"objects": "__awx_objects_plan"},
    "falco": {
        "plan": "__falco_plan",
        "drops": "falco_drops_max_percent | float",
        "secrets": "dict(__falco_declared | zip(query('ansible.builtin.vars', *__falco_declared)))"
        " | falconet.k8s.falco_secrets([], [], {})",
    },
    "falco_rules": {"changed": "__falco_rules_changes_base"},
    "k8s_audit": {"plan": "__k8s_audit_plan"},
    "network_policies": {"objects": "__network_policies_catalogue", "asked": "__network_policies_asked"},
    "node_prep": {"booleans": "__node_prep_booleans"},
    "respond": {"minutes": "respond_minutes | int"},
    "verify": {"chosen": "__verify_chosen"},
}
#: Facts that a role makes of its variables.
KEPT = {"falco": {"__falco_kept": "{{ __falco_planned }}"}}
#: Falcosidekick fills it in, not Ansible.
GO_TEMPLATE = '{{ .Output }} it"s'
ROLE_VARIABLE = "falconet.k8s.role_variable"
#: What earlier tasks of the roles leave behind.
LEFT: dict[str, Any] = {
    "__falco_looked": {"objects": {"Node": NODES, "Service": []}, "subjects": []},
}


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def of_type(role: str, *types: str) -> list[str]:
    return [name for name, option in options(role).items() if option["type"] in types]


@pytest.mark.parametrize("role", ROLES)
def test_there_is_a_sample_of_each_variable_that_is_no_string(role: str) -> None:
    assert sorted(SAMPLES[role]) == sorted(of_type(role, "bool", "int", "float", "list", "dict"))


def run(role: str, tmp_path: Path, hosts: dict[str, dict[str, Any]], vault: str = "") -> dict[str, Any]:
    """What the role makes of each host's variables, and whether Ansible's own check of them passes."""
    variables = (ROOT / "roles" / role / "vars" / "main.yml").read_text()
    wanted = {**PLANS[role], **{name: name for name in re.findall(r"^(__\w+_given_\w+):", variables, re.MULTILINE)}}
    wanted |= {name: f"{name} | bool" for name in of_type(role, "bool")}
    plan = "{" + ", ".join(f"{key!r}: {expression}" for key, expression in wanted.items()) + "}"
    # The role but for its tasks. Ansible checks the variables against its argument specs before it runs them.
    copied = tmp_path / "roles" / role
    (copied / "tasks").mkdir(parents=True)
    for folder in ("defaults", "vars", "meta", "templates"):
        (copied / folder).symlink_to(ROOT / "roles" / role / folder)
    written = {"content": "{{ " + plan + " | to_json }}", "dest": str(tmp_path) + "/{{ inventory_hostname }}.json"}
    tasks = [{"ansible.builtin.set_fact": KEPT[role]}] if role in KEPT else []
    (copied / "tasks" / "main.yml").write_text(yaml.safe_dump([*tasks, {"ansible.builtin.copy": written}]))
    play = {"hosts": "all", "gather_facts": False, "roles": [role]}
    (tmp_path / "plan.yml").write_text(yaml.safe_dump([play]))
    inventory = {"all": {"vars": {**LEFT, "ansible_connection": "local"}, "hosts": hosts}}
    text = yaml.safe_dump(inventory).replace("VAULT", "!vault |\n" + vault)
    (tmp_path / "hosts.yml").write_text(text.replace("UNSAFE", f"!unsafe '{GO_TEMPLATE}'"))
    (tmp_path / "password").write_text("open")
    by = ["-e", "ansible_python_interpreter={{ ansible_playbook_python }}", "--vault-password-file"]
    done = ansible_playbook("-i", tmp_path / "hosts.yml", tmp_path / "plan.yml", *by, tmp_path / "password")
    assert done.returncode == 0, done.stdout + done.stderr
    return {host: json.loads((tmp_path / f"{host}.json").read_text()) for host in hosts}


@pytest.mark.parametrize("role", ROLES)
def test_variables_as_text_mean_what_they_mean_with_types(role: str, tmp_path: Path) -> None:
    typed = SAMPLES[role]
    text = {name: as_text(value) for name, value in typed.items()}
    # Ansible itself knows a list with choices by the commas between its words alone.
    text |= {name: ",".join(typed[name]) for name in typed if "choices" in options(role)[name]}
    found = run(role, tmp_path, {"typed": typed, "text": text})
    assert found["text"] == found["typed"]
    for name, value in typed.items():
        given = f"__{role}_given_{name.removeprefix(role + '_')}"
        assert found["typed"].get(given, value) == value
        assert found["typed"].get(name, value) == value


@pytest.fixture
def vault() -> str:
    secret = VaultLib([("default", VaultSecret(b"open"))]).encrypt("https://hooks.example/sealed").decode()
    return "".join(f"              {line}\n" for line in secret.splitlines())


def test_what_a_vault_sealed_in_a_variable_is_opened(tmp_path: Path, vault: str) -> None:
    given = {
        "falco_outputs": {"slack": {"webhookurl": "VAULT"}},
        "falco_sidekick_more": [{"name": "more", "outputs": {"slack": {"webhookurl": "VAULT"}}}],
        "falco_ui_password": "VAULT",
    }
    found = run("falco", tmp_path, {"one": given}, vault)["one"]
    held = {one["metadata"]["name"]: decoded(one["data"]) for one in found["secrets"]["manifests"]}
    assert held["falco-outputs"] == {"SLACK_WEBHOOKURL": "https://hooks.example/sealed"}
    assert held["falco-outputs-more"] == {"SLACK_WEBHOOKURL": "https://hooks.example/sealed"}
    assert held["falco-ui-credentials"]["FALCOSIDEKICK_UI_USER"] == "admin:https://hooks.example/sealed"
    assert "hooks.example" not in json.dumps(found["plan"])


def test_a_template_of_falcosidekick_is_handed_on_as_it_is(tmp_path: Path) -> None:
    outputs = {"slack": {"webhookurl": "https://x", "messageformat": "UNSAFE"}}
    given = {"falco_outputs": outputs, "falco_templated_fields": {"what": "UNSAFE"}}
    found = run("falco", tmp_path, {"one": given})["one"]
    values = found["plan"]["releases"][0]["values"]
    assert values["falcosidekick"]["config"]["templatedfields"] == f"what:{GO_TEMPLATE}"
    (held,) = [one["data"] for one in found["secrets"]["manifests"] if one["metadata"]["name"] == "falco-outputs"]
    assert decoded(held)["SLACK_MESSAGEFORMAT"] == GO_TEMPLATE


CONDITIONS = {"when", "that", "until", "failed_when", "changed_when"}
CASTS = {"bool": "bool", "int": "int", "float": "float"}


def templates(role: str) -> Iterator[tuple[Path, str, bool]]:
    """Every text of a role in which expressions may be, and whether it is a condition, which is one without braces."""

    def texts(node: Any, condition: bool = False) -> Iterator[tuple[str, bool]]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from texts(value, key in CONDITIONS)
        elif isinstance(node, list):
            for item in node:
                yield from texts(item, condition)
        elif isinstance(node, str):
            yield (f"{{{{ {node} }}}}" if condition else node), condition

    for path in sorted((ROOT / "roles" / role).rglob("*")):
        if path.parent.name in ("tasks", "handlers", "vars", "defaults") and path.suffix == ".yml":
            yield from ((path, *text) for text in texts(yaml.safe_load(path.read_text())))
        elif path.suffix == ".j2":
            yield path, path.read_text(), False


def computed(role: str) -> Iterator[str]:
    """Where a role computes with a variable as it was given.

    A number or a boolean may become part of a text, or go to a module, which knows its type.
    """
    kinds = {name: option["type"] for name, option in options(role).items() if option["type"] not in ("str", "path")}

    def walk(node: jinja2.nodes.Node, parent: jinja2.nodes.Node, condition: bool) -> Iterator[str]:
        if isinstance(node, jinja2.nodes.Name) and node.name in kinds:
            kind = kinds[node.name]
            cast = isinstance(parent, jinja2.nodes.Filter) and parent.name == CASTS.get(kind, ROLE_VARIABLE)
            defined = isinstance(parent, jinja2.nodes.Test) and parent.name == "defined"
            text = isinstance(parent, (jinja2.nodes.Output, jinja2.nodes.Concat)) and kind in CASTS and not condition
            if not (cast or defined or text):
                yield node.name
        for child in node.iter_child_nodes():
            yield from walk(child, node, condition)

    for path, text, condition in templates(role):
        tree = jinja2.Environment().parse(text)
        yield from (f"{path.relative_to(ROOT)}: {name}" for name in walk(tree, tree, condition))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_computes_with_a_variable_as_it_was_given(role: str) -> None:
    assert list(computed(role)) == []
