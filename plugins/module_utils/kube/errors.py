# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between us and a cluster, told so that the reader knows what to do next."""

from __future__ import annotations

import json
from typing import Any


class KubeError(Exception):
    """Root of every error of this package.

    Args:
        message: what went wrong, naming the object.
        hint: what to do about it; empty if there is nothing useful to say.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return "{}. {}".format(self.message.rstrip("."), self.hint) if self.hint else self.message


class ConnectionFailedError(KubeError):
    """The API server could not be reached, or went away and did not come back in time."""


class ApiError(KubeError):
    """The API server answered, and the answer was no.

    Args:
        status: HTTP status code.
        reason: the machine-readable reason of the Status object, such as C(NotFound) or C(Forbidden).
        message: what was asked and what the server said.
        hint: what to do about it.
    """

    def __init__(self, status: int, reason: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason


class ForbiddenError(ApiError):
    """RBAC says no. The hint names the verb and the resource that a role must grant."""


class ExecError(KubeError):
    """A command could not be run in a container (that is not the same as a command that ran and failed)."""


class LeaseHeldError(KubeError):
    """Another run holds the Lease that keeps two runs apart."""


def from_response(
    status: int, body: bytes, verb: str, resource: str, group: str = "", namespace: str | None = None, name: str = ""
) -> ApiError:
    """Turn an error response of the API server into an exception.

    Args:
        status: HTTP status code, 400 or more.
        body: response body, a Status object in most cases (plain text from proxies in others).
        verb: API verb as RBAC knows it: get, list, create, patch, delete, deletecollection, watch.
        resource: plural resource, with its subresource if any: C(pods), C(pods/exec).
        group: API group; empty for the core group.
        namespace: namespace of the request, or None for the cluster.
        name: name of the object, or empty.

    Returns:
        C(ForbiddenError) for 403 and 401, otherwise C(ApiError).
    """
    details: dict[str, Any] = {}
    try:
        parsed = json.loads(body.decode("utf-8", "replace"))
        if isinstance(parsed, dict):
            details = parsed
    except ValueError:
        details = {"message": body.decode("utf-8", "replace").strip()[:300]}
    reason = str(details.get("reason") or "")
    said = str(details.get("message") or "no message")
    full = f"{resource}.{group}" if group else resource
    where = f"in namespace {namespace}" if namespace else "in the whole cluster"
    what = "{} {}{} {}".format(verb, full, f" {name}" if name else "", where)
    if status == 401:
        return ForbiddenError(
            status,
            reason or "Unauthorized",
            f"the API server does not know these credentials ({what})",
            "Check kubeconfig, context, api_key or the client certificate; they may have expired.",
        )
    if status == 403:
        return ForbiddenError(
            status,
            reason or "Forbidden",
            f"not allowed to {what}: {said}",
            f'Grant apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"] {where}.',
        )
    return ApiError(status, reason, f"could not {what}: HTTP {status} {reason}: {said}")
