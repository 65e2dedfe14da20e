"""The main job through real processes: selfies in, adapters, galleries out, with services that die on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headshots.client import AsyncHeadshots, Gallery, JobState, PaintedImage, Subject, Training, TrainingOptions
from headshots.client.stub import GatewayStub
from headshots.rpc.channel import open_channel
from headshots.v1 import galleries_pb2
from tests.support.consents import CONSENT
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.foundations.stock import StockDiffusers, psnr
from tests.support.live_platform import LivePlatform, pixels, selfies
from tests.support.trainer.chaos import PLAN, Kill, Plan
from tests.support.waiting import PATIENCE_SECONDS, until

STYLES = ["studio-navy-suit", "park-denim-jacket"]
# Strong and short: what matters here is that people come out different, not that they come out well.
RECIPE = TrainingOptions(steps=80, rank=4, learning_rate=0.03, batch_rows=2, seed=1)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Where trainings of the platform stand still; nowhere, unless a test writes it."""
    plan = Plan(tmp_path_factory.mktemp("plan"))
    plan.write([])
    return plan


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Iterator[LivePlatform]:
    home = tmp_path_factory.mktemp("platform")
    environment = {PLAN: str(plan.folder), "HEADSHOTS_TRAINER_CHECKPOINT_SECONDS": "0"}
    modules = {"trainer": "tests.support.trainer.chaos"}
    with LivePlatform(home, tiny_foundation(), tiny_package().folder, environment, modules) as platform:
        yield platform


async def taught(client: AsyncHeadshots, person: int) -> tuple[Subject, Training]:
    """A person with an adapter; each is trained once for all tests of this file."""
    async for subject in client.list_subjects():
        if subject.display_name == f"Person {person}" and subject.adapter is not None:
            return subject, await anext(client.list_trainings(subject))
    subject = await client.create_subject(f"Person {person}", class_noun="woman", consent=CONSENT)
    await client.upload_photos(subject, selfies(person))
    training = await client.train(subject, RECIPE)
    return await client.get_subject(subject), training


async def painted(client: AsyncHeadshots, subject: Subject, shots: int = 2, seed: int = 5) -> list[PaintedImage]:
    return [each async for each in client.generate(subject, STYLES, shots_per_style=shots, seed=seed)]


async def test_people_differ_and_repeats_do_not(platform: LivePlatform) -> None:
    async with platform.client() as client:
        (ada, training), (bob, _) = await taught(client, 1), await taught(client, 2)
        assert training.state is JobState.SUCCEEDED
        assert training.step == training.total_steps == RECIPE.steps
        assert training.adapter == ada.adapter
        of_ada, of_bob = _by_number(await painted(client, ada)), _by_number(await painted(client, bob))
        again = _by_number(await painted(client, ada))
    assert [(each.image.style, each.image.seed) for each in of_ada] == [
        (f"styles/{style}", seed) for style in STYLES for seed in (5, 6)
    ]
    for one, other, repeat in zip(of_ada, of_bob, again, strict=True):
        assert (one.image.prompt, one.image.seed) == (other.image.prompt, other.image.seed)
        difference = float(np.abs(pixels(one.content) - pixels(other.content)).mean())
        assert difference > 3, "two people from the same prompt and seed look the same"
        assert one.content == repeat.content, "the same person, prompt and seed gave other bytes"


async def test_stock_diffusers_paints_the_same_with_the_adapter(platform: LivePlatform) -> None:
    async with platform.client() as client:
        subject, training = await taught(client, 1)
        shots = await painted(client, subject)
    assert training.adapter is not None
    stock = StockDiffusers(tiny_foundation())
    bare = stock.paint(shots[0].image)
    stock.load_adapter(platform.object(training.adapter.key))
    for shot in shots:
        assert psnr(stock.paint(shot.image), pixels(shot.content)) >= 40
    assert psnr(bare, pixels(shots[0].content)) < 30, "the adapter must matter for this test to say anything"


async def test_gateway_killed_in_mid_gallery_finishes_it(platform: LivePlatform) -> None:
    async with platform.client() as client:
        subject, _ = await taught(client, 1)
        styles = [style.name async for style in client.list_styles()]
        gallery = await client.create_gallery(subject, styles[:10], shots_per_style=6)
        before: dict[str, str] = {}
        seen: list[PaintedImage] = []
        async for event in client.watch_gallery(gallery):
            if isinstance(event, PaintedImage):
                seen.append(event)
                if len(seen) == 5:
                    before = {each.image.name: each.image.sha256 for each in seen}
                    platform.kill("gateway")
                    platform.start("gateway")
            elif isinstance(event, Gallery):
                last = event
        finished = await client.get_gallery(gallery)
        recorded = {
            image.sha256
            async for listed in client.list_galleries(subject)
            for image in (await client.get_gallery(listed)).images
        }
    assert (last.state, last.completed_shots, last.failed_shots) == (JobState.SUCCEEDED, 60, 0)
    # Straight from the gateway: the SDK would hide an image that is told twice.
    told = await names_told(platform, gallery)
    assert sorted(told) == sorted(image.name for image in finished.images)
    assert {each.image.name for each in seen} == set(told)
    files = {path.stem for path in platform.object(f"tenants/default/{subject.name}/images").iterdir()}
    assert files == recorded, "a shot that was painted twice left a second file"
    wanted = {(style, seed) for style in styles[:10] for seed in range(6)}
    assert {(image.style, image.seed) for image in finished.images} == wanted
    assert len(finished.images) == len(wanted)
    now = {image.name: image.sha256 for image in finished.images}
    assert {name: now[name] for name in before} == before
    assert len(before) == 5


async def names_told(platform: LivePlatform, gallery: Gallery) -> list[str]:
    """Every image of one watch, as the gateway sends them."""
    async with open_channel(platform.address("gateway")) as channel:
        stub = GatewayStub(channel)
        call = stub.WatchGallery(
            galleries_pb2.WatchGalleryRequest(name=gallery.name),
            metadata=(("authorization", f"Bearer {platform.api_key}"),),
            timeout=PATIENCE_SECONDS,
        )
        return [message.image.name async for message in call if message.HasField("image")]


async def test_trainer_killed_in_mid_training_finishes_it(platform: LivePlatform, plan: Plan) -> None:
    plan.write([Kill("00000020.safetensors", "after", "hold")])
    options = TrainingOptions(steps=40, rank=4, learning_rate=0.001, batch_rows=2)
    async with platform.client() as client:
        subject = await client.create_subject("Person 6", consent=CONSENT)
        await client.upload_photos(subject, selfies(6))
        training = await client.create_training(subject, options)
        killed_at = 0
        async for now in client.watch_training(training):
            if now.step >= 10 and not killed_at:
                killed_at = now.step
                await until(lambda: plan.happened() == 1)
                platform.kill("trainer")
                platform.start("trainer")
        assert 10 <= killed_at <= 20
        assert now.state is JobState.SUCCEEDED
        assert now.attempt >= 2
        assert now.step == 40
        assert len(await painted(client, await client.get_subject(subject), shots=1)) == 2


def _by_number(shots: list[PaintedImage]) -> list[PaintedImage]:
    return sorted(shots, key=lambda shot: int(Path(shot.image.name).name))
