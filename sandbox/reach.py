"""What a set-up will fetch, and whether it is still to be had: locked packages, the Debian mirror, Go's module proxy.

Standard library only: this is asked before anything is installed. Each question is bounded in time, and is not asked
where the cache holds its answer already.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from sandbox import debian
from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.process import run
from sandbox.toolchain import LOCK, NEEDED, parse_version

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT = ROOT / "requirements" / "dev.txt"
#: What is asked of the module proxy: the largest thing that is built.
MODULE = re.compile(r"^\s*(?:require )?(k8s\.io/kubernetes) (v\S+)", re.MULTILINE)
LIMIT_SECONDS = 60

# Run by an environment's own pip, which knows which index it is configured with; PEP 503 and 691.
_LOOK_UP = """
import json, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pip._internal.models.index import PyPI
from pip._vendor import requests
def setting(name):
    for section in (":env:", "install", "global"):
        argv = [sys.executable, "-m", "pip", "config", "get", section + "." + name]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip()
index = (setting("index-url") or PyPI.simple_url).rstrip("/")
session = requests.Session()
session.verify = setting("cert") or True
def look(one):
    name, version = one
    plain = re.sub(r"[-_.]+", "-", name).lower()
    answer = session.get(index + "/" + plain + "/", timeout=15)
    if answer.status_code == 404:
        return name + "==" + version
    answer.raise_for_status()
    # File names spell a project's name in more than one way, and its version in one.
    found = re.search(r"[-_.]" + re.escape(version) + r"(?:[-]|\\.tar|\\.zip)", answer.text, re.I)
    return None if found else name + "==" + version
with ThreadPoolExecutor(16) as pool:
    print(json.dumps(sorted(filter(None, pool.map(look, json.load(sys.stdin))))))
"""


def without_ensurepip() -> bool:
    """Whether this Python cannot make environments (on Debian, venv is a package of its own)."""
    argv = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.run(argv, capture_output=True, check=False).returncode != 0


def locked(lock: Path) -> list[tuple[str, str]]:
    """Name and version of each package that this machine would install from a lock."""
    text = re.sub(r"\\\n\s*", " ", lock.read_text())
    rows = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==(\S+) *(;[^#\n]*?)? *(?:--hash|$)", text, re.MULTILINE)
    # What is for other platforms may go without harm here.
    return [(name, version) for name, version, marker in rows if "win32" not in marker]


def gone_packages(locks: Sequence[Path]) -> tuple[list[str], str]:
    """Locked versions that the package index has no longer, and why it could not be asked (empty if it could)."""
    wanted = [one for lock in locks for one in locked(lock)]
    if not wanted:
        return [], ""
    with tempfile.TemporaryDirectory(prefix="falconet-doctor-") as folder:
        try:
            run([sys.executable, "-m", "venv", folder], timeout_seconds=LIMIT_SECONDS)
            asked = [str(Path(folder) / "bin" / "python"), "-c", _LOOK_UP]
            told = run(asked, text_input=json.dumps(wanted), timeout_seconds=LIMIT_SECONDS).stdout
        except SandboxError as error:
            return [], (error.message.strip().splitlines() or ["no reason given"])[-1].strip()
    return json.loads(told), ""


def mirror_error() -> str:
    """Why no Debian mirror that apt is configured with answers; empty if one does."""
    try:
        told = run(["apt-get", "update", "--print-uris"], timeout_seconds=LIMIT_SECONDS).stdout
        proxies = debian.proxy_environment()
    except SandboxError as error:
        return error.message
    addresses = re.findall(r"'(https?://\S+/dists/[^']+/InRelease)'", told)
    named = {name.removesuffix("_proxy"): proxies[name] for name in ("http_proxy", "https_proxy") if name in proxies}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(named or None))
    failures = []
    for address in addresses:
        request = urllib.request.Request(address, method="HEAD")  # noqa: S310 -- apt's own mirror, http or https
        try:
            opener.open(request, timeout=15).close()
            return ""
        except (OSError, ValueError) as error:
            failures.append(str(error))
    return "; ".join(dict.fromkeys(failures)) or "apt is configured with no mirror"


def proxy_error() -> str:
    """Why Go's module proxy does not give what is built; empty if it does, or if there is no go to ask with."""
    go = shutil.which("go")
    if not go or parse_version(run([go, "version"], check=False).stdout) < NEEDED:
        return ""
    found = MODULE.search((ROOT / "sandbox" / "go" / "kubernetes" / "go.mod").read_text())
    if not found:
        return "sandbox/go/kubernetes/go.mod asks for no Kubernetes"
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod"}
    with tempfile.TemporaryDirectory() as folder:
        asked = [go, "list", "-m", "@".join(found.groups())]
        try:
            done = run(asked, cwd=Path(folder), env=environment, timeout_seconds=LIMIT_SECONDS, check=False)
        except SandboxError as error:
            return error.message
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["go list failed"])[-1]


def unmade() -> list[Path]:
    """Locks whose environments have still to be made on this machine."""
    name = hashlib.sha256(DEVELOPMENT.read_bytes()).hexdigest()[:16]  # as the Makefile names it
    missing = [] if (cache_root() / "venv" / name / ".done").exists() else [DEVELOPMENT]
    go = shutil.which("go")
    if not go or parse_version(run([go, "version"], check=False).stdout) < NEEDED:
        missing.append(LOCK)
    return missing
