# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the objects are in the cluster that variables name; and kinds that are read whole.

`options` has all of it: what may be asked, and the answer.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
