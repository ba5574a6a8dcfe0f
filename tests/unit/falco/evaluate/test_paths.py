"""`pmatch`: prefixes by parts, with Falco's surprises."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.paths import PathSet


@pytest.mark.parametrize(
    ("paths", "path", "matches"),
    [
        (["/etc"], "/etc/passwd", True),
        (["/etc"], "/etcetera", False),
        (["/etc"], "/etc", True),
        (["/etc/x"], "/etc", False),
        (["etc//"], "/etc/passwd", True),
        ([""], "anything", True),
        (["/"], "", True),
        (["/etc"], "", False),
        ([], "/etc", False),
        (["/usr/lib", "/usr"], "/usr/bin", True),
        (["/usr", "/usr/lib"], "/usr/bin", True),
        (["/var/*/log"], "/var/x/log/y", True),
        (["/var/*/log"], "/var/x/y/log", False),
        (["/var/l*"], "/var/lib/x", True),
        (["/v[!a]r"], "/vbr", True),
        # the glob that came later is tried first; when it fails further down, the other sees the next part
        (["/v/*/a", "/v/l*/b"], "/v/lib/a", False),
        (["/v/l*/b", "/v/*/a"], "/v/lib/b", False),
        (["/v/l*/b", "/v/*/a"], "/v/lib/a", True),
        (["/", "/a"], "/b", True),
        # of one path and a longer one the shorter counts, whichever came first
        (["/v/l*", "/v/l*/b"], "/v/lib/a", True),
        (["/v/l*/b", "/v/l*"], "/v/lib/a", True),
        (["/v/l*/b", "/v/l*/c"], "/v/lib/b", True),
        (["/v/l*/b", "/v/l*/c"], "/v/lib/a", False),
        (["/*/x", "/v*/y", "/l*/z"], "/v", False),
    ],
)
def test_prefixes(paths: list[str], path: str, matches: bool) -> None:
    assert (path in PathSet(paths)) is matches
