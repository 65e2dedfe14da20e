"""Says which photos of a person show glasses or a beard, where that differs between them. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

from headshots.faces import Trait, Traits

GLASSES, BEARD = "wearing glasses", "with a beard"


def what_is_worn(photos: Sequence[Traits | None]) -> list[str]:
    """For each photo of one person what it is sure to show, as a caption says it; empty: nothing.

    A trait is named where photos differ: one is sure of it, and another that it is not there. What every photo shows
    belongs to the person, whom the trigger word means; named, it would be missing from portraits whose prompt does not
    name it. A photo that is not sure says nothing.
    """
    glasses = _told([photo.glasses if photo else None for photo in photos], GLASSES)
    beards = _told([photo.beard if photo else None for photo in photos], BEARD)
    return [", ".join(word for word in words if word) for words in zip(glasses, beards, strict=True)]


def _told(photos: Sequence[Trait | None], word: str) -> list[str]:
    present = [photo.present if photo else None for photo in photos]
    differs = True in present and False in present
    return [word if differs and each else "" for each in present]
