"""Stored photos -> square-ish crops of the foundation's native size. No torch here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, InvalidPhotoError, NotFoundError
from headshots.faces import FaceAnalyzer
from headshots.faces.far_faces import far_faces
from services.trainer.lora.recipe import Recipe

# Stored photos are at most 2048 px a side; four times that is a wrong object, not a large photo.
_MAX_PIXELS = 4 * 2048 * 2048
# Faces are looked for in copies of at most so many pixels a side.
_LOOKED_AT_PX = 1024
# Where a crop has its face, as shares of width and height.
_FACE_AT = (0.5, 0.45)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PhotoRef:
    """A photo by reference: its key in the object store and the SHA-256 (hex) of what is stored there."""

    key: str
    sha256: str


def load_pictures(
    store: ArtifactStore,
    photos: Sequence[PhotoRef],
    recipe: Recipe,
    size: tuple[int, int],
    analyzer: FaceAnalyzer | None = None,
) -> list[Pixels]:
    """The crops of every photo at ``size`` (width, height). A photo's crops do not depend on its neighbours.

    A photo of another shape loses something on two sides. With ``analyzer`` that is never the face.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
        InvalidPhotoError: PHOTO_DIGEST_MISMATCH, PHOTO_UNDECODABLE, PHOTO_TOO_MANY_PIXELS.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    pictures: list[Pixels] = []
    for photo in photos:
        image = decode(photo, _fetch(store, photo))
        seed = (recipe.seed, int(photo.sha256[:8], 16))
        face = _face_centre(image, analyzer) if analyzer and image.width * size[1] != image.height * size[0] else None
        pictures += crops(image, size, count=recipe.crops_per_photo, jitter=recipe.crop_jitter, seed=seed, face=face)
    return pictures


def _face_centre(image: Image.Image, analyzer: FaceAnalyzer) -> tuple[float, float] | None:
    """Of the largest face, in shares of width and height; None where none is found."""
    small = image.copy()
    small.thumbnail((_LOOKED_AT_PX, _LOOKED_AT_PX), Image.Resampling.LANCZOS)
    pixels = np.asarray(small)
    found = analyzer.faces(pixels) or far_faces(analyzer, pixels)
    if not found:
        return None
    left, top, right, bottom = found[0].box
    return (left + right) / 2 / small.width, (top + bottom) / 2 / small.height


def _fetch(store: ArtifactStore, ref: PhotoRef) -> bytes:
    """The photo's bytes, if they are what the reference promised."""
    try:
        return store.get_promised_sync(ref.key, ref.sha256)
    except NotFoundError as error:
        raise NotFoundError(
            "PHOTO_NOT_FOUND", f"the object store has no {ref.key}; upload the photo again", metadata={"key": ref.key}
        ) from error
    except FailedPreconditionError as error:
        raise InvalidPhotoError(
            "PHOTO_DIGEST_MISMATCH", f"{error.message}; upload the photo again", metadata={"key": ref.key}
        ) from error


def decode(ref: PhotoRef, png: bytes) -> Image.Image:
    """The picture of a stored (normalised: upright sRGB) PNG.

    Raises:
        InvalidPhotoError: PHOTO_UNDECODABLE, PHOTO_TOO_MANY_PIXELS.
    """
    try:
        image = Image.open(io.BytesIO(png), formats=("PNG",))
        if image.width * image.height > _MAX_PIXELS:
            raise InvalidPhotoError(
                "PHOTO_TOO_MANY_PIXELS", f"{ref.key} has {image.width} × {image.height} pixels; store it smaller"
            )
        return image.convert("RGB")
    # Pillow raises these three for broken files, and SyntaxError for broken PNG chunks.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, InvalidPhotoError):
            raise
        raise InvalidPhotoError(
            "PHOTO_UNDECODABLE", f"{ref.key} is not a whole PNG picture ({error}); upload the photo again"
        ) from error


def crops(
    image: Image.Image,
    size: tuple[int, int],
    *,
    count: int,
    jitter: float,
    seed: Sequence[int],
    face: tuple[float, float] | None = None,
) -> Iterator[Pixels]:
    """``count`` crops of ``image``, each scaled to ``size`` (width, height): uint8 [height, width, 3].

    The first is as large as the image allows and centred, or as near as it can be to having ``face`` (shares of width
    and height) where selfies have it; the others are up to ``jitter`` smaller and shifted within it, which teaches the
    face rather than its place. Never mirrored: faces are not symmetric (arXiv 2505.03557).
    """
    rng = np.random.default_rng(list(seed))
    scale = min(image.width / size[0], image.height / size[1])
    full_width, full_height = size[0] * scale, size[1] * scale
    full_left, full_top = (image.width - full_width) / 2, (image.height - full_height) / 2
    if face is not None:
        full_left = min(max(face[0] * image.width - _FACE_AT[0] * full_width, 0.0), image.width - full_width)
        full_top = min(max(face[1] * image.height - _FACE_AT[1] * full_height, 0.0), image.height - full_height)
    for number in range(count):
        share, shift_x, shift_y = (1.0, 0.5, 0.5)
        if number:
            share, (shift_x, shift_y) = 1 - jitter * rng.random(), rng.random(2)
        width, height = full_width * share, full_height * share
        # Where the largest crop begins, and the slack that the smaller one has within it.
        left = full_left + shift_x * (full_width - width)
        top = full_top + shift_y * (full_height - height)
        box = (left, top, left + width, top + height)
        yield np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))
