"""Work spread over processes gives what one process gives, also where no processes can be made."""

from __future__ import annotations

import multiprocessing
import os

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing import workers
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.workers import processors, spread


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_are_in_order(jobs: int) -> None:
    offset = 3  # a closure is inherited, not sent
    assert spread(lambda item: item + offset, range(100), jobs) == [item + offset for item in range(100)]


def test_other_processes_do_the_work() -> None:
    assert os.getpid() not in spread(lambda _item: os.getpid(), range(8), 2)
    assert set(spread(lambda _item: os.getpid(), range(8), 1)) == {os.getpid()}


def test_one_process_does_it_where_no_other_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_method: str) -> None:
        raise OSError("no semaphores here")

    monkeypatch.setattr(multiprocessing, "get_context", refuse)
    assert set(spread(lambda _item: os.getpid(), range(8), 2)) == {os.getpid()}


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        spread(lambda item: 1 // item, range(4), 2)
    assert processors() >= 1


def test_a_worker_calls_what_it_inherited_and_without_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_work", (str, [4, 5]))
    assert workers._call(1) == "5"
    monkeypatch.setattr(workers, "_work", None)
    with pytest.raises(RuntimeError, match="a worker was started without work"):
        workers._call(0)
