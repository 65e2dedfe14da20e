"""Stores, inspects, labels, lists and erases photos for the servicer; blocking work runs in threads."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.imaging.workers.pool import DecoderPool
from headshots.threads import in_erase_thread, in_read_thread, in_thread, in_write_thread
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.metrics import GatewayMetrics
from services.gateway.photos import rows
from services.gateway.photos.inspector import InspectionReport, Inspector
from services.gateway.photos.models import Photo
from services.gateway.photos.removing import LearnsFrom, delete_photo
from services.gateway.photos.storing import store_photos
from services.gateway.photos.streams import StreamLimiter, StreamPart, read_header
from services.gateway.photos.uploads import spool
from services.gateway.tenants.ownership import check_subject


class PhotoEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        limiter: StreamLimiter,
        decoders: DecoderPool,
        inspector: Inspector,
        metrics: GatewayMetrics,
        learns_from: LearnsFrom,
    ) -> None:
        self._database = database
        self._store = store
        self._limiter = limiter
        self._decoders = decoders
        self._inspector = inspector
        self._metrics = metrics
        self._learns_from = learns_from

    async def upload(self, tenant: str, parts: AsyncIterator[StreamPart]) -> list[Photo]:
        """Stores the photos of one stream, all or none. Raises as `StreamLimiter`, `spool` and
        `storing.store_photos`."""
        status = "cut"
        try:
            with self._limiter.admit(tenant):
                stored = await self._receive(tenant, self._limiter.paced(parts))
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
        await in_read_thread(check_subject, self._database, tenant, header.subject_id)
        with tempfile.TemporaryDirectory(prefix="headshots-upload-") as folder:
            spooled = await spool(self._limiter, self._decoders, parts, Path(folder))
            return await in_thread(store_photos, self._database, self._store, tenant, header.subject_id, spooled)

    async def inspect(self, tenant: str, parts: AsyncIterator[StreamPart]) -> InspectionReport:
        """See `Inspector.inspect`."""
        report = await self._inspector.inspect(tenant, parts)
        for finding in (
            *report.findings,
            *report.reviews,
            *(each for photo in report.photos for each in photo.findings),
        ):
            self._metrics.findings.labels(finding.reason).inc()
        self._metrics.inspections.labels("not_ready" if report.findings else "ready").inc()
        return report

    async def page(
        self, tenant: str, subject_id: str, wanted: Labelling, size: int, token: str
    ) -> tuple[list[Photo], str]:
        """See `rows.list_photos`."""
        return await in_read_thread(rows.list_photos, self._database, tenant, subject_id, wanted, size, token)

    async def label(self, tenant: str, subject_id: str, photo_id: str, change: LabellingChange) -> Photo:
        """See `rows.label_photo`."""
        return await in_write_thread(rows.label_photo, self._database, tenant, subject_id, photo_id, change)

    async def delete(self, tenant: str, subject_id: str, photo_id: str) -> None:
        """See `removing.delete_photo`."""
        await in_erase_thread(
            delete_photo, self._database, self._store, tenant, subject_id, photo_id, self._learns_from
        )
