"""Tells how many CPUs this process may use, by its affinity and its control groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
"""Where control groups are mounted, of version 2 or 1."""
OWN_GROUPS = Path("/proc/self/cgroup")
"""What the kernel tells of this process's groups."""


def usable_cpus(groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """CPUs by the process's affinity and by the quotas of its control groups (Kubernetes' CPU limit); at least 1.

    Args:
        groups: where control groups are mounted, of version 2 or 1.
        own_groups: what the kernel tells of this process's groups.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *(round(quota) for quota in _quotas(groups, own_groups))]))


def _quotas(groups: Path, own_groups: Path) -> Iterator[float]:
    """CPUs that each of the process's groups, and those above them, may use together; none where there is no limit."""
    for folder, is_first_version in folders("cpu", groups, own_groups):
        quota, period = _quota(folder, is_first_version=is_first_version)
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _quota(folder: Path, *, is_first_version: bool) -> tuple[str, str]:
    """Microseconds of CPU time in each period of so many; no numbers where there is no limit."""
    if is_first_version:
        return read_text(folder / "cpu.cfs_quota_us"), read_text(folder / "cpu.cfs_period_us")
    quota, _, period = read_text(folder / "cpu.max").partition(" ")
    return quota, period


def folders(controller: str, groups: Path, own_groups: Path) -> Iterator[tuple[Path, bool]]:
    """Folders of the process's groups that a controller (`cpu`, `memory`) has files in, those above them too.

    Each with whether it is of version 1. A folder may lack the files; arguments as `GROUPS` and `OWN_GROUPS`.
    """
    for line in read_text(own_groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = groups / controller if controllers else groups
        group = mount / path.lstrip("/")
        # In a container its own group is often the mount itself, whatever the kernel calls it outside.
        for folder in {mount, group, *(parent for parent in group.parents if parent.is_relative_to(mount))}:
            yield folder, bool(controllers)


def read_text(path: Path) -> str:
    """The file's text without blanks around it; nothing where there is no such file, as on other systems than Linux."""
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""
