"""Loads stored photos and crops them to the foundation's native size. No torch here."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, InvalidPhotoError, NotFoundError
from headshots.faces import FaceAnalyzer, Pixels
from headshots.faces.far_faces import far_faces
from headshots.looks.placing import head_of
from services.trainer.lora.recipe import Recipe
from services.trainer.progress.phases import Entered, Phase, not_told
from services.trainer.queue.job import PhotoRef

# Stored photos are at most 2048 px a side; four times that is a wrong object, not a large photo.
_MAX_PIXELS = 4 * 2048 * 2048
# Faces are detected in copies of at most so many pixels a side.
_DETECTION_PX = 1024
# Where a crop should have the centre of its face, as shares of width and height; and the eyes of a head that is to have
# a height: drawn portraits have them 0.39 to 0.41 below the upper edge, however near.
_FACE_AT, _EYES_AT = (0.5, 0.45), (0.5, 0.4)


_Box = tuple[float, float, float, float]  # left, top, width and height in pixels


@dataclass(frozen=True)
class _Seen:
    """Where the largest face of a photo is, as shares of the photo's width and height.

    ``centre``: of its box. ``eyes``: the middle between them. ``head``: its height, as `head_of` tells it.
    """

    centre: tuple[float, float]
    eyes: tuple[float, float]
    head: float


@dataclass(frozen=True)
class Crop:
    """A part of a photo at the foundation's native size.

    ``pixels``: uint8 [height, width, 3]. ``original_px``: height and width of the whole photo as it is stored.
    ``corner_px``: top and left of the crop in the whole photo, scaled as the crop was.
    """

    pixels: Pixels
    original_px: tuple[int, int]
    corner_px: tuple[int, int]

    @property
    def size_ids(self) -> tuple[int, ...]:
        """SDXL's micro-conditions (arXiv 2307.01952): sizes as height and width, of the photo, the corner, the crop.

        They tell the UNet that a photo was small, or cut at its sides, so that the adapter does not learn to paint
        unsharp or cut-off pictures of the person.
        """
        height, width = self.pixels.shape[:2]
        return (*self.original_px, *self.corner_px, height, width)


def load_crops(
    store: ArtifactStore,
    photos: Sequence[PhotoRef],
    recipe: Recipe,
    size: tuple[int, int],
    analyzer: FaceAnalyzer | None = None,
    tell: Callable[[Entered], object] = not_told,
    *,
    head_height: float | None = None,
) -> list[Crop]:
    """The crops of every photo at ``size`` (width, height). A photo's crops do not depend on its neighbours.

    ``analyzer`` and ``head_height`` are as for `cut_photo`. ``tell`` gets how many are read, and then in how many the
    face was looked for.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
        InvalidPhotoError: PHOTO_DIGEST_MISMATCH, PHOTO_UNDECODABLE, PHOTO_TOO_MANY_PIXELS.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    # The files of all of them at once are less than any foundation that is loaded after this.
    files, loaded = [], list[Crop]()
    for number, photo in enumerate(photos):
        tell(Entered(Phase.DOWNLOADING, number, len(photos)))
        files.append(_fetch(store, photo))
    for number, (photo, file) in enumerate(zip(photos, files, strict=True)):
        tell(Entered(Phase.INSPECTING, number, len(photos)))
        image = decode(photo, file)
        seed = (recipe.seed, int(photo.sha256[:8], 16))
        loaded += cut_photo(image, size, recipe, seed, analyzer, head_height)
    return loaded


def cut_photo(
    image: Image.Image,
    size: tuple[int, int],
    recipe: Recipe,
    seed: Sequence[int],
    analyzer: FaceAnalyzer | None = None,
    head_height: float | None = None,
) -> Iterator[Crop]:
    """The recipe's crops of one photo at ``size`` (width, height): see `crops`.

    A photo of another shape than ``size`` is cut on two sides; with ``analyzer`` its face is kept. With
    ``head_height``, as `Foundation` has it, the photo is cut nearer, until its head is so high.
    """
    seen = None
    if analyzer and (head_height is not None or image.width * size[1] != image.height * size[0]):
        seen = _look_for_face(image, analyzer)
    box = _first_crop(image, size, seen, head_height)
    return crops(image, size, count=recipe.crops_per_photo, jitter=recipe.crop_jitter, seed=seed, box=box)


