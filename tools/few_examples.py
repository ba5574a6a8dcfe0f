# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin of pytest: each property draws a few examples instead of hundreds.

For runs that ask which code is run, not whether it is right: what only a hundredth example reaches is held by no test
that anybody could name. Given as C(-p tools.few_examples).
"""

from __future__ import annotations

import hypothesis
import pytest

#: How many each property draws at most.
EXAMPLES = 10
#: Where Hypothesis keeps a test's settings, which has no public name.
_SETTINGS = "_hypothesis_internal_use_settings"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        test = getattr(item, "obj", None)
        if hypothesis.is_hypothesis_test(test):
            # A method is looked up anew each time; its settings are the function's.
            test = getattr(test, "__func__", test)
            given = getattr(test, _SETTINGS)
            if given.max_examples > EXAMPLES:
                setattr(test, _SETTINGS, hypothesis.settings(given, max_examples=EXAMPLES))
