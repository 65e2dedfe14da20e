"""The main job on the foundation that the repository carries, with people that it has never seen.

Short trainings: they show that the photos decide the faces, not how good the faces can get.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from foundry.portraits import held_out_seed, sample_identity, sample_selfies
from headshots.client import AsyncHeadshots, PaintedImage, Remix, Subject, TrainingOptions
from headshots.settings import default_foundation
from tests.support.consents import CONSENT
from tests.support.foundations.engines import bundled_package
from tests.support.foundations.stock import StockDiffusers, psnr
from tests.support.live_platform import LivePlatform, pixels

FOUNDATION = default_foundation()
STYLES = ["studio-navy-suit", "park-denim-jacket"]
SHORT = TrainingOptions(steps=40, batch_rows=4)

# diffusers' DPM-Solver scheduler asks a tensor for an array in NumPy 1's way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    # What is compared with stock diffusers' pixels carries none of ours.
    plain = {"HEADSHOTS_MARKING_WATERMARK": "false"}
    with LivePlatform(tmp_path_factory.mktemp("platform"), FOUNDATION, bundled_package().folder, plain) as platform:
        yield platform


def two_women() -> list[int]:
    """Two held-out people whom the same prompt describes."""
    return [held_out_seed(n) for n in range(20) if sample_identity(held_out_seed(n)).class_noun == "woman"][:2]


async def remixes_stay_near(
    client: AsyncHeadshots, subject: Subject, source: PaintedImage, style: str, *, likewise: PaintedImage
) -> None:
    """Painted over `source` in another style: the less of it is repainted, the nearer; nearer than `likewise`, from
    noise alone."""

    async def distance(repaint: float) -> float:
        remix = Remix(source.image.name, repaint)
        (shot,) = [each async for each in client.generate(subject, [style], shots_per_style=1, seed=8, remix=remix)]
        return float(np.abs(pixels(shot.content) - pixels(source.content)).mean())

    little, much = await distance(0.2), await distance(0.8)
    assert 0 < little < much < np.abs(pixels(likewise.content) - pixels(source.content)).mean()


async def test_photos_decide_the_faces_and_stock_diffusers_agrees(platform: LivePlatform) -> None:
    galleries: list[list[PaintedImage]] = []
    adapters = []
    async with platform.client() as client:
        for seed in two_women():
            subject = await client.create_subject(class_noun="woman", consent=CONSENT)
            await client.upload_photos(subject, sample_selfies(seed, 6))
            training = await client.train(subject, SHORT)
            assert training.adapter is not None
            adapters.append(training.adapter)
            shots = [each async for each in client.generate(subject, STYLES, shots_per_style=2, seed=3)]
            galleries.append(sorted(shots, key=lambda shot: (shot.image.style, shot.image.seed)))
        first, last = galleries[-1][0], galleries[-1][-1]
        await remixes_stay_near(client, subject, last, first.image.style, likewise=first)
    for one, other in zip(*galleries, strict=True):
        assert (one.image.prompt, one.image.seed) == (other.image.prompt, other.image.seed)
        assert np.abs(pixels(one.content) - pixels(other.content)).mean() > 4
    stock = StockDiffusers(FOUNDATION)
    bare = stock.paint(galleries[0][0].image)
    stock.load_adapter(platform.object(adapters[0].key))
    for shot in (galleries[0][0], galleries[0][-1]):
        assert psnr(stock.paint(shot.image), pixels(shot.content)) >= 40
    assert psnr(bare, pixels(galleries[0][0].content)) < 30, "the adapter must matter for this test to say anything"
