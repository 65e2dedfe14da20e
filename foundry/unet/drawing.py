"""Draws training portraits with the truth about them, each known by a seed and its number alone. Imports no torch.

Shapes: N portraits, P parts, T traits, K captions a portrait.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from foundry.analyzer_faces import traits
from foundry.dataset import SELFIE_SHARE, SIZE, wording
from foundry.portraits import FIRST_HELD_OUT, Identity, Scene, render_portrait, sample_identity, sample_scene
from headshots.faces.base import Part

CELL = 8
CELLS = SIZE // CELL
PARTS = len(Part)
# Apart from the held-out people of scores and benchmarks.
FIRST_MEASURED = FIRST_HELD_OUT + 700_000
_TYPICAL_PEOPLE = 1000
_STREAM = 0xF2E5

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Order:
    """Which portraits to draw: numbers ``first`` to ``first + count - 1`` of ``seed``.

    ``captions``: how many of each. ``held_out``: of people whom no stage may learn from, FIRST_MEASURED + number;
    else of any training person.
    """

    seed: int
    first: int
    count: int
    framing: str
    captions: int = 1
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """N portraits and the truth about them."""

    pixels: npt.NDArray[np.uint8]  # [N, 128, 128, 3]
    parts: Floats  # [N, P, 16, 16], 0..1: the share of each latent cell that shows each value of `Part`
    landmarks: Floats  # [N, 5, 2], x and y in shares of the picture's side, in the order of LANDMARKS
    traits: Floats  # [N, T], of zero mean and unit variance over people
    captions: list[list[str]]  # [N][K]


def who_and_where(order: Order, number: int) -> tuple[Identity, Scene, np.random.Generator]:
    """Whom portrait ``number`` shows and in which scene, and the generator that words its captions."""
    rng = np.random.default_rng([order.seed, number, int(order.held_out), _STREAM])
    trained = int(rng.integers(FIRST_HELD_OUT))
    identity = sample_identity(FIRST_MEASURED + number if order.held_out else trained)
    kind = "selfie" if rng.random() < SELFIE_SHARE else "studio"
    return identity, sample_scene(rng, kind, order.framing), rng


def draw(order: Order) -> Drawn:
    """The portraits of an order, some 10 ms of one core each.

    Raises:
        ValueError: an unknown framing.
    """
    mean, deviation = typical_traits()
    portraits, people, texts = [], [], []
    for number in range(order.first, order.first + order.count):
        identity, scene, rng = who_and_where(order, number)
        portraits.append(render_portrait(identity, scene, SIZE))
        people.append(traits(identity))
        texts.append([wording(identity, scene, rng) for _ in range(order.captions)])
    return Drawn(
        pixels=np.stack([portrait.pixels for portrait in portraits]),
        parts=np.stack([part_shares(portrait.parts) for portrait in portraits]),
        landmarks=np.stack([portrait.landmarks for portrait in portraits]) / np.float32(SIZE),
        traits=(np.array(people, np.float32) - mean) / deviation,
        captions=texts,
    )


def part_shares(parts_HW: npt.NDArray[np.uint8]) -> Floats:
    """[P, 16, 16] of a map of `Part`."""
    cells = parts_HW.reshape(CELLS, CELL, CELLS, CELL)
    return np.stack([(cells == part).mean((1, 3), dtype=np.float32) for part in range(PARTS)])


@lru_cache(maxsize=1)
def typical_traits() -> tuple[Floats, Floats]:
    """Mean and standard deviation of each trait over training people, [T] each."""
    values = np.array([traits(sample_identity(number)) for number in range(_TYPICAL_PEOPLE)], np.float32)
    return values.mean(0), np.maximum(values.std(0), np.float32(1e-3))
