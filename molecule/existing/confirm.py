"""Whether the cluster of KUBECONFIG is the one that somebody means: its context must be named in CLUSTER_CONTEXT.

    KUBECONFIG=<file> CLUSTER_CONTEXT=<name> python molecule/existing/confirm.py

Asks no cluster. Ends with 1, the reason and what would be right, where the name is missing or another's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml


class NotConfirmedError(Exception):
    """Nobody said that this cluster is meant; its text says why."""


def confirm(kubeconfig: str, named: str) -> str:
    """Tell which cluster is used.

    Args:
        kubeconfig: the file, as C(KUBECONFIG) names it.
        named: the context that somebody means; empty where nobody said so.

    Returns:
        The context and its API server, for people.

    Raises:
        NotConfirmedError: the file says no context, or another one was named, or none.
    """
    if not kubeconfig:
        raise NotConfirmedError("KUBECONFIG is not set. Set it to the kubeconfig of the cluster that is to be used.")
    if os.pathsep in kubeconfig:
        raise NotConfirmedError(f"KUBECONFIG names several files ({kubeconfig}). Set it to one of them.")
    current, server = _current(Path(kubeconfig))
    place = f"'{current}' (API server {server}) of {kubeconfig}"
    if not named:
        raise NotConfirmedError(
            f"The current context is {place}. Falco and NetworkPolicies are installed there and removed again. "
            f"If this is the cluster you mean, say its name: CLUSTER_CONTEXT={current}"
        )
    if named != current:
        raise NotConfirmedError(
            f"CLUSTER_CONTEXT is '{named}', the current context is {place}. "
            f"Nothing was done. Name that one, or change it: kubectl config use-context {named}"
        )
    return place


def _current(file: Path) -> tuple[str, str]:
    """The current context and the address of its API server."""
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise NotConfirmedError(f"{file} cannot be read as a kubeconfig: {error}") from error
    if not isinstance(document, dict) or not document.get("current-context"):
        raise NotConfirmedError(f"{file} has no current context. Set one: kubectl config use-context <name>")
    current = str(document["current-context"])
    context = _named(document.get("contexts"), current).get("context") or {}
    cluster = _named(document.get("clusters"), context.get("cluster")).get("cluster") or {}
    if "server" not in cluster:
        raise NotConfirmedError(f"{file}: its current context '{current}' leads to no cluster.")
    return current, str(cluster["server"])


def _named(entries: Any, name: Any) -> dict[str, Any]:
    """An entry of a list by its name; empty if there is none."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    return {}


def main() -> None:
    try:
        place = confirm(os.environ.get("KUBECONFIG", ""), os.environ.get("CLUSTER_CONTEXT", ""))
    except NotConfirmedError as error:
        raise SystemExit(str(error)) from error
    print(f"The cluster is {place}.")


if __name__ == "__main__":
    main()
