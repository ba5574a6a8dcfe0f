"""kube_apiserver_audit on a node whose files are real and whose kubelet and API server are played."""

from __future__ import annotations

import datetime
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.manifest import Manifest
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver import audit, change, journal
from ansible_collections.falconet.k8s.plugins.module_utils.live_apiserver.processes import Process
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import keep_or_issue

from ..apiserver.manifests import KUBEADM
from ..module_runner import run_module
from .control_plane_node import BROKEN, CONFIGURATION, POLICY, Killed, Node

URL = "https://10.96.0.50:9765/k8s-audit"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def webhook() -> dict[str, Any]:
    """A webhook with certificates of a CA of its own."""
    made = keep_or_issue(None, "", None, None, ["falco"], 90, datetime.datetime.now(datetime.timezone.utc))
    return {
        "server": URL,
        "ca": made.authority.certificate,
        "client_certificate": made.client.certificate,
        "client_key": made.client.key,
        "tls_server_name": "falco",
    }


def test_from_nothing_to_an_audit_log_and_back_to_the_same_bytes(node: Node) -> None:
    before = node.files()
    result = node.done()
    assert result["changed"] is True
    assert result["files"] == [str(node.manifest), str(node.audit / "policy.yaml")]
    assert result["cluster_configuration"] == "changed"
    assert Path(result["backup"]).read_text() == KUBEADM
    assert (node.audit / "policy.yaml").read_text() == POLICY
    assert node.process is not None
    assert f"--audit-policy-file={node.audit}/policy.yaml" in node.process.argv
    assert "--audit-log-maxsize=100" in node.process.argv
    assert stat.S_IMODE(node.manifest.stat().st_mode) == 0o640
    assert stat.S_IMODE(node.audit.stat().st_mode) == 0o700
    again = node.done()
    assert (again["changed"], again["files"], again["cluster_configuration"]) == (False, [], "unchanged")
    gone = node.done(state="absent")
    assert (gone["changed"], gone["backup"]) == (True, "")
    assert node.files() == before
    assert node.configuration == CONFIGURATION
    assert not node.audit.exists()
    assert not node.backup.exists()
    assert node.done(state="absent")["changed"] is False


