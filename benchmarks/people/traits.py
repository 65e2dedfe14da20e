"""Counts what the analyzer says of glasses and beards, of whom it is known whether they have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks.people.derived import Head, good_ones
from benchmarks.people.photos import COLLINS, HOPPER, bring_photo, decode
from benchmarks.people.report import Order
from benchmarks.people.turning import turned
from benchmarks.people.wearing import in_beards, in_glasses
from benchmarks.report import Measured
from foundry.portraits import FIRST_HELD_OUT, sample_identity, sample_scene
from foundry.portraits.render import render
from headshots.faces import FaceAnalyzer, Pixels, Trait, open_analyzer

_SIDES_PX = (128, 256, 512)
_SEED = 0x7A17
_PEOPLE_A_CALL = 10
_TURNED = (-20, 20)


@dataclass(frozen=True)
class Known:
    """A picture, and what its face has."""

    pixels: Pixels
    glasses: bool
    beard: bool


def run(order: Order) -> Measured:
    """Wrong answers and answers in all, of portraits and pictures made of them, and of drawn people held out."""
    people, bundled = open_analyzer("people", order.analyzer), open_analyzer("bundled")
    assert people is not None
    assert bundled is not None
    known = [*_portraits(people)]
    details = {
        f"{name}, {what}": count(analyzer, pictures)
        for name, analyzer in (("people", people), ("bundled", bundled))
        for what, pictures in (("portraits", known), ("drawn", drawn(FIRST_HELD_OUT, order.calls * _PEOPLE_A_CALL)))
    }
    return Measured(
        {"traits_right": _right(details["people, portraits"], details["people, drawn"])}, {"traits": details}
    )


def _right(*counts: Mapping[str, int]) -> float:
    """Share of the answers that are right."""
    answers = Counter[bool]()
    for each in counts:
        for what, times in each.items():
            _, truth, told = what.split()
            answers[truth == told] += times if told != "unknown" else 0
    return answers[True] / answers.total()


def count(analyzer: FaceAnalyzer, pictures: Iterable[Known]) -> dict[str, int]:
    """How often which answer was given: `glasses yes no` is a face with glasses that was said to have none."""
    counts: Counter[str] = Counter()
    for known in pictures:
        faces = analyzer.faces(known.pixels)
        traits = analyzer.traits(known.pixels, faces[0]) if faces else None
        for name, truth in (("glasses", known.glasses), ("beard", known.beard)):
            trait: Trait | None = getattr(traits, name) if traits else None
            counts[f"{name} {_word(truth)} {_word(trait.present if trait else None)}"] += 1
    return dict(sorted(counts.items()))


def _portraits(analyzer: FaceAnalyzer) -> Iterator[Known]:
    """Eileen Collins without glasses, Grace Hopper with hers, neither with a beard; and with painted ones."""
    for name, glasses in ((COLLINS, False), (HOPPER, True)):
        yield from made_of(Head.find(decode(bring_photo(name)), analyzer), glasses=glasses)


def made_of(head: Head, *, glasses: bool) -> Iterator[Known]:
    """Good and shaded pictures of a photo of somebody without a beard, and with painted beards and glasses.

    Args:
        head: of the photo.
        glasses: whether it shows some; more are painted only where it does not.
    """
    photo = head.photo
    plain = [*good_ones(head), *_shaded(head), *(turned(photo, head.landmarks, each) for each in _TURNED)]
    yield from (Known(np.asarray(each), glasses, False) for each in plain)
    yield from (Known(np.asarray(each), glasses, True) for each in in_beards(photo, head.landmarks))
    if not glasses:
        yield from (Known(np.asarray(each), True, False) for each in in_glasses(photo, head.landmarks))


def _shaded(head: Head) -> Iterator[Image.Image]:
    """Lit from above, so that the chin is in shadow, and from one side."""
    photo = np.asarray(head.photo, np.float64)
    eyes, mouth = head.landmarks[:2].mean(axis=0), head.landmarks[3:].mean(axis=0)
    down = (np.arange(len(photo)) - eyes[1]) / (mouth[1] - eyes[1])
    across = (np.arange(photo.shape[1]) - head.left) / (head.right - head.left)
    for light in ((1 - 0.45 * down)[:, None, None], (1 - 0.6 * across)[None, :, None]):
        yield Image.fromarray((photo * light.clip(0.15, 1)).astype(np.uint8))


def drawn(first: int, people: int) -> Iterator[Known]:
    """A picture of each drawn person from number `first` on, of three sizes, selfies and studio portraits in turns."""
    for number in range(first, first + people):
        identity = sample_identity(number)
        kind = "selfie" if number % 2 else "studio"
        scene = sample_scene(np.random.default_rng([number, _SEED]), kind, jpeg_quality=0)
        pixels = render(identity, scene, _SIDES_PX[number % len(_SIDES_PX)])
        yield Known(np.asarray(pixels), identity.glasses != "none", identity.beard != "none")


def _word(present: bool | None) -> str:
    return "unknown" if present is None else "yes" if present else "no"
