"""Tests that the SDK orders, quotes, watches and cancels shoots and saves images, against a gateway in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headshots.client import (
    Acceptance,
    AsyncHeadshots,
    Guarantee,
    ImageFormat,
    ImageOrder,
    JobFailedError,
    JobState,
    Priority,
    Shoot,
    ShootOptions,
    ShootStage,
    StyleSeeds,
)
from headshots.errors import (
    CancelledByCallerError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.v1 import images_pb2, jobs_pb2
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.prepared import subject_with_photos, trained
from tests.support.fake_gateway.shoots import MEASURED_ON
from tests.support.fake_gateway.styles import STYLES
from tests.support.fake_gateway.trainings import STEPS


async def test_a_shoot_from_selfies_to_the_best_files(
    client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path
) -> None:
    fake.refused_shots = {1}
    seen: list[Shoot] = []
    subject = await subject_with_photos(client)
    shoot = await client.shoot(subject, styles=STYLES[:2], count=3, on_progress=seen.append)
    assert (shoot.state, shoot.stage, shoot.guarantee) == (JobState.SUCCEEDED, ShootStage.ENDED, Guarantee.NOT_MET)
    assert (shoot.asked, shoot.delivered, shoot.tries, shoot.max_tries) == (3, 2, 5, 3)
    assert shoot.style_shots == (2, 1)
    assert shoot.trains
    assert [now.event_number for now in seen] == list(range(1, len(seen) + 1))
    assert max(now.training_step for now in seen) == STEPS
    files = await client.download_images(shoot.gallery, tmp_path / "made" / "portraits")
    names = [f"01-{STYLES[1]}.png", f"02-{STYLES[0]}.png", f"refused-01-{STYLES[0]}.png"]
    assert [file.name for file in files] == names
    best = [image async for image in client.list_images(shoot.gallery, max_rank=1)]
    assert [image.rank for image in best] == [1]
    assert files[0].read_bytes() == (await client.get_image(best[0])).content


async def test_saving_goes_on_and_never_writes_over_another_picture(
    client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path
) -> None:
    subject = await subject_with_photos(client)
    shoot = await client.shoot(subject, styles=STYLES[:1], count=3)
    assert len(await client.download_images(shoot.gallery, tmp_path, best=2)) == 2
    before = fake.calls["GetImage"]
    files = await client.download_images(shoot.gallery, tmp_path)
    assert fake.calls["GetImage"] == before + 1, "the two that were there are not fetched again"
    files[0].write_bytes(b"somebody else's")
    again = await client.download_images(shoot.gallery, tmp_path)
    assert again[0].name == f"01-{STYLES[0]}-2.png"
    assert files[0].read_bytes() == b"somebody else's"


async def test_options_reach_the_gateway(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.high_granted = True
    subject = await client.create_subject()
    await client.upload_photos(subject, [painted_png("selfie", number) for number in range(7)])
    photos = [photo async for photo in client.list_photos(subject)]
    options = ShootOptions(
        photos=photos[:6],
        retrain=True,
        profile="profile-worthy",
        max_tries=5,
        seed=9,
        format=ImageFormat.JPEG,
        quality=80,
        priority=Priority.HIGH,
        deadline=datetime(2100, 1, 1, tzinfo=UTC),
    )
    made = await client.create_shoot(subject, pack="business", count=8, options=options, request_id="mine")
    asked = fake.requests[-1]
    assert (asked.pack, list(asked.styles), asked.count) == ("packs/business", [], 8)
    assert list(asked.photos) == [photo.name for photo in photos[:6]]
    assert (asked.retrain, asked.profile, asked.max_tries, asked.seed) == (True, "profiles/profile-worthy", 5, 9)
    assert (asked.format, asked.quality) == (images_pb2.IMAGE_FORMAT_JPEG, 80)
    assert asked.priority == jobs_pb2.PRIORITY_HIGH
    assert made.deadline == options.deadline
    assert await client.create_shoot(subject, pack="business", count=8, options=options, request_id="mine") == made
    assert [each async for each in client.list_shoots(subject)] == [made]


async def test_styles_have_seeds_of_their_own_unless_an_order_says_otherwise(client: AsyncHeadshots) -> None:
    subject = await subject_with_photos(client)
    for choice, kept in ((None, StyleSeeds.VARIED), (StyleSeeds.SAME,) * 2, (StyleSeeds.VARIED,) * 2):
        made = await client.create_shoot(subject, pack="business", count=2, options=ShootOptions(style_seeds=choice))
        assert made.style_seeds is kept


async def test_a_quote_makes_nothing(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    quote = await client.quote(subject, pack="business", count=8)
    assert (quote.queue_place, quote.training_steps, quote.images, quote.device_seconds) == (1, STEPS, 10, 90.0)
    assert quote.measured_on == MEASURED_ON
    assert quote.expected_finish_time is not None
    assert quote.latest_finish_time is not None
    assert quote.expected_finish_time < quote.latest_finish_time
    assert fake.shoots == {}
    assert (await client.quote(await trained(client), pack="business", count=8)).training_steps == 0


async def test_a_watch_goes_on_after_the_last_event(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    made = await client.create_shoot(subject, styles=STYLES[:1], count=2)
    fake.cut_after = [3, 1]
    events = [event async for event in client.watch_shoot(made)]
    assert fake.calls["WatchShoot"] == 3
    assert [event.shoot.event_number for event in events] == list(range(1, len(events) + 1))
    assert [image.seed for event in events for image in event.images] == [0, 1]
    last = events[-1].shoot.event_number
    assert [event async for event in client.watch_shoot(made, after_event=last)] == []
    assert [event async for event in client.watch_shoot(made, after_event=0)] == events


async def test_a_shoot_that_fails_or_is_cancelled_raises(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await subject_with_photos(client)
    made = await client.create_shoot(subject, styles=STYLES[:1], count=2)
    assert (await client.cancel_shoot(made)).state is JobState.CANCELLED
    with pytest.raises(CancelledByCallerError):
        await client.wait_shoot(made)
    fake.training_failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="lower the rate")
    with pytest.raises(JobFailedError, match="lower the rate") as caught:
        await client.shoot(subject, styles=STYLES[:1], count=2)
    assert isinstance(caught.value.job, Shoot)
    assert (await client.get_shoot(caught.value.job)).state is JobState.FAILED


async def test_wrong_orders_raise(client: AsyncHeadshots) -> None:
    subject = await subject_with_photos(client)
    for bad in ({"count": 0, "pack": "business"}, {"count": 161, "pack": "business"}, {"count": 1}):
        with pytest.raises(InvalidArgumentError):
            await client.create_shoot(subject, **bad)
    with pytest.raises(InvalidArgumentError, match="asked for twice"):
        await client.create_shoot(subject, styles=[STYLES[0], STYLES[0]], count=2)
    with pytest.raises(InvalidArgumentError, match="has no time zone"):
        await client.create_shoot(
            subject, pack="business", count=1, options=ShootOptions(deadline=datetime(2100, 1, 1))
        )
    with pytest.raises(NotFoundError):
        await client.create_shoot(subject, pack="nosuch", count=1)
    with pytest.raises(FailedPreconditionError):
        await client.create_shoot(await client.create_subject(), pack="business", count=1)


async def test_verdicts_tell_each_check(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.refused_shots = {0}
    shoot = await client.shoot(await subject_with_photos(client), styles=STYLES[:1], count=2)
    refused, accepted = [image async for image in client.list_images(shoot.gallery)]
    assert refused.verdict is not None
    assert (refused.verdict.acceptance, refused.verdict.profile_version) == (Acceptance.REFUSED, 1)
    (failed,) = refused.verdict.failed
    assert (failed.reason, failed.measured, failed.limit) == ("NOT_ALIKE", 2.75, 2.0)
    assert (refused.rank, refused.tries) == (0, 3)
    assert accepted.verdict is not None
    assert (accepted.verdict.failed, accepted.rank, accepted.tries) == ((), 1, 1)
    best_first = [image async for image in client.list_images(shoot.gallery, order=ImageOrder.RANK)]
    assert best_first == [accepted, refused]
    only = [image async for image in client.list_images(shoot.gallery, acceptance=Acceptance.REFUSED, page_size=1)]
    assert only == [refused]
    assert [image async for image in client.list_images(shoot.gallery, styles=[STYLES[1]])] == []


async def test_what_nobody_measured_is_no_pass(client: AsyncHeadshots, fake: FakeGateway, tmp_path: Path) -> None:
    fake.measures = False
    shoot = await client.shoot(await subject_with_photos(client), styles=STYLES[:1], count=1)
    assert (shoot.guarantee, shoot.delivered) == (Guarantee.NOT_MEASURED, 0)
    (file,) = await client.download_images(shoot.gallery, tmp_path)
    assert file.name == f"not-measured-00-{STYLES[0]}.png"


async def test_an_image_is_painted_again(client: AsyncHeadshots, fake: FakeGateway) -> None:
    shoot = await client.shoot(await subject_with_photos(client), styles=STYLES[:1], count=2)
    disliked = [image async for image in client.list_images(shoot.gallery)][1]
    would_be = await client.regenerate_image(disliked, validate_only=True)
    assert would_be.name not in fake.galleries
    gallery = await client.regenerate_image(disliked, max_tries=2)
    assert (gallery.regenerates, gallery.total_shots, gallery.max_tries) == (disliked.name, 1, 2)
    assert (await client.wait_gallery(gallery)).images[0].seed != disliked.seed
