"""Keeps the audit log of one gateway going: writes down what was read, links events, and removes old ones."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter

from sqlalchemy.engine import Engine

from headshots.clocks import ClockWatch
from headshots.database import database_now, read, write
from headshots.errors import HeadshotsError
from headshots.rpc.auth import current_key
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.audit import linking
from services.gateway.audit.models import Action, Reading
from services.gateway.audit.recording import record_readings

_LOG = logging.getLogger(__name__)
_EXPIRE_SECONDS = 3600.0
"""Between two looks for events whose term is over."""
_DAY_SECONDS = 86400.0


class AuditLog:
    """Reads write nothing of their own, so they are counted here and written down together every `poll_seconds`."""

    def __init__(
        self, database: Engine, *, poll_seconds: float, keep_days: int, clock: ClockWatch | None = None
    ) -> None:
        """`keep_days`: how long events are kept; none leaves by a clock that `clock` does not trust."""
        self._database = database
        self._poll_seconds = poll_seconds
        self._kept_seconds = keep_days * _DAY_SECONDS
        self._clock = clock or ClockWatch()
        self._expire_at = 0.0
        self._readings: Counter[Reading] = Counter()
        self._lock = threading.Lock()

    def record_reading(self, tenant_id: str, subject_id: str, action: Action, resource: str) -> None:
        """The running call hands out a file or a picture of the subject. What the same call or another one with its key
        hands out again before the next writing is one event, with how often."""
        with self._lock:
            self._readings[Reading(tenant_id, current_key(), subject_id, action, resource)] += 1

    async def flush(self) -> None:
        """Writes down what was read so far; what the database does not take stays for the next time.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        await in_write_thread(self._flush)

    def _flush(self) -> None:
        with self._lock:
            readings, self._readings = self._readings, Counter()
        if not readings:
            return
        try:
            with write(self._database) as connection:
                record_readings(connection, readings.items())
        except BaseException:
            with self._lock:
                self._readings.update(readings)
            raise

    async def run(self) -> None:
        """Works every `poll_seconds` until it is cancelled."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self._work()
            except HeadshotsError as error:
                _LOG.warning("cannot write the audit log; trying again: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, events have to be written down and linked
                _LOG.exception("the audit log met a defect; trying again")

    async def _work(self) -> None:
        await self.flush()
        await in_write_thread(linking.link, self._database)
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + _EXPIRE_SECONDS
            if not self._clock.trusts(await in_read_thread(_now, self._database)):
                return
            expired = await in_write_thread(linking.expire, self._database, kept_seconds=self._kept_seconds)
            if expired:
                _LOG.info("removed %d events of the audit log whose term was over", expired)

    async def close(self) -> None:
        """Writes down what was read last, once no call runs any more. What cannot be written is told on stderr."""
        try:
            await self.flush()
        except HeadshotsError:
            _LOG.exception("%d readings are lost to the audit log", self._readings.total())


def _now(engine: Engine) -> float:
    with read(engine) as connection:
        return database_now(connection)
