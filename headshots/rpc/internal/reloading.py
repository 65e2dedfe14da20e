"""Reads files again when they change, and keeps the last good contents where the new ones are not."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from headshots.errors import HeadshotsError

T = TypeVar("T")
RETRY_SECONDS = 30.0
"""After which refused contents are looked at again, though no file has changed: a certificate that is made by a clock
ahead of ours becomes valid, a disk that failed answers."""
_LOG = logging.getLogger(__name__)

# When it was changed, its size and its inode; None while there is no file.
_Stamp = tuple[int, int, int] | None


class Reloaded(Generic[T]):
    """What some files hold, as of now. May be used from any thread; costs a `stat` a file."""

    def __init__(
        self, what: str, files: Sequence[Path], load: Callable[[], T], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Load for the first time. ``what`` names it in the log; ``clock``: seconds.

        Raises whatever ``load`` raises.
        """
        self._what, self._files, self._load, self._clock = what, tuple(files), load, clock
        self._lock = threading.Lock()
        # Before the files are read: what changes in between is seen as a change.
        self._stamps = self._stamp()
        self._value = load()
        self._retry_at = math.inf
        self._refusal: str | None = None

    def current(self) -> T:
        """The newest contents that ``load`` has taken.

        New contents that it refuses are told in the log, once for each reason, and the earlier ones stay.
        """
        with self._lock:
            stamps = self._stamp()
            if stamps != self._stamps:
                self._stamps, self._refusal = stamps, None
                self._take()
            elif self._clock() >= self._retry_at:
                self._take()
            return self._value

    def _take(self) -> None:
        try:
            self._value = self._load()
        except HeadshotsError as error:
            self._retry_at = self._clock() + RETRY_SECONDS
            if str(error) != self._refusal:
                _LOG.error("%s: the changed files are not taken, the earlier ones stay: %s", self._what, error)
            self._refusal = str(error)
        else:
            self._retry_at = math.inf
            _LOG.info("%s: the changed files were taken", self._what)

    def _stamp(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp_of(path) for path in self._files)


def _stamp_of(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
