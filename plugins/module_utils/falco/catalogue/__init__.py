# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version of Falco knows: fields, event types, plugins, the rule language; how a field's use is looked up.

Doors: `catalogue.catalogue`, `catalogue.catalogue_with`, `catalogue.Catalogue.language`, `fields.FieldTable`.
`tools/tables.py` writes the tables.
"""
