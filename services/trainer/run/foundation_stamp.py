"""Notices that a foundation's files have changed, without reading gigabytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from headshots.errors import FailedPreconditionError


def foundation_stamp(path: Path) -> str:
    """A digest of every file's name, size and time of change."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            facts = file.stat()
            total.update(f"{file.relative_to(path)}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return total.hexdigest()


def check_stamp(path: Path, stamp: str) -> None:
    """Make sure that the files are those whose digest the adapter will name.

    Raises:
        FailedPreconditionError: FOUNDATION_CHANGED.
    """
    if foundation_stamp(path) != stamp:
        raise FailedPreconditionError(
            "FOUNDATION_CHANGED", f"the files in {path} have changed since the trainer started; restart the trainer"
        )
