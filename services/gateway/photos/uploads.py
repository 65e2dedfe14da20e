"""Writes the photos of a stream as normalised PNGs into a scratch folder, and refuses the stream at the first fault.

Nothing is written to the object store or the database before the whole stream is accepted, so a stream that breaks or
is refused leaves nothing there.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from headshots.errors import AlreadyExistsError, FieldViolation, InvalidPhotoError
from headshots.imaging.workers.pool import DecoderPool
from headshots.threads import in_thread
from services.gateway.api.labels import Labelling
from services.gateway.photos.limits import check_size
from services.gateway.photos.streams import (
    PhotoStart,
    StreamLimiter,
    StreamLimits,
    StreamPart,
    filename_suffix,
    read_photos,
    stream_error,
)


@dataclass(frozen=True)
class SpooledPhoto:
    """An accepted photo, its normalised PNG in a scratch file."""

    number: int
    filename: str
    size_bytes: int
    sha256: str
    png_sha256: str
    width_px: int
    height_px: int
    path: Path
    labelling: Labelling = field(default_factory=Labelling)


async def spool(
    limiter: StreamLimiter, decoders: DecoderPool, parts: AsyncIterator[StreamPart], folder: Path
) -> list[SpooledPhoto]:
    """Writes all photos of a stream whose header has been read already into `folder`.

    Raises:
        InvalidArgumentError: NO_PHOTOS, TOO_MANY_PHOTOS, UPLOAD_MALFORMED or UPLOAD_INCOMPLETE.
        InvalidPhotoError: as `DecoderPool.normalise`, and as `check_size` before any byte is sent; metadata `photo`
            holds the photo's number from 0.
        AlreadyExistsError: PHOTO_DUPLICATE, the stream has the same picture twice.
    """
    photos: list[SpooledPhoto] = []
    async for number, start, body in read_photos(parts):
        photos.append(await _accept(limiter.limits, decoders, number, start, body, folder, photos))
        # Or it would be in memory until the next one has come in whole.
        del body
    if not photos:
        raise stream_error("NO_PHOTOS", "the stream carries no photo; send 1 to 100")
    return photos


async def _accept(
    limits: StreamLimits,
    decoders: DecoderPool,
    number: int,
    start: PhotoStart,
    body: bytearray,
    folder: Path,
    earlier: list[SpooledPhoto],
) -> SpooledPhoto:
    try:
        check_size(start.size_bytes)
        sha256 = await in_thread(_sha256, body)
        for other in earlier:
            if other.sha256 == sha256:
                raise _repeated(number, start.filename, other)
        decoded = await decoders.normalise(body, limits.photo)
    except InvalidPhotoError as error:
        raise _with_number(error, number, start.filename) from error
    for other in earlier:
        if other.png_sha256 == decoded.png_sha256:
            raise _repeated(number, start.filename, other)
    path = folder / f"{number}.png"
    await in_thread(path.write_bytes, decoded.png)
    return SpooledPhoto(
        number=number,
        filename=start.filename,
        size_bytes=len(body),
        sha256=decoded.sha256,
        png_sha256=decoded.png_sha256,
        width_px=decoded.width,
        height_px=decoded.height,
        path=path,
        labelling=start.labelling,
    )


def _sha256(body: bytearray) -> str:
    return hashlib.sha256(body).hexdigest()


def _repeated(number: int, filename: str, earlier: SpooledPhoto) -> AlreadyExistsError:
    original = f"photos[{earlier.number}]{filename_suffix(earlier.filename)} of this stream"
    return duplicate_photo(number, filename, original)


def duplicate_photo(number: int, filename: str, original: str) -> AlreadyExistsError:
    """The picture, which may come in another file format, is the same as `original`."""
    message = f"photos[{number}]{filename_suffix(filename)} is the same picture as {original}; leave it out"
    return AlreadyExistsError(
        "PHOTO_DUPLICATE",
        message,
        metadata={"photo": str(number)},
        violations=[FieldViolation(f"photos[{number}]", message)],
    )


def _with_number(error: InvalidPhotoError, number: int, filename: str) -> InvalidPhotoError:
    return InvalidPhotoError(
        error.reason,
        f"photos[{number}]{filename_suffix(filename)}: {error.message}",
        metadata={"photo": str(number)},
        violations=[FieldViolation(f"photos[{number}]", error.message)],
    )
