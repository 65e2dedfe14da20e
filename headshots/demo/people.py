"""Provides the selfies: those of a sample person, or the caller's own photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SELFIES = 10
_DRAWN = "This person is drawn and never existed. Their portraits may be made by anybody."
_OWN = "Whoever started the demo on these photos says that the person in them agreed to an adapter and to portraits."


@dataclass(frozen=True)
class Person:
    """A person to train on."""

    name: str
    class_noun: str
    photos: Sequence[Path]
    statement: str
    """What the person agreed to."""


def from_folder(folder: Path, class_noun: str) -> Person:
    """The photos of a folder, by name.

    Raises:
        InvalidPhotoError: PHOTO_MISSING: there are none.
    """
    from headshots.console.photo_files import find_photos

    return Person(folder.absolute().name, class_noun, find_photos([folder]), _OWN)


def sample_person(number: int, folder: Path) -> Person:
    """Draws the selfies of a person who never existed, and whom no model was trained on, into `folder`."""
    from foundry.portraits import held_out_seed, sample_identity, sample_selfies

    seed = held_out_seed(number)
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for index, data in enumerate(sample_selfies(seed, SELFIES)):
        photos.append(folder / f"selfie_{index:02d}.jpg")
        photos[-1].write_bytes(data)
    return Person(f"Person {number}", sample_identity(seed).class_noun, photos, _DRAWN)
