# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading rules files as `falco -V` does: read, collected over all files, compiled, with Falco's errors and warnings.

Doors: `ruleset.load`, `ruleset.Loader`, `result.LoadResult`, `expand` (macros written out).
"""
