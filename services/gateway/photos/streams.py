"""Reads clients' streams of photos, and limits how many there are at once, how slow they are and how long they take."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from headshots.errors import (
    FieldViolation,
    HeadshotsError,
    InvalidArgumentError,
    ResourceExhaustedError,
)
from headshots.imaging import PhotoLimits
from headshots.threads import in_thread
from services.gateway.api.labels import Labelling
from services.gateway.photos.limits import MAX_PHOTO_BYTES, MAX_PHOTOS
from services.gateway.photos.pace import Pace

_BUSY_RETRY_SECONDS = 5.0
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class StreamLimits:
    """Limits of the streams of photos."""

    photo: PhotoLimits
    measuring: int
    """Decoded photos that an analyzer looks at at once."""
    at_once: int
    """Streams at once."""
    at_once_per_tenant: int
    """Streams of one tenant at once."""
    idle_seconds: float
    """A stream that is silent for so long is ended."""
    bytes_per_second: float
    """A stream that is slower is ended: see `Pace`."""
    total_seconds: float
    """A stream that takes longer is ended, however it goes on."""

    @property
    def stored_photo(self) -> PhotoLimits:
        """Limits of a file in our own store: any number of bytes, at most 4 times the pixels of a stored photo."""
        return PhotoLimits(
            max_bytes=2**31, max_pixels=4 * self.photo.max_side_px**2, min_side_px=1, max_aspect=math.inf
        )


@dataclass(frozen=True)
class StreamHeader:
    """Opens a stream."""

    subject_id: str
    """Empty in an inspection of candidates alone."""


@dataclass(frozen=True)
class PhotoStart:
    """Opens a photo; chunks of `size_bytes` together follow where `has_body`."""

    filename: str
    size_bytes: int
    labelling: Labelling = field(default_factory=Labelling)

    @property
    def has_body(self) -> bool:
        """Whether the photo's bytes are sent. An empty or too large photo, which only inspections take, has none."""
        return 0 < self.size_bytes <= MAX_PHOTO_BYTES


StreamPart = StreamHeader | PhotoStart | bytes


class StreamLimiter:
    """Limits streams over all callers; a gateway has one. A stream holds at most one photo's bytes (20 MiB)."""

    def __init__(self, limits: StreamLimits) -> None:
        self.limits = limits
        self._measuring = asyncio.Semaphore(limits.measuring)
        self._streams: Counter[str] = Counter()

    @contextlib.contextmanager
    def admit(self, tenant: str) -> Iterator[None]:
        """Counts one stream of a tenant for as long as the block runs.

        Raises:
            ResourceExhaustedError: UPLOADS_BUSY.
        """
        if self._streams[tenant] >= self.limits.at_once_per_tenant:
            raise _busy(f"{self._streams[tenant]} of your photo streams are under way already")
        if self._streams.total() >= self.limits.at_once:
            raise _busy(f"{self._streams.total()} photo streams are under way already")
        self._streams[tenant] += 1
        try:
            yield
        finally:
            self._streams[tenant] -= 1
            # Tenants come and go; those without a stream are forgotten.
            self._streams += Counter()

    async def paced(self, parts: AsyncIterator[StreamPart]) -> AsyncIterator[StreamPart]:
        """Yields the parts until the client is silent, too slow or takes too long.

        For silence and slowness the time that the caller takes does not count: then the client waits for us.

        Raises:
            DeadlineExceededError: UPLOAD_IDLE, UPLOAD_TOO_SLOW.
        """
        limits = self.limits
        pace = Pace(limits.idle_seconds, limits.bytes_per_second, limits.total_seconds)
        while True:
            part = await pace.wait(anext(parts, None))
            if part is None:
                return
            if isinstance(part, bytes):
                pace.received += len(part)
            yield part

    async def measure(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs `work`, which looks at a decoded photo, in a thread; at most `limits.measuring` run at once."""
        async with self._measuring:
            return await in_thread(work, *args, **kwargs)


async def read_header(parts: AsyncIterator[StreamPart]) -> StreamHeader:
    """The first message of a stream.

    Raises:
        InvalidArgumentError: UPLOAD_MALFORMED.
    """
    first = await anext(parts, None)
    if not isinstance(first, StreamHeader):
        raise stream_error("UPLOAD_MALFORMED", "a stream begins with a header")
    return first


async def read_photos(parts: AsyncIterator[StreamPart]) -> AsyncIterator[tuple[int, PhotoStart, bytearray]]:
    """Yields number, start and bytes of each photo of a stream whose header has been read already.

    Raises:
        InvalidArgumentError: TOO_MANY_PHOTOS, UPLOAD_MALFORMED or UPLOAD_INCOMPLETE.
    """
    number = 0
    current: PhotoStart | None = None
    body = bytearray()
    async for part in parts:
        if isinstance(part, PhotoStart) and current is None:
            if number == MAX_PHOTOS:
                raise stream_error("TOO_MANY_PHOTOS", f"a stream carries at most {MAX_PHOTOS} photos; send fewer")
            current = part
        elif isinstance(part, bytes) and current is not None:
            body += part
            if len(body) > current.size_bytes:
                raise _too_long(number, current)
        else:
            raise _out_of_order(part, number, current, len(body))
        if not current.has_body or len(body) == current.size_bytes:
            # Handed over, not copied: a photo is in memory once.
            whole, body = body, bytearray()
            yield number, current, whole
            del whole
            number, current = number + 1, None
    if current is not None:
        raise _incomplete(number, current, len(body))


def stream_error(reason: str, message: str, number: int | None = None) -> InvalidArgumentError:
    """The stream itself is wrong, whatever its photos show; `number` is that of the photo where it is."""
    field = "photos" if number is None else f"photos[{number}]"
    metadata = {} if number is None else {"photo": str(number)}
    return InvalidArgumentError(reason, message, metadata=metadata, violations=[FieldViolation(field, message)])


def filename_suffix(filename: str) -> str:
    """The file's name in parentheses, to follow the photo's number; empty where there is no name."""
    return f" ({filename})" if filename else ""


def _busy(why: str) -> ResourceExhaustedError:
    return ResourceExhaustedError(
        "UPLOADS_BUSY", f"{why}; send the stream again in a few seconds", retry_after_seconds=_BUSY_RETRY_SECONDS
    )


def _too_long(number: int, start: PhotoStart) -> InvalidArgumentError:
    return stream_error(
        "UPLOAD_MALFORMED",
        f"photos[{number}]{filename_suffix(start.filename)} has more bytes than its size_bytes of {start.size_bytes}; "
        "announce its true size",
        number,
    )


def _incomplete(number: int, start: PhotoStart, received: int) -> InvalidArgumentError:
    return stream_error(
        "UPLOAD_INCOMPLETE",
        f"photos[{number}]{filename_suffix(start.filename)} stopped after {received} of {start.size_bytes} bytes; "
        "nothing was kept, send the stream again",
        number,
    )


def _out_of_order(part: StreamPart, number: int, current: PhotoStart | None, received: int) -> HeadshotsError:
    if isinstance(part, StreamHeader):
        return stream_error("UPLOAD_MALFORMED", "a stream has one header, as its first message", number)
    if isinstance(part, PhotoStart) and current is not None:
        return _incomplete(number, current, received)
    return stream_error("UPLOAD_MALFORMED", "a chunk came before the photo that it belongs to was started", number)
