# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes of findings on audit policies, with severity and title. `docs/findings.md` explains each."""

from __future__ import annotations

ERROR, WARNING, INFO = "error", "warning", "info"

REFUSED, IGNORED, BODIES, UNREACHABLE, MATCHES_NOTHING = "FA001", "FA002", "FA003", "FA004", "FA005"
NEVER, PARTLY, BLIND, IMPOSSIBLE, UNJUDGED = "FA011", "FA012", "FA013", "FA014", "FA015"
CODES: dict[str, tuple[str, str]] = {
    REFUSED: (ERROR, "audit policy that the API server refuses"),
    IGNORED: (ERROR, "part of an audit policy that the API server ignores"),
    BODIES: (ERROR, "audit policy records secrets"),
    UNREACHABLE: (WARNING, "rule of an audit policy behind earlier ones"),
    MATCHES_NOTHING: (WARNING, "rule of an audit policy that no request matches"),
    NEVER: (ERROR, "Falco rule never fires with this audit policy"),
    PARTLY: (INFO, "Falco rule does not see all that it could"),
    BLIND: (WARNING, "Falco rule judges what is not recorded"),
    IMPOSSIBLE: (INFO, "Falco rule fires on no request at all"),
    UNJUDGED: (INFO, "condition is too large to be judged"),
}
"""Code to severity and title; a code never changes its meaning."""
