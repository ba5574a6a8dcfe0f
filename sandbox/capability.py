"""Whether this machine can give CAP_SYS_RESOURCE to a container (capabilities(7))."""

from __future__ import annotations

CAP_SYS_RESOURCE = 24


def grants_sys_resource(status: str) -> bool:
    """Whether this machine can give CAP_SYS_RESOURCE to a container.

    Args:
        status: text of /proc/self/status.
    """
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(mask, 16) >> CAP_SYS_RESOURCE & 1)
