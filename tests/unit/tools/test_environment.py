"""An environment is what its lock names, whatever the package index has got since, with old and new pips."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import environment
from tools.environment import SetupError, explain, install, make, pinned

from .package_index import Index

#: What Debian 12, pyenv's Python 3.11 and the newest release bring.
PIPS = ("23.0", "23.2.1", "newest")
#: How this machine's own index is found, before a test names another one.
OURS = dict(os.environ)


Environment = tuple[list[str], Path]


@functools.cache
def cached_pip(version: str) -> Path:
    """The interpreter of an environment that has this pip; made once and kept, and the newest brought up to date."""
    root = Path(os.environ.get("FALCONET_CACHE") or Path.home() / ".cache" / "falconet") / "pips"
    python = root / version / "bin" / "python"
    with environment.alone(root / version):
        done_before = (root / version / ".done").exists()
        if not done_before:
            shutil.rmtree(root / version, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(root / version)], check=True)
        if not done_before or version == "newest":
            wanted = "pip" if version == "newest" else f"pip=={version}"
            argv = [str(python), "-m", "pip", "install", "--quiet", "--upgrade", "--disable-pip-version-check", wanted]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, env=OURS)
            if done.returncode:
                pytest.skip(reason=f"pip {version} is not to be had here: {done.stderr.strip().splitlines()[-1:]}")
            if subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode:
                pytest.skip(reason=f"pip {version} does not run on Python {sys.version_info[0]}.{sys.version_info[1]}")
            (root / version / ".done").touch()
    return python


@pytest.fixture(params=PIPS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Environment:
    """How a pip of that version is called for an empty environment, and that environment."""
    python = cached_pip(request.param)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    return [str(python), "-m", "pip", "--python", str(venv / "bin" / "python")], venv


def installed(venv: Path) -> dict[str, str]:
    """Version by name of what an environment has."""
    (site,) = venv.glob("lib/python*/site-packages")
    return {name: version for name, _, version in (one.stem.partition("-") for one in sorted(site.glob("*.dist-info")))}


@pytest.fixture
def moved_on(index: Index, tmp_path: Path) -> Path:
    """A lock, and an index that has got newer versions since; one of these is what an extra asks for."""
    lock = index.offer("covering", "1.0", "tomlish; extra == 'toml'", extras=("toml",))
    lock += index.offer("testing", "1.0", "covering[toml]>=1.0") + index.offer("tomlish", "1.0")
    for name in ("testing", "tomlish"):
        index.offer(name, "2.0")
    index.offer("covering", "1.1", "tomlish>=2.0; extra == 'toml'", extras=("toml",))
    path = tmp_path / "lock.txt"
    path.write_text(lock)
    return path


@pytest.mark.usefixtures("index")
def test_newer_versions_do_not_get_in(moved_on: Path, target: Environment) -> None:
    pip, venv = target
    install(pip, moved_on)
    assert installed(venv) == {"covering": "1.0", "testing": "1.0", "tomlish": "1.0"}


@pytest.mark.parametrize("target", ["newest"], indirect=True)
def test_what_is_source_alone_is_built_by_what_the_lock_names(
    index: Index, tmp_path: Path, target: Environment
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(index.offer("builder", "1.0") + index.offer_source("sourced", "2.0", "builder"))
    index.offer("builder", "1.1")
    pip, venv = target
    install(pip, lock, built={"sourced"})
    (site,) = venv.glob("lib/python*/site-packages")
    assert (site / "sourced.py").read_text() == "built_by = '1.0'\n"
    assert installed(venv) == {"builder": "1.0", "sourced": "2.0"}


# pip 26.3 holds on to what the lock pins; whether those after it do is theirs to say, and nothing here depends on it.
@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("target", ["23.0", "23.2.1"], indirect=True)
def test_resolving_again_is_what_broke(moved_on: Path, target: Environment) -> None:
    argv = [*target[0], "install", "--quiet", "--require-hashes", "--requirement", str(moved_on)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "covering[toml]" in done.stderr


def test_a_version_that_is_gone_is_named(index: Index, moved_on: Path, target: Environment) -> None:
    index.withdraw("tomlish", "1.0")
    with pytest.raises(SetupError) as told:
        install(target[0], moved_on)
    assert f"tomlish==1.0, which {moved_on} names, is not to be had for Python" in told.value.message
    assert "the package index offers 2.0" in told.value.message
    assert "make renew" in told.value.hint


@pytest.mark.parametrize("target", ["newest"], indirect=True)
def test_a_package_that_other_machines_alone_have_is_named(index: Index, moved_on: Path, target: Environment) -> None:
    index.only_for("tomlish", "1.0", "cp27-cp27m-win32")
    with pytest.raises(SetupError, match=r"tomlish==1\.0, which .* names, is not to be had for Python 3\.\d+") as told:
        install(target[0], moved_on)
    assert "for other machines or Pythons only" in told.value.hint


def test_other_bytes_under_the_same_version_are_refused(index: Index, moved_on: Path, target: Environment) -> None:
    index.offer("tomlish", "1.0", "surprise")
    with pytest.raises(SetupError, match=r"tomlish==1\.0: what the package index gave is not what"):
        install(target[0], moved_on)


def test_a_lock_that_lacks_something_is_told(index: Index, tmp_path: Path, target: Environment) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(index.offer("testing", "1.0", "covering"))
    with pytest.raises(SetupError, match=r"is not complete:(?s:.*)covering") as told:
        install(target[0], lock)
    assert "make renew" in told.value.hint


@pytest.mark.usefixtures("index")
def test_an_index_that_is_away_is_told(moved_on: Path, target: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free.getsockname()[1]}/simple/")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "1")
    with pytest.raises(SetupError, match="pip does not reach its package index"):
        install(target[0], moved_on)


@pytest.mark.usefixtures("index")
def test_an_environment_is_complete_or_absent(moved_on: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = tmp_path / "made"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(environment, "install", die)
        with pytest.raises(KeyboardInterrupt):
            make(moved_on, venv)
    assert not venv.exists()
    venv.mkdir()
    (venv / "half").touch()
    assert make(moved_on, venv) is True
    assert installed(venv).items() >= {"covering": "1.0", "testing": "1.0", "tomlish": "1.0"}.items()
    assert not (venv / "half").exists()
    assert make(moved_on, venv) is False


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("echo 3 9", "needs Python 3.11 or newer here", "install a newer one"),
        (
            'case "$2" in *ensurepip*) exit 1;; *) echo 3 12;; esac',
            "no venv or no ensurepip",
            "apt-get install python3-venv",
        ),
        ("exit 1", "does not run", "--python"),
    ],
)
def test_a_python_that_will_not_do_is_told(tmp_path: Path, text: str, told: str, hint: str) -> None:
    (tmp_path / "lock.txt").write_text("")
    with pytest.raises(SetupError) as raised:
        make(tmp_path / "lock.txt", tmp_path / "venv", script(tmp_path, text))
    assert told in raised.value.message
    assert hint in raised.value.hint
    assert not (tmp_path / "venv").exists()


def test_a_lock_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main([str(tmp_path / "none.txt"), str(tmp_path / "venv")]) == 1
    assert "there is no lock" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "no space left"),
        ("ERROR: something else", "pip failed:\n    ERROR: something else"),
        (
            "No matching distribution found for a==1 ; python_version > '3'\n(from versions: none)",
            "no other version either",
        ),
    ],
)
def test_other_failures_are_told(output: str, told: str) -> None:
    assert told in explain(output, Path("lock.txt"), "Python 3.11").message


def test_a_lock_is_read_with_its_extras_and_markers() -> None:
    text = "coverage[toml]==7.17.3 \\\n    --hash=sha256:aa\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n# via x==1\n"
    assert pinned(text) == {"coverage": "7.17.3", "colorama": "0.4.6"}


def test_the_development_lock_is_a_full_one(repository: Callable[[str], str]) -> None:
    text = repository("requirements/dev.txt")
    assert len(pinned(text)) > 60
    entries = [
        entry for entry in text.replace("\\\n", " ").splitlines() if entry and not entry.lstrip().startswith("#")
    ]
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.fixture
def repository() -> Callable[[str], str]:
    root = Path(__file__).resolve().parents[3]
    return lambda name: (root / name).read_text()
