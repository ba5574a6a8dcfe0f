"""What a cluster must have before Falco is installed, and only what this installation uses of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.needs import needed_apis, needed_subjects
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.settings import DEFAULTS

VARIABLES: dict[str, Any] = {**DEFAULTS, "namespace": "falco", "priority_class": "high"}


def needed(with_redis: bool = False, with_ui: bool = False, **variables: Any) -> list[tuple[str, str, str]]:
    """Kind, name and variable of what must be there; an empty name is not looked for, but that of a default."""
    subjects = needed_subjects({**VARIABLES, **variables}, with_redis, with_ui)
    return [
        (one["kind"], one["name"], one["variable"])
        for one in subjects
        if one["name"] or one["kind"] in ("StorageClass", "IngressClass")
    ]


PRIORITY = ("PriorityClass", "high", "falco_priority_class")


@pytest.mark.parametrize(
    ("variables", "with_redis", "with_ui", "more"),
    [
        ({}, False, False, []),
        ({"image_pull_secrets": ["a"]}, False, False, [("Secret", "a", "falco_image_pull_secrets")]),
        ({"ca_config_map": "ca"}, False, False, [("ConfigMap", "ca", "falco_ca_config_map")]),
        ({"sidekick_more": [{"name": "x"}, {"outputs_existing_secret": "o"}]}, False, False,
         [("Secret", "o", "falco_sidekick_more")]),
        ({"redis_storage": "storage_class", "redis_storage_class": "fast"}, True, True,
         [("StorageClass", "fast", "falco_redis_storage_class")]),
        ({"redis_storage": "storage_class", "redis_storage_class": "fast"}, False, True, []),
        ({"redis_storage": "local"}, True, True, []),
        ({"ui_exposure": "ingress", "ui_ingress": {"class": "nginx"}}, False, True,
         [("IngressClass", "nginx", "falco_ui_ingress.class")]),
        ({"ui_exposure": "ingress", "ui_ingress": {"host": "h"}}, False, True,
         [("IngressClass", "", "falco_ui_ingress.class")]),
        ({"ui_exposure": "ingress", "ui_ingress": {"class": "nginx"}}, False, False, []),
        ({"ui_exposure": "node_port", "ui_ingress": {"class": "nginx"}}, False, True, []),
    ],
)  # fmt: skip
def test_only_what_is_used_must_be_there(
    variables: dict[str, Any], with_redis: bool, with_ui: bool, more: list[tuple[str, str, str]]
) -> None:
    assert needed(with_redis, with_ui, **variables) == [PRIORITY, *more]


def test_the_cluster_must_serve_service_monitors_only_where_one_is_made() -> None:
    assert needed_apis({"service_monitor": False}) == []
    (api,) = needed_apis({"service_monitor": True})
    assert (api["api_version"], api["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
