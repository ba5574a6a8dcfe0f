"""kubeadm's ClusterConfiguration over TLS with an administrator's kubeconfig."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.errors import ApiServerError
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.cluster_configuration import (
    Stored,
    store,
    stored,
)
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import Certificates

from .api_server import Request, certificates, serving

MADE = certificates()
CONFIG_MAP = {"metadata": {"resourceVersion": "42"}, "data": {"ClusterConfiguration": "kind: ClusterConfiguration\n"}}
PATH = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"


def kubeconfig(folder: Path, port: int, made: Certificates = MADE) -> str:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    user = {
        "client-certificate-data": data(made.client.certificate),
        "client-key-data": data(made.client.key),
    }
    cluster = {
        "server": f"https://localhost:{port}",
        "certificate-authority-data": data(made.authority.certificate),
    }
    document = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "b", "user": "c"}}],
        "clusters": [{"name": "b", "cluster": cluster}],
        "users": [{"name": "c", "user": user}],
    }
    file = folder / "admin.conf"
    file.write_text(yaml.safe_dump(document))
    return str(file)


def test_it_is_read_by_a_client_whom_the_cluster_knows(tmp_path: Path) -> None:
    with serving(tmp_path, lambda request: (200, json.dumps(CONFIG_MAP)), MADE) as (port, seen):
        assert stored(kubeconfig(tmp_path, port)) == Stored("kind: ClusterConfiguration\n", "42")
    assert [(one.method, one.path) for one in seen] == [("GET", PATH)]
    assert "commonName" in seen[0].client


def test_it_is_written_over_what_was_read_alone(tmp_path: Path) -> None:
    with serving(tmp_path, lambda request: (200, json.dumps(CONFIG_MAP)), MADE) as (port, seen):
        store(kubeconfig(tmp_path, port), Stored("a", "42"), "b")
    [asked] = seen
    assert (asked.method, asked.path) == ("PATCH", PATH)
    assert json.loads(asked.body) == {"metadata": {"resourceVersion": "42"}, "data": {"ClusterConfiguration": "b"}}


@pytest.mark.parametrize("answer", [(404, "{}"), (200, '{"metadata": {}, "data": {}}'), (200, '{"metadata": {}}')])
def test_a_cluster_that_kubeadm_has_not_made_has_none(tmp_path: Path, answer: tuple[int, str]) -> None:
    with serving(tmp_path, lambda request: answer, MADE) as (port, _):
        assert stored(kubeconfig(tmp_path, port)) is None


@pytest.mark.parametrize(
    ("answer", "read", "written"),
    [
        ((403, '{"message": "forbidden"}'), "cannot be read: 403 forbidden", "cannot be written: 403 forbidden"),
        ((409, "{}"), "cannot be read: 409", "was changed by somebody else meanwhile; run it again"),
        ((200, "no JSON"), "does not answer: ", "does not answer: "),
    ],
)
def test_what_goes_wrong_is_told(tmp_path: Path, answer: tuple[int, str], read: str, written: str) -> None:
    def refused(request: Request) -> tuple[int, str]:
        return answer

    with serving(tmp_path, refused, MADE) as (port, _):
        file = kubeconfig(tmp_path, port)
        with pytest.raises(ApiServerError, match=read):
            stored(file)
        with pytest.raises(ApiServerError, match=written):
            store(file, Stored("a", "1"), "b")


def test_a_server_of_another_ca_and_one_that_is_away_are_told(tmp_path: Path) -> None:
    words = r"https://localhost:\d+ \(of .*admin\.conf\) does not answer: .*verify"
    with (
        serving(tmp_path, lambda request: (200, "{}"), MADE) as (port, seen),
        pytest.raises(ApiServerError, match=words),
    ):
        stored(kubeconfig(tmp_path, port, certificates()))
    assert seen == []
    with pytest.raises(ApiServerError, match="does not answer"):
        stored(kubeconfig(tmp_path, port))


def test_a_kubeconfig_that_is_missing_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(
        ApiServerError, match=r"No such file or directory; it is needed .* cluster_configuration: false"
    ):
        stored(str(tmp_path / "admin.conf"))
