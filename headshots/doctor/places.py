"""Looks at folders and memory: whether there is room, and whether what is missing can be made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from headshots.doctor.findings import Finding, State, failed, ok, warning
from headshots.processes.memory import memory_limit

LEAST_FREE_BYTES = 2**30
"""Of a disk that a service writes to; below it is time to act."""


def there_already(path: Path) -> Path:
    """The path, or the nearest above it that exists."""
    return next(each for each in (path, *path.absolute().parents) if each.exists())


def first_start_makes(path: Path, what: str) -> Finding:
    """What to tell of something that is not there yet, and that a service makes at its start."""
    above = there_already(path)
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return ok(f"{what} is not there yet; the first start makes {path}")
    return failed(
        f"{what} is not there, and {path} cannot be made: {above} is no folder that this user may write to",
        f"make {above} a folder that the user of the services may write to, or name another place",
    )


def room(path: Path, needed_bytes: int = LEAST_FREE_BYTES) -> Finding:
    """Whether a folder that a service writes to can be written and has so much room."""
    above = there_already(path)
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        return failed(
            f"{above} is no folder that this user may write to",
            f"have {path} be a folder that the user of the services may write to",
        )
    free = shutil.disk_usage(above).free
    if free < needed_bytes:
        return warning(
            f"{path}: {size(free)} are free, and {size(needed_bytes)} should be",
            "make room, or name a folder on a larger disk",
        )
    return ok(f"{path}: {size(free)} free")


def rooms(needs: Mapping[Path, int]) -> list[Finding]:
    """`room` for folders and the bytes that each needs. Of those on one disk that have it, the first is told."""
    found = {path: room(path, needed) for path, needed in needs.items()}
    fine = {there_already(path).stat().st_dev: path for path in reversed(found) if found[path].state is State.OK}
    return [each for path, each in found.items() if each.state is not State.OK or path in fine.values()]


def memory(needed_bytes: int, what: str) -> Finding:
    """Whether the memory that this process may use, by its control groups or the machine, is enough for a service."""
    limit, machine = memory_limit(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    usable = machine if limit is None else min(limit, machine)
    by = "of the control group" if limit is not None and limit < machine else "of the machine"
    if usable < needed_bytes:
        return warning(
            f"{size(usable)} {by}, and {what} may take {size(needed_bytes)}",
            "raise the memory limit of the pod or its control group, or set the service to take less",
        )
    return ok(f"{size(usable)} {by}; {what} may take {size(needed_bytes)}")


def size(count: float) -> str:
    """A number of bytes for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
