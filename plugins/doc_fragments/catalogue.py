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
      - When not given, a plugin that the rules require and that nobody here knows is taken as the rules use it (finding
        V(FN019)), so that all else can be judged.
    type: list
    elements: str
  plugin_descriptions:
    description:
      - Further plugins, with what rules need to know of them. One that is described counts as loaded.
      - With the same name as a known one, it takes its place.
    type: list
    elements: dict
    default: []
    version_added: 1.0.0
    suboptions:
      name:
        description: Its name, as in C(required_plugin_versions).
        type: str
        required: true
      version:
        description: Its version. When not given, it meets every requirement.
        type: str
      source:
        description: The event source that it produces, if any.
        type: str
      extracts:
        description: Event sources that its fields can be read from. All, when not given.
        type: list
        elements: str
      events:
        description: Names that it adds to C(evt.type).
        type: list
        elements: str
      fields:
        description: Its fields.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the field.
            type: str
            required: true
          type:
            description: Its type, in the words of Falco's plugins.
            type: str
            choices: [string, uint64, bool, reltime, abstime, ipaddr, ipnet]
            default: string
          list:
            description: Whether it holds several values.
            type: bool
            default: false
          argument:
            description:
              - What stands in its brackets, if anything may. The words V(index) (a number) and V(key) (a text), with
                V(required) where it has to.
            type: str
  falco_version:
    description:
      - The Falco version whose fields, event types, engine and rule language count, from 0.38 on.
      - One that is newer than all known ones is taken as the newest of them, with a warning.
    type: str
    default: "0.44"
  falco_output:
    description:
      - What the Falco that runs, or is to come, prints of itself, saved in files. Its fields, event types, engine and
        plugins are taken from there, so that fields of plugins that nobody here knows are known. Not with O(plugins).
      - In a cluster, C(kubectl exec -n falco ds/falco -c falco -- falco --list -v) prints the first of them.
      - What is not given is that of O(falco_version), or of the version in O(falco_output.version).
    type: dict
    version_added: 1.0.0
    suboptions:
      version:
        description: Path of the output of C(falco --version).
        type: path
      fields:
        description: Path of the output of C(falco --list -v), or of C(falco --list --format json).
        type: path
      events:
        description: Path of the output of C(falco --list-events).
        type: path
      plugins:
        description: Path of the output of C(falco --list-plugins).
        type: path
"""
