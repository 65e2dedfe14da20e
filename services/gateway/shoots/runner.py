"""Takes shoots further whenever their training or their gallery has changed, whichever gateway saw it."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from sqlalchemy.engine import Engine

from headshots.pauses import pause
from headshots.telemetry.origins import resumed
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.events.hub import Hub
from services.gateway.metrics import GatewayMetrics
from services.gateway.retention.waiting import WorkClock
from services.gateway.shoots.advancing import Standing, advance, standings
from services.gateway.shoots.models import Shoot

_LOG = logging.getLogger(__name__)


class Wakeable(Protocol):
    """Somebody who looks for new work."""

    def wake(self) -> None:
        """Looks at once."""
        ...


class ShootRunner:
    """Works from `run` until it is cancelled, which loses nothing at any point: the rows tell what is next.

    Several gateways may run the same shoot, see `advancing`.
    """

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        metrics: GatewayMetrics,
        painters: Wakeable,
        clock: WorkClock,
        *,
        poll_seconds: float,
    ) -> None:
        """`painters` are woken when a gallery was queued."""
        self._engine = engine
        self._hub = hub
        self._metrics = metrics
        self._painters = painters
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._seen: dict[str, Standing] = {}
        """What each shoot was last advanced with."""
        self._topics: set[str] = set()
        """Trainings and galleries of shoots that have not ended."""
        hub.listen(self._heard)

    def wake(self) -> None:
        """Reads the table at once: a shoot was created or is to be cancelled."""
        self._woken.set()

    def _heard(self, topic: str) -> None:
        """Changes of this process are told by the hub; those of others the next poll finds."""
        if topic in self._topics:
            self._woken.set()

    async def run(self) -> None:
        """Looks every `poll_seconds`, and when it is woken."""
        while True:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - whatever it was, shoots have to go on
                _LOG.exception("cannot read the shoots under way; trying again")
            await pause(self._woken, self._poll_seconds)
            self._woken.clear()

    async def _look(self) -> None:
        found = {each.shoot_id: each for each in await in_read_thread(standings, self._engine)}
        self._topics = {topic for each in found.values() for topic in (each.training_id, each.gallery_id) if topic}
        self._seen = {key: seen for key, seen in self._seen.items() if key in found}
        for shoot_id, standing in found.items():
            if self._seen.get(shoot_id) != standing:
                try:
                    # What it makes is of the call that ordered the shoot, too.
                    with resumed(standing.origin):
                        await self._advance(standing)
                except Exception:  # noqa: BLE001 - one shoot's defect holds up no other
                    _LOG.exception("shoot %s cannot go on; trying again", shoot_id)

    async def _advance(self, standing: Standing) -> None:
        by_clock = await self._clock.is_trusted()
        shoot = await in_write_thread(advance, self._engine, standing.shoot_id, by_clock=by_clock)
        # One that waits for the clock has changed nothing that would tell when to try again.
        if by_clock:
            self._seen[standing.shoot_id] = standing
        if shoot is None:
            return
        # Its own revision is another now, and maybe it has a gallery: look again.
        self._woken.set()
        self._hub.changed(shoot.id)
        if shoot.gallery_id != standing.gallery_id:
            self._painters.wake()
        if shoot.is_terminal:
            self._count(shoot)

    def _count(self, shoot: Shoot) -> None:
        assert shoot.ended_at is not None, "it has ended"
        self._metrics.shoots.ended(
            shoot.state, shoot.progress.guarantee or "none", seconds=shoot.ended_at - shoot.created_at
        )
