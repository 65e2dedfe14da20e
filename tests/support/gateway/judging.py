"""Makes galleries of drawn portraits that a gateway with an analyzer judges: of each seed what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from headshots.faces import FaceAnalyzer
from headshots.v1 import galleries_pb2, images_pb2
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.images.pictures import files, photo

SMALL = (112, 100, 142, 136)
"""Where a head is that is large enough to be measured, and too small for `profile-worthy`."""


def good(number: int) -> bytes:
    """A portrait of Ada that is accepted; another for each number."""
    return photo(number, "ada")


def alike(number: int) -> bytes:
    """Nearly the same picture as `good` of this number."""
    return photo(number, "ada", gain=0.98)


def stranger(number: int) -> bytes:
    """Somebody else: refused, and no more like Ada than anybody."""
    return photo(number, "bob")


def small(number: int) -> bytes:
    """Ada, refused because her face is too small."""
    return photo(number, "ada", box=SMALL)


async def sitter(world: World, analyzer: FaceAnalyzer | None = None, *, judged: bool = True, **settings: Any) -> str:
    """A trained subject with photos of Ada, on a gateway that judges unless told otherwise."""
    await world.kill()
    world.analyzer = (analyzer or ColourAnalyzer()) if judged else None
    await world.start(photo_max_pixels=1_000_000, **settings)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *files(range(100, 106), "ada"))
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    return subject


def paints(world: World, seeds: Iterable[int], picture: Callable[[int], bytes] = good) -> None:
    """From now on the generator gives these seeds this picture of their number."""
    world.generator.pictures |= {seed: picture(seed) for seed in seeds}


def reasons(image: images_pb2.Image) -> list[str]:
    """What an image was refused for."""
    return [str(check.reason) for check in image.verdict.checks if not check.passed]


async def images(world: World, gallery: str, **query: Any) -> list[images_pb2.Image]:
    """One page of ListImages."""
    answer = await world.acme("ListImages", galleries_pb2.ListImagesRequest(parent=gallery, **query))
    return list(answer.images)
