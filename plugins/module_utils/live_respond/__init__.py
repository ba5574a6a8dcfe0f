# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was decided about an alert, done in one process: so little time passes between the event and the isolated pod.

`course` goes from the alert to the end, `state` asks the cluster, `proof` tries the network, `stop` ends what runs.
`drill` does all of it to a pod that is made for that.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
