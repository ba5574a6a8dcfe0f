# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secrets that the role keeps: outputs of channels, credentials of the UI, Redis and the proxy, certificates.

What they held before stays unless a variable says else, so that passwords that were made once last.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from .forwarding import further_secret
from .names import Names, names_of
from .outputs import build_outputs, fingerprint
from .plan import Fingerprints, makes_certificates
from .proxy import proxy_secret
from .rulebook import with_rulebook

#: Data of a Secret as the API server gives them, in base64.
Encoded = Mapping[str, str]
#: Data of a Secret as programs read them.
Text = Mapping[str, str]


@dataclass(frozen=True)
class Secrets:
    """Secrets to apply, and what follows from them. Secret itself, but for the names and fingerprints.

    Attributes:
      data: of each Secret, by its name.
      gone: names of Secrets of before that nobody wants any more, such as of a channel that is gone.
      new: names of Secrets that were not there before.
      fingerprints: of what pods read.
    """

    data: Mapping[str, Text]
    gone: Sequence[str]
    new: Sequence[str]
    fingerprints: Fingerprints


def data_by_name(resources: Iterable[Mapping[str, Any]]) -> dict[str, Encoded]:
    """Data of Secrets by their names."""
    return {one["metadata"]["name"]: one.get("data") or {} for one in resources}


def encoded(data: Text) -> dict[str, str]:
    """Text as data of a Secret."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}


def decoded(data: Encoded | None) -> dict[str, str]:
    """Data of a Secret as text."""
    return {key: base64.b64decode(value).decode() for key, value in (data or {}).items()}


def manifest(
    name: str, namespace: str, labels: Mapping[str, str], data: Encoded, kind: str = "Opaque"
) -> dict[str, Any]:
    """A Secret of this name and type, as the API server takes it."""
    metadata = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "data": dict(data)}


def certificates_before(release_name: str, before: Mapping[str, Encoded]) -> dict[str, dict[str, str]]:
    """The certificates that the Secrets of before held, by names.TLS_SECRETS."""
    return {kind: decoded(before.get(name)) for kind, name in names_of(release_name).tls.items()}


def build_secrets(
    variables: Mapping[str, Any],
    before: Mapping[str, Encoded],
    foreign: Mapping[str, Encoded],
    certificates: Mapping[str, Text],
    make_password: Callable[[], str],
) -> Secrets:
    """The Secrets as the variables want them.

    Args:
      variables: all of the role's without their prefix ``falco_``, with their declared types.
      before: data of the role's own Secrets, by their names.
      foreign: data of Secrets that others keep and pods read.
      certificates: by names.TLS_SECRETS, where the role makes them.
      make_password: called where no password is given and none was there before.
    Raises:
      FalcoChartError: an output that Falcosidekick does not have, or what is wrong with the rulebook.
    """
    variables = with_rulebook(variables)
    release, names = variables["release_name"], names_of(variables["release_name"])
    outputs = dict(build_outputs(variables["outputs"]).secret)
    more = {entry["name"]: further_secret(release, entry) for entry in variables["sidekick_more"]}
    data: dict[str, Text] = {names.outputs_secret: outputs} if outputs else {}
    proxy = proxy_secret(variables["proxy"])
    if proxy:
        data[names.proxy_secret] = proxy
    if variables["sidekick_enabled"] and variables["ui_enabled"]:
        data.update(_credentials(variables, names, before, make_password))
    for entry in variables["sidekick_more"]:
        if entry.get("outputs") is not None:
            data[f"{names.outputs_secret}-{entry['name']}"] = dict(build_outputs(entry["outputs"]).secret)
    if makes_certificates(variables):
        mutual = variables["sidekick_tls"] == "mutual"
        wanted = ("authority", "trust", "server", "client") if mutual else ("authority", "trust", "server")
        data.update({names.tls[kind]: certificates[kind] for kind in wanted})
    kept = {names.ui_secret, names.redis_secret, *data}
    return Secrets(
        data=data,
        gone=[name for name in before if name not in kept],
        new=[name for name in data if name not in before],
        fingerprints=_fingerprints(variables, names, data, foreign, more),
    )


def _credentials(
    variables: Mapping[str, Any], names: Names, before: Mapping[str, Encoded], make_password: Callable[[], str]
) -> dict[str, Text]:
    kept_ui = decoded(before.get(names.ui_secret)).get("FALCOSIDEKICK_UI_USER", "").partition(":")[2]
    kept_redis = decoded(before.get(names.redis_secret)).get("REDIS_PASSWORD", "")
    redis = variables["redis_password"] or kept_redis or make_password()
    ui = variables["ui_password"] or kept_ui or make_password()
    return {
        names.redis_secret: {"REDIS_ARGS": f"--requirepass {redis}", "REDIS_PASSWORD": redis},
        names.ui_secret: {
            "FALCOSIDEKICK_UI_USER": f"{variables['ui_user']}:{ui}",
            "FALCOSIDEKICK_UI_REDIS_PASSWORD": redis,
            "REDIS_PASSWORD": redis,
        },
    }


def _fingerprints(
    variables: Mapping[str, Any],
    names: Names,
    data: Mapping[str, Text],
    foreign: Mapping[str, Encoded],
    more: Mapping[str, str],
) -> Fingerprints:
    salt = f"{variables['namespace']}/{variables['release_name']}"

    def of(*parts: Mapping[str, str]) -> str:
        together = {key: value for part in parts for key, value in part.items()}
        return fingerprint(together, salt) if together else ""

    both = {**data, **foreign}
    if makes_certificates(variables):
        tls = [data.get(names.tls[kind], {}) for kind in ("server", "client")]
    else:
        tls = [foreign.get(variables[f"sidekick_{kind}_secret"], {}) for kind in ("tls", "tls_client")]
    return Fingerprints(
        outputs=of(foreign.get(variables["outputs_existing_secret"], data.get(names.outputs_secret, {}))),
        tls=of(*tls),
        redis=of(data.get(names.redis_secret, {})),
        ui=of(data.get(names.ui_secret, {})),
        proxy=of(data.get(names.proxy_secret, {})),
        more={name: of(both.get(secret, {})) for name, secret in more.items()},
    )
