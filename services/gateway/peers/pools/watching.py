"""Asks pools again and again what they run, where there are several."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.errors import HeadshotsError, UnavailableError
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.peers.metrics import PoolMetrics
from services.gateway.peers.models import GeneratorDescription
from services.gateway.peers.pools import rows
from services.gateway.peers.pools.pools import Pool, Pools

_LOG = logging.getLogger(__name__)
_WRITE_AGAIN_SECONDS = rows.NEWS_SECONDS / 5
RETURN_SECONDS = 0.25
"""Between two questions to a pool that is missed: it may be on its way from zero, and people wait for it."""


@dataclass
class _Told:
    """What log and database have of a pool."""

    answers: bool | None = None
    description: GeneratorDescription | None = None
    written: GeneratorDescription | None = None
    written_at: float = 0.0


class PoolWatcher:
    """Every `poll_seconds` each pool is asked, whoever else is late. Where there is one, its callers ask.

    A pool that was called in vain is asked more often, until it answers.
    """

    def __init__(self, pools: Pools, database: Engine, metrics: PoolMetrics, *, poll_seconds: float) -> None:
        self._pools, self._database, self._metrics = pools, database, metrics
        self._poll_seconds = poll_seconds
        self._twins: set[frozenset[str]] = set()
        self.on_return: Callable[[], Awaitable[None]] | None = None
        """Called when a pool answers that did not: what waits for it can begin. Set before `run`."""

    async def run(self) -> None:
        """Asks until it is cancelled, and keeps track of the generators of each pool."""
        each = self._pools.each
        watches = [self._watch(pool) for pool in each] if len(each) > 1 else []
        async with asyncio.TaskGroup() as group:
            returns = (self._bring_back(pool) for pool in each)
            for work in (*watches, *returns, *(pool.generator.run() for pool in each)):
                group.create_task(work)

    async def recall(self) -> None:
        """Reads what the pools said before this gateway started.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        each = self._pools.each
        if len(each) == 1:
            return
        found = await in_read_thread(rows.remembered, self._database, [pool.name for pool in each])
        for pool in each:
            if pool.name in found:
                pool.describer.recall(found[pool.name])

    async def _bring_back(self, pool: Pool) -> None:
        """Asks a pool that is missed until it answers, and tells that it does."""
        while True:
            try:
                await self._ask_if_missed(pool)
            except HeadshotsError as error:
                _LOG.warning("what waits for pool %s begins later: %s", pool.name, error)
            except Exception:  # noqa: BLE001 - it shares its fate with what keeps track of every other pool
                _LOG.exception("asking for the missed pool %s met a defect; trying again", pool.name)
            await asyncio.sleep(RETURN_SECONDS)

    async def _ask_if_missed(self, pool: Pool) -> None:
        was_missed = pool.describer.is_missed
        if was_missed:
            with contextlib.suppress(UnavailableError):
                await pool.describer.refresh()
        if was_missed and not pool.describer.is_missed and self.on_return is not None:
            await self.on_return()

    async def _watch(self, pool: Pool) -> None:
        told = _Told()
        while True:
            try:
                await self._look(pool, told)
            except HeadshotsError as error:
                _LOG.warning("what pool %s runs cannot be written down; trying again: %s", pool.name, error)
            except Exception:  # noqa: BLE001 - whatever it was, the pool has to be asked again
                _LOG.exception("asking pool %s met a defect; trying again", pool.name)
            await asyncio.sleep(self._poll_seconds)

    async def _look(self, pool: Pool, told: _Told) -> None:
        try:
            description = await pool.describer.refresh()
        except UnavailableError as error:
            if told.answers is not False:
                _LOG.warning("no generator of pool %s answers; its shots wait: %s", pool.name, error.__cause__ or error)
            told.answers = False
            self._metrics.answers(pool.name, False)
            return
        if not told.answers or told.description is None or told.description.foundation_digest != pool.digest:
            _LOG.info("pool %s runs %s, digest %s", pool.name, description.foundation, description.foundation_digest)
            self._tell_twins(pool, description)
        told.answers, told.description = True, description
        self._metrics.answers(pool.name, True)
        now = time.monotonic()
        if description != told.written or now - told.written_at > _WRITE_AGAIN_SECONDS:
            await in_write_thread(rows.remember, self._database, pool.name, description)
            told.written, told.written_at = description, now

    def _tell_twins(self, pool: Pool, description: GeneratorDescription) -> None:
        for other in self._pools.each:
            pair = frozenset((pool.name, other.name))
            if not other.describer.answers or other.digest != description.foundation_digest:
                self._twins.discard(pair)
            elif other is not pool and pair not in self._twins:
                self._twins.add(pair)
                _LOG.warning(
                    "pools %s run the same foundation, and its work goes to either: another one differs in weights or "
                    "configurations, not in headshots.yaml alone",
                    " and ".join(sorted(pair)),
                )
