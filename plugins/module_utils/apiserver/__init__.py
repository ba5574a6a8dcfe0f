# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's audit logging as text: manifests and configuration files in, the same with audit switched on out.

Pure: texts in, texts out. Reading and writing a node's files is the job of module_utils/live_apiserver.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
