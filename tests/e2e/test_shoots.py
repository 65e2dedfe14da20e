"""Shoots through real processes that are killed at ten random points: nothing is lost, and nothing made twice."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from headshots.client import AsyncHeadshots, Guarantee, JobState, Shoot, ShootEvent, ShootOptions, SignatureState
from headshots.errors import UnavailableError
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.images.pictures import files
from tests.support.live_platform import LivePlatform

STYLES = ("studio-navy-suit", "park-denim-jacket", "stage-red-shirt")
COUNT = 12
# Two of the trainer: a training whose third run is lost fails.
KILLS = ("gateway",) * 4 + ("generator",) * 4 + ("trainer",) * 2

pytestmark = pytest.mark.slow


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform"), tiny_foundation(), tiny_package().folder) as platform:
        yield platform


async def kill_at_random(platform: LivePlatform, rng: random.Random) -> None:
    """Kills services at random points, and starts each again."""
    for service in rng.sample(KILLS, len(KILLS)):
        await asyncio.sleep(rng.uniform(0.1, 2.0))
        await asyncio.to_thread(platform.kill, service)
        await asyncio.to_thread(platform.start, service)


async def ordered(client: AsyncHeadshots, subject: str, number: int) -> Shoot:
    """A shoot that trains anew, asked for until a gateway answers."""
    while True:
        try:
            return await client.create_shoot(
                subject,
                styles=STYLES,
                count=COUNT,
                options=ShootOptions(retrain=True, seed=number * 100),
                request_id=f"shoot-{number}",
            )
        except UnavailableError:
            await asyncio.sleep(0.2)


async def watched(client: AsyncHeadshots, made: Shoot) -> list[ShootEvent]:
    """Every event of a shoot."""
    return [event async for event in client.watch_shoot(made, after_event=0)]


async def check_whole(client: AsyncHeadshots, platform: LivePlatform, subject: str, shoots: list[Shoot]) -> None:
    """Each has one training, one gallery, and each portrait once; there is nothing else."""
    trainings = [training.name async for training in client.list_trainings(subject)]
    galleries = [gallery async for gallery in client.list_galleries(subject)]
    assert sorted(trainings) == sorted(shoot.training for shoot in shoots)
    assert sorted(gallery.name for gallery in galleries) == sorted(shoot.gallery for shoot in shoots)
    files_of_all = set()
    for shoot in shoots:
        assert (shoot.state, shoot.completed_shots, shoot.tries) == (JobState.SUCCEEDED, COUNT, COUNT)
        assert shoot.guarantee is Guarantee.NOT_MEASURED
        gallery = await client.get_gallery(shoot.gallery)
        seeds = range(COUNT // len(STYLES))
        wanted = Counter((f"styles/{style}", seed) for style in STYLES for seed in seeds)
        first = min(image.seed for image in gallery.images)
        assert Counter((image.style, image.seed - first) for image in gallery.images) == wanted
        files_of_all |= {image.sha256 for image in gallery.images}
    paths = list(platform.object(f"tenants/default/{subject}/images").iterdir())
    stored = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert sorted(stored) == sorted(files_of_all), "a portrait that was painted twice left a second file"


async def check_origin(client: AsyncHeadshots, shoot: Shoot) -> None:
    """Its portraits are known as its own, by a signature that the gateway trusts: they share a home."""
    image = (await client.get_gallery(shoot.gallery)).images[0]
    origin = await client.verify_image((await client.get_image(image)).content)
    assert origin.signature.state is SignatureState.VALID
    assert image.name in origin.images
    assert not origin.erased


async def test_shoots_go_on_whatever_is_killed(platform: LivePlatform) -> None:
    async with platform.client() as client:
        subject = (await client.create_subject("Ada", consent=CONSENT)).name
        await client.upload_photos(subject, files(range(7)))
        undisturbed = await ordered(client, subject, 0)
        events = await watched(client, undisturbed)
        shoots = [events[-1].shoot]
        kills = asyncio.create_task(kill_at_random(platform, random.Random(12)))
        while not kills.done():
            made = await ordered(client, subject, len(shoots))
            events = await watched(client, made)
            assert [event.shoot.event_number for event in events] == list(range(1, len(events) + 1))
            told = Counter(image.name for event in events for image in event.images)
            assert told == Counter(f"{events[-1].shoot.gallery}/images/{number}" for number in range(COUNT))
            shoots.append(events[-1].shoot)
        await kills
        assert len(shoots) >= 2
        await check_whole(client, platform, subject, shoots)
        await check_origin(client, shoots[0])
