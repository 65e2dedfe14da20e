"""Erases subjects whose time has come, whichever gateways run."""

from __future__ import annotations

import asyncio
import logging
import time

from sqlalchemy.engine import Engine

from headshots.clocks import ClockWatch
from headshots.database import database_now, read
from headshots.errors import HeadshotsError, UnavailableError
from headshots.leases import Lease, LeaseLostError
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.galleries.engine import ShotWorkers
from services.gateway.metrics import GatewayMetrics
from services.gateway.retention.rows import begin_missing, claim_due, give_back
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.parts import PartSweep

_LOG = logging.getLogger(__name__)
_LEASE_SECONDS = 60.0
"""After so long another gateway hides a subject that a lost one was about to hide."""
_BEGIN_MISSING_SECONDS = 600.0
"""Between two looks through all subjects for those that have no time."""


class Expiring:
    """Works from `run` until it is cancelled. Each subject is hidden by one gateway, under a lease of its row."""

    def __init__(
        self,
        database: Engine,
        eraser: Eraser,
        parts: PartSweep,
        painters: ShotWorkers,
        metrics: GatewayMetrics,
        *,
        owner: str,
        sweep_seconds: float,
        clock: ClockWatch | None = None,
    ) -> None:
        self._database = database
        self._eraser = eraser
        self._parts = parts
        self._painters = painters
        self._metrics = metrics
        self._owner = owner
        self._sweep_seconds = sweep_seconds
        self._clock = clock or ClockWatch()
        self._begin_missing_at = 0.0

    async def begin(self) -> None:
        """Looks at the clock, so that a jump from here on is known for one. Call it before anybody is served.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        await self._trusts_clock()

    async def run(self) -> None:
        """Sweeps now and every `sweep_seconds`."""
        while True:
            try:
                await self.sweep()
                await self._begin_missing()
            except HeadshotsError as error:
                _LOG.warning("cannot look for expired subjects; trying again: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, expired subjects have to be erased
                _LOG.exception("the sweep of expired subjects met a defect; trying again")
            await asyncio.sleep(self._sweep_seconds)

    async def _begin_missing(self) -> None:
        if time.monotonic() < self._begin_missing_at:
            return
        begun = await in_write_thread(begin_missing, self._database)
        self._begin_missing_at = time.monotonic() + _BEGIN_MISSING_SECONDS
        if begun:
            _LOG.warning("%d subjects, made by a gateway of before retention, have a time from now on", begun)

    async def sweep(self) -> None:
        """Hides and erases all subjects whose time has come, then removes what of others has to go.

        What cannot be erased now the eraser tries again.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        if not await self._trusts_clock():
            return
        while (lease := await in_write_thread(self._claim)) is not None:
            if not await self._trusts_clock():
                # It jumped between the look at it and the lease, and what is erased by it does not come back.
                await in_write_thread(give_back, self._database, lease)
                return
            try:
                await self._expire(lease)
            except LeaseLostError as error:
                _LOG.warning("an expired subject is hidden by another gateway: %s", error)
            except UnavailableError:
                raise
            except Exception:  # noqa: BLE001 - one subject's defect holds up no other
                _LOG.exception("subject %s has expired and cannot be hidden; trying again", lease.id)
        await self._parts.sweep(self._trusts_clock)

    async def _trusts_clock(self) -> bool:
        return self._clock.trusts(await in_read_thread(_now, self._database))

    def _claim(self) -> Lease | None:
        return claim_due(self._database, owner=self._owner, ttl_seconds=_LEASE_SECONDS)

    async def _expire(self, lease: Lease) -> None:
        hidden = await in_write_thread(erasure.expire, self._database, lease)
        if hidden is not None:
            self._metrics.expired_subjects.inc()
            await self._erase(hidden)

    async def _erase(self, hidden: erasure.Hidden) -> None:
        for gallery_id in hidden.galleries:
            self._painters.stop_shots(gallery_id)
        try:
            await self._eraser.delete_if_idle(hidden)
        except HeadshotsError as error:
            _LOG.warning("subject %s has expired and is not erased yet; trying again: %s", hidden.subject_id, error)


def _now(engine: Engine) -> float:
    with read(engine) as connection:
        return database_now(connection)
