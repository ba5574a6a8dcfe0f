"""The web server: /healthz, /versions and /metrics in the shape that Falco 0.44 was observed to give."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Protocol

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import priority_number

from .config import Config, Webserver
from .listening import Listener
from .outputs import Outputs
from .rules import LoadedRules
from .sensor import Sensor

ENGINE_VERSION = "0.63.0"
VERSION = "0.44.0+standin"
_DROPS = ("clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc")


class Served(Protocol):
    """What the web server tells of a daemon, see there."""

    config: Config
    hostname: str
    rules: LoadedRules
    outputs: Outputs
    sensor: Sensor | None
    started_ns: int

    @property
    def reloading(self) -> bool:
        """Whether there are no metrics for a moment."""


def serve(daemon: Served, settings: Webserver) -> Listener:
    """A server that listens; its caller lets it serve.

    Raises:
        OSError: the address is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == settings.healthz:
                self._answer(HTTPStatus.OK, '{"status": "ok"}', "application/json")
            elif path == "/versions":
                self._answer(HTTPStatus.OK, json.dumps(versions()), "application/json")
            elif path == "/metrics" and settings.metrics and not daemon.reloading:
                self._answer(HTTPStatus.OK, metrics(daemon), "text/plain; version=0.0.4")
            else:
                # observed: for a moment after a reload the metrics are not there yet
                self._answer(HTTPStatus.NOT_FOUND, "404 page not found\n", "text/plain")

        def _answer(self, status: HTTPStatus, text: str, kind: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    return Listener((settings.address, settings.port), Handler)


def versions() -> dict[str, object]:
    """What /versions answers."""
    unknown = ("default_driver_version", "driver_api_version", "driver_schema_version", "libs_version")
    return {
        **dict.fromkeys((*unknown, "plugin_api_version"), ""),
        "engine_version": ENGINE_VERSION.split(".")[1],
        "engine_version_semver": ENGINE_VERSION,
        "falco_version": VERSION,
        "stand_in": True,
    }


def metrics(daemon: Served) -> str:
    """What /metrics answers."""
    lines = [
        "# HELP falcosecurity_falco_standin_info 1: these figures come from the falconet sandbox's stand-in, not Falco",
        "# TYPE falcosecurity_falco_standin_info gauge",
        'falcosecurity_falco_standin_info{stand_in="falco"} 1',
    ]
    for name, labels, value in _figures(daemon):
        kind = "counter" if name.endswith("_total") else "gauge"
        lines.append(f"# HELP falcosecurity_{name} https://falco.org/docs/metrics/")
        lines.append(f"# TYPE falcosecurity_{name} {kind}")
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"falcosecurity_{name}{{{told}}} {value}" if told else f"falcosecurity_{name} {value}")
    return "\n".join(lines) + "\n"


def _figures(daemon: Served) -> Iterator[tuple[str, dict[str, str], str]]:
    rules = daemon.rules
    yield "falco_version_info", {"version": VERSION}, "1"
    for name, digest in rules.digests:
        yield "falco_sha256_rules_files_info", {"file_name": name, "sha256": digest}, "1"
    yield "falco_sha256_config_files_info", {"file_name": "falco.yaml", "sha256": daemon.config.sha256}, "1"
    if daemon.config.rules_counters_enabled:
        for rule in rules.active:
            count = rules.matches[rule.name]
            if count:
                tags = {f"tag_{re.sub(r'[^a-zA-Z0-9_]', '_', tag)}": "true" for tag in sorted(rule.rule.tags)}
                told = {"priority": str(priority_number(rule.priority)), "rule_name": rule.name, **tags}
                yield "falco_rules_matches_total", {**told, "source": rule.rule.source}, str(count)
    if daemon.sensor is not None:
        yield "scap_engine_name_info", {"engine_name": "standin", "evt_source": "syscall"}, "1"
    seen, dropped = (0, 0) if daemon.sensor is None else (daemon.sensor.seen, daemon.sensor.dropped)
    yield "scap_n_evts_total", {}, str(seen)
    yield "scap_n_drops_total", {}, str(dropped)
    for kind in _DROPS:
        yield "scap_n_drops_buffer_total", {"dir": "exit", "drop": kind}, "0"
    yield "falco_kernel_release_info", {"kernel_release": os.uname().release}, "1"
    yield "evt_hostname_info", {"hostname": daemon.hostname}, "1"
    yield "falco_outputs_queue_num_drops_total", {}, str(daemon.outputs.dropped)
    yield "falco_reload_timestamp_nanoseconds", {}, str(rules.loaded_ns)
    yield "falco_start_timestamp_nanoseconds", {}, str(daemon.started_ns)
    yield "falco_duration_seconds_total", {}, str((time.time_ns() - daemon.started_ns) // 1_000_000_000)
    yield "falco_memory_rss_bytes", {}, f"{_resident_bytes():.6f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _resident_bytes() -> float:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return float(int(pages) * os.sysconf("SC_PAGE_SIZE"))
