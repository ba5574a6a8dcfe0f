# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which Falco judges rules, shared by modules that load them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  plugins:
    description:
      - Falco plugins that are loaded, in order. Only their fields and event sources exist.
      - When not given, those of Falco's own image (C(container), C(k8smeta), C(json), C(k8saudit)), and of
        C(cloudtrail), C(github), C(okta), C(gcpaudit), C(krsi) and C(k8saudit-eks), C(-gke), C(-aks), C(-ovh) those
        that the rules name, by a C(source), a field or C(required_plugin_versions).
    type: list
    elements: str
  falco_version:
    description:
      - The Falco version whose fields, event types, engine and rule language count, from 0.38 on.
      - One that is newer than all known ones is taken as the newest of them, with a warning.
    type: str
    default: "0.44"
"""
