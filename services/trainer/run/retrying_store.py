"""An object store that retries while it is unavailable, so that a short outage costs a training only that time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_TIMEOUT_SECONDS = 90.0


class RetryingStore(ArtifactStore):
    """The blocking methods retry for 90 s before they raise. For training processes, which would lose their work."""

    def put_sync(self, key: str, data: bytes) -> None:
        """As the base class."""
        with_retries(lambda: super(RetryingStore, self).put_sync(key, data))

    def get_sync(self, key: str) -> bytes:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).get_sync(key))

    def get_range_sync(self, key: str, start: int, length: int) -> bytes:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).get_range_sync(key, start, length))

    def size_sync(self, key: str) -> int:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).size_sync(key))

    def exists_sync(self, key: str) -> bool:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).exists_sync(key))

    def sizes_sync(self, prefix: str) -> dict[str, int]:
        """As the base class, whose other listings call it."""
        return with_retries(lambda: super(RetryingStore, self).sizes_sync(prefix))

    def list_after_sync(self, prefix: str, after: str) -> list[str]:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).list_after_sync(prefix, after))

    def folders_sync(self, prefix: str) -> list[str]:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).folders_sync(prefix))

    def put_or_get_sync(self, key: str, data: bytes) -> bytes:
        """As the base class."""
        return with_retries(lambda: super(RetryingStore, self).put_or_get_sync(key, data))

    def delete_sync(self, key: str) -> None:
        """As the base class."""
        with_retries(lambda: super(RetryingStore, self).delete_sync(key))

    def remove_staged_sync(self, prefix: str = "", *, unused_seconds: float = 0.0) -> int:
        """As the base class."""
        return with_retries(
            lambda: super(RetryingStore, self).remove_staged_sync(prefix, unused_seconds=unused_seconds)
        )


def with_retries(
    work: Callable[[], T],
    *,
    timeout_seconds: float = _TIMEOUT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call ``work`` until it does not raise :class:`UnavailableError`, or ``timeout_seconds`` are over."""
    end, pause = clock() + timeout_seconds, _FIRST_PAUSE_SECONDS
    while True:
        try:
            return work()
        except UnavailableError as error:
            if clock() + pause > end:
                raise
            log.warning("trying again in %.1f s: %s", pause, error.message)
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
