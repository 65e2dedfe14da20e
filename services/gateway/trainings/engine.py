"""Creates, finds, watches and cancels trainings for the servicer; blocking work runs in threads."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Sequence

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import InvalidArgumentError
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.names import training_name
from services.gateway.api.requests import IdempotencyKey
from services.gateway.audit.log import AuditLog
from services.gateway.audit.models import Action
from services.gateway.events.hub import Hub
from services.gateway.events.log import EventBatch, follow
from services.gateway.events.reads import SharedReads
from services.gateway.metrics import GatewayMetrics
from services.gateway.peers.models import GeneratorDescription, TrainingOptions
from services.gateway.peers.pools.pools import Pools
from services.gateway.photos.inspector import Inspector
from services.gateway.tenants.ownership import check_subject
from services.gateway.trainings import creating, rows
from services.gateway.trainings.files import FileKind, FilePiece, file_key, pieces
from services.gateway.trainings.models import Training
from services.gateway.trainings.reconciler import Reconciler


class TrainingEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        reconciler: Reconciler,
        pools: Pools,
        inspector: Inspector,
        hub: Hub,
        metrics: GatewayMetrics,
        reads: SharedReads,
        audit: AuditLog,
    ) -> None:
        self._database = database
        self._store = store
        self._reconciler = reconciler
        self._pools = pools
        self._inspector = inspector
        self._hub = hub
        self._metrics = metrics
        self._reads = reads
        self._audit = audit

    async def create(
        self,
        tenant: str,
        subject_id: str,
        options: TrainingOptions,
        *,
        priority: int,
        key: IdempotencyKey,
        validate_only: bool,
        photos: Sequence[str] = (),
        foundation: str = "",
        labelling: Labelling,
    ) -> Training:
        """`foundation`: a digest, or empty. Raises as `creating.create_training`, `Inspector.check_adult` and
        `Pools.training_place`, and InvalidArgumentError RANK_TOO_LARGE."""
        place = await self._pools.training_place(foundation)
        _check_rank(options, place.described)
        create = functools.partial(
            creating.create_training,
            self._database,
            tenant,
            subject_id,
            options=options,
            priority=priority,
            key=key,
            place=place,
            labelling=labelling,
        )
        if self._inspector.refuses_minors:
            if made := await in_read_thread(creating.look_up, self._database, tenant, subject_id, key):
                return made
            # All else first: nobody's face is looked at without their consent.
            await in_write_thread(create, photos=photos, validate_only=True)
            report = await self._inspector.check_adult(tenant, subject_id)
            # None that came meanwhile.
            photos = photos or report.names
        training = await in_write_thread(create, photos=photos, validate_only=validate_only)
        self._reconciler.wake()
        return training

    async def get(self, tenant: str, subject_id: str, training_id: str) -> Training:
        """See `rows.get_training`."""
        return await in_read_thread(rows.get_training, self._database, tenant, subject_id, training_id)

    async def download(
        self, tenant: str, subject_id: str, training_id: str, kind: FileKind
    ) -> AsyncIterator[FilePiece]:
        """Yields the pieces of a file, until its subject is hidden or its time has come.

        Raises as `rows.get_downloadable`, `files.file_key` and `files.pieces`.
        """
        training = await in_read_thread(rows.get_downloadable, self._database, tenant, subject_id, training_id)
        async for piece in pieces(self._store, file_key(training, kind)):
            if piece.is_first:
                name = training_name(subject_id, training_id)
                self._audit.record_reading(tenant, subject_id, Action.TRAINING_FILE_READ, name)
            else:
                # Whoever reads slowly would else go on until the object is gone.
                await in_read_thread(check_subject, self._database, tenant, subject_id)
            yield piece

    async def page(
        self, tenant: str, subject_id: str, wanted: Labelling, size: int, token: str
    ) -> tuple[list[Training], str]:
        """See `rows.list_trainings`."""
        return await in_read_thread(rows.list_trainings, self._database, tenant, subject_id, wanted, size, token)

    async def cancel(self, tenant: str, subject_id: str, training_id: str) -> Training:
        """See `rows.request_cancel`."""
        training = await in_write_thread(rows.request_cancel, self._database, tenant, subject_id, training_id)
        self._reconciler.wake()
        self._hub.changed(training_id)
        return training

    async def watch(
        self, tenant: str, subject_id: str, training_id: str, *, after: int | None = None
    ) -> AsyncIterator[Training]:
        """Yields the training, or its events after number `after`, then every event. Raises as `rows.read_events`."""

        def read_after(seen: int | None) -> Awaitable[EventBatch[Training]]:
            return self._reads.read(rows.read_events, self._database, tenant, subject_id, training_id, seen)

        with (
            self._hub.subscribe(training_id, kind="training") as subscription,
            self._metrics.watching("training"),
        ):
            async with contextlib.aclosing(follow(subscription, read_after, after)) as events:  # type: ignore[type-var]
                async for training in events:
                    yield training


def _check_rank(options: TrainingOptions, described: GeneratorDescription | None) -> None:
    """Refuses a rank that no generator takes, before it is trained."""
    if options.rank is not None and described is not None and options.rank > described.max_rank:
        raise InvalidArgumentError(
            "RANK_TOO_LARGE", f"the generators take adapters up to rank {described.max_rank}; ask for less"
        )
