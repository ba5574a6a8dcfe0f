"""Audit flags of an argv, however they are written."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.flags import Flag, audit_flags


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["kube-apiserver", "--audit-log-path=/a"], [Flag("audit-log-path", "/a", 1, 1)]),
        (["--audit_log_path", "/a", "--v=2"], [Flag("audit-log-path", "/a", 0, 1)]),
        (["--audit-log-path=", "/a"], [Flag("audit-log-path", "", 0, 0)]),
        (["--audit-log-path=a=b"], [Flag("audit-log-path", "a=b", 0, 0)]),
        # The last argument has no value, and a value is no flag, whatever it looks like.
        (["--audit-log-path"], [Flag("audit-log-path", "", 0, 0)]),
        (["--audit-log-path", "--audit-log-maxage=1"], [Flag("audit-log-path", "--audit-log-maxage=1", 0, 1)]),
        (
            ["--audit-log-maxage", "1", "--audit-log-path", "/a"],
            [Flag("audit-log-maxage", "1", 0, 1), Flag("audit-log-path", "/a", 2, 3)],
        ),
        (["-audit-log-path=/a", "audit-log-path=/a", "--audit-log-compress", "--v=2"], []),
        ([], []),
    ],
)
def test_flags_are_read_with_their_places(arguments: list[str], found: list[Flag]) -> None:
    assert audit_flags(arguments) == found
