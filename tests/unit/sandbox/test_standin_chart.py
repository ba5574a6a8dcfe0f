"""The stand-in chart: it lints, renders what the real chart would, and refuses what it cannot do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.standins import schema

CHART = Path(__file__).resolve().parents[3] / "sandbox" / "standins" / "charts" / "falco"
EVERYTHING = {
    "driver": {"kind": "modern_ebpf"},
    "metrics": {"enabled": True},
    "falcosidekick": {
        "enabled": True,
        "config": {"existingSecret": "alert-channels"},
        "webui": {
            "enabled": True,
            "redis": {"storageClass": "local", "storageSize": "2Gi", "password": "from-a-secret"},
        },
    },
}


def _helm() -> str:
    cache = Path(os.environ.get("FALCONET_CACHE", Path.home() / ".cache" / "falconet"))
    found = shutil.which("helm", path=f"{cache / 'bin'}:{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(reason="helm is not here; `make sandbox-up` builds it into the cache")
    return found


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_helm(), *arguments], capture_output=True, text=True, timeout=120)


def render(values: dict[str, Any], tmp_path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Objects by kind and name."""
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", "falco", str(CHART), "--namespace", "falco", "--values", str(file))
    assert done.returncode == 0, done.stderr
    objects = [thing for thing in yaml.safe_load_all(done.stdout) if thing]
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in objects}


def refused(tmp_path: Path, **values: Any) -> str:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", "falco", str(CHART), "--values", str(file))
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_it_says_that_it_is_a_stand_in() -> None:
    for chart in (CHART, CHART / "charts" / "falcosidekick"):
        meta = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert "STAND-IN" in meta["description"]
        assert meta["version"].endswith("+standin")


@pytest.mark.parametrize("chart", [schema.CHART, schema.SUBCHART], ids=["falco", "falcosidekick"])
def test_the_schema_is_that_of_the_values(chart: Path) -> None:
    hint = "run python sandbox/standins/schema.py"
    assert (chart / "values.schema.json").read_text() == schema.render(chart), hint


def test_lint() -> None:
    done = helm("lint", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_objects_have_the_real_charts_names(tmp_path: Path) -> None:
    names = set(render(EVERYTHING, tmp_path))
    assert {
        ("DaemonSet", "falco"),
        ("ConfigMap", "falco"),
        ("Service", "falco-metrics"),
        ("ServiceAccount", "falco"),
        ("Deployment", "falco-falcosidekick"),
        ("Service", "falco-falcosidekick"),
        ("Secret", "falco-falcosidekick"),
        ("Deployment", "falco-falcosidekick-ui"),
        ("Service", "falco-falcosidekick-ui"),
        ("Secret", "falco-falcosidekick-ui"),
        ("StatefulSet", "falco-falcosidekick-ui-redis"),
        ("Service", "falco-falcosidekick-ui-redis"),
        ("Secret", "falco-falcosidekick-ui-redis"),
        ("ConfigMap", "falco-falcosidekick-ui-redis"),
    } <= names


def test_selectors_match_pods_and_services(tmp_path: Path) -> None:
    objects = render(EVERYTHING, tmp_path)
    for (kind, name), thing in objects.items():
        if kind in ("DaemonSet", "Deployment", "StatefulSet"):
            labels = thing["spec"]["template"]["metadata"]["labels"]
            assert thing["spec"]["selector"]["matchLabels"].items() <= labels.items(), name
            assert labels["falconet.sandbox/stand-in"] == "true"
    core = objects["Deployment", "falco-falcosidekick"]["spec"]["selector"]["matchLabels"]
    assert core == {
        "app.kubernetes.io/name": "falcosidekick",
        "app.kubernetes.io/instance": "falco",
        "app.kubernetes.io/component": "core",
    }
    assert objects["DaemonSet", "falco"]["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "falco",
        "app.kubernetes.io/instance": "falco",
    }


def document(objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(objects["ConfigMap", "falco"]["data"]["falco.yaml"])
    return found


def test_falco_yaml_follows_the_other_values(tmp_path: Path) -> None:
    config = document(render(EVERYTHING, tmp_path))
    assert config["http_output"]["url"] == "http://falco-falcosidekick:2801"
    assert config["json_output"] is True
    assert config["engine"]["kind"] == "modern_ebpf"
    assert config["webserver"]["prometheus_metrics_enabled"] is True
    assert config["metrics"]["enabled"] is True
    assert config["load_plugins"] == ["container"]
    plain = document(render({}, tmp_path))
    assert plain["json_output"] is False
    assert plain["http_output"]["enabled"] is False
    assert "metrics" not in plain


def pod_of(objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = objects["DaemonSet", "falco"]["spec"]["template"]["spec"]
    return found


def test_mounts_are_those_of_the_real_chart(tmp_path: Path) -> None:
    own = {
        "volumes": [{"name": "own", "configMap": {"name": "own"}}],
        "volumeMounts": [{"name": "own", "mountPath": "/own"}],
    }
    pod = pod_of(render({"customRules": {"a.yaml": "- list: l\n  items: [x]\n"}, "mounts": own}, tmp_path))
    mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["/etc/falco/falco.yaml"]["subPath"] == "falco.yaml"
    assert mounts["/etc/falco/rules.d"]["name"] == "rules-volume"
    assert mounts["/own"]["name"] == "own"
    assert mounts["/host/proc"]["readOnly"] is True
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod["volumes"]}


def test_custom_rules_lose_their_last_newline_as_in_the_real_chart(tmp_path: Path) -> None:
    objects = render({"customRules": {"a.yaml": "- list: l\n  items: [x]\n"}}, tmp_path)
    assert objects["ConfigMap", "falco-rules"]["data"] == {"a.yaml": "- list: l\n  items: [x]"}


def test_only_enabled_engines_sockets_are_mounted(tmp_path: Path) -> None:
    engines = {"docker": {"enabled": True}, "cri": {"enabled": True, "sockets": ["/run/x.sock"]}}
    pod = pod_of(render({"collectors": {"containerEngine": {"engines": engines}}}, tmp_path))
    paths = [v["hostPath"]["path"] for v in pod["volumes"] if v["name"].startswith("container-engine-socket")]
    assert paths == ["/var/run/docker.sock", "/run/x.sock"]


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        ({"kind": "kmod"}, {"privileged": True}),
        ({"kind": "modern_ebpf"}, {"privileged": True}),
        (
            {"kind": "modern_ebpf", "modernEbpf": {"leastPrivileged": True}},
            {"capabilities": {"add": ["BPF", "SYS_RESOURCE", "PERFMON", "SYS_PTRACE"]}},
        ),
        ({"enabled": False}, {}),
    ],
)
def test_security_context_of_the_driver(tmp_path: Path, driver: dict[str, Any], expected: dict[str, Any]) -> None:
    assert pod_of(render({"driver": driver}, tmp_path))["containers"][0]["securityContext"] == expected


