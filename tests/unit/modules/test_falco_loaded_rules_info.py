"""falco_loaded_rules_info through its main(): files in Falco's order, and what cannot be asked is told."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import ExecError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.loaded import parse_shown

from ..module_runner import run_module
from .falco_cluster import CORE, FalcoCluster, falco_cluster

FALCO_YAML = "rules_files: [/etc/falco/falco_rules.yaml, /etc/falco/more.d, /etc/falco/rules.d, /etc/falco/late.yaml]\n"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FalcoCluster]:
    """A cluster whose Falco's container has its files below a directory of the test."""
    etc = tmp_path / "etc" / "falco"
    for directory in ("config.d", "more.d", "rules.d"):
        (etc / directory).mkdir(parents=True)
    (etc / "falco.yaml").write_text(FALCO_YAML + "rule_matching: all\n")
    (etc / "falco_rules.yaml").write_text("# the first\n")
    (etc / "more.d" / "b.yaml").write_text("# ü\n")
    (etc / "more.d" / "a.yaml").write_text("# no newline at its end")
    (etc / "rules.d" / "own.yaml").write_text("# ours\n")

    def container(_path: str, argv: list[str], _stdin: bytes) -> tuple[str, int]:
        inside = [str(tmp_path) + word if word.startswith("/") else word for word in argv]
        ran = subprocess.run(inside, capture_output=True, text=True, check=False)
        return ran.stdout.replace(str(tmp_path), ""), ran.returncode

    with falco_cluster() as running:
        running.exec = container
        for pod in running.collections[f"{CORE}/pods"]:
            pod["spec"]["volumes"] = [{"name": "own", "projected": {"sources": [{"configMap": {"name": "rules-1"}}]}}]
            pod["spec"]["containers"] = [
                {"name": "falco", "volumeMounts": [{"name": "own", "mountPath": "/etc/falco/rules.d"}]}
            ]
        yield running


def ask(cluster: FalcoCluster, **options: Any) -> dict[str, Any]:
    arguments = {"host": cluster.url, "namespace": "falco", "config_maps": ["rules-1"], **options}
    return run_module("falco_loaded_rules_info", arguments)


def test_files_come_in_falcos_order_without_ours(cluster: FalcoCluster) -> None:
    result = ask(cluster)
    assert result["found"] is True
    assert [(file["path"], file["content"]) for file in result["files"]] == [
        ("/etc/falco/falco_rules.yaml", "# the first\n"),
        ("/etc/falco/more.d/a.yaml", "# no newline at its end"),
        ("/etc/falco/more.d/b.yaml", "# ü\n"),
    ]
    assert result["later"] == ["/etc/falco/late.yaml"]
    assert (result["rule_matching"], result["priority"]) == ("all", "debug")


def test_config_d_and_the_command_line_win(cluster: FalcoCluster, tmp_path: Path) -> None:
    etc = tmp_path / "etc" / "falco"
    (etc / "falco.yaml").write_text(FALCO_YAML)
    (etc / "config.d" / "x.yaml").write_text("rule_matching: all\npriority: notice\n")
    assert ask(cluster)["rule_matching"] == "all"
    for pod in cluster.collections[f"{CORE}/pods"]:
        pod["spec"]["containers"][0]["args"] = ["/usr/bin/falco", "-o", "rule_matching=first"]
    result = ask(cluster)
    assert (result["rule_matching"], result["priority"]) == ("first", "notice")


def test_falcos_default_is_first(cluster: FalcoCluster, tmp_path: Path) -> None:
    (tmp_path / "etc" / "falco" / "falco.yaml").write_text(FALCO_YAML)
    assert ask(cluster)["rule_matching"] == "first"


def test_pods_that_run_other_rules_are_named(cluster: FalcoCluster) -> None:
    told = ask(cluster)["differing"]
    assert "pod falco-a on node-a has not loaded a.yaml" in told
    assert any(text.startswith("pod falco-b on node-b") for text in told)


def test_a_falco_that_is_not_there_is_no_failure(cluster: FalcoCluster) -> None:
    result = ask(cluster, workload="falko")
    assert result["found"] is False
    assert result["reason"] == "no Falco pod is ready"


def test_the_release_tells_which_falco_it_is_though_no_pod_is_ready(cluster: FalcoCluster) -> None:
    assert ask(cluster)["app_version"] == ""
    cluster.release(1, "deployed", chart={"metadata": {"name": "falco", "version": "9.1.0", "appVersion": "0.44.1"}})
    assert ask(cluster)["app_version"] == "0.44.1"
    for pod in cluster.collections[f"{CORE}/pods"]:
        pod["status"]["conditions"] = []
    result = ask(cluster)
    assert (result["found"], result["app_version"]) == (False, "0.44.1")


def test_a_container_without_a_shell_is_no_failure(cluster: FalcoCluster) -> None:
    cluster.exec = lambda _path, _argv, _stdin: ("", 126)
    result = ask(cluster)
    assert result["found"] is False
    assert "does not show its files" in result["reason"]


@pytest.mark.parametrize("output", ["12 /a\nshort", "no size\n", "1 /a\n\ufffd\ufffd"])
def test_what_was_cut_is_not_taken(output: str) -> None:
    with pytest.raises(ExecError, match="cut on its way"):
        parse_shown(output)
