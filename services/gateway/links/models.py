"""Defines links and the files that they lead to as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_VALID_SECONDS = 3600
"""How long a link can be opened where the caller does not say."""


@dataclass(frozen=True)
class LinkedFile:
    """An object of the store, and how it is handed out."""

    key: str
    content_type: str
    filename: str
    """What a browser saves it as; ASCII without quotes."""


@dataclass(frozen=True)
class ImageLink:
    """A link to one image of a gallery."""

    subject_id: str
    gallery_id: str
    number: int
    url: str
    expires_at: float
