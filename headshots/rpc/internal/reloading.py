"""Reads files again when they change, and keeps the last good contents where the new ones are not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from headshots.errors import HeadshotsError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

# When it was changed, its size and its inode; None while there is no file.
_Stamp = tuple[int, int, int] | None


class Reloaded(Generic[T]):
    """What some files hold, as of now. May be used from any thread; costs a `stat` a file."""

    def __init__(self, what: str, files: Sequence[Path], load: Callable[[], T]) -> None:
        """Load for the first time. ``what`` names it in the log.

        Raises whatever ``load`` raises.
        """
        self._what, self._files, self._load = what, tuple(files), load
        self._lock = threading.Lock()
        # Before the files are read: what changes in between is seen as a change.
        self._stamps = self._stamp()
        self._value = load()

    def current(self) -> T:
        """The newest contents that ``load`` has taken.

        New contents that it refuses are told in the log, once, and the earlier ones stay.
        """
        with self._lock:
            stamps = self._stamp()
            if stamps != self._stamps:
                self._stamps = stamps
                try:
                    self._value = self._load()
                    _LOG.info("%s: the changed files were taken", self._what)
                except HeadshotsError as error:
                    _LOG.error("%s: the changed files are not taken, the earlier ones stay: %s", self._what, error)
            return self._value

    def _stamp(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp_of(path) for path in self._files)


def _stamp_of(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
