"""Removes what of subjects goes before them, whichever gateways run, under leases of rows of `terms`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import forget_deleted, write
from headshots.errors import HeadshotsError, UnavailableError
from headshots.leases import Lease, LeaseLostError
from headshots.threads import in_erase_thread, in_write_thread
from services.gateway.erasures.tombstones import today
from services.gateway.galleries import rows as gallery_rows
from services.gateway.galleries.removing import remove_images
from services.gateway.peers.interfaces import Generator
from services.gateway.photos.removing import remove_expired
from services.gateway.retention import terms
from services.gateway.retention.rows import is_held
from services.gateway.retention.terms import Part, Term
from services.gateway.shoots import rows as shoot_rows
from services.gateway.subjects import rows
from services.gateway.tenants.ownership import lock_subject
from services.gateway.trainings import rows as training_rows
from services.gateway.trainings.removing import remove_adapter

_LOG = logging.getLogger(__name__)
_LEASE_SECONDS = 60.0
"""After so long another gateway removes what a lost one was about to, and what a job needed is looked at again."""


@dataclass(frozen=True)
class Removed:
    """What became of a part that was removed."""

    again_at: float | None = None
    """When further photos are due."""
    adapter_sha256: str | None = None
    """Of an adapter that generators have to forget."""


class PartSweep:
    """Removes what is due. What a job of its subject needs, or a hold keeps, waits."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        generator: Generator,
        *,
        owner: str,
        lease_seconds: float = _LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._store = store
        self._generator = generator
        self._owner = owner
        self._lease_seconds = lease_seconds

    async def sweep(self, trusts_clock: Callable[[], Awaitable[bool]]) -> None:
        """Removes all that is due. What a store refuses is tried again when its lease has run out.

        `trusts_clock` is asked after each lease: by a clock that jumped nothing is due.

        Raises:
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        while (lease := await in_write_thread(self._claim)) is not None:
            if not await trusts_clock():
                await in_write_thread(terms.give_back, self._database, lease)
                return
            try:
                await self._remove(lease)
            except LeaseLostError as error:
                _LOG.warning("what is due is removed by another gateway: %s", error)
            except UnavailableError as error:
                _LOG.warning("%s is due and not removed yet; trying again: %s", lease.id, error)
            except Exception:  # noqa: BLE001 - one subject's defect holds up no other
                _LOG.exception("%s is due and cannot be removed; trying again", lease.id)

    async def _remove(self, lease: Lease) -> None:
        removed = await in_erase_thread(remove, self._database, self._store, lease)
        if removed is None or removed.adapter_sha256 is None:
            return
        try:
            await self._generator.evict(removed.adapter_sha256)
        except HeadshotsError as error:
            _LOG.warning("a generator caches %s until it reads the tombstones: %s", lease.id, error)

    def _claim(self) -> Lease | None:
        return terms.claim_due(self._database, owner=self._owner, ttl_seconds=self._lease_seconds)


def remove(engine: Engine, store: ArtifactStore, lease: Lease) -> Removed | None:
    """Removes a leased part of a subject; None where a job needs it or the subject is held.

    Objects go before the rows' deletion is committed, as those of `photos.removing`.

    Raises:
        LeaseLostError: another gateway removes it, its time was moved, or it is gone.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE; another call removes what is left.
    """
    with write(engine) as connection:
        subject_id = terms.subject_of(connection, lease)
        if subject_id is None:
            raise LeaseLostError(lease)
        lock_subject(connection, subject_id)
        term = terms.still_due(connection, lease)
        if is_held(connection, subject_id) or _is_busy(connection, subject_id):
            return None
        removed = _remove(connection, store, rows.tenant_of(connection, subject_id), term)
        terms.end(connection, lease)
        if removed.again_at is not None:
            terms.begin(connection, term.part, subject_id, term.of, removed.again_at)
    forget_deleted(engine)
    return removed


def _remove(connection: Connection, store: ArtifactStore, tenant_id: str, term: Term) -> Removed:
    of_subject = connection, store, tenant_id, term.subject_id
    match term.part:
        case Part.PHOTOS:
            return Removed(again_at=remove_expired(*of_subject))
        case Part.ADAPTER:
            return Removed(adapter_sha256=remove_adapter(*of_subject, term.of, today()))
        case Part.IMAGES:
            remove_images(*of_subject, term.of)
            return Removed()


def _is_busy(connection: Connection, subject_id: str) -> bool:
    running = (shoot_rows.active_of_subject, training_rows.unfinished_of_subject, gallery_rows.active_of_subject)
    return any(each(connection, subject_id) is not None for each in running)
