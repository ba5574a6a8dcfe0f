# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about an alert, and what is not: decided here, done by the role respond. Pure.

`alert` reads what Falco wrote, `ladder` says which steps it asks for, `guard` which of them may be done now.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
