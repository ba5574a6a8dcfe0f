# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of rules, policies and values judged before it reaches a cluster, and told beside the revision before it.

`section` is what each part says; `rules`, `policies` and `charts` are the parts, each on one entry of the gate's
options; `report` puts them together, and `comment` tells them in Markdown for a pull request.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
