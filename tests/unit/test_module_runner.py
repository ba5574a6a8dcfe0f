"""What runs modules in the tests' own process leaves that process as it was."""

from __future__ import annotations

import locale
import os

import pytest

from .module_runner import run_module


def test_a_locale_that_is_not_installed_does_not_outlive_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    monkeypatch.setenv("PATH", "")  # so that the module cannot ask for those that are, and takes C
    before, environment = locale.setlocale(locale.LC_ALL), dict(os.environ)
    run_module("falco_rules_info", {"content": "[]"})
    assert locale.setlocale(locale.LC_ALL) == before
    assert dict(os.environ) == environment
