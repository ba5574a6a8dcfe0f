"""The fields of system calls in one version of Falco, for tests of single conditions."""

from __future__ import annotations

from functools import cache

from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.fields import FieldTable
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST


@cache
def table(falco: str = NEWEST, source: str = "syscall") -> FieldTable:
    found = catalogue(falco)
    return FieldTable(found, found.sources[source])
