"""Keeps work that waits from failing for a time that came by a clock that jumped, and that may be taken back."""

from __future__ import annotations

import threading

from sqlalchemy.engine import Engine

from headshots.clocks import ClockWatch
from headshots.database import database_now, read
from headshots.threads import in_read_thread

BY_CLOCK = frozenset({"SUBJECT_EXPIRED", "CONSENT_EXPIRED"})
"""Reasons that the database's clock alone makes true."""
MESSAGE = "waiting for the clock: the database's has jumped ahead, and by it the person's time is past; set it if wrong"


class WorkClock:
    """The database's clock, which all parts of a gateway that hand out work ask before work fails by it."""

    def __init__(self, engine: Engine, watch: ClockWatch | None = None) -> None:
        self._engine = engine
        self._watch = watch or ClockWatch()
        self._lock = threading.Lock()

    async def is_trusted(self) -> bool:
        """Whether work may fail by it now. Call it regularly, and right before.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        return self.trusts(await in_read_thread(_now, self._engine))

    def trusts(self, now: float) -> bool:
        """The same of the database's time, where that was just read. From any thread."""
        with self._lock:
            return self._watch.trusts(now)


def _now(engine: Engine) -> float:
    with read(engine) as connection:
        return database_now(connection)
