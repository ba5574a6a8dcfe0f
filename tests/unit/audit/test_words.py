"""Requests in words: who does what to which, in as few words as it takes."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.audit.kubernetes import METHODS, VERBS
from ansible_collections.falconet.k8s.plugins.module_utils.audit.region import ANY_PATH, ANY_RESOURCE, NO_NAME, Region
from ansible_collections.falconet.k8s.plugins.module_utils.audit.sets import Groups, Words, but, like, only
from ansible_collections.falconet.k8s.plugins.module_utils.audit.words import requests

GET = ANY_RESOURCE._replace(verb=only(["get"]))
PODS = GET._replace(resource=only(["pods"]))
PATHS = ANY_PATH._replace(verb=only(["get"]))


def people(*groups: str) -> Groups:
    return Groups(frozenset((frozenset(groups),)))


@pytest.mark.parametrize(
    ("region", "told"),
    [
        (ANY_RESOURCE, "any verb of any resource"),
        (ANY_PATH, "any verb of paths that are no resource"),
        (GET, "get of any resource"),
        (GET._replace(verb=only(["watch", "escalate", "get", "bind"])), "get, watch, bind, escalate of any resource"),
        (GET._replace(verb=only(VERBS[:4])), "get, list, watch, create of any resource"),
        (GET._replace(verb=only(VERBS[:5])), "any verb but patch, delete, deletecollection of any resource"),
        (GET._replace(verb=only(VERBS[1:])), "any verb but get of any resource"),
        (PATHS._replace(verb=only(METHODS[1:])), "any verb but get of paths that are no resource"),
        (GET._replace(verb=only("abcde")), "a, b, c, d and 1 more of any resource"),
        (PODS, "get of pods"),
        (PODS._replace(group=only([""])), "get of pods"),
        (GET._replace(group=only([""])), "get of any resource of the API group core"),
        (GET._replace(group=only(["apps"])), "get of any resource of the API group apps"),
        (PODS._replace(subresource=only([""])), "get of pods"),
        (PODS._replace(subresource=only(["", "log"])), "get of pods, pods/log"),
        (PODS._replace(subresource=NO_NAME), "get of pods"),
        (GET._replace(subresource=only(["log"])), "get of */log"),
        (PODS._replace(namespace=only(["prod", "dev"])), "get of pods in dev, prod"),
        (PODS._replace(namespace=only([""])), "get of pods"),
        (PODS._replace(namespace=but(["prod"])), "get of pods"),
        (PODS._replace(name=only(["web"])), "get of pods named web"),
        (PODS._replace(name=only([""])), "get of pods"),
        (PATHS._replace(path=only(["/healthz"])), "get of /healthz"),
        (PATHS._replace(path=like("startswith", "/api")), "get of /api*"),
        (PATHS._replace(path=like("startswith", "/api", False)), "get of paths that are no resource"),
        (PATHS._replace(path=like("endswith", "/api")), "get of paths that are no resource"),
        (PODS._replace(user=only(["alice"])), "get of pods by alice"),
        (PODS._replace(user=only([""])), "get of pods by nobody"),
        (PODS._replace(user=like("startswith", "system:")), "get of pods by system:*"),
        (PODS._replace(user=like("startswith", "system:", False)), "get of pods"),
        (PODS._replace(user=like("endswith", "admin")), "get of pods"),
        (
            PODS._replace(user=like("startswith", "a").also(like("startswith", "admin"))),
            "get of pods by admin*",
        ),
        (PODS._replace(groups=people("b", "a")), "get of pods by members of a, b"),
    ],
)  # fmt: skip
def test_requests_are_told_in_few_words(region: Region, told: str) -> None:
    assert requests(region) == told


@pytest.mark.parametrize(("number", "told"), [(4, "a, b, c, d"), (5, "a, b, c, d and 1 more")])
def test_four_names_are_told_and_how_many_more_there_are(number: int, told: str) -> None:
    names: Words = only("abcde"[:number])
    assert requests(PODS._replace(resource=names)) == f"get of {told}"
