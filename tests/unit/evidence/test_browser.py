"""Hostile text in a real browser: the page stays the elements that it is made of, and no script of an alert runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .test_forms import HOSTILE, page, whole

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)")

#: What a script that got through would do first.
MARK = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.mark.parametrize("name", ["report", "differences"])
def test_a_browser_runs_nothing_that_an_alert_brought(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.html"
    file.write_text(page(whole(f"{HOSTILE}{MARK}"), name))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([str(CHROMIUM), *options, file.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    elements = {tag.lower() for tag in re.findall(r"<([a-zA-Z][a-zA-Z0-9]*)", done.stdout)}
    assert elements & {"script", "img", "iframe", "a", "b", "link"} <= {"b"}, elements
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None
    assert title[1] != "owned"
