"""Runs ansible-test sanity on the built artifact: every test that needs neither a container nor another Python.

ansible-test insists on being started inside ansible_collections/<namespace>/<name>, in a checkout of its own, and makes
virtual environments; so the artifact is unpacked to a directory of that name first. It would also download pip by a
script of its own; the pip that Python brings does as well. What this machine lacks, such as shellcheck, it leaves out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.artifact import build, unpack  # noqa: E402 - run as a program, tools is found by then

PIP_SCRIPT = """
import subprocess, sys
# In a process of its own: ensurepip turns off pip's configuration in the one that it runs in.
subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
only_for_the_script = {"--no-setuptools", "--no-wheel"}
words = [word for word in sys.argv[1:] if word not in only_for_the_script]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *words]).returncode)
"""


def home() -> Path:
    """A home directory for ansible-test, where it keeps its environments between runs."""
    directory = Path(os.environ.get("FALCONET_CACHE", Path.home() / ".cache" / "falconet")) / "ansible-test"
    cache = directory / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    # The name that ansible-test of ansible-core 2.19 looks for before it downloads.
    (cache / "get_pip_24_2.py").write_text(PIP_SCRIPT)
    # ansible-test passes no PIP_* variable on; pip's configuration file says the same.
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    lines = [line.split("=", 1) for line in settings.splitlines() if "=" in line]
    wanted = {name.split(".", 1)[1]: value.strip("'\"") for name, value in lines if not name.startswith(":env:.config")}
    configuration = directory / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in sorted(wanted.items())))
    return directory


def main() -> int:
    copy = unpack(build(ROOT / "build" / "sanity"), ROOT / "build" / "sanity")
    # ansible-test asks git which files there are.
    for command in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(command, cwd=copy, check=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--color", "no", "--python", version, *sys.argv[1:]]
    print("==>", " ".join(command), flush=True)
    return subprocess.run(
        command, cwd=copy, check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home())}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
