"""What the public API does, in dataclasses: tenants' subjects, photos, trainings, galleries and styles.

The blocking work (SQL, object store, decoding) runs in threads; the loops behind it are `Reconciler`, `Painter` and
`Eraser`.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError, InvalidArgumentError, UnavailableError
from headshots.styles import StyleLibrary
from headshots.threads import in_thread
from services.gateway.events.hub import Hub
from services.gateway.events.watching import Watcher
from services.gateway.galleries import orders
from services.gateway.galleries import rows as gallery_rows
from services.gateway.metrics import GatewayMetrics
from services.gateway.models import (
    Gallery,
    GalleryOrder,
    Image,
    Photo,
    Subject,
    Tenant,
    Training,
    TrainingOptions,
)
from services.gateway.painting.pool import Painter
from services.gateway.peers.describer import Describer
from services.gateway.photos import rows as photo_rows
from services.gateway.photos.inspector import InspectionReport, Inspector
from services.gateway.photos.streams import StreamGate, StreamPart, read_header
from services.gateway.photos.uploads import spool
from services.gateway.subjects import rows as subject_rows
from services.gateway.subjects.eraser import Eraser
from services.gateway.trainings import rows as training_rows
from services.gateway.trainings.reconciler import Reconciler


class GatewayEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(
        self,
        *,
        database: Engine,
        store: ArtifactStore,
        styles: StyleLibrary,
        eraser: Eraser,
        describer: Describer,
        hub: Hub,
        reconciler: Reconciler,
        painter: Painter,
        metrics: GatewayMetrics,
        gate: StreamGate,
        inspector: Inspector,
        watcher: Watcher,
    ) -> None:
        self._database = database
        self._store = store
        self.styles = styles
        self._eraser = eraser
        self._describer = describer
        self._hub = hub
        self._reconciler = reconciler
        self._painter = painter
        self._metrics = metrics
        self._gate = gate
        self._inspector = inspector
        self.watcher = watcher

    async def get_tenant(self, tenant: str) -> Tenant:
        """The caller's tenant."""
        return await in_thread(subject_rows.get_tenant, self._database, tenant)

    async def create_subject(self, tenant: str, display_name: str, class_noun: str, request_id: str) -> Subject:
        """See `subject_rows.create_subject`."""
        return await in_thread(
            subject_rows.create_subject,
            self._database,
            tenant,
            display_name=display_name,
            class_noun=class_noun,
            request_id=request_id,
        )

    async def get_subject(self, tenant: str, subject_id: str) -> Subject:
        """See `subject_rows.get_subject`."""
        return await in_thread(subject_rows.get_subject, self._database, tenant, subject_id)

    async def list_subjects(self, tenant: str, size: int, token: str) -> tuple[list[Subject], str]:
        """See `subject_rows.list_subjects`."""
        return await in_thread(subject_rows.list_subjects, self._database, tenant, size, token)

    async def delete_subject(self, tenant: str, subject_id: str) -> int:
        """See `Eraser.delete`."""
        return await self._eraser.delete(tenant, subject_id)

    async def upload(self, tenant: str, parts: AsyncIterator[StreamPart]) -> list[Photo]:
        """Stores the photos of one stream, all or none. Raises as `StreamGate`, `spool` and `store_photos`."""
        status = "cut"
        try:
            with self._gate.stream():
                stored = await self._receive(tenant, self._gate.steady(parts))
            status = "stored"
        except HeadshotsError as error:
            status = "refused"
            self._metrics.refused_uploads.labels(error.reason).inc()
            raise
        finally:
            self._metrics.uploads.labels(status).inc()
        self._metrics.photos.inc(len(stored))
        return stored

    async def _receive(self, tenant: str, parts: AsyncIterator[StreamPart]) -> list[Photo]:
        header = await read_header(parts)
        await self.get_subject(tenant, header.subject_id)
        with tempfile.TemporaryDirectory(prefix="headshots-upload-") as folder:
            spooled = await spool(self._gate, parts, Path(folder))
            return await in_thread(
                photo_rows.store_photos, self._database, self._store, tenant, header.subject_id, spooled
            )

    async def inspect(self, tenant: str, parts: AsyncIterator[StreamPart]) -> InspectionReport:
        """See `Inspector.inspect`."""
        report = await self._inspector.inspect(tenant, parts)
        for finding in (*report.findings, *(each for photo in report.photos for each in photo.findings)):
            self._metrics.findings.labels(finding.reason).inc()
        self._metrics.inspections.labels("not_ready" if report.findings else "ready").inc()
        return report

    async def list_photos(self, tenant: str, subject_id: str, size: int, token: str) -> tuple[list[Photo], str]:
        """See `photo_rows.list_photos`."""
        return await in_thread(photo_rows.list_photos, self._database, tenant, subject_id, size, token)

    async def create_training(
        self,
        tenant: str,
        subject_id: str,
        options: TrainingOptions,
        *,
        priority: int,
        request_id: str,
        validate_only: bool,
        photos: Sequence[str] = (),
    ) -> Training:
        """Raises as `training_rows.create_training`, and InvalidArgumentError RANK_TOO_LARGE."""
        await self._check_rank(options)
        training = await in_thread(
            training_rows.create_training,
            self._database,
            tenant,
            subject_id,
            options=options,
            priority=priority,
            request_id=request_id,
            validate_only=validate_only,
            photos=photos,
        )
        self._reconciler.kick()
        return training

    async def _check_rank(self, options: TrainingOptions) -> None:
        """Better now than after minutes of training. Where no generator answers, the trainer's own check has to do."""
        if options.rank is None:
            return
        try:
            largest = (await self._describer.describe()).max_rank
        except UnavailableError:
            return
        if options.rank > largest:
            raise InvalidArgumentError(
                "RANK_TOO_LARGE", f"the generators take adapters up to rank {largest}; ask for less"
            )

    async def get_training(self, tenant: str, subject_id: str, training_id: str) -> Training:
        """See `training_rows.get_training`."""
        return await in_thread(training_rows.get_training, self._database, tenant, subject_id, training_id)

    async def list_trainings(self, tenant: str, subject_id: str, size: int, token: str) -> tuple[list[Training], str]:
        """See `training_rows.list_trainings`."""
        return await in_thread(training_rows.list_trainings, self._database, tenant, subject_id, size, token)

    async def cancel_training(self, tenant: str, subject_id: str, training_id: str) -> Training:
        """See `training_rows.request_cancel`."""
        training = await in_thread(training_rows.request_cancel, self._database, tenant, subject_id, training_id)
        self._reconciler.kick()
        self._hub.changed(training_id)
        return training

    async def create_gallery(
        self, tenant: str, subject_id: str, order: GalleryOrder, *, request_id: str, validate_only: bool
    ) -> Gallery:
        """Raises as `orders.create_gallery`."""
        gallery = await in_thread(
            orders.create_gallery,
            self._database,
            self.styles,
            tenant,
            subject_id,
            order,
            request_id=request_id,
            validate_only=validate_only,
        )
        self._painter.kick()
        return gallery

    async def get_gallery(self, tenant: str, subject_id: str, gallery_id: str, *, images: bool = True) -> Gallery:
        """See `gallery_rows.get_gallery`."""
        return await in_thread(gallery_rows.get_gallery, self._database, tenant, subject_id, gallery_id, images=images)

    async def list_galleries(self, tenant: str, subject_id: str, size: int, token: str) -> tuple[list[Gallery], str]:
        """See `gallery_rows.list_galleries`."""
        return await in_thread(gallery_rows.list_galleries, self._database, tenant, subject_id, size, token)

    async def cancel_gallery(self, tenant: str, subject_id: str, gallery_id: str) -> Gallery:
        """See `gallery_rows.request_cancel`."""
        gallery = await in_thread(gallery_rows.request_cancel, self._database, tenant, subject_id, gallery_id)
        self._painter.look_at(gallery_id)
        self._hub.changed(gallery_id)
        return gallery

    async def get_image(self, tenant: str, subject_id: str, gallery_id: str, number: int) -> tuple[Image, bytes]:
        """An image and its file. Raises as `gallery_rows.get_image`."""
        image = await in_thread(gallery_rows.get_image, self._database, tenant, subject_id, gallery_id, number)
        return image, await self._store.get(image.key)

    async def image_content(self, image: Image) -> bytes:
        """The file of an image that `watch_gallery` gave."""
        return await self._store.get(image.key)