def test_a_changed_configuration_rolls_the_pods(tmp_path: Path) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = render(values, tmp_path)["DaemonSet", "falco"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum({}) == checksum({})
    assert checksum({}) != checksum({"falco": {"priority": "warning"}})


def test_redis_storage_and_secrets(tmp_path: Path) -> None:
    objects = render(EVERYTHING, tmp_path)
    redis = objects["StatefulSet", "falco-falcosidekick-ui-redis"]["spec"]
    claim = redis["volumeClaimTemplates"][0]
    assert claim["metadata"]["name"] == "falco-falcosidekick-ui-redis-data"
    assert claim["spec"]["storageClassName"] == "local"
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert redis["template"]["spec"]["containers"][0]["image"] == "sandbox.local/redis:7"
    core = objects["Deployment", "falco-falcosidekick"]["spec"]["template"]["spec"]["containers"][0]
    assert [source["secretRef"]["name"] for source in core["envFrom"]] == ["falco-falcosidekick", "alert-channels"]
    plain = {key: thing for key, thing in objects.items() if key[0] != "Secret"}
    assert "from-a-secret" not in yaml.safe_dump(list(plain.values()))


def test_node_port_of_the_ui(tmp_path: Path) -> None:
    webui = {"enabled": True, "service": {"type": "NodePort", "nodePort": 30080}}
    service = render({"falcosidekick": {"enabled": True, "webui": webui}}, tmp_path)[
        "Service", "falco-falcosidekick-ui"
    ]
    assert service["spec"]["ports"][0]["nodePort"] == 30080


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"drivers": {}}, "drivers"),
        ({"metrics": {"enable": True}}, "enable"),
        ({"falcosidekick": {"enabled": True, "config": {"teams": {"webhookurl": "x"}}}}, "teams"),
        ({"falcosidekick": {"enabled": True, "webui": {"redis": {"storage": 1}}}}, "storage"),
        ({"driver": {"kind": "ebpf"}}, "driver.kind=ebpf"),
        ({"driver": {"ebpf": {"hostNetwork": True}}}, "driver.ebpf"),
        ({"driver": {"kind": "nothing"}}, "nothing"),
        ({"falco": {"grpc": {"enabled": True}}}, "falco.grpc"),
        ({"falcoctl": {"artifact": {"install": {"enabled": True}}}}, "falcoctl.artifact.install.enabled"),
        ({"collectors": {"kubernetes": {"enabled": True}}}, "k8s-metacollector"),
        (
            {"falcosidekick": {"enabled": True, "webui": {"enabled": True, "redis": {"enabled": False}}}},
            "webui.externalRedis",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    assert words in refused(tmp_path, **values)


def test_a_sidekick_with_tls_mounts_its_certificates_and_is_asked_on_a_plain_port(tmp_path: Path) -> None:
    tls = {"deploy": True, "existingSecret": "certs", "mutualtls": True}
    config = {"tlsserver": tls, "tlsclient": {"cacertfile": "/ca"}, "mutualtlsclient": {"certfile": "/c"}}
    objects = render({"falcosidekick": {"enabled": True, "config": config}}, tmp_path)
    spec = objects["Deployment", "falco-falcosidekick"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert {env["TLSSERVER_DEPLOY"], env["TLSSERVER_MUTUALTLS"]} == {"true"}
    assert (env["TLSSERVER_NOTLSPATHS"], env["TLSCLIENT_CACERTFILE"], env["MUTUALTLSCLIENT_CERTFILE"]) == (
        "/ping",
        "/ca",
        "/c",
    )
    assert container["readinessProbe"]["httpGet"]["port"] == "http-notls"
    assert spec["volumes"] == [{"name": "certs-volume", "secret": {"secretName": "certs"}}]
    assert container["volumeMounts"][0]["mountPath"] == "/etc/certs/server"
    ports = {one["name"]: one["port"] for one in objects["Service", "falco-falcosidekick"]["spec"]["ports"]}
    assert ports == {"http": 2801, "http-notls": 2810}
