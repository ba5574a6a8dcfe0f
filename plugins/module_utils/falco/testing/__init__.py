# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Tests of rules: read, run on the evaluator, measured (coverage, mutants), reported; and first ones written.

`format` reads test files into the values of `model`; `run` tries the cases, `coverage` and `mutation` say what they
leave out, `report` puts it together. `solve` finds events on which a condition holds, `generate` makes tests of them.
"""

from __future__ import annotations
