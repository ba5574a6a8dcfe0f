# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries changes in one run of pytest: tests are loaded once, and each change has a process that runs what it reaches.

A function's changed code takes the place of the loaded one's. What runs while modules are loaded (constants, defaults,
functions that are called then) cannot be changed so, and is left to a run from the start.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import FrameType
from typing import NoReturn

import hypothesis
import pytest

from tools.mutation.code import Difference, Loaded

#: A change has this much CPU, and so many times what its tests took without it. Longer counts as noticed.
SECONDS, TIMES = 1.0, 5
#: A property that fails is not made smaller: that it fails is all that is asked.
PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.generate)


class Trials:
    """A plugin of pytest that tries changes instead of running tests."""

    def __init__(self, package: str, work: Callable[[Trials], None]) -> None:
        """
        Args:
            package: what is changed, as a name of a package: caches of what is in it are emptied before each test.
            work: what is to be done when tests are loaded; calls C(noticed).
        """
        self.package, self.work = package, work
        self.loaded: Loaded
        #: Code (by C(id)) that ran while modules were loaded, and what each test ran, with the seconds it took.
        self.at_load: set[int] = set()
        self.ran: list[set[int]] = []
        self.seconds: list[float] = []
        self._running = self.at_load
        self._shared: set[int] = set()
        sys.settrace(self._note)

    def _note(self, frame: FrameType, _event: str, _argument: object) -> None:
        self._running.add(id(frame.f_code))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            test = getattr(item, "obj", None)
            if hypothesis.is_hypothesis_test(test):
                test = getattr(test, "__func__", test)
                name = "_hypothesis_internal_use_settings"
                setattr(test, name, hypothesis.settings(getattr(test, name), phases=PHASES))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        if session.testsfailed:
            raise session.Failed("tests cannot be loaded")
        self.items = session.items
        self.loaded = Loaded()
        self.caches = [
            one
            for one in gc.get_objects()
            if isinstance(one, type(lru_cache(len))) and str(one.__module__).startswith(self.package)
        ]
        gc.freeze()
        answer = _in_a_process(self._unchanged, 0.0)
        if answer is None:
            raise session.Failed("tests fail without a change")
        self.ran, self.seconds = pickle.loads(answer)  # noqa: S301 - of our own child
        self.work(self)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Nobody reads a report of what failed: the process ends there."""
        left = (pytest.skip.Exception, pytest.xfail.Exception)
        if call.excinfo and not call.excinfo.errisinstance(left) and not item.get_closest_marker("xfail"):
            os._exit(1)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        """What several tests share is run by each of them."""
        before = self._running
        if fixturedef.scope != "function":
            self._running = self._shared
        try:
            return (yield)
        finally:
            self._running = before

    def _unchanged(self) -> bytes:
        """Which code each test ran, and how long it took."""
        ran, seconds = [], []
        for item in self.items:
            self._running = set()
            start = time.process_time()
            sys.settrace(self._note)
            self._run(item, None)
            sys.settrace(None)
            ran.append(self._running)
            seconds.append(time.process_time() - start)
        return pickle.dumps(([one | self._shared for one in ran], seconds))

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        for cache in self.caches:
            cache.cache_clear()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def noticed(self, file: str, changes: list[Difference], own: str) -> bool | None:
        """Whether a test notices a change; None if that is only known by loading it from the start.

        Args:
            file: of the module, as it was loaded.
            changes: what differs in it.
            own: the file of the module's own tests, which are the quickest to notice.
        """
        running = [self.loaded.running(file, one.before) for one in changes if one.itself]
        if not all(running):
            return None
        codes = {id(one) for one in running}
        reach = [number for number, ran in enumerate(self.ran) if ran & codes]
        reach.sort(key=lambda number: (str(self.items[number].path) != own, self.seconds[number]))
        limit = SECONDS + TIMES * sum(self.seconds[number] for number in reach)

        def changed() -> bytes:
            try:
                self.loaded.replace(file, changes)
            except ValueError:
                return b"other variables"
            chosen = [self.items[number] for number in reach]
            for item, following in zip(chosen, [*chosen[1:], None]):
                self._run(item, following)
            return b"nothing"

        answer = _in_a_process(changed, limit)
        if answer is None:
            return True
        return None if answer == b"other variables" or codes & self.at_load else False


def _in_a_process(work: Callable[[], bytes], seconds: float) -> bytes | None:
    """What some work returns in a process of its own; None if it fails, or takes more CPU than that (0: any)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        _answer(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    _pid, status = os.waitpid(child, 0)
    return None if status else answer


def _answer(work: Callable[[], bytes], writing: int) -> NoReturn:
    try:
        with os.fdopen(writing, "wb") as answer:
            answer.write(work())
    except BaseException:  # whatever a change does is noticed
        os._exit(1)
    os._exit(0)
