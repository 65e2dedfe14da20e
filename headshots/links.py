"""Finds symbolic links within a folder that holds what belongs to tenants: none of them is followed."""

from __future__ import annotations

import os
from pathlib import Path


def link_on_the_way(folder: Path, key: str) -> Path | None:
    """The first link among the folders of ``key`` (names with slashes between them) and what it names, if there is one.

    ``folder`` itself may be reached by links.
    """
    path = folder
    for name in filter(None, key.split("/")):
        path = path / name
        if path.is_symlink():
            return path
    return None


def link_below(folder: Path, key: str) -> Path | None:
    """A link on the way to ``key`` or anywhere below it, if there is one."""
    found = link_on_the_way(folder, key)
    if found is not None:
        return found
    for parent, folders, files in os.walk(folder / key):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                return path
    return None
