"""Defines what is known here of an image file's origin, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.marking.verification import Verification

ImageIds = tuple[str, str, int]
"""Ids of subject and gallery, and the image's number."""


@dataclass(frozen=True)
class Registered:
    """What the table of marks says of an image that was made here."""

    is_yours: bool
    """Whether it was made for the tenant that asks."""
    is_erased: bool
    images: tuple[ImageIds, ...]
    """Those of the tenant that asks which have the picture now."""


@dataclass(frozen=True)
class Origin:
    """What a file says, and what is known here of it."""

    verification: Verification
    registered: Registered | None
    """None: no mark that it carries was given out here."""

    @property
    def is_made_here(self) -> bool:
        """Whether this installation made it: by its mark, or by a signature that is trusted."""
        return self.registered is not None or self.verification.is_signed
