"""Inspects a subject's photos and candidates, and reports what is wrong with them before a training."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, InvalidPhotoError, UnavailableError
from headshots.faces import FaceAnalyzer
from headshots.imaging import PhotoLimits
from headshots.imaging.findings import Finding
from headshots.imaging.inspection import Measured, judge, measure
from headshots.imaging.quality import QualityLimits
from headshots.imaging.workers.pool import DecoderPool
from headshots.threads import in_read_thread, in_thread
from services.gateway.api.names import photo_name
from services.gateway.peers.pools.pools import Pools
from services.gateway.photos import rows as photo_rows
from services.gateway.photos.limits import MIN_TRAINING_PHOTOS, check_size
from services.gateway.photos.models import Photo
from services.gateway.photos.streams import StreamLimiter, StreamPart, read_header, read_photos, stream_error


@dataclass(frozen=True)
class InspectedPhoto:
    """A photo and what is wrong with it; `stored` is None for a candidate."""

    stored: Photo | None
    filename: str
    width_px: int
    height_px: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class InspectionReport:
    """The subject's stored photos, then the candidates.

    `findings` are those of the whole set; `analyzer` is empty where there is none. `reviews` are what somebody should
    look at, and keep nothing from a training.
    """

    photos: tuple[InspectedPhoto, ...]
    findings: tuple[Finding, ...]
    analyzer: str
    reviews: tuple[Finding, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the stored photos."""
        stored = (inspected.stored for inspected in self.photos)
        return [photo_name(photo.subject_id, photo.sha256) for photo in stored if photo is not None]


class Inspector:
    """Inspects one stream of photos at a call. Only the picture that is being measured is in memory."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        limiter: StreamLimiter,
        decoders: DecoderPool,
        pools: Pools,
        analyzer: FaceAnalyzer | None,
        minors: str = "review",
    ) -> None:
        self._database = database
        self._store = store
        self._limiter = limiter
        self._decoders = decoders
        self._pools = pools
        self._analyzer = analyzer
        self._minors = minors

    @property
    def refuses_minors(self) -> bool:
        """Whether photos of who may be a minor must not be trained on."""
        return self._analyzer is not None and self._minors == "refuse"

    async def check_adult(self, tenant: str, subject_id: str) -> InspectionReport:
        """`inspect_stored`, unless this installation refuses to train on the photos because of the person's age.

        Raises as `inspect_stored`, and FailedPreconditionError POSSIBLY_MINOR.
        """
        report = await self.inspect_stored(tenant, subject_id)
        for finding in report.findings:
            if finding.reason == "POSSIBLY_MINOR":
                raise FailedPreconditionError("POSSIBLY_MINOR", finding.message)
        return report

    async def inspect(self, tenant: str, parts: AsyncIterator[StreamPart]) -> InspectionReport:
        """Inspects the photos of the subject that the stream's header names, then the photos that it carries.

        Raises:
            NotFoundError: SUBJECT_NOT_FOUND.
            InvalidArgumentError: NO_PHOTOS, TOO_MANY_PHOTOS, UPLOAD_MALFORMED, UPLOAD_INCOMPLETE.
            ResourceExhaustedError: UPLOADS_BUSY.
            DeadlineExceededError: UPLOAD_IDLE, UPLOAD_TOO_SLOW.
            UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
        """
        with self._limiter.admit(tenant):
            parts = self._limiter.paced(parts)
            header = await read_header(parts)
            stored: list[Photo | None] = []
            measured: list[Measured | Finding] = []
            filenames: list[str] = []
            if header.subject_id:
                for photo, one in await self._stored(tenant, header.subject_id):
                    measured.append(one)
                    stored.append(photo)
                    filenames.append(photo.filename)
            async for _, start, body in read_photos(parts):
                measured.append(await self._measure_candidate(start.size_bytes, body))
                stored.append(None)
                filenames.append(start.filename)
                del body
            if not header.subject_id and not measured:
                raise stream_error("NO_PHOTOS", "the stream names no subject and carries no photo; send either")
            return await self._report(stored, filenames, measured)

    async def inspect_stored(self, tenant: str, subject_id: str) -> InspectionReport:
        """Inspects the photos that the subject has; counts as one of the tenant's streams.

        Raises:
            NotFoundError: SUBJECT_NOT_FOUND.
            ResourceExhaustedError: UPLOADS_BUSY.
            UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
        """
        with self._limiter.admit(tenant):
            found = await self._stored(tenant, subject_id)
            names = [photo.filename for photo, _ in found]
            return await self._report([photo for photo, _ in found], names, [one for _, one in found])

    async def _stored(self, tenant: str, subject_id: str) -> list[tuple[Photo, Measured | Finding]]:
        known = await in_read_thread(photo_rows.all_photos, self._database, tenant, subject_id)
        return [(photo, await self._measure_stored(key)) for photo, key in known]

    async def _measure_stored(self, key: str) -> Measured | Finding:
        return await self._measure(await self._store.get(key), self._limiter.limits.stored_photo)

    async def _measure_candidate(self, size_bytes: int, body: bytearray) -> Measured | Finding:
        try:
            check_size(size_bytes)
        except InvalidPhotoError as error:
            return _undecodable(error.reason, error.message)
        # A photo that is too small is a finding of the verdict, which tells its size and what else is wrong.
        limits = dataclasses.replace(self._limiter.limits.photo, min_side_px=1)
        return await self._measure(body, limits)

    async def _measure(self, body: bytes | bytearray, limits: PhotoLimits) -> Measured | Finding:
        try:
            picture = await self._decoders.open(body, limits)
        except InvalidPhotoError as error:
            return _undecodable(error.reason, error.message)
        return await self._limiter.measure(measure, picture, self._analyzer)

    async def _report(
        self, stored: Sequence[Photo | None], filenames: list[str], measured: list[Measured | Finding]
    ) -> InspectionReport:
        limits = await self._limits(self._limiter.limits.photo)
        verdict = await in_thread(judge, measured, limits, self._analyzer, self._minors)
        inspected = tuple(
            InspectedPhoto(
                stored=photo,
                filename=filename,
                width_px=one.width_px if isinstance(one, Measured) else 0,
                height_px=one.height_px if isinstance(one, Measured) else 0,
                findings=findings,
            )
            for photo, filename, one, findings in zip(stored, filenames, measured, verdict.photos, strict=True)
        )
        analyzer = self._analyzer.name if self._analyzer else ""
        return InspectionReport(inspected, verdict.findings, analyzer, verdict.reviews)

    async def _limits(self, photo: PhotoLimits) -> QualityLimits:
        """The limits of the verdict: a photo's shorter side is at least half of the side that the foundation paints.

        Where no generator answers, the default side is taken.
        """
        limits = QualityLimits(min_photos=MIN_TRAINING_PHOTOS)
        side_px = limits.min_side_px
        with contextlib.suppress(UnavailableError):
            side_px = (await self._pools.describe()).native_side_px // 2
        return dataclasses.replace(limits, min_side_px=max(side_px, photo.min_side_px))


def _undecodable(cause: str, message: str) -> Finding:
    return Finding("UNDECODABLE", message, cause=cause)
