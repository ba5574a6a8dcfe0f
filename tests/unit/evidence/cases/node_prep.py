"""Stage node_prep."""

from __future__ import annotations

from tests.unit.evidence.cases import Case, changed

STAT = {"exists": True, "isdir": True, "uid": 999, "gid": 999, "mode": "0750"}
SKIPPED = {"skipped": True, "changed": False}
GOOD = {
    "node": "worker01",
    "driver_wanted": "auto",
    "driver": {"driver": "modern_ebpf", "summary": "modern_ebpf: BTF is there", "features": {"kernel": "5.14.0"}},
    "redis_here": True,
    "redis_wanted": {"directory": "/mnt/data/redis", "uid": "999", "gid": 999, "mode": "0750"},
    "redis": {"stat": STAT},
    "selinux": False,
    "limits_wanted": {"fs.inotify.max_user_instances": "512"},
    "limits": {"rc": 0, "stdout": "fs.inotify.max_user_instances = 512\nfs.other = 1"},
    "read_only": [],
    "ports_wanted": ["30080/tcp"],
    "ports": {"rc": 0, "stdout": "30080/tcp 22/tcp\n"},
    "time_sync": "warn",
    "skew_seconds": "1",
    "skew_max_seconds": 5,
    "timedatectl": {"rc": 0, "stdout": "yes"},
    "chrony": SKIPPED,
}
NO_REDIS = {"redis_here": "False"}
ALONE = {**NO_REDIS, "limits_wanted": {}, "ports_wanted": [], "time_sync": "ignore"}
KMOD = {"driver": "kmod", "summary": "kmod"}


def only(name: str, **changes: object) -> dict[str, object]:
    """Everything of a node but what ``name`` asks about is left out."""
    kept = {"redis": ("redis_here",), "limits": ("limits_wanted",), "ports": ("ports_wanted",), "clock": ("time_sync",)}
    left_out = {key: value for key, value in ALONE.items() if key not in kept.get(name, ())}
    return changed(GOOD, **{**left_out, **changes})


def of(name: str, status: str) -> tuple[tuple[str, str], ...]:
    return (("driver", "passed"), (name, status))


CASES = [
    Case(
        "all is as wanted",
        GOOD,
        (("driver", "passed"), ("redis", "passed"), ("limits", "passed"), ("ports", "passed"), ("clock", "passed")),
        ("modern_ebpf: BTF is there", "/mnt/data/redis is 999:999 0750, SELinux is off"),
    ),
    Case("nothing else is asked for", changed(GOOD, **ALONE), (("driver", "passed"),)),
    Case("no driver can run", only("", driver={"driver": "none", "summary": "too old"}), (("driver", "failed"),)),
    Case("no driver was decided on", only("", driver={}), (("driver", "failed"),), ("no driver was decided on",)),
    Case("no driver is wanted", only("", driver_wanted="none"), (("driver", "skipped"),)),
    Case(
        "kmod, and no driver is wanted",
        only("", driver_wanted="none", driver={"driver": "kmod"}),
        (("driver", "skipped"),),
    ),
    Case(
        "kmod with build tree",
        only("", driver={**KMOD, "features": {"build_tree": "/usr/src", "kernel": "5.14"}}),
        of("headers", "passed"),
        ("build tree of 5.14 is installed",),
    ),
    Case(
        "kmod without",
        only("", driver={**KMOD, "features": {"build_tree": "", "kernel": "5.14"}}),
        of("headers", "failed"),
        ("build tree of 5.14 is missing",),
    ),
    Case("directory missing", only("redis", redis={"stat": {"exists": False}}), of("redis", "failed"), ("is missing",)),
    Case(
        "told of a directory that is not there",
        only("redis", redis={"stat": {**STAT, "exists": False}}),
        of("redis", "failed"),
    ),
    Case("a file in its place", only("redis", redis={"stat": {**STAT, "isdir": False}}), of("redis", "failed")),
    Case("another owner", only("redis", redis={"stat": {**STAT, "uid": 0}}), of("redis", "failed")),
    Case("another group", only("redis", redis={"stat": {**STAT, "gid": 0}}), of("redis", "failed")),
    Case("another mode", only("redis", redis={"stat": {**STAT, "mode": "0777"}}), of("redis", "failed")),
    Case("a limit too low", only("limits", limits_wanted={"fs.other": 2}), of("limits", "failed"), ("is 1, below 2",)),
    Case(
        "a limit that cannot be raised here",
        only("limits", limits_wanted={"fs.other": 2}, read_only=["fs.other"]),
        of("limits", "failed"),
        ("until the next boot",),
    ),
    Case("an unknown limit", only("limits", limits_wanted={"fs.none": 2}), of("limits", "failed"), ("unknown here",)),
    Case("sysctl did not answer", only("limits", limits={"rc": 1}), of("limits", "failed")),
    Case("a port is shut", only("ports", ports={"rc": 0, "stdout": ""}), of("ports", "failed"), ("shut in firewalld",)),
    Case("firewalld does not run", only("ports", ports={"rc": 252}), of("ports", "skipped"), ("does not run",)),
    Case(
        "firewalld is not installed",
        only("ports", ports={"rc": 2, "msg": "Error executing command.", "stdout": "", "stderr": ""}),
        of("ports", "skipped"),
        ("is not installed",),
    ),
    Case(
        "firewalld refuses",
        only("ports", ports={"rc": 2, "msg": "non-zero return code", "stderr": "INVALID_ZONE: x"}),
        of("ports", "failed"),
        ("INVALID_ZONE",),
    ),
    Case("firewalld refuses without words", only("ports", ports={"rc": 13, "msg": "no"}), of("ports", "failed")),
    Case("a command's own exit code 2", only("ports", ports={"rc": 2}), of("ports", "failed")),
    Case("firewalld was left out", only("ports", ports=SKIPPED), of("ports", "failed"), ("no reason given",)),
    Case("the clock is off", only("clock", skew_seconds=6), of("clock", "failed"), ("6 s off",)),
    Case("the clock is off as far as allowed", only("clock", skew_seconds=5), of("clock", "passed")),
    Case(
        "not synchronised",
        only("clock", timedatectl={"rc": 0, "stdout": "no"}),
        of("clock", "failed"),
        ("is not synchronised",),
    ),
    Case(
        "synchronised by chrony",
        only("clock", timedatectl={"rc": 1}, chrony={"rc": 0, "stdout": "A1,1,Normal"}),
        of("clock", "passed"),
        ("is synchronised by chrony",),
    ),
    Case(
        "not synchronised by chrony",
        only("clock", timedatectl={"rc": 1}, chrony={"rc": 0, "stdout": "A1,1,Not synchronised"}),
        of("clock", "failed"),
        ("is not synchronised by chrony",),
    ),
    Case(
        "nobody tells",
        only("clock", timedatectl={"rc": 1}, chrony={"rc": 2}),
        of("clock", "skipped"),
        ("neither systemd nor chrony",),
    ),
]
