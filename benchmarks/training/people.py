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

# Apart from everybody that recipes, judges and analyzers were tried on.
FIRST_PERSON = 3_000
# Whose proportions the people's doubles have.
FIRST_STRANGER = 800_000
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


# None of them is one of those that checkpoints are judged by (services.trainer.selection.sampling.SCENES).
SCENES = (
    Scene("dark grey blazer", "plain grey studio", "soft studio lighting"),
    Scene("leather jacket", "city at night", "neon lighting"),
    Scene("lab coat", "bright office", "cool window lighting"),
    Scene("black turtleneck", "red curtain", "dramatic side lighting"),
    Scene("denim jacket", "sandy beach", "warm sunset lighting"),
    Scene("beige blazer", "library", "soft studio lighting"),
    Scene("green sweater", "snowy mountains", "cool window lighting"),
    Scene("striped shirt", "brick wall", "warm sunset lighting"),
)
SEEDS = (11, 12, 13, 14)


def identity(person: int) -> Identity:
    """Who a person is, by their number 0 .. of the benchmark."""
    return sample_identity(held_out_seed(FIRST_PERSON + person))


def doubles(person: int) -> tuple[Identity, ...]:
    """The person's look-alikes: their hair, skin, beard, glasses and colours with strangers' proportions."""
    first_stranger = held_out_seed(FIRST_STRANGER + 40 * person)
    return family(held_out_seed(FIRST_PERSON + person), first_stranger, hard_pairs.DOUBLES).doubles


def class_noun(person: int) -> str:
    """man or woman."""
    return identity(person).class_noun


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


def upload(store: ArtifactStore, person: int, count: int) -> tuple[PhotoRef, ...]:
    """The person's selfies, in the store as the gateway would have put them there."""
    photos = []
    for content in sample_selfies(held_out_seed(FIRST_PERSON + person), count):
        packed = io.BytesIO()
        Image.open(io.BytesIO(content)).convert("RGB").save(packed, "PNG")
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        key = f"people/{person}/photos/{digest}.png"
        store.put_sync(key, packed.getvalue())
        photos.append(PhotoRef(key, digest))
    return tuple(photos)


def true_photos(person: int) -> Pixels:
    """``PHOTOS_EACH`` selfies of other moments than those that are trained on: uint8 [N, 128, 128, 3]."""
    return photos_of(identity(person))


def photos_of(somebody: Identity) -> Pixels:
    """As `true_photos`, of anybody."""
    pictures = []
    for number in range(PHOTOS_EACH):
        rng = np.random.default_rng([somebody.seed, number, 0x6A11])
        pictures.append(render(somebody, sample_scene(rng, "selfie"), SIDE_PX))
    return np.stack(pictures)


def resized(pictures: Sequence[Pixels]) -> Pixels:
    """[N, 128, 128, 3], as the judges want them."""
    size = (SIDE_PX, SIDE_PX)
    return np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in pictures])
