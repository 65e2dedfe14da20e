"""Reads source images: fetches them, decodes them safely, cuts them to the image's size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from headshots.artifacts import ArtifactStore
from headshots.errors import (
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    InvalidPhotoError,
    NotFoundError,
)
from headshots.imaging.decode import PhotoLimits, open_photo
from services.generator.requests.inset import Inset
from services.generator.requests.mixing import Pixels, Shares, cut, mixed
from services.generator.requests.request import Picture, Source, StoredPicture

PICTURE_FIELD, MASK_FIELD = "source.picture", "source.mask"
"""How errors name the two."""
LIMITS = PhotoLimits(max_bytes=20 * 2**20, max_pixels=64_000_000, min_side_px=8, max_side_px=4096, max_aspect=512.0)
_DECODED_AT_ONCE = 2
"""A picture of 64 megapixels takes a quarter of a gigabyte while it is decoded."""


@dataclass(frozen=True, eq=False)
class SourcePixels:
    """A source at the image's size.

    ``pixels``: uint8 [height, width, 3]. ``mask``: uint8 [height, width], 255 where it is repainted, 0 where it is
    kept, and of a soft one the shares between; None: it is repainted everywhere. ``file``: what was decoded; the
    image's signature refers to it. ``whole``: the source in its own size, where the image is to have that.
    """

    pixels: Pixels
    mask: npt.NDArray[np.uint8] | None
    file: bytes
    whole: WholeSource | None = None

    def keep(self, generated: Pixels) -> Pixels:
        """``generated`` with the source's own pixels wherever the mask keeps them, mixed in where it is between."""
        if self.whole is not None:
            taken = self.whole.inset.taken(generated)
            return taken if self.whole.mask is None else mixed(taken, self.whole.pixels, self.whole.mask)
        return generated if self.mask is None else mixed(generated, self.pixels, self.mask)


@dataclass(frozen=True, eq=False)
class WholeSource:
    """A source in its own size, as :class:`SourcePixels`, and where it lies in what is painted."""

    inset: Inset
    pixels: Pixels
    mask: npt.NDArray[np.uint8] | None


class SourceReader:
    """Reads sources. Used from one event loop."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)

    async def read(self, source: Source, width_px: int, height_px: int) -> SourcePixels:
        """The pixels of ``source``, scaled to cover the size and cut evenly where they do not have it; as a whole where
        it says so.

        Raises:
            InvalidPhotoError: PHOTO_*, see :func:`headshots.imaging.open_photo`.
            InvalidArgumentError: MASK_SIZE_MISMATCH, KEY_INVALID.
            FailedPreconditionError: PICTURE_NOT_FOUND, PICTURE_DIGEST_MISMATCH.
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        async with self._decoding:
            picture = await self._data(source.picture, PICTURE_FIELD)
            mask = None if source.mask is None else await self._data(source.mask, MASK_FIELD)
            return await asyncio.to_thread(_decode, picture, mask, (width_px, height_px), source)

    async def _data(self, picture: Picture, field: str) -> bytes:
        """The file's bytes; those of a reference checked against its digest."""
        return picture if isinstance(picture, bytes) else await self._fetch(picture, field)

    async def _fetch(self, picture: StoredPicture, field: str) -> bytes:
        try:
            size = await self._store.size(picture.key)
            if size > LIMITS.max_bytes:
                raise _refused(
                    field, "PHOTO_TOO_LARGE", f"{picture.key} has {size} bytes, {LIMITS.max_bytes} are allowed"
                )
            return await self._store.get_promised(picture.key, picture.sha256)
        except NotFoundError as error:
            raise FailedPreconditionError(
                "PICTURE_NOT_FOUND", f"{field}: the object store has no {picture.key}; store it before it is named"
            ) from error
        except FailedPreconditionError as error:
            raise FailedPreconditionError(
                "PICTURE_DIGEST_MISMATCH", f"{field}: {error.message}; name the digest of what lies there now"
            ) from error


def _decode(picture: bytes, mask: bytes | None, size: tuple[int, int], source: Source) -> SourcePixels:
    opened = _open(picture, PICTURE_FIELD)
    drawn = _drawn(mask, opened) if mask is not None else None
    if not source.whole:
        shares = _shares(np.asarray(_fit(drawn, size)), source) if drawn is not None else None
        return SourcePixels(np.asarray(_fit(opened, size)), shares, picture)
    inset = Inset(opened.size, size)
    own = _shares(np.asarray(drawn), source) if drawn is not None else None
    shares = _shares(inset.spread(drawn), source) if drawn is not None else None
    return SourcePixels(inset.spread(opened), shares, picture, WholeSource(inset, np.asarray(opened), own))


def _shares(drawn_HW: Shares, source: Source) -> Shares:
    return drawn_HW if source.soft else cut(drawn_HW)


def _drawn(mask: bytes, opened: Image.Image) -> Image.Image:
    """The mask of a picture."""
    drawn = _open(mask, MASK_FIELD).convert("L")
    if drawn.size != opened.size:
        sizes = f"{drawn.width} x {drawn.height} px, its picture {opened.width} x {opened.height}"
        raise InvalidArgumentError(
            "MASK_SIZE_MISMATCH",
            f"the mask has {sizes}; draw it on the picture itself",
            violations=[FieldViolation(MASK_FIELD, f"has {sizes}")],
        )
    return drawn


def _open(data: bytes, field: str) -> Image.Image:
    """Decoded safely; a refusal names the field."""
    try:
        return open_photo(data, LIMITS)
    except InvalidPhotoError as error:
        raise _refused(field, error.reason, error.message) from error


def _fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scaled to cover ``size`` and cut evenly; a picture of that size is left alone."""
    return picture if picture.size == size else ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def _refused(field: str, reason: str, message: str) -> InvalidPhotoError:
    return InvalidPhotoError(reason, f"{field}: {message}", violations=[FieldViolation(field, message)])
