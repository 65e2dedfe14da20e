"""Writes folders atomically: they appear whole or not at all, whichever process is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PARTIAL = ".partial-"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Wait until no other process writes ``folder``; the lock, a file beside it, falls with its holder."""
    with _lock_file(folder).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a hidden folder beside ``folder``, then put it in its place. Hold :func:`exclusive`."""
    partial = folder.with_name(f".{folder.name}{_PARTIAL}{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write(partial)
        _put_in_place(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def publish_resumed(folder: Path, write: Callable[[Path], object]) -> None:
    """As :func:`publish`, but what a ``write`` that failed or was killed has left is there for the next one."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    write(unfinished)
    _put_in_place(unfinished, folder)


def sweep(parent: Path, name: str = "*") -> None:
    """Remove what killed processes left half written of ``name`` in ``parent``; what a living one writes is locked."""
    for left in parent.glob(f".{name}{_PARTIAL}*"):
        meant = left.name[1:].rpartition(_PARTIAL)[0]
        with _lock_file(parent / meant).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(left, ignore_errors=True)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Give a folder that is written its name; what had it is removed."""
    _sync(partial)
    old = folder.with_name(f".{folder.name}{_PARTIAL}{os.getpid()}-old")
    try:
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _sync(folder: Path) -> None:
    """Have the files on the disk before their folder gets its name: a power cut leaves no whole-looking half."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
