"""Reads the file of a stream, asks its layers in a decoding process, and looks up what its mark stands for."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.engine import Engine

from headshots.imaging.workers.pool import DecoderPool
from headshots.marking.verification import ANSWER, Verification, is_mark_id, read_answer
from headshots.threads import in_read_thread
from services.gateway.api.names import image_name
from services.gateway.audit.log import AuditLog
from services.gateway.audit.models import Action
from services.gateway.photos.streams import StreamLimiter, StreamPart, read_photos, stream_error
from services.gateway.verification.models import Origin, Registered
from services.gateway.verification.rows import look_up

_MIN_SIDE_PX, _MAX_ASPECT = 8, 16.0


class VerificationEngine:
    """Verifies one stream at a call, which counts as one of photos: it takes as much."""

    def __init__(
        self, database: Engine, limiter: StreamLimiter, decoders: DecoderPool, audit: AuditLog, authority_file: Path
    ) -> None:
        """``authority_file``: PEM of the authorities that are trusted; there may be none yet."""
        self._database = database
        self._limiter = limiter
        self._decoders = decoders
        self._audit = audit
        self._authority_file = authority_file
        # A screenshot may be of any shape, and a thumbnail small.
        self._limits = dataclasses.replace(limiter.limits.photo, min_side_px=_MIN_SIDE_PX, max_aspect=_MAX_ASPECT)

    async def verify(self, tenant: str, parts: AsyncIterator[StreamPart]) -> Origin:
        """What the file of a stream says, and what is known here of it; keeps nothing of it.

        Raises:
            InvalidArgumentError: UPLOAD_MALFORMED, UPLOAD_INCOMPLETE.
            InvalidPhotoError: PHOTO_*, the file is no picture that can be read.
            ResourceExhaustedError: UPLOADS_BUSY.
            DeadlineExceededError: UPLOAD_IDLE, UPLOAD_TOO_SLOW.
            UnavailableError: DATABASE_UNAVAILABLE.
        """
        with self._limiter.admit(tenant):
            file = await _read_file(self._limiter.paced(parts))
            trusted = await asyncio.to_thread(self._trusted)
            said = read_answer(await self._decoders.call(ANSWER, file, self._limits, trusted=trusted))
        origin = Origin(said, await self._registered(tenant, said))
        for ids in origin.registered.images if origin.registered else ():
            self._audit.record_reading(tenant, ids[0], Action.IMAGE_VERIFIED, image_name(*ids))
        return origin

    async def _registered(self, tenant: str, said: Verification) -> Registered | None:
        """By the mark in a signature that cannot be forged, else by the watermark, which anybody could write."""
        signed = said.signature.mark_id if said.is_signed else None
        for mark_id in (signed or "", said.watermark.mark_id.hex() if said.watermark else ""):
            found = await in_read_thread(look_up, self._database, tenant, mark_id) if is_mark_id(mark_id) else None
            if found is not None:
                return found
        return None

    def _trusted(self) -> str:
        """Read anew for each call: this installation's own may be made after the gateway's start."""
        return self._authority_file.read_text() if self._authority_file.exists() else ""


async def _read_file(parts: AsyncIterator[StreamPart]) -> bytearray:
    file: bytearray | None = None
    async for _, _, body in read_photos(parts):
        if file is not None:
            raise stream_error("UPLOAD_MALFORMED", "the stream carries a second file; send one in a stream")
        file = body
    if file is None:
        raise stream_error("UPLOAD_MALFORMED", "the stream carries no file; send its start and its chunks")
    return file
