"""What an object store in a local folder needs beyond obstore: no link is followed, and no staged file stays.

obstore writes an object to a staged file beside it, `NAME#1` (or `#2` …, where that is taken), and links it to its name
once it is whole. A process that is killed meanwhile leaves the staged file, which no listing shows.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from pathlib import Path

from obstore.exceptions import BaseError

_STAGED = re.compile(r".+#\d+", re.DOTALL)
# What `rmdir` says of a folder that is in use or a mount, or that somebody else removed.
_KEPT = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOENT})


def is_staged(key: str) -> bool:
    """Whether obstore gives such names to staged files; no object may have one."""
    return _STAGED.fullmatch(key) is not None


def remove_staged(folder: Path, prefix: str, *, unused_seconds: float) -> int:
    """Remove the staged files below ``prefix`` that nobody has written for so long; returns how many there were.

    Whoever still writes one that is removed gets an error, and no object. Nothing is removed through a link.

    Raises:
        BaseError: obstore's; a folder cannot be read or changed.
    """
    removed = 0
    try:
        for parent, _, files in os.walk(folder / prefix, onerror=_raise_unless_missing):
            for path in (Path(parent, name) for name in files if is_staged(name)):
                # Its writer may have ended, or another process may sweep too.
                with contextlib.suppress(FileNotFoundError):
                    if not unused_seconds or path.lstat().st_mtime <= time.time() - unused_seconds:
                        path.unlink()
                        removed += 1
    except OSError as error:
        raise BaseError(f"staged files are not removed: {error}") from error
    return removed


def remove_empty(folder: Path, prefix: str) -> None:
    """Remove the folder ``prefix`` and those below it that hold nothing, and no folder above it.

    A folder that a writer has just begun to write to is not empty, and stays. A writer that is about to makes it anew,
    or fails and may try again.

    Raises:
        BaseError: obstore's; a folder cannot be read or changed.
    """
    try:
        for parent, _, _ in os.walk(folder / prefix, topdown=False, onerror=_raise_unless_missing):
            try:
                os.rmdir(parent)
            except OSError as error:
                if error.errno not in _KEPT:
                    raise
    except OSError as error:
        raise BaseError(f"empty folders are not removed: {error}") from error


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def refuse_links(folder: Path, key: str, *, whole: bool) -> None:
    """Check that ``key``, or with ``whole`` all that is below it, is reached without following a link in ``folder``.

    Raises:
        BaseError: obstore's; it names the link.
    """
    link = (link_below if whole else link_on_the_way)(folder, key)
    if link is not None:
        raise BaseError(f"{link} is a symbolic link, which is not followed; mount the folder instead")


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
