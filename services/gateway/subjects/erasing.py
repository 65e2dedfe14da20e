"""Puts together what erases subjects: on request, when their time has come, and when they came back from a backup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from services.gateway.erasures.issuing import Issuer
from services.gateway.erasures.log import DEFAULT_KEEP_DAYS, ErasureLog
from services.gateway.galleries.engine import ShotWorkers
from services.gateway.metrics import GatewayMetrics
from services.gateway.peers.interfaces import Generator
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.expiring import Expiring
from services.gateway.subjects.parts import PartSweep
from services.gateway.subjects.replaying import Replaying


@dataclass(frozen=True)
class ErasingSettings:
    """How a gateway erases."""

    sweep_seconds: float
    """Between two attempts to complete erasures, and two looks for expired subjects."""
    log_url: str | None = None
    """The store of the log of erasures; None: that of the objects."""
    log_keep_days: int = DEFAULT_KEEP_DAYS

    def open_log(self, store: ArtifactStore) -> ErasureLog:
        """The log of erasures. Raises STORE_URL_INVALID."""
        return ErasureLog(
            store if self.log_url is None else ArtifactStore.open(self.log_url), keep_days=self.log_keep_days
        )


class Erasing:
    """The parts of a gateway that erase."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        generator: Generator,
        painters: ShotWorkers,
        metrics: GatewayMetrics,
        issuer: Issuer,
        settings: ErasingSettings,
        *,
        owner: str,
        forget: Callable[[str], None],
    ) -> None:
        """`owner`: this process's name in leases. `forget` drops what it has cached of a subject.

        Raises:
            InvalidArgumentError: STORE_URL_INVALID.
        """
        seconds, log = settings.sweep_seconds, settings.open_log(store)
        self.eraser = Eraser(database, store, generator, issuer, sweep_seconds=seconds, log=log, forget=forget)
        self._replaying = Replaying(database, store, log, issuer, unreadable=metrics.unreadable_receipts.set)
        parts = PartSweep(database, store, generator, owner=owner)
        done_by = self.eraser, parts, painters, metrics
        self._expiring = Expiring(database, *done_by, owner=owner, sweep_seconds=seconds)
        self.loops = (self.eraser, self._expiring, self._replaying)

    async def begin(self) -> None:
        """What has to be done before anybody is served: who came back is hidden, interrupted erasures are finished."""
        await self._replaying.read_first()
        await self._expiring.begin()
        await self.eraser.sweep(completing=False)