def test_only_dotfiles_come_into_the_manifests_folder_meanwhile(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = Path.rename

    def rename(path: Path, target: Any) -> Path:
        seen.append(path)
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    node.done()
    assert seen
    assert all(path.name.startswith(".") for path in seen if path.parent == node.manifest.parent)
    assert list(node.manifest.parent.iterdir()) == [node.manifest]


def test_check_mode_changes_nothing_and_tells_the_same(node: Node) -> None:
    before, configuration = node.files(), node.configuration
    told = node.run(check_mode=True)
    assert node.files() == before
    assert node.configuration == configuration
    done = node.done()
    assert {key: told[key] for key in ("changed", "files", "diff")} == {
        key: done[key] for key in ("changed", "files", "diff")
    }
    assert "+    - --audit-policy-file=" in told["diff"]["prepared"]
    assert "+- level: Metadata" in told["diff"]["prepared"]
    assert "after: kube-system/kubeadm-config" in told["diff"]["prepared"]
    assert node.run(check_mode=True)["changed"] is False
    assert node.run(check_mode=True)["diff"]["prepared"] == ""


def test_the_webhook_s_file_is_for_root_alone_and_no_secret_is_told(node: Node, webhook: dict[str, Any]) -> None:
    result = node.done(webhook=webhook)
    file = node.audit / "webhook.kubeconfig"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [data] = [line.split()[-1] for line in file.read_text().splitlines() if "client-key-data" in line]
    words = json.dumps({**result, "invocation": None})
    assert data not in words
    assert webhook["client_key"].splitlines()[1] not in words
    assert "client-key-data: (sha256 " in result["diff"]["prepared"]
    assert node.process is not None
    assert "--audit-webhook-mode=batch" in node.process.argv
    assert "--audit-webhook-batch-max-wait=1000ms" in node.process.argv
    assert node.done(webhook=webhook)["changed"] is False
    log_alone = node.done()
    assert str(file) in log_alone["files"]
    assert not file.exists()
    assert not any("--audit-webhook" in argument for argument in node.process.argv)


def test_a_mode_that_waits_has_no_batches(node: Node, webhook: dict[str, Any]) -> None:
    node.done(webhook={**webhook, "mode": "blocking"})
    assert node.process is not None
    assert "--audit-webhook-mode=blocking" in node.process.argv
    assert not any("batch" in argument for argument in node.process.argv)


def test_a_new_policy_starts_the_api_server_again(node: Node) -> None:
    node.done()
    first = node.process
    result = node.done(policy=POLICY + "# why\n")
    assert result["files"] == [str(node.manifest), str(node.audit / "policy.yaml")]
    assert node.process not in (first, None)
    assert node.done(policy=POLICY + "# why\n")["changed"] is False
    node.done(state="absent")
    assert node.manifest.read_text() == KUBEADM


def test_a_policy_that_was_changed_by_hand_is_put_right_and_read_again(node: Node) -> None:
    node.done()
    for _ in range(3):
        first = node.process
        (node.audit / "policy.yaml").write_text("else: x\n")
        assert node.done()["changed"] is True
        assert (node.audit / "policy.yaml").read_text() == POLICY
        assert node.process not in (first, None)
        assert node.done()["changed"] is False


def test_an_api_server_that_does_not_start_is_told_with_its_own_words_and_the_old_manifest_is_back(node: Node) -> None:
    before = node.files()
    result = node.run(policy=BROKEN)
    assert result["failed"] is True
    assert 'err="loading audit policy file: no kind"' in result["msg"]
    assert "The old manifest came back, and the API server is healthy with it" in result["msg"]
    assert node.seconds < 60, "three starts in vain are enough"
    assert {name: text for name, text in node.files().items() if not name.startswith("backup/")} == before
    assert node.process is not None
    assert node.configuration == CONFIGURATION
    assert node.done()["changed"] is True


def test_a_broken_policy_in_the_place_of_a_good_one(node: Node) -> None:
    node.done()
    before = node.files()
    result = node.run(policy=BROKEN)
    assert "The old manifest came back, and the API server is healthy with it" in result["msg"]
    assert node.files() == before
    assert node.done()["changed"] is False


def test_after_a_way_back_one_that_is_ready_for_a_moment_is_not_taken_for_the_old_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the old policy back, the pod that failed starts well, until the kubelet sees the old manifest."""
    node.done()
    began: list[float] = []

    def pause(seconds: float) -> None:
        node.seconds += seconds
        broken = "# broken" in (node.audit / "policy.yaml").read_text()
        if broken or (began and node.seconds > began[0] + 3):
            node._kubelet()
        elif not began:  # the same pod is started once more
            began.append(node.seconds)
            node.process = Process(900, 900, tuple(node.history[-1]))

    monkeypatch.setattr(change, "pause", pause)
    assert "is healthy with it" in node.run(policy=BROKEN)["msg"]
    assert began
    assert node.process is not None
    assert node.process.pid != 900


def test_one_that_runs_and_is_not_ready_is_told_with_its_answer(node: Node) -> None:
    node.ready = "/readyz answers 500: [-]etcd failed"
    result = node.run()
    assert "did not become healthy with the new manifest: /readyz answers 500: [-]etcd failed." in result["msg"]
    assert "not healthy with it either: /readyz answers 500" in result["msg"]
    assert node.manifest.read_text() == KUBEADM


def test_a_kubelet_that_does_not_look_is_told(node: Node) -> None:
    node.runs = False
    result = node.run()
    assert "the kubelet has not started it with these flags; does the kubelet run?" in result["msg"]
    assert node.seconds >= 60
    assert "healthy with it" in result["msg"]


def test_a_process_that_ends_later_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(seconds: float) -> None:
        node._pause(seconds)
        if len(node.history) == 2 and node.seconds > 2:
            node.process, node.runs = None, False

    node.ready = "it does not answer: refused"
    monkeypatch.setattr(change, "pause", pause)
    assert "did not become healthy with the new manifest: its process has ended. The old manifest" in node.run()["msg"]


def test_a_manifest_as_wanted_that_nobody_runs_is_no_success(node: Node) -> None:
    node.done()
    node.process, node.runs = None, False
    result = node.run()
    assert result["failed"] is True
    assert "is as wanted, but no healthy API server ran with it in 60 s" in result["msg"]


def test_somebody_elses_audit_flags_are_named_and_left(node: Node) -> None:
    foreign = KUBEADM.replace("    - --allow", "    - --audit-webhook-config-file=/etc/their.conf\n    - --allow")
    node.manifest.write_text(foreign)
    node._kubelet()
    webhook = {"server": URL}
    result = node.run(webhook=webhook)
    assert f"{node.manifest}:16:7: --audit-webhook-config-file=/etc/their.conf" in result["msg"]
    assert node.manifest.read_text() == foreign
    node.done(webhook=webhook, replace=True)
    assert node.process is not None
    assert "--audit-webhook-config-file=/etc/their.conf" not in node.process.argv
    node.done(state="absent")
    assert node.manifest.read_text() == foreign


def test_a_manifest_that_somebody_edits_meanwhile_keeps_the_edit_and_the_backup(node: Node) -> None:
    node.done()
    node.manifest.write_text(node.manifest.read_text().replace("--secure-port=6443", "--v=2"))
    node._kubelet()
    gone = node.done(state="absent")
    assert node.manifest.read_text() == KUBEADM.replace("--secure-port=6443", "--v=2")
    assert Path(gone["backup"]).read_text() == KUBEADM


@pytest.mark.parametrize("what", ["note", "policy", "manifest", "waiting", "end", "clean"])
def test_a_run_that_is_killed_is_brought_to_its_end_by_the_next(
    node: Node, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = node.files()
    with monkeypatch.context() as killing:
        if what in {"note", "policy", "manifest"}:
            _killed_after_writing(killing, {"note": 2, "policy": 3, "manifest": 4}[what])
        elif what == "waiting":
            killing.setattr(audit, "carry_out", _killed_while_waiting(killing))
        elif what == "end":
            killing.setattr(journal, "ended", _kill)
        else:
            killing.setattr(audit, "store", _kill)
        with pytest.raises(Killed):
            node.run()
    if what == "clean":
        assert node.done()["cluster_configuration"] == "changed"
    else:
        assert node.run(check_mode=True)["changed"] is True
        repaired = node.done()["repaired"]
        assert ("its change is proven now" in repaired) == (what in {"manifest", "waiting", "end"})
        assert ("its change was taken back" in repaired) == (what in {"note", "policy"})
    assert node.process is not None
    assert tuple(Manifest(node.manifest.read_text(), "m").argv) == node.process.argv
    assert node.done()["changed"] is False
    node.done(state="absent")
    assert node.files() == before


def _kill(*arguments: Any) -> None:
    raise Killed


def _killed_after_writing(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    real = journal.write
    written = []

    def write(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        written.append(arguments[0])
        if len(written) == files:
            raise Killed

    monkeypatch.setattr(journal, "write", write)


def _killed_while_waiting(monkeypatch: pytest.MonkeyPatch) -> Any:
    real = change.carry_out
    monkeypatch.setattr(change, "pause", _kill)
    return real


def test_a_killed_run_with_a_broken_policy_is_taken_back_by_the_next(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killing:
        killing.setattr(audit, "carry_out", _killed_while_waiting(killing))
        with pytest.raises(Killed):
            node.run(policy=BROKEN)
    result = node.run()
    assert "did not become healthy with the new manifest: " in result["msg"]
    assert node.manifest.read_text() == KUBEADM
    assert node.done()["repaired"] == ""


def test_a_note_that_cannot_be_read_is_named(node: Node) -> None:
    node.backup.mkdir()
    (node.backup / "change.json").write_text("{}")
    result = node.run()
    assert f"{node.backup}/change.json: this note of an earlier run cannot be read" in result["msg"]


def test_a_full_disk_leaves_all_as_it_was(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    before = node.files()
    real = journal.write

    def write(path: str, content: bytes, mode: int = 0o600) -> None:
        if path == str(node.manifest) and b"audit" in content:
            raise OSError(28, "No space left on device", path)
        real(path, content, mode)

    with monkeypatch.context() as full:
        full.setattr(journal, "write", write)
        result = node.run()
    assert result["msg"] == f"{node.manifest}: No space left on device; nothing was changed"
    assert {name: text for name, text in node.files().items() if not name.startswith("backup/kube")} == before
    assert node.done()["repaired"] == ""


def test_a_cluster_without_kubeadms_configuration_is_left_without(node: Node) -> None:
    node.configuration = None
    assert node.done()["cluster_configuration"] == "absent"
    assert node.done(cluster_configuration=False)["cluster_configuration"] == "absent"


@pytest.mark.parametrize(
    ("kubelet", "words"),
    [
        ("--node-labels=eks.amazonaws.com/nodegroup=a", "Amazon EKS, where nobody but the provider"),
        ("--node-labels=cloud.google.com/gke-nodepool=a", "the plugin k8saudit-gke"),
        ("--node-labels=kubernetes.azure.com/mode=system", "the plugin k8saudit-aks"),
        ("--config=/x", "Amazon EKS by k8saudit-eks, Google GKE by k8saudit-gke, Azure AKS by k8saudit-aks"),
    ],
)
def test_a_node_without_an_api_server_is_refused_with_what_serves_it(
    node: Node, monkeypatch: pytest.MonkeyPatch, kubelet: str, words: str
) -> None:
    node.manifest.unlink()
    monkeypatch.setattr(audit, "processes", lambda program: [Process(1, 1, (program, kubelet))])
    assert words in node.run()["msg"]


def test_certificates_that_cannot_work_are_refused_before_anything_changes(node: Node, webhook: dict[str, Any]) -> None:
    before = node.files()
    old = keep_or_issue(
        None, "", None, None, ["falco"], 90, datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
    )
    for changed, words in (
        ({"ca": old.authority.certificate}, "webhook.ca: it has expired on "),
        ({"ca": webhook["client_certificate"]}, "webhook.ca: this is no certificate of a CA"),
        ({"client_key": old.client.key}, "client_certificate and client_key do not belong together"),
        (
            {"client_certificate": old.client.certificate, "client_key": old.client.key},
            "webhook.client_certificate: it has expired on Apr 01 00:00:00 2001 GMT",
        ),
        (
            {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
            "webhook.ca: OpenSSL does not read it",
        ),
    ):
        result = node.run(webhook={**webhook, **changed})
        assert words in result["msg"]
    assert node.files() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policy": None}, "policy is missing: state present needs the text of an audit policy"),
        ({"policy": "a: ["}, "policy:1:4: this bracket is never closed"),
        ({"policy": POLICY.replace("audit.k8s.io/v1", "v1")}, "policy:1:13: apiVersion must be audit.k8s.io/v1"),
        ({"policy": POLICY.replace("Policy", "Pod")}, "policy:2:7: kind must be Policy"),
        ({"policy": POLICY.partition("rules")[0]}, "policy:1:1: rules must be a list with at least one rule"),
        ({"policy": POLICY.replace("Metadata", "All")}, "policy:4:10: level must be None, Metadata, Request or"),
        ({"log": None}, "neither webhook nor log is set"),
        ({"log": {"path": "a"}}, "log.path is a: it must be an absolute path"),
        ({"log": {"max_size_mb": 0}}, "log.max_size_mb is 0: it must be greater than 0"),
        ({"timeout_seconds": 0}, "timeout_seconds is 0: it must be greater than 0"),
        ({"webhook": {"server": "http://falco:9765/"}}, "they are sent by https alone"),
        ({"webhook": {"server": URL, "batch_max_size": -1}}, "webhook.batch_max_size is -1"),
        ({"webhook": {"server": URL, "initial_backoff_seconds": 0}}, "webhook.initial_backoff_seconds is 0"),
        ({"directory": "etc"}, "directory is "),
    ],
)
def test_options_that_cannot_be_are_refused(node: Node, options: dict[str, Any], words: str) -> None:
    if options == {"directory": "etc"}:
        options = {"directory": f"{node.manifest.parent}/audit"}
        words = f"the kubelet starts what lies in {node.manifest.parent}; choose another one"
    result = node.run(**options)
    assert result["failed"] is True
    assert words in result["msg"]


def test_folders_that_must_differ_are_told(node: Node) -> None:
    assert "both" in node.run(backup_directory=str(node.audit))["msg"]
    assert "backup_directory is " in node.run(backup_directory=f"{node.audit}/..")["msg"]


def test_a_manifest_that_is_no_text_is_told(node: Node) -> None:
    node.manifest.write_bytes(b"a: \xff")
    assert node.run()["msg"] == f"{node.manifest}: byte 4 is not UTF-8"


def test_without_rights_it_says_who_must_run_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(journal, "read", denied)
    assert "Permission denied. Run it as root on a control-plane node" in node.run()["msg"]


def test_the_defaults_are_those_of_kubeadm() -> None:
    result = run_module("kube_apiserver_audit", {"state": "absent", "manifest": "/nowhere/kube-apiserver.yaml"})
    assert (
        "there is no /nowhere/kube-apiserver.yaml: this is no control-plane node as kubeadm makes them" in result["msg"]
    )
