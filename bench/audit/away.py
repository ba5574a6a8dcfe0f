#!/usr/bin/env python3
"""What requests to a real API server cost when the webhook of its audit events is well, hangs, refuses or is away.

Usage:
    python3 bench/audit/away.py [--requests 400] [--most 2.0]

It starts etcd and one kube-apiserver on this machine, from the sandbox's build, without a cluster: first without
audit, then with the flags that kube_apiserver_audit writes for the role's settings. The webhook is a server of ours
with TLS; what it does changes while the API server runs. The machine's speed cancels out: each time is a ratio to the
time without audit in the same run. Exit status 1 when a ratio of medians is above --most, an event is lost while
all is well, or none with a buffer that is full.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.kubeconfig import Webhook, webhook_kubeconfig
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.wanted import Settings, wanted
from ansible_collections.falconet.k8s.plugins.module_utils.audit.presets import PRESETS
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.counters import read_audit_counters
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import keep_or_issue

from sandbox.cache import cache_root
from sandbox.control_plane import kubeconfig
from sandbox.instance import NODE_NETWORKS, Instance
from sandbox.pki import certificates, write_pki
from tests.unit.live_apiserver.api_server import Request, serving

NOW = datetime.datetime.now(datetime.timezone.utc)
START_SECONDS = 240
#: Those of the module; the role waits half a second for a batch.
BATCHES = {
    "mode": "batch",
    "batch-max-size": "400",
    "batch-max-wait": "500ms",
    "batch-buffer-size": "10000",
    "batch-throttle-qps": "10",
    "batch-throttle-burst": "15",
    "initial-backoff": "10000ms",
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the Kubernetes build, ended afterwards; its words are in a file of its name."""
    program = cache_root() / "bin" / "kubectl"
    with (folder / f"{argv[0]}.log").open("ab") as log:
        process = subprocess.Popen(argv, executable=program.resolve(), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def api_server(folder: Path, etcd: int, flags: dict[str, str]) -> Iterator[Client]:
    """An API server that is ready, asked as its administrator."""
    port, keys = free_port(), folder / "keys"
    known = {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "secure-port": str(port),
        "authorization-mode": "RBAC",
        # Nobody makes the ServiceAccount "default" here, and admission would wait half a second for it.
        "disable-admission-plugins": "ServiceAccount",
        "client-ca-file": f"{keys}/ca.crt",
        "tls-cert-file": f"{keys}/apiserver.crt",
        "tls-private-key-file": f"{keys}/apiserver.key",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": f"{keys}/sa.pub",
        "service-account-signing-key-file": f"{keys}/sa.key",
        "service-cluster-ip-range": "10.96.0.0/16",
        **flags,
    }
    file = folder / "kubeconfig"
    file.write_text(kubeconfig(f"https://127.0.0.1:{port}", "admin", keys))
    argv = ["kube-apiserver", *(f"--{name}={value}" for name, value in known.items())]
    with running(folder, argv) as process:
        client = connect({"kubeconfig": str(file)})
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(Exception):  # it does not listen yet
                if client.request("GET", "/readyz").status == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit((folder / "kube-apiserver.log").read_text()[-2000:])
            time.sleep(0.2)
        yield client


def measure(client: Client, count: int) -> float:
    """Milliseconds at the median: half are reads, half are refused pods, whose bodies are recorded."""
    pod = {"kind": "Pod", "metadata": {"name": "refused"}, "spec": {"restartPolicy": "None", "containers": []}}
    taken = []
    warm_up = min(40, count // 4)
    for number in range(count + warm_up):
        for method, path, body in (
            ("GET", "/api/v1/namespaces/default/configmaps/none", None),
            ("POST", "/api/v1/namespaces/default/pods", pod),
        ):
            began = time.perf_counter()
            client.request(method, path, body=body)
            if number >= warm_up:
                taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def errors(client: Client) -> dict[str, int]:
    """Events that failed, by plugin, since the API server started."""
    found: dict[str, int] = read_audit_counters(client.request("GET", "/metrics").data.decode())["errors"]
    return found


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--most", type=float, default=2.0)
    given = parser.parse_args()
    hang, refuse, over = threading.Event(), threading.Event(), threading.Event()
    arrived = []

    def take(request: Request) -> tuple[int, str]:
        if hang.is_set():
            over.wait(600)
        if refuse.is_set():
            return 503, ""
        arrived.append(len(json.loads(request.body)["items"]))
        return 200, ""

    good = keep_or_issue(None, "", None, None, ["localhost"], 90, NOW)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        write_pki(folder / "keys", certificates(Instance("bench", NODE_NETWORKS[0])))
        etcd, peer = free_port(), free_port()
        urls = {"listen-client-urls": etcd, "advertise-client-urls": etcd, "listen-peer-urls": peer}
        argv = ["etcd", f"--data-dir={folder}/etcd", "--unsafe-no-fsync=true"]
        argv += [f"--{flag}=http://127.0.0.1:{port}" for flag, port in urls.items()]
        argv += [f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}"]
        argv += [f"--initial-cluster=default=http://127.0.0.1:{peer}"]
        stack.enter_context(running(folder, argv))
        with api_server(folder, etcd, {}) as client:
            plain = measure(client, given.requests)
        (folder / "policy.yaml").write_text(PRESETS["recommended"])
        with contextlib.ExitStack() as served:
            port, _ = served.enter_context(serving(folder, take, good))
            webhook = Webhook(
                server=f"https://127.0.0.1:{port}/k8s-audit",
                ca=good.authority.certificate,
                client_certificate=good.client.certificate,
                client_key=good.client.key,
                tls_server_name="localhost",
            )
            (folder / "webhook.kubeconfig").write_text(webhook_kubeconfig(webhook))
            audited = wanted(Settings(str(folder), BATCHES))
            server = stack.enter_context(contextlib.ExitStack())
            client = server.enter_context(api_server(folder, etcd, audited.all_flags))
            times = {"is well": measure(client, given.requests)}
            lost = sum(errors(client).values())
            refuse.set()
            times["refuses"] = measure(client, given.requests)
            refuse.clear()
            hang.set()
            times["hangs"] = measure(client, given.requests)
            over.set()
        times["is away"] = measure(client, given.requests)
        server.close()
        small = {**BATCHES, "batch-max-size": "10", "batch-buffer-size": "20"}
        client = stack.enter_context(api_server(folder, etcd, wanted(Settings(str(folder), small)).all_flags))
        times["is away, and a buffer of 20 events full"] = measure(client, given.requests)
        counted = errors(client)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}; without audit {plain:.2f} ms")
    for what, ms in times.items():
        print(f"webhook {what}: {ms:.2f} ms, {ms / plain:.2f} times as long as without audit")
    print(f"{sum(arrived)} events arrived in {len(arrived)} batches; lost while it was well: {lost}")
    print(f"with the small buffer, lost: {counted}")
    return int(max(times.values()) / plain > given.most or lost > 0 or not counted.get("buffered"))


if __name__ == "__main__":
    raise SystemExit(main())
