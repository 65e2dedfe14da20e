"""Gives a service's process a folder of its own for temporary files, which may show a person, and clears dead ones'."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from headshots.errors import UnavailableError
from headshots.settings import make_private

_PREFIX = "headshots-scratch-"
_LOCK = "lock"
_GATE = ".headshots-scratch.lock"


@contextlib.contextmanager
def scratch(parent: Path, variable: str) -> Iterator[Path]:
    """Have the temporary files of this process, and of those that it starts, in a new folder in ``parent``.

    The folder goes when the block is left. Where the process is killed, the next one with this ``parent`` removes it: a
    file in it is locked as long as its process lives, also beside others that use the same ``parent``. Nothing else in
    ``parent`` is touched. ``tempfile`` and libraries find the folder by themselves, by ``TMPDIR``.

    Args:
        parent: is made, for its owner only, where it is missing; on a disk that knows locks.
        variable: the setting that names ``parent``, for the error.

    Raises:
        UnavailableError: SCRATCH_UNUSABLE, where ``parent`` cannot be written or a dead process's folder not removed.
    """
    try:
        folder, lock = _claim(parent)
    except OSError as error:
        raise UnavailableError(
            "SCRATCH_UNUSABLE",
            f"no scratch folder in {parent}: {error}; have {variable} name one on a local disk that is this user's",
        ) from error
    with lock, _temporary_files_in(folder):
        try:
            yield folder
        finally:
            # Still locked, so nobody else removes it too; what cannot be removed now is tried by the next start.
            shutil.rmtree(folder, ignore_errors=True)


def _claim(parent: Path) -> tuple[Path, IO[str]]:
    """Remove the folders of dead processes; a new one with its lock, which is held until the file is closed."""
    make_private(parent)
    # Or another start would take a folder that is not locked yet for a dead process's.
    with (parent / _GATE).open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for left in parent.glob(f"{_PREFIX}*"):
            if not _is_in_use(left):
                shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = (folder / _LOCK).open("x")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return folder, lock


def _is_in_use(folder: Path) -> bool:
    try:
        # For writing: where locks are a file server's, no other file can be locked.
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        # Its process ended before it had made the lock, or while it removed the folder.
        return False
    return False


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
