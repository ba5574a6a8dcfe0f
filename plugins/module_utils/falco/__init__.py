# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Falco rule language, pure: texts in, values out; no Ansible, no files, no network.

Where to start:

- `ruleset.load([RulesFile(name, text), ...]) -> Loaded`: load files in order as `falco -V` does. `Loaded` has
  `successful`, `results` (Falco's errors and warnings per file), `to_json()` (Falco's own JSON shape),
  `collector` (rules, macros, lists as they came out) and `compiler.rules` (parsed conditions).
  `ruleset.Loader(catalogue)` does many rulesets and remembers what they share.
- `validate.validate([Ruleset(name, files), ...]) -> [Verdict]`: the same with findings for people
  (`findings.Finding`: code, severity, file, line, column, message, hint, excerpt) and the extra lint.
- `catalogue.catalogue("0.44", plugins)`: fields, event types and plugins of a Falco version.
- `parser.parse(condition) -> nodes.Node`, `printer.to_text(node)`: conditions as trees and back.
- `info.describe(loaded)`, `compare.compare(old, new)`: a ruleset as data, and what changed between two.
- `scope.scope(files, ...)`, `merge.merge(rulesets)`: rulesets from rulesets.

Submodules are imported by name, never from here, so that a module loads only what it needs.
"""

from __future__ import annotations