def _look_for_face(image: Image.Image, analyzer: FaceAnalyzer) -> _Seen | None:
    """The largest face; None if there is none."""
    small = image.copy()
    small.thumbnail((_DETECTION_PX, _DETECTION_PX), Image.Resampling.LANCZOS)
    pixels = np.asarray(small)
    found = analyzer.faces(pixels) or far_faces(analyzer, pixels)
    if not found:
        return None
    left, top, right, bottom = found[0].box
    eyes_x, eyes_y, head = head_of(found[0].landmarks)
    return _Seen(
        centre=((left + right) / 2 / small.width, (top + bottom) / 2 / small.height),
        eyes=(eyes_x / small.width, eyes_y / small.height),
        head=head / small.height,
    )


def _first_crop(image: Image.Image, size: tuple[int, int], seen: _Seen | None, head_height: float | None) -> _Box:
    """The first crop of a photo, in the shape of ``size``.

    It is as large as the photo allows: centred, or shifted so that the face that was seen is as near as possible to
    where selfies have it. With ``head_height`` it is smaller, until the head is so high in it. A head that is as high
    without, or unseen, changes nothing; and no crop is cut so small that it had to be enlarged for ``size``.
    """
    scale = min(image.width / size[0], image.height / size[1])
    at, wanted = ((0.5, 0.5), (0.5, 0.5)) if seen is None else (seen.centre, _FACE_AT)
    if seen is not None and head_height is not None:
        nearer = max(seen.head * image.height / (head_height * size[1]), 1.0)
        if nearer < scale:
            scale, at, wanted = nearer, seen.eyes, _EYES_AT
    width, height = size[0] * scale, size[1] * scale
    left = min(max(at[0] * image.width - wanted[0] * width, 0.0), image.width - width)
    top = min(max(at[1] * image.height - wanted[1] * height, 0.0), image.height - height)
    return left, top, width, height


def _fetch(store: ArtifactStore, ref: PhotoRef) -> bytes:
    """The photo's bytes, checked against the reference's digest."""
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
    """The image of a stored photo: PNG, normalised to upright sRGB.

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
    # Pillow raises these for broken files; SyntaxError for broken PNG chunks.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, InvalidPhotoError):
            raise
        raise InvalidPhotoError(
            "PHOTO_UNDECODABLE", f"{ref.key} is not a whole PNG image ({error}); upload the photo again"
        ) from error


def crops(
    image: Image.Image,
    size: tuple[int, int],
    *,
    count: int,
    jitter: float,
    seed: Sequence[int],
    box: _Box,
) -> Iterator[Crop]:
    """``count`` crops of ``image``, each scaled to ``size`` (width, height).

    The first is ``box``: left, top, width and height in pixels, in the shape of ``size``. The other crops are up to
    ``jitter`` smaller and lie within the first, so that the adapter learns the face and not its position. Crops are
    never mirrored: faces are not symmetric (arXiv 2505.03557).
    """
    rng = np.random.default_rng(list(seed))
    full_left, full_top, full_width, full_height = box
    for number in range(count):
        share, shift_x, shift_y = (1.0, 0.5, 0.5)
        if number:
            share, (shift_x, shift_y) = 1 - jitter * rng.random(), rng.random(2)
        width, height = full_width * share, full_height * share
        # The smaller crop lies anywhere within the largest one.
        left = full_left + shift_x * (full_width - width)
        top = full_top + shift_y * (full_height - height)
        corners = (left, top, left + width, top + height)
        pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=corners, reducing_gap=3.0))
        corner = (round(top * size[1] / height), round(left * size[0] / width))
        yield Crop(pixels, (image.height, image.width), corner)
