"""The client's stream of photos -> normalised files in a scratch folder, in order; refuses at the first fault.

Nothing reaches the object store or the database before the whole stream has been accepted, so a stream that is cut or
refused leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import (
    AlreadyExistsError,
    DeadlineExceededError,
    FieldViolation,
    HeadshotsError,
    InvalidArgumentError,
    InvalidPhotoError,
    ResourceExhaustedError,
)
from headshots.imaging import PhotoLimits, decode_photo
from headshots.threads import in_thread
from services.gateway.models import MAX_PHOTOS

_BUSY_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class UploadLimits:
    """What a stream may be, and how many at once."""

    photo: PhotoLimits
    decoders: int
    at_once: int
    idle_seconds: float


@dataclass(frozen=True)
class UploadHeader:
    """Opens a stream."""

    subject_id: str


@dataclass(frozen=True)
class UploadStart:
    """Opens a photo; `size_bytes` of chunks follow."""

    filename: str
    size_bytes: int


UploadPart = UploadHeader | UploadStart | bytes


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


class Spooler:
    """Checks and decodes photos one by one. At most one upload (20 MiB) a stream is held in memory.

    Streams and decoders are counted over all callers, so one engine has one spooler.
    """

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        # Decoding is what takes memory, far more than the upload itself.
        self._decoders = asyncio.Semaphore(limits.decoders)
        self._streams = 0

    @contextlib.contextmanager
    def stream(self) -> Iterator[None]:
        """A place for one stream.

        Raises:
            ResourceExhaustedError: UPLOADS_BUSY.
        """
        if self._streams >= self._limits.at_once:
            raise ResourceExhaustedError(
                "UPLOADS_BUSY",
                f"{self._streams} uploads are under way already; send the stream again in a few seconds",
                retry_after_seconds=_BUSY_RETRY_SECONDS,
            )
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def steady(self, parts: AsyncIterator[UploadPart]) -> AsyncIterator[UploadPart]:
        """The parts, as long as they keep coming; the time that we take for each does not count.

        Raises:
            DeadlineExceededError: UPLOAD_IDLE.
        """
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    part = await anext(parts, None)
            except TimeoutError as error:
                raise DeadlineExceededError(
                    "UPLOAD_IDLE",
                    f"nothing came for {self._limits.idle_seconds:g} s; nothing was kept, send the stream again",
                ) from error
            if part is None:
                return
            yield part

    async def spool(self, parts: AsyncIterator[UploadPart], folder: Path) -> list[SpooledPhoto]:
        """All photos of a stream whose header has been read already.

        Raises:
            InvalidArgumentError: NO_PHOTOS, TOO_MANY_PHOTOS, UPLOAD_MALFORMED or UPLOAD_INCOMPLETE.
            InvalidPhotoError: as `decode_photo`; metadata `photo` holds the photo's number from 0.
            AlreadyExistsError: PHOTO_DUPLICATE, twice the same picture in the stream.
        """
        photos: list[SpooledPhoto] = []
        current: UploadStart | None = None
        body = bytearray()
        async for part in parts:
            if isinstance(part, UploadStart) and current is None:
                if len(photos) == MAX_PHOTOS:
                    raise _malformed("TOO_MANY_PHOTOS", f"a stream carries at most {MAX_PHOTOS} photos; send fewer")
                current = part
            elif isinstance(part, bytes) and current is not None:
                body += part
                if len(body) >= current.size_bytes:
                    photos.append(await self._accept(len(photos), current, bytes(body), folder, photos))
                    current, body = None, bytearray()
            else:
                raise _out_of_order(part, len(photos), current, len(body))
        if current is not None:
            raise _incomplete(len(photos), current, len(body))
        if not photos:
            raise _malformed("NO_PHOTOS", "the stream carries no photo; send 1 to 100")
        return photos

    async def _accept(
        self, number: int, start: UploadStart, body: bytes, folder: Path, earlier: list[SpooledPhoto]
    ) -> SpooledPhoto:
        if len(body) > start.size_bytes:
            raise _malformed(
                "UPLOAD_MALFORMED",
                f"photos[{number}] has more bytes than its size_bytes of {start.size_bytes}; announce its true size",
                number,
            )
        sha256 = await in_thread(_sha256, body)
        for other in earlier:
            if other.sha256 == sha256:
                raise duplicate(number, start.filename, f"photos[{other.number}] of this stream")
        try:
            async with self._decoders:
                photo = await in_thread(self._decode, number, start, body, folder)
        except InvalidPhotoError as error:
            raise _located(error, number, start.filename) from error
        for other in earlier:
            if other.png_sha256 == photo.png_sha256:
                raise duplicate(number, start.filename, f"photos[{other.number}] of this stream")
        return photo

    def _decode(self, number: int, start: UploadStart, body: bytes, folder: Path) -> SpooledPhoto:
        photo = decode_photo(body, self._limits.photo)
        path = folder / f"{number}.png"
        path.write_bytes(photo.png)
        return SpooledPhoto(
            number=number,
            filename=start.filename,
            size_bytes=len(body),
            sha256=photo.sha256,
            png_sha256=photo.png_sha256,
            width_px=photo.width,
            height_px=photo.height,
            path=path,
        )


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def read_header(parts: AsyncIterator[UploadPart]) -> UploadHeader:
    """The first message of a stream.

    Raises:
        InvalidArgumentError: UPLOAD_MALFORMED.
    """
    first = await anext(parts, None)
    if not isinstance(first, UploadHeader):
        raise _malformed("UPLOAD_MALFORMED", "a stream begins with a header that names the subject")
    return first


def duplicate(number: int, filename: str, original: str) -> AlreadyExistsError:
    """The picture is there already, whatever file it came in."""
    message = f"photos[{number}]{_called(filename)} is the same picture as {original}; leave it out"
    return AlreadyExistsError(
        "PHOTO_DUPLICATE",
        message,
        metadata={"photo": str(number)},
        violations=[FieldViolation(f"photos[{number}]", message)],
    )


def _called(filename: str) -> str:
    return f" ({filename})" if filename else ""


def _located(error: InvalidPhotoError, number: int, filename: str) -> InvalidPhotoError:
    return InvalidPhotoError(
        error.reason,
        f"photos[{number}]{_called(filename)}: {error.message}",
        metadata={"photo": str(number)},
        violations=[FieldViolation(f"photos[{number}]", error.message)],
    )


def _malformed(reason: str, message: str, number: int | None = None) -> InvalidArgumentError:
    field = "photos" if number is None else f"photos[{number}]"
    metadata = {} if number is None else {"photo": str(number)}
    return InvalidArgumentError(reason, message, metadata=metadata, violations=[FieldViolation(field, message)])


def _incomplete(number: int, start: UploadStart, received: int) -> InvalidArgumentError:
    return _malformed(
        "UPLOAD_INCOMPLETE",
        f"photos[{number}]{_called(start.filename)} stopped after {received} of {start.size_bytes} bytes; "
        "nothing was kept, send the stream again",
        number,
    )


def _out_of_order(part: UploadPart, number: int, current: UploadStart | None, received: int) -> HeadshotsError:
    if isinstance(part, UploadHeader):
        return _malformed("UPLOAD_MALFORMED", "a stream has one header, as its first message", number)
    if isinstance(part, UploadStart) and current is not None:
        return _incomplete(number, current, received)
    return _malformed("UPLOAD_MALFORMED", "a chunk came before the photo that it belongs to was started", number)
