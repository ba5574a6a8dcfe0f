# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work spread over processes, where the machine has them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_work: tuple[Callable[[Any], Any], Sequence[Any]] | None = None
"""What the children of a fork find."""


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(function: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> list[Result]:
    """Call a function for each item, in order.

    Args:
        function: without effects; what it needs is inherited by forked processes and never sent.
        items: likewise.
        jobs: processes at most; 1 is this one. Where no processes can be made, this one does it all.

    Returns:
        The results, which are sent, in the order of the items.
    """
    global _work  # noqa: PLW0603 - forked processes have nothing else in common
    if jobs > 1 and len(items) > 1:
        _work = (function, items)
        try:
            # not where the system has no semaphores: all is done in this process then
            import multiprocessing

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which do nothing here
                with multiprocessing.get_context("fork").Pool(min(jobs, len(items))) as pool:
                    return pool.map(_call, range(len(items)), max(1, len(items) // (jobs * 8)))
        except (ImportError, OSError, ValueError):
            pass
        finally:
            _work = None
    return [function(item) for item in items]


def _call(number: int) -> Any:
    if _work is None:
        raise RuntimeError("a worker was started without work")
    function, items = _work
    return function(items[number])
