"""Draws the people of the shoots, their siblings, and true pictures of them in the styles' scenes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.shoot.report import STYLES
from foundry.framing import framing_at
from foundry.portraits import Identity, held_out_seed, render, sample_identity, sample_scene, sibling
from headshots.settings import default_foundation
from headshots.styles.library import StyleLibrary
from services.gateway.settings import default_styles

Pixels = npt.NDArray[np.uint8]

# Apart from everybody that recipes, nets, gates or other benchmarks were tried on. Those from 7,000 and from 9,000 were
# looked at.
FIRST_PERSON = 12_000
SELFIES = 10
SELFIE_SIDE_PX, PORTRAIT_SIDE_PX = 256, 128
# Of an identity's parameters a sibling shares about so many.
SHARED = 0.6


@dataclass(frozen=True)
class Person:
    """Somebody who never existed."""

    number: int
    name: str
    identity: Identity
    seed: int
    """Of the moments in which the pictures were taken."""

    @property
    def noun(self) -> str:
        """man or woman."""
        return self.identity.class_noun

    def selfies(self) -> list[bytes]:
        """What a customer uploads: JPEG files."""
        files = []
        for number in range(SELFIES):
            scene = sample_scene(np.random.default_rng([self.seed, number, 0x5E1F]), "selfie", jpeg_quality=0)
            packed = io.BytesIO()
            Image.fromarray(render(self.identity, scene, SELFIE_SIDE_PX)).save(packed, "JPEG", quality=90)
            files.append(packed.getvalue())
        return files

    def true_photos(self, count: int) -> list[Pixels]:
        """Selfies of other moments than those that are uploaded, for the judges."""
        moments = (np.random.default_rng([self.seed, number, 0x6A11]) for number in range(count))
        return [render(self.identity, sample_scene(rng, "selfie"), PORTRAIT_SIDE_PX) for rng in moments]

    def in_scenes(self, count: int) -> list[Pixels]:
        """Faultless portraits in the scenes of the styles, ``count`` of each: what a perfect adapter would paint.

        They are framed as those of the bundled foundation, which the shoots paint with.
        """
        framing = framing_at(default_foundation())
        recipes = StyleLibrary.load(default_styles())
        pictures = []
        for row, name in enumerate(STYLES):
            recipe = recipes.get(name)
            asked = {"outfit": recipe.outfit, "backdrop": recipe.backdrop, "light": recipe.lighting}
            for number in range(count):
                rng = np.random.default_rng([self.seed, row, number, 0x7B0E])
                pictures.append(render(self.identity, sample_scene(rng, "studio", framing, **asked), PORTRAIT_SIDE_PX))
        return pictures


def people(count: int) -> list[Person]:
    """The first so many."""
    seeds = [held_out_seed(FIRST_PERSON + number) for number in range(count)]
    return [Person(number, f"Person {number}", sample_identity(seed), seed) for number, seed in enumerate(seeds)]


def siblings(of: Sequence[Person]) -> list[Person]:
    """One of each: somebody else, of the same class, with most of the parameters."""
    found = []
    for number, person in enumerate(of):
        other = next(
            seed
            for seed in (held_out_seed(FIRST_PERSON + 1_000 + 100 * number + step) for step in range(100))
            if sample_identity(seed).class_noun == person.noun
        )
        found.append(Person(number, f"{person.name}'s sibling", sibling(person.identity, other, SHARED), other))
    return found


def shared(one: Identity, other: Identity) -> float:
    """Share of the parameters that two people have in common, their numbers aside."""
    names = [field.name for field in fields(Identity) if field.name != "seed"]
    return sum(getattr(one, name) == getattr(other, name) for name in names) / len(names)
