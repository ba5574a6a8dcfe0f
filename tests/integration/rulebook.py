"""ansible-rulebook with one of our rulebooks, and a stand-in for Falcosidekick that posts to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sandbox.builds import built
from sandbox.cache import cache_root
from sandbox.standins.images import BUILDS

from .cluster import ROOT, wait_for
from .playbook import Site

TOKEN = "planted-rulebook-token"
#: Java needs some seconds to start, more on a busy machine.
START_SECONDS = 120.0


def ansible_rulebook() -> Path:
    """The program, in an environment of its own that is made when it is not there.

    Skips the test where the machine has no Java.
    """
    if shutil.which("java") is None:
        pytest.skip(reason="ansible-rulebook needs Java 17: apt-get install openjdk-17-jre-headless")
    lock = ROOT / "requirements" / "rulebook.txt"
    venv = cache_root() / "venv" / sha256(lock.read_bytes()).hexdigest()[:16]
    subprocess.run([sys.executable, str(ROOT / "tools" / "environment.py"), str(lock), str(venv)], check=True)
    return venv / "bin" / "ansible-rulebook"


def certificate(directory: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and an address that signs itself, and its key."""
    cert, key = directory / "tls.crt", directory / "tls.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    about = [
        "-subj",
        "/CN=rulebook",
        "-addext",
        f"subjectAltName=IP:127.0.0.1,IP:{address}",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*made, *about], check=True, capture_output=True)
    return cert, key


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def inventory(directory: Path, site: Site, **variables: Any) -> Path:
    """One cluster with variables of the role respond."""
    found = directory / "inventory"
    (found / "group_vars").mkdir(parents=True)
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"clusters": {"hosts": {"tested": {**python, "cluster_kubeconfig": str(site.kubeconfig)}}}}
    (found / "hosts.json").write_text(json.dumps(hosts))
    (found / "group_vars" / "clusters.json").write_text(json.dumps(variables))
    return found


@dataclass
class Rulebook:
    """A rulebook that runs.

    Attributes:
        port: where it listens.
        cert: its certificate.
        key: the certificate's key.
        log: file with its output and that of the playbooks.
        process: itself.
    """

    port: int
    cert: Path
    key: Path
    log: Path
    process: subprocess.Popen[bytes]
    host: str = "127.0.0.1"

    @property
    def address(self) -> str:
        return f"https://{self.host}:{self.port}/alerts"

    def told(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def runs(self) -> int:
        """How many playbooks it has started."""
        return len(re.findall(r"^PLAY \[", self.told(), re.MULTILINE))

    def ended(self) -> int:
        """How many of them came to their end."""
        return len(re.findall(r"^PLAY RECAP", self.told(), re.MULTILINE))

    def resident_bytes(self) -> int:
        """Memory of ansible-rulebook, Java included, which runs in its process; playbooks are others."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024  # type: ignore[union-attr]  # Linux has it

    def connection(self) -> Line:
        """A connection for many alerts."""
        return Line(self)

    def post(self, alert: dict[str, Any], token: str = TOKEN) -> int:
        """The status that an alert is answered with; 0 where nobody listens."""
        request = urllib.request.Request(self.address, json.dumps(alert).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        context = ssl.create_default_context(cafile=str(self.cert))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


class Line:
    """A connection that stays open, as Falcosidekick keeps its own.

    Args:
        book: where to.
    """

    def __init__(self, book: Rulebook) -> None:
        context = ssl.create_default_context(cafile=str(book.cert))
        self._line = http.client.HTTPSConnection("127.0.0.1", book.port, timeout=30, context=context)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._line.close()

    def post(self, alert: dict[str, Any]) -> int:
        """The status that an alert is answered with."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        self._line.request("POST", "/alerts", json.dumps(alert), headers)
        response = self._line.getresponse()
        response.read()
        return response.status


@contextmanager
def rulebook(
    directory: Path,
    site: Site,
    port: int = 0,
    name: str = "respond",
    host: str = "127.0.0.1",
    further: Sequence[str] = (),
    **variables: Any,
) -> Iterator[Rulebook]:
    """A rulebook that answers alerts, ended at the end with all that it has started.

    Args:
        directory: for its files.
        site: kubeconfig of the cluster.
        port: where it listens; a free one by default.
        name: of the rulebook.
        host: this machine's address, as who posts alerts has it.
        further: arguments of ansible-rulebook.
        variables: of the role respond.
    """
    program = ansible_rulebook()
    directory.mkdir(parents=True, exist_ok=True)
    cert, key = certificate(directory, host)
    port = port or free_port()
    about = {"rulebook_port": port, "rulebook_token": TOKEN, "rulebook_certificate": str(cert)}
    about.update(rulebook_key=str(key), rulebook_clients_ca=str(cert))
    (directory / "rulebook.json").write_text(json.dumps(about))
    hosts = inventory(directory, site, respond_directory=str(directory / "incidents"), **variables)
    log = directory / "rulebook.log"
    arguments = ["--rulebook", f"falconet.k8s.{name}", "--inventory", str(hosts), *further]
    collections = f"{ROOT / 'build' / 'collections'}:{os.environ.get('ANSIBLE_COLLECTIONS_PATH', '')}".rstrip(":")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), *arguments, "--vars", str(directory / "rulebook.json")],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, "ANSIBLE_NOCOLOR": "1"},
        )
    found = Rulebook(port, cert, key, log, process, host)
    try:
        wait_for(lambda: _listens(port) or process.poll() is not None, START_SECONDS, "the rulebook")
        assert process.poll() is None, found.told()[-4000:]
        yield found
    finally:
        # One that has ended by itself is told by the assertion.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass
class Sidekick:
    """Falcosidekick's stand-in that runs."""

    port: int

    def post(self, alert: dict[str, Any]) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/", json.dumps(alert).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)

    def sent(self, status: str) -> int:
        """How many alerts went to the webhook with a status, C(ok) or C(error), as its metrics say."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as response:
            text = response.read().decode()
        found = re.search(rf'outputs_total{{destination="webhook",status="{status}"}} (\d+)', text)
        return int(found.group(1)) if found else 0


@contextmanager
def sidekick(directory: Path, environment: dict[str, str]) -> Iterator[Sidekick]:
    """Falcosidekick's stand-in with the environment that the role's Secret would give it."""
    port = free_port()
    program = built(BUILDS)["standins"] / "standins"
    with (directory / "sidekick.log").open("wb") as output:
        process = subprocess.Popen(
            [str(program), "falcosidekick"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "LISTENADDRESS": "127.0.0.1", "LISTENPORT": str(port)},
        )
    try:
        wait_for(lambda: _listens(port), 30, "the stand-in for Falcosidekick")
        yield Sidekick(port)
    finally:
        process.kill()
        process.wait()
