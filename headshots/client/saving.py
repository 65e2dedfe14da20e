"""Writes images into folders of the caller's, and never over another picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from headshots.client.models.images import Image, PaintedImage
from headshots.client.models.verdicts import Acceptance

_SUFFIX_BY_TYPE = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


def best_of(images: Sequence[Image], best: int) -> Sequence[Image]:
    """The first `best` of images that come best first, without refused ones; 0 takes all of them, also those."""
    if not best:
        return images
    return [each for each in images if not each.verdict or each.verdict.acceptance is not Acceptance.REFUSED][:best]


def saved_file(image: Image, folder: Path, stem: str) -> Path | None:
    """The file of that stem in the folder that holds the image already; None where there is none."""
    path = _free_or_equal(image, folder, stem)
    return path if path.exists() else None


def save_image(painted: PaintedImage, folder: Path, stem: str) -> Path:
    """Write STEM.png, or STEM-2.png and so on where another picture has the name already; says which."""
    path = _free_or_equal(painted.image, folder, stem)
    path.write_bytes(painted.content)
    return path


def _free_or_equal(image: Image, folder: Path, stem: str) -> Path:
    """The first of STEM.png, STEM-2.png and so on that is not there, or holds the image."""
    suffix = suffix_of(image)
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != image.sha256:
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def suffix_of(image: Image) -> str:
    """`.png` and so on; empty of a type that is newer than this table."""
    return _SUFFIX_BY_TYPE.get(image.content_type, "")


def stem_by_rank(image: Image) -> str:
    """`01-studio-navy-suit` for the best; `refused-12-studio-navy-suit`, by shot number, for one without a rank."""
    style = image.style.removeprefix("styles/")
    if image.rank:
        return f"{image.rank:02d}-{style}"
    shot = int(PurePosixPath(image.name).name)
    outcome = image.verdict.acceptance.value.lower().replace("_", "-") if image.verdict else "not-judged"
    return f"{outcome}-{shot:02d}-{style}"
