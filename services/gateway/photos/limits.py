"""Limits the number of photos and the size of one."""

from __future__ import annotations

from headshots.errors import InvalidPhotoError

MIN_TRAINING_PHOTOS = 6
"""Photos of a training, at least."""
MAX_PHOTOS = 100
"""Photos of a subject, and of one stream, at most."""
MAX_PHOTO_BYTES = 20 * 2**20
"""Bytes of an uploaded photo, at most."""


def check_size(size_bytes: int) -> None:
    """Return where a file of that size may be a photo.

    Raises:
        InvalidPhotoError: PHOTO_UNDECODABLE: it is empty. PHOTO_TOO_LARGE.
    """
    if size_bytes == 0:
        raise InvalidPhotoError("PHOTO_UNDECODABLE", "the file is empty; send the photo itself")
    if size_bytes > MAX_PHOTO_BYTES:
        raise InvalidPhotoError(
            "PHOTO_TOO_LARGE",
            f"the photo has {size_bytes} bytes, {MAX_PHOTO_BYTES} are allowed; save it smaller or as JPEG",
        )
