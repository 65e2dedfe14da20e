"""Makes the refusals that several readers of photos share."""

from __future__ import annotations

from headshots.errors import InvalidPhotoError


def too_costly(why: str) -> InvalidPhotoError:
    """PHOTO_TOO_COSTLY: decoding would take more memory or time than a photo may."""
    return InvalidPhotoError(
        "PHOTO_TOO_COSTLY", f"{why}: too much to decode; save it as an ordinary JPEG, not progressive, and scaled down"
    )


def truncated(format_name: str) -> InvalidPhotoError:
    """PHOTO_TRUNCATED: the file holds less than the picture that it promises."""
    return InvalidPhotoError(
        "PHOTO_TRUNCATED", f"the {format_name} file ends before the picture does; upload it again in whole"
    )
