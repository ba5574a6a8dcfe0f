# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of an installation: what the role's variables mean for this cluster and these charts, in one value.

Built as often as more is known. The variables alone give the names, the workloads and what must be in the cluster; with
the cluster's answer come the releases with their values; with the charts and the Secrets' fingerprints these are final.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cluster import is_openshift, wrong_node_port, wrong_redis_nodes, wrong_selector
from .driver_groups import group_release
from .engines import engine_of_nodes
from .forwarding import further_name
from .names import Names, names_of
from .needs import Subject, needed_apis, needed_subjects
from .outputs import build_outputs
from .paths import needed_paths
from .problems import FalcoChartError, Problem
from .rulebook import with_rulebook
from .settings import DEFAULTS
from .values import build_driver_releases, build_sidekick_releases, build_values


@dataclass(frozen=True)
class Cluster:
    """What a cluster answered.

    Attributes:
      nodes, services: its objects.
      foreign_variables: keys of the Secret that ``outputs_existing_secret`` names. An output that has a destination
        there cannot feed further instances.
    """

    nodes: Sequence[Mapping[str, Any]]
    services: Sequence[Mapping[str, Any]] = ()
    foreign_variables: Sequence[str] = ()


@dataclass(frozen=True)
class ChartFile:
    """A chart on the controller: its path, its name and version as Helm records them, and a digest of its content."""

    path: str = ""
    chart: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Fingerprints:
    """Digests of secret data, by which pods restart when these change; empty where there are none.

    Attributes:
      outputs, tls, redis, ui, proxy: of the Secrets with these.
      more: of the outputs of further instances, by their names.
    """

    outputs: str = ""
    tls: str = ""
    redis: str = ""
    ui: str = ""
    proxy: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Release:
    """One Helm release: its name, its chart (path, name and version), its values."""

    name: str
    path: str
    chart: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What is to be installed. Holds nothing secret.

    Attributes:
      of: namespace and name of the first release, with a slash between them.
      names: of the first release's objects.
      labels: of all objects that the role makes beside Helm's.
      selectors: by which these are found again.
      kind: of Falco's workload.
      with_sidekick, with_ui, with_redis: what is installed beside Falco.
      local_redis: whether the data of Redis are in a directory of a node.
      own_sidekick: whether Falcosidekick has a release of its own.
      tls_made: whether the role makes the certificates.
      roll_back: whether what does not come up is taken back.
      redis_nodes: nodes with that directory.
      groups, node_selector: as given, with their declared types.
      namespace_labels: likewise.
      group_names: releases of groups of nodes with another driver.
      foreign_secrets: Secrets of others that are read for fingerprints.
      workloads: that must come up, each with ``kind`` and ``name``.
      rollouts: what is waited for, one after the other: workloads, and the release of Falco whose pods must answer.
      paths: connections that alerts need, in the words of netpol_probe.
      image_of: by the names of ``falco_images`` the workload (``Kind/name``) and the container that runs the image.
      charts: to look for on the controller, each with ``name``, ``ref``, ``version`` and its ``variable``.
      subjects, apis: what the cluster must have beforehand.
      ui_address: how one comes to the UI; empty without one.
      openshift: whether the cluster is one.
      releases: in the order of installation; empty until the cluster has answered.
    """

    of: str
    names: Names
    labels: Mapping[str, str]
    selectors: Sequence[str]
    kind: str
    with_sidekick: bool
    with_ui: bool
    with_redis: bool
    local_redis: bool
    own_sidekick: bool
    tls_made: bool
    roll_back: bool
    redis_nodes: Sequence[str]
    groups: Sequence[Mapping[str, Any]]
    node_selector: Mapping[str, Any]
    namespace_labels: Mapping[str, Any]
    group_names: Sequence[str]
    foreign_secrets: Sequence[str]
    workloads: Sequence[Mapping[str, str]]
    rollouts: Sequence[Mapping[str, Any]]
    paths: Sequence[Mapping[str, Any]]
    image_of: Mapping[str, Sequence[str]]
    charts: Sequence[Mapping[str, str]]
    subjects: Sequence[Subject]
    apis: Sequence[Mapping[str, str]]
    ui_address: str
    openshift: bool = False
    releases: Sequence[Release] = ()


def build_plan(
    variables: Mapping[str, Any],
    cluster: Cluster | None = None,
    charts: Mapping[str, ChartFile] | None = None,
    fingerprints: Fingerprints = Fingerprints(),
    redis_nodes: Sequence[str] = (),
) -> Plan:
    """What the variables mean.

    Args:
      variables: all of the role's without their prefix ``falco_``, with their declared types.
      cluster: its answer; without one there are no releases, and nothing is judged.
      charts: those on the controller, by ``falco`` and ``falcosidekick``.
      fingerprints: of the Secrets.
      redis_nodes: nodes for the data of Redis by the inventory, unless a variable names them.
    Raises:
      FalcoChartError: variables that the chart or the cluster could not be installed with; all problems at once.
    """
    try:
        variables, rulebook_problems = with_rulebook(variables), []
    except FalcoChartError as error:
        rulebook_problems = list(error.problems)
    release, names = variables["release_name"], names_of(variables["release_name"])
    with_ui = variables["sidekick_enabled"] and variables["ui_enabled"]
    with_redis = with_ui and not variables["redis_external"]
    local_redis = with_redis and variables["redis_storage"] == "local"
    own_sidekick = variables["sidekick_enabled"] and variables["sidekick_release"] == "own"
    redis_nodes = variables["redis_nodes"] if variables.get("redis_nodes") is not None else redis_nodes
    foreign = [variables[f"{name}_secret"] for name in ("outputs_existing", "sidekick_tls", "sidekick_tls_client")]
    foreign += [entry.get("outputs_existing_secret", "") for entry in variables["sidekick_more"]]
    kind, workloads = _kind(variables["extra_values"]), _workloads(variables, names, with_ui, with_redis)
    group_names = [group_release(release, group["name"]) for group in variables["driver_groups"]]
    labels = {"app.kubernetes.io/managed-by": "falconet.k8s", "app.kubernetes.io/instance": release}
    releases: list[Release] = []
    if cluster:
        problems = [
            *rulebook_problems,
            *_wrong_here(variables, names, cluster, with_ui, redis_nodes if local_redis else None),
        ]
        releases = _releases(variables, cluster, charts or {}, fingerprints, problems)
    return Plan(
        of=f"{variables['namespace']}/{release}",
        names=names,
        labels=labels,
        selectors=[f"{key}={value}" for key, value in labels.items()],
        kind=kind,
        with_sidekick=variables["sidekick_enabled"],
        with_ui=with_ui,
        with_redis=with_redis,
        local_redis=local_redis,
        own_sidekick=own_sidekick,
        tls_made=makes_certificates(variables),
        roll_back=variables["rollback_on_failure"],
        redis_nodes=list(redis_nodes),
        groups=variables["driver_groups"],
        node_selector=variables["node_selector"],
        namespace_labels=variables["namespace_labels"],
        group_names=group_names,
        foreign_secrets=list(dict.fromkeys(name for name in foreign if name)),
        workloads=workloads,
        rollouts=[
            {"falco": release, "workloads": workloads},
            *({"falco": name, "workloads": [{"kind": kind, "name": name}]} for name in group_names),
        ],
        paths=needed_paths(
            variables["namespace"], release, kind, names, variables["sidekick_enabled"], with_ui, with_redis
        ),
        image_of={
            "falco": [f"{kind}/{release}", "falco"],
            "falcosidekick": [f"Deployment/{names.sidekick}", "falcosidekick"],
            "falcosidekick_ui": [f"Deployment/{names.ui}", "falcosidekick-ui"],
            "redis": [f"StatefulSet/{names.redis}", "redis"],
        },
        charts=_charts(variables, own_sidekick),
        subjects=needed_subjects(variables, with_redis, with_ui),
        apis=needed_apis(variables),
        ui_address=_ui_address(variables, names) if with_ui else "",
        openshift=is_openshift(cluster.nodes) if cluster else False,
        releases=releases,
    )


def makes_certificates(variables: Mapping[str, Any]) -> bool:
    """Whether the role makes the certificates: for TLS, unless somebody else makes them."""
    others = variables["sidekick_tls_secret"] or variables["sidekick_tls_client_secret"]
    return variables["sidekick_tls"] != "off" and variables["sidekick_enabled"] and not others


def _wrong_here(
    variables: Mapping[str, Any], names: Names, cluster: Cluster, with_ui: bool, redis_nodes: Sequence[str] | None
) -> Iterator[Problem]:
    if variables["outputs"] and variables["outputs_existing_secret"]:
        message = f"and falco_outputs_existing_secret ({variables['outputs_existing_secret']}) are both set."
        yield Problem("falco_outputs", message, "Give one of them.")
    yield from wrong_selector("falco_node_selector", variables["node_selector"], cluster.nodes)
    if redis_nodes is not None:
        yield from wrong_redis_nodes(redis_nodes, cluster.nodes)
    if with_ui and variables["ui_exposure"] == "node_port":
        yield from wrong_node_port(variables["ui_node_port"], names.ui, cluster.services)


def _kind(extra_values: Mapping[str, Any]) -> str:
    controller = extra_values.get("controller")
    kind = controller.get("kind") if isinstance(controller, Mapping) else None
    return "Deployment" if kind == "deployment" else "DaemonSet"


def _workloads(variables: Mapping[str, Any], names: Names, with_ui: bool, with_redis: bool) -> list[dict[str, str]]:
    release, kind = variables["release_name"], _kind(variables["extra_values"])
    found = [(kind, release)]
    found += [(kind, group_release(release, group["name"])) for group in variables["driver_groups"]]
    if variables["sidekick_enabled"]:
        found.append(("Deployment", names.sidekick))
        found += [("Deployment", further_name(release, entry["name"])) for entry in variables["sidekick_more"]]
    found += [("Deployment", names.ui)] if with_ui else []
    found += [("StatefulSet", names.redis)] if with_redis else []
    return [{"kind": kind, "name": name} for kind, name in found]


def _charts(variables: Mapping[str, Any], own_sidekick: bool) -> list[dict[str, str]]:
    wanted = [("falco", "chart", "9.1.0")]
    if own_sidekick or (variables["sidekick_enabled"] and variables["sidekick_more"]):
        wanted.append(("falcosidekick", "sidekick_chart", "0.12.1"))
    return [
        {
            "name": name,
            "variable": f"falco_{variable}",
            "ref": variables[f"{variable}_ref"],
            "version": variables[f"{variable}_version"],
            "example": example,
        }
        for name, variable, example in wanted
    ]


def _ui_address(variables: Mapping[str, Any], names: Names) -> str:
    if variables["ui_exposure"] == "node_port":
        return f"http://<any node>:{variables['ui_node_port']}"
    if variables["ui_exposure"] == "ingress":
        return f"https://{variables['ui_ingress'].get('host', '')}"
    return f"kubectl -n {variables['namespace']} port-forward svc/{names.ui} 2802"


def _releases(
    variables: Mapping[str, Any],
    cluster: Cluster,
    charts: Mapping[str, ChartFile],
    fingerprints: Fingerprints,
    problems: list[Problem],
) -> list[Release]:
    """All releases, or all that is wrong: with the cluster, the outputs and the values."""
    try:
        build_outputs(variables["outputs"])
    except FalcoChartError as error:
        problems += error.problems
    falco, sidekick = charts.get("falco", ChartFile()), charts.get("falcosidekick", ChartFile())
    found: list[Release] = []
    try:
        settings = _settings(variables, cluster, (falco.digest, sidekick.digest), fingerprints)
        found.append(Release(variables["release_name"], falco.path, falco.chart, build_values(settings)))
        for one in build_driver_releases(settings):
            found.append(Release(one["name"], falco.path, falco.chart, one["values"]))
        for one in build_sidekick_releases(settings):
            found.append(Release(one["name"], sidekick.path, sidekick.chart, one["values"]))
    except FalcoChartError as error:
        problems += error.problems
    if problems:
        raise FalcoChartError(dict.fromkeys(problems))
    return found


def _settings(
    variables: Mapping[str, Any], cluster: Cluster, digests: tuple[str, str], fingerprints: Fingerprints
) -> dict[str, Any]:
    """What values are built from: the variables by their names, and what follows from them, the cluster and charts."""
    names, made = names_of(variables["release_name"]), makes_certificates(variables)
    settings = {name: variables[name] for name in DEFAULTS if name in variables}
    labels = {node["metadata"]["name"]: node["metadata"].get("labels") or {} for node in cluster.nodes}
    if variables["container_engine"] == "auto":
        settings["container_engine"] = engine_of_nodes(cluster.nodes)
    if variables["redis_storage"] == "local":
        settings["redis_storage_class"] = names.redis_class
    if made:
        tls = {"tls_secret": "server", "tls_client_secret": "client", "tls_ca_secret": "trust"}
        settings.update({f"sidekick_{setting}": names.tls[kind] for setting, kind in tls.items()})
    own_outputs = names.outputs_secret if variables["outputs"] else ""
    return {
        **settings,
        "chart_digest": digests[0][:16],
        "nodes": labels if variables["driver_groups"] else {},
        "outputs_existing_secret": variables["outputs_existing_secret"] or own_outputs,
        "outputs_existing_variables": list(cluster.foreign_variables),
        "outputs_fingerprint": fingerprints.outputs,
        "proxy_fingerprint": fingerprints.proxy,
        "redis_existing_secret": names.redis_secret,
        "redis_fingerprint": fingerprints.redis,
        "sidekick_chart_digest": digests[1][:16],
        "sidekick_more_fingerprints": dict(fingerprints.more),
        "sidekick_tls_fingerprint": fingerprints.tls,
        "ui_existing_secret": names.ui_secret,
        "ui_fingerprint": fingerprints.ui,
    }
