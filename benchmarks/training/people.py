"""Draws the people that are trained, their prompts, and the other people that a judge could confuse them with."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from foundry.faces import hard_pairs
from foundry.faces.families import family
from foundry.portraits import (
    BACKDROPS,
    LIGHTS,
    OUTFITS,
    Identity,
    held_out_seed,
    render,
    sample_identity,
    sample_scene,
    sample_selfies,
)
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.queue.job import PhotoRef

GALLERY = 200
# True photos of each person of the gallery, of other moments than the selfies.
PHOTOS_EACH = 8
SIDE_PX = 128

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """What a prompt asks for; a portrait that follows it shows it."""

    outfit: str
    backdrop: str
    lighting: str


@dataclass(frozen=True)
class Cast:
    """Who is trained and painted, by numbers 0 .. of the benchmark, in which scenes and with which seeds."""

    name: str
    first_person: int
    """The number of held-out people from which its own are; those after them fill the gallery."""
    first_stranger: int
    """From where strangers come whose proportions the people's doubles have."""
    scenes: tuple[Scene, ...]
    seeds: tuple[int, ...]

    def identity(self, person: int) -> Identity:
        """Who a person is."""
        return sample_identity(held_out_seed(self.first_person + person))

    def doubles(self, person: int) -> tuple[Identity, ...]:
        """The person's look-alikes: their hair, skin, beard, glasses and colours with strangers' proportions."""
        first_stranger = held_out_seed(self.first_stranger + 40 * person)
        return family(held_out_seed(self.first_person + person), first_stranger, hard_pairs.DOUBLES).doubles

    def class_noun(self, person: int) -> str:
        """man or woman."""
        return self.identity(person).class_noun

    def upload(self, store: ArtifactStore, person: int, count: int) -> tuple[PhotoRef, ...]:
        """The person's selfies, in the store as the gateway would have put them there."""
        photos = []
        for content in sample_selfies(held_out_seed(self.first_person + person), count):
            packed = io.BytesIO()
            Image.open(io.BytesIO(content)).convert("RGB").save(packed, "PNG")
            digest = hashlib.sha256(packed.getvalue()).hexdigest()
            key = f"{self.name}/{person}/photos/{digest}.png"
            store.put_sync(key, packed.getvalue())
            photos.append(PhotoRef(key, digest))
        return tuple(photos)

    def true_photos(self, person: int) -> Pixels:
        """``PHOTOS_EACH`` selfies of other moments than those that are trained on: uint8 [N, 128, 128, 3]."""
        return photos_of(self.identity(person))


# Recipes, guidance and limits are chosen by these; until 30 November 2026 figures were published of them, too.
TUNING = Cast(
    "tuning",
    first_person=3_000,
    first_stranger=800_000,
    scenes=(
        Scene("dark grey blazer", "plain grey studio", "soft studio lighting"),
        Scene("leather jacket", "city at night", "neon lighting"),
        Scene("lab coat", "bright office", "cool window lighting"),
        Scene("black turtleneck", "red curtain", "dramatic side lighting"),
        Scene("denim jacket", "sandy beach", "warm sunset lighting"),
        Scene("beige blazer", "library", "soft studio lighting"),
        Scene("green sweater", "snowy mountains", "cool window lighting"),
        Scene("striped shirt", "brick wall", "warm sunset lighting"),
    ),
    seeds=(11, 12, 13, 14),
)
# Published figures are of these; nothing is ever chosen by them. The outfits and places are all that neither
# checkpoints nor captions name, in pairs that no recipe was chosen by, and in other light. Where what they show leads
# to another recipe, the next figures are of others: until the evening of 30 November they were of people from 6,000 on,
# among whose eight pairs two of these were, in other light.
PUBLISHED = Cast(
    "published",
    first_person=9_000,
    first_stranger=880_000,
    scenes=(
        Scene("dark grey blazer", "brick wall", "dramatic side lighting"),
        Scene("leather jacket", "plain grey studio", "soft studio lighting"),
        Scene("lab coat", "library", "neon lighting"),
        Scene("black turtleneck", "city at night", "warm sunset lighting"),
        Scene("denim jacket", "red curtain", "soft studio lighting"),
        Scene("beige blazer", "snowy mountains", "cool window lighting"),
        Scene("green sweater", "sandy beach", "neon lighting"),
        Scene("striped shirt", "bright office", "dramatic side lighting"),
    ),
    seeds=(311, 312, 313, 314),
)
CASTS = {cast.name: cast for cast in (PUBLISHED, TUNING)}


def prompt(foundation: Foundation, noun: str, scene: Scene) -> str:
    """As the gateway fills a style in."""
    return foundation.prompt_template.format(
        framing="headshot",
        subject=f"{foundation.trigger} {noun}",
        outfit=scene.outfit,
        backdrop=scene.backdrop,
        lighting=scene.lighting,
    )


def other_orders(foundation: Foundation, subject: str, first_seed: int, count: int) -> list[tuple[str, int]]:
    """Prompts of ``subject`` in random scenes, each with its seed from ``first_seed``: nothing that is measured."""
    rng = np.random.default_rng([first_seed, 0x07E6])
    return [
        (
            foundation.prompt_template.format(
                framing="headshot",
                subject=subject,
                outfit=rng.choice(OUTFITS),
                backdrop=rng.choice(BACKDROPS),
                lighting=rng.choice(LIGHTS),
            ),
            first_seed + number,
        )
        for number in range(count)
    ]


def photos_of(somebody: Identity) -> Pixels:
    """As `Cast.true_photos`, of anybody."""
    pictures = []
    for number in range(PHOTOS_EACH):
        rng = np.random.default_rng([somebody.seed, number, 0x6A11])
        pictures.append(render(somebody, sample_scene(rng, "selfie"), SIDE_PX))
    return np.stack(pictures)


def resized(pictures: Sequence[Pixels]) -> Pixels:
    """[N, 128, 128, 3], as the judges want them."""
    size = (SIDE_PX, SIDE_PX)
    return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in pictures])
