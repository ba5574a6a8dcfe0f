"""What a set-up will fetch is asked for before it is fetched, and what cannot be had is told by name."""

from __future__ import annotations

import ast
import hashlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import debian, doctor, reach
from sandbox.doctor import Facts

ROOT = Path(__file__).resolve().parents[3]


class _Pages(http.server.BaseHTTPRequestHandler):
    #: What is there: path and text.
    pages: dict[str, str] = {}  # noqa: RUF012 -- a test fills it

    def do_GET(self) -> None:
        text = self.pages.get(self.path)
        self.send_response(404 if text is None else 200)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write((text or "").encode())

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def server() -> Iterator[str]:
    _Pages.pages = {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
        thread.join()


@pytest.fixture
def index(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PIP_INDEX_URL", f"{server}/simple/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return server


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(
        "Some_Thing[extra]==1.0 \\\n    --hash=sha256:00\n    # via x\nold==2.0 --hash=sha256:00\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    return path


def test_a_lock_is_read_without_what_is_for_other_platforms(lock: Path) -> None:
    assert reach.locked(lock) == [("Some_Thing", "1.0"), ("old", "2.0")]


def test_every_package_of_the_development_lock_is_asked_for() -> None:
    assert len(reach.locked(reach.DEVELOPMENT)) > 60


@pytest.mark.usefixtures("index")
def test_versions_that_are_gone_are_named(lock: Path) -> None:
    _Pages.pages = {
        "/simple/some-thing/": "<a href='x'>Some.Thing-1.0-py3-none-any.whl</a>",
        "/simple/old/": "<a href='x'>old-2.0.1-py3-none-any.whl</a><a href='y'>old-12.0.tar.gz</a>",
    }
    assert reach.gone_packages([lock]) == (["old==2.0"], "")


@pytest.mark.usefixtures("index")
def test_a_project_that_is_gone_is_named(lock: Path) -> None:
    _Pages.pages = {"/simple/some-thing/": "some_thing-1.0.tar.gz"}
    assert reach.gone_packages([lock]) == (["old==2.0"], "")


def test_an_index_that_is_away_is_told(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    gone, why = reach.gone_packages([lock])
    assert gone == []
    assert "Connection" in why or "refused" in why


@pytest.mark.parametrize(("path", "told"), [("/debian/dists/bookworm/InRelease", ""), ("/elsewhere", "404")])
def test_the_mirror_is_asked(server: str, monkeypatch: pytest.MonkeyPatch, path: str, told: str) -> None:
    _Pages.pages = {path: ""}
    uris = f"'{server}/debian/dists/bookworm/InRelease' name 0 \n"
    monkeypatch.setattr(reach, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 0, uris, ""))
    monkeypatch.setattr(debian, "proxy_environment", dict)
    error = reach.mirror_error()
    assert told in error
    assert bool(error) == bool(told)


def test_no_mirror_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 0, "", ""))
    monkeypatch.setattr(debian, "proxy_environment", dict)
    assert "no mirror" in reach.mirror_error()


def test_what_is_there_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path))
    name = hashlib.sha256(reach.DEVELOPMENT.read_bytes()).hexdigest()[:16]
    assert reach.DEVELOPMENT in reach.unmade()
    (tmp_path / "venv" / name).mkdir(parents=True)
    (tmp_path / "venv" / name / ".done").touch()
    assert reach.DEVELOPMENT not in reach.unmade()
    (tmp_path / "builds").mkdir()
    monkeypatch.setattr(reach, "unmade", list)
    assert doctor.look_outside(Facts(cache_used=True)).asked == frozenset()


def test_the_doctor_asks_for_what_is_still_to_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path))
    monkeypatch.setattr(reach, "unmade", lambda: [reach.DEVELOPMENT])
    monkeypatch.setattr(reach, "gone_packages", lambda _locks: (["a==1"], ""))
    monkeypatch.setattr(reach, "mirror_error", lambda: "m")
    monkeypatch.setattr(reach, "proxy_error", lambda: "p")
    facts = doctor.look_outside(Facts())
    assert facts.asked == {"index", "mirror", "proxy"}
    assert (facts.gone_packages, facts.mirror_error, facts.proxy_error) == (("a==1",), "m", "p")


def imported(name: str, seen: set[str]) -> set[str]:
    """Top-level packages that a module of the sandbox imports, with what it imports of the sandbox."""
    path = ROOT / "sandbox" / f"{name}.py"
    if name in seen or not path.exists():
        return set()
    seen.add(name)
    found: set[str] = set()
    for one in ast.walk(ast.parse(path.read_text())):
        if isinstance(one, ast.Import):
            found |= {alias.name.split(".")[0] for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module == "sandbox":
            for alias in one.names:
                found |= imported(alias.name, seen)
        elif isinstance(one, ast.ImportFrom) and (one.module or "").startswith("sandbox."):
            found |= imported(str(one.module).partition(".")[2], seen)
        elif isinstance(one, ast.ImportFrom):
            found.add(str(one.module).split(".")[0])
    return found


def test_the_doctor_runs_on_a_bare_machine() -> None:
    assert imported("doctor", set()) - set(sys.stdlib_module_names) == set()
