"""Remixes that change one thing: what was to stay stays, the new words show, the person is no less like themselves.

People whom no net has seen, through real processes on the bundled foundation. Each accepted image of a gallery gets
another backdrop, another outfit and another light; every other one of the remixes is remixed once more. Words are read
by the foundry's probe and likeness by its embedder, which no service has: the gate is another net.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

from benchmarks.report import Measured, Target
from benchmarks.shoot.judging import OtherNet
from benchmarks.shoot.people import Person, Pixels
from benchmarks.shoot.report import STYLES, Say
from benchmarks.shoot.studio import Studio
from foundry.judges import Judges
from foundry.latents import to_tensor
from foundry.portraits import BACKDROPS, LIGHTS, OUTFITS
from foundry.train_judges import load_judges
from headshots.client import Acceptance, Image, RemixChange
from headshots.faces import open_analyzer
from headshots.marking.watermark.embedding import embed
from services.gateway.remixes.changes import Change
from services.gateway.remixes.masks import draw_mask
from services.generator.requests.mixing import mixed

TARGETS = {
    "remix_kept_psnr_db": Target(40, False, "of the pixels that a backdrop's or an outfit's change keeps, the poorest"),
    "remix_words_follow": Target(0.9, False, "remixes in which a probe reads the new words"),
    "remix_likeness_drop": Target(
        0.02, True, "the other net's likeness of an image less that of its remixes, the mean"
    ),
}
WORDS = {
    RemixChange.BACKDROP: ("backdrop", BACKDROPS),
    RemixChange.OUTFIT: ("outfit", OUTFITS),
    RemixChange.LIGHT: ("light", LIGHTS),
}
SAME_PSNR_DB = 99.0
"""Of pictures that do not differ at all."""
_ENLARGED = 4
"""The bundled foundation's images have no room for a watermark; so many times larger they have."""


@dataclass(frozen=True)
class Remixed:
    """An image and a remix of it."""

    person: Person
    change: RemixChange
    to: str
    before: Pixels
    after: Pixels
    accepted: bool
    tries: int


async def remixes(studio: Studio, people: Sequence[Person], say: Say, *, sources: int = len(STYLES)) -> Measured:
    """The figures of ``sources`` images of each person. Who has no adapter yet is trained."""
    judges, other, found = load_judges(), OtherNet(), list[Remixed]()
    for person in people:
        subject = await studio.subject(person)
        if not (await studio.client.get_subject(subject)).adapter:
            await studio.client.train(subject)
        gallery = await studio.client.create_gallery(subject, STYLES[:sources], shots_per_style=1, max_tries=3)
        await studio.client.wait_gallery(gallery)
        images = studio.client.list_images(gallery, acceptance=Acceptance.ACCEPTED)
        for number, image in enumerate([each async for each in images]):
            found += await _remixed(studio, person, image, number)
        say(f"{person.name}: {len(found)} remixes so far")
    return _measured(found, judges, other)


async def _remixed(studio: Studio, person: Person, image: Image, number: int) -> list[Remixed]:
    """Each change of the image; of every other image a chain in which each changes the one before."""
    made, last = [], image
    for change in RemixChange:
        source = last if number % 2 else image
        to = _other_words(source, change, number)
        gallery = await studio.client.remix_image(source, change, to, seed=1_000 + number)
        (after,) = (await studio.client.wait_gallery(gallery)).images
        pictures = [await studio.pixels(each) for each in (source, after)]
        accepted = after.verdict is not None and after.verdict.acceptance is Acceptance.ACCEPTED
        made.append(Remixed(person, change, to, *pictures, accepted, after.tries))
        last = after if accepted else last
    return made


def _other_words(image: Image, change: RemixChange, number: int) -> str:
    """Words that the image's prompt has not, another for each number."""
    others = [words for words in WORDS[change][1] if words not in image.prompt]
    return others[(3 * number) % len(others)]


def _measured(found: Sequence[Remixed], judges: Judges, other: OtherNet) -> Measured:
    follows = [_shown(judges, each) == each.to for each in found]
    lost = [float(-np.diff(other.likeness(each.person, [each.before, each.after]))[0]) for each in found]
    kept = [psnr for each in found if each.change is not RemixChange.LIGHT for psnr in _kept(each)]
    figures = {
        "remix_kept_psnr_db": min(kept),
        "remix_words_follow": float(np.mean(follows)),
        "remix_likeness_drop": float(np.mean(lost)),
    }
    return Measured(figures, {"remixes": {str(change): _of(change, found, follows, lost) for change in RemixChange}})


def _of(
    change: RemixChange, found: Sequence[Remixed], follows: Sequence[bool], lost: Sequence[float]
) -> dict[str, Any]:
    mine = [number for number, each in enumerate(found) if each.change is change]
    return {
        "remixes": len(mine),
        "accepted": sum(found[number].accepted for number in mine),
        "tries": sum(found[number].tries for number in mine),
        "words_follow": float(np.mean([follows[number] for number in mine])),
        "likeness_drop": float(np.mean([lost[number] for number in mine])),
        "largest_likeness_drop": max(lost[number] for number in mine),
        "missed": [found[number].to for number in mine if not follows[number]],
    }


def _shown(judges: Judges, remixed: Remixed) -> str:
    answers: list[str] = judges.probe.answers(to_tensor(remixed.after[None]))[WORDS[remixed.change][0]]
    return answers[0]


def _kept(remixed: Remixed) -> tuple[float, float]:
    """PSNR of what the mask keeps: of the images as they are, and enlarged, where a watermark comes over another."""
    analyzer = open_analyzer("bundled")
    assert analyzer is not None, "it is bundled"
    parts = analyzer.parts(remixed.before)
    drawn = draw_mask(parts, Change[remixed.change.name]) if parts is not None else None
    assert drawn is not None, "the gateway drew it"
    with Picture.open(io.BytesIO(drawn)) as opened:
        mask_HW = np.asarray(opened)
    smaller: tuple[Pixels, ...] = (remixed.before, remixed.after, mask_HW)
    large, more, wide = (each.repeat(_ENLARGED, 0).repeat(_ENLARGED, 1) for each in smaller)
    source = embed(large, b"original")
    again = embed(mixed(more, source, wide), b"remix id")
    return _psnr(remixed.before, remixed.after, mask_HW), _psnr(source, again, wide)


def _psnr(one: Pixels, two: Pixels, mask_HW: npt.NDArray[np.uint8]) -> float:
    kept_HW = mask_HW == 0
    error = float(np.mean((one[kept_HW].astype(np.float64) - two[kept_HW]) ** 2))
    return SAME_PSNR_DB if error == 0 else min(float(10 * np.log10(255**2 / error)), SAME_PSNR_DB)
