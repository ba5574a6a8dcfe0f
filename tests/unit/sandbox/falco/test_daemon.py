"""A daemon: reloads, broken files, sources, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.standins.falco.daemon import Daemon
from sandbox.standins.falco.rules import load
from sandbox.standins.falco.webserver import metrics

from .setting import configured, rule
from .test_k8saudit import event
from .test_sensor import FAKE

ROOT = Path(__file__).resolve().parents[4]
AUDIT = (
    "load_plugins: [k8saudit, json]\n"
    "plugins: [{name: json, init_config: ''}, {name: k8saudit, init_config: '', open_params: PARAMS}]\n"
)
AUDIT_RULE = (
    "- rule: Pod made\n  desc: d\n  condition: ka.verb=create and ka.target.resource=pods\n"
    "  output: pod %ka.target.name\n  priority: WARNING\n  source: k8s_audit\n"
)


def daemon(folder: Path, more: str = "") -> Daemon:
    config = configured(folder, more)
    return Daemon(config, "worker01", load(config))


def digest_of(one: Daemon, file: str) -> list[str]:
    return [line for line in metrics(one).splitlines() if f'sha256_rules_files_info{{file_name="{file}"' in line]


def test_broken_files_leave_the_old_rules_and_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = daemon(tmp_path)
    own = tmp_path / "rules.d" / "own.yaml"
    own.write_text(rule("Own", "evt.type = open"))
    one.reload()
    good = digest_of(one, "own.yaml")
    assert one.reloading
    assert "3 rules are active after the reload" in capsys.readouterr().err
    own.write_text("- rule: broken\n")
    one.reload()
    assert digest_of(one, "own.yaml") == good
    told = capsys.readouterr()
    alert = json.loads(told.out)
    assert (alert["rule"], alert["priority"]) == ("Falco internal: hot restart failure", "Critical")
    assert (alert["source"], alert["output_fields"]) == ("internal", {})
    assert "the old rules stay" in told.err
    own.write_text(rule("Better", "evt.type = open"))
    one.reload()
    assert digest_of(one, "own.yaml") != good


def test_matches_are_counted_over_a_reload(tmp_path: Path) -> None:
    one = daemon(tmp_path)
    one.rules.matches["Shell"] = 7
    (tmp_path / "rules.d" / "own.yaml").write_text(rule("Own", "evt.type = open"))
    one.reload()
    line = next(line for line in metrics(one).splitlines() if "rules_matches_total{" in line)
    assert line == (
        'falcosecurity_falco_rules_matches_total{priority="5",rule_name="Shell",tag_a="true",tag_b="true",'
        'source="syscall"} 7'
    )


class Running:
    """The stand-in as a process, started as its command line starts it."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self._folder = folder

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / "out").read_text().splitlines()]

    def until(self, holds: Callable[[], Any], what: str) -> None:
        limit = time.monotonic() + 20
        while not holds():
            assert self.process.poll() is None, f"it ended: {self.log}"
            assert time.monotonic() < limit, f"{what}: {self.log}"
            time.sleep(0.02)


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Running]:
    program = (
        "import sys\nfrom sandbox.standins.falco import __main__ as falco\n"
        f"falco.SENSOR = {FAKE!r}\nsys.exit(falco.main(sys.argv[1:]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/build/collections:{ROOT}", "FALCO_HOSTNAME": "worker01"}
    argv = [sys.executable, "-c", program, "-c", str(folder / "falco.yaml"), *arguments]
    with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=out, stderr=log, env=environment)
        try:
            yield Running(process, folder)
        finally:
            process.kill()
            process.wait()


def test_events_of_the_sensor_become_alerts_until_a_signal(tmp_path: Path) -> None:
    configured(tmp_path, "webserver: {enabled: false}\n")
    with started(tmp_path) as falco:
        falco.until(lambda: len(falco.alerts) == 2, "two alerts")
        assert falco.log.splitlines()[0].split(" ", 3)[3].startswith("STAND-IN of the falconet sandbox")
        assert "wanted ['execve', 'openat']" in falco.log
        assert falco.alerts[0]["hostname"] == "worker01"
        (tmp_path / "rules.d" / "own.yaml").write_text(rule("Own", "evt.type = connect"))
        falco.until(lambda: "after the reload" in falco.log, "the reload")
        assert "wanted ['connect', 'execve', 'openat']" in falco.log
        falco.until(lambda: any("dropped" in alert["output"] for alert in falco.alerts), "the alert of drops")
        (drops,) = [alert for alert in falco.alerts if alert["source"] == "internal"]
        assert drops["output_fields"]["n_drops"] == 1
        falco.process.send_signal(signal.SIGTERM)
        assert falco.process.wait(timeout=20) == 0
        assert "SIGTERM: end" in falco.log


def test_audit_events_become_alerts(tmp_path: Path) -> None:
    configured(tmp_path, "webserver: {enabled: false}\n")
    params = "'http://127.0.0.1:0/k8s-audit'"
    file = tmp_path / "falco.yaml"
    text = AUDIT.replace("PARAMS", params) + f"json_output: true\nrules_files: [{tmp_path}/audit.yaml]\n"
    file.write_text(text + "webserver: {enabled: false}\n")
    (tmp_path / "audit.yaml").write_text(AUDIT_RULE)
    log = tmp_path / "audit.log"
    log.write_text(json.dumps(event("web")) + "\n")
    file.write_text(file.read_text().replace(params, str(log)))
    with started(tmp_path, "--disable-source", "syscall") as falco:
        assert falco.process.wait(timeout=20) == 0
        (alert,) = falco.alerts
        assert (alert["rule"], alert["source"], alert["output"]) == (
            "Pod made",
            "k8s_audit",
            "08:58:47.573375000: Warning pod web",
        )
        assert "sources: k8s_audit" in falco.log


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("rules_files: [/no/such]\n" + AUDIT.replace("PARAMS", "/no/such.log"), "k8saudit: open_params '/no/such.log'"),
        ("rules_files: [RULES]\n", "own.yaml: Invalid"),
        ("rules_files: []\n", "rules_files is empty"),
        ("rule_matching: some\n", "rule_matching"),
    ],
)
def test_what_ends_a_start(tmp_path: Path, more: str, told: str) -> None:
    broken = tmp_path / "own.yaml"
    broken.write_text("- rule: broken\n")
    (tmp_path / "falco.yaml").write_text(more.replace("RULES", str(broken)) + "webserver: {enabled: false}\n")
    with started(tmp_path, "--disable-source", "syscall") as falco:
        assert falco.process.wait(timeout=20) == 1
        assert told in falco.log
