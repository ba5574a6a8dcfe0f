# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Falco rule language, pure: texts in, values out; no Ansible, no files, no network.

Rooms, lowest first; each imports only those before it:

- `yaml`: what Falco's YAML reader accepts, and rules written so that it agrees
- `catalogue`: fields, event types and plugins of a Falco version
- `condition`: one condition as a tree and back, and Falco's checks of it
- `load`: rulesets, as `falco -V` loads them
- `evaluate`: which rules fire on an event, with which output, and why
- `judge`: findings for people
- `describe`: a ruleset as data, and what changed between two
- `upgrade`: what another version of Falco makes of a ruleset
- `testing`: tests of rules, what they cover, and first ones written
- `tune`: from noise to exceptions that silence nothing else
- `change`: rulesets from rulesets

Where to start:

- `load.ruleset.load([RulesFile(name, text), ...]) -> Loaded`: load files in order as `falco -V` does. `Loaded` has
  `successful`, `results` (Falco's errors and warnings per file), `to_json()` (Falco's own JSON shape),
  `collector` (rules, macros, lists as they came out) and `compiler.rules` (parsed conditions).
  `load.ruleset.Loader(catalogue)` does many rulesets and remembers what they share.
- `judge.validate.validate([Ruleset(name, files), ...]) -> [Verdict]`: the same with findings for people
  (`common.finding.Finding`: code, severity, file, line, column, message, hint, excerpt) and the extra lint.
- `upgrade.upgrade.upgrade(files, old, new) -> [Step]`: what is refused, silent, deprecated, and what to write instead.
- `catalogue.catalogue.catalogue("0.44", plugins)`: fields, event types and plugins of a Falco version.
- `condition.parser.parse(condition) -> Node`, `condition.printer.to_text(node)`: conditions as trees and back.
- `evaluate.engine.Engine(loaded)` with `evaluate.events.parse_event(line)`: `alerts(event)` and `explain(rule, event)`.
- `describe.info.describe(loaded)`, `describe.compare.compare(old, new)`: a ruleset as data, and what changed.
- `change.scope.scope(files, ...)`, `change.merge.merge(rulesets)`: rulesets from rulesets.

Files are imported by name, never from a room's `__init__`, so that a module loads only what it needs.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations
