"""Tests that the SDK starts, watches and receives galleries, against a gateway in memory."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from headshots.client import (
    AsyncHeadshots,
    Gallery,
    ImageFormat,
    JobFailedError,
    JobState,
    PaintedImage,
    Priority,
    Remix,
    RemixChange,
    ShotPreview,
    StyleSeeds,
)
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.prepared import trained
from tests.support.fake_gateway.styles import STYLES


async def test_generate_yields_files_in_order(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    painted = [each async for each in client.generate(subject, STYLES[:2], shots_per_style=2, seed=7)]
    assert [(each.image.style, each.image.seed) for each in painted] == [
        (f"styles/{style}", seed) for style in STYLES[:2] for seed in (7, 8)
    ]
    assert all(each.content == painted_png(each.image.style, each.image.seed) for each in painted)
    assert await client.get_image(painted[3].image) == painted[3]


async def test_styles_may_have_seeds_of_their_own(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    how: dict[str, Any] = {"shots_per_style": 1, "seed": 7}
    for choice, kept in ((None, StyleSeeds.SAME), (StyleSeeds.SAME, StyleSeeds.SAME), (StyleSeeds.VARIED,) * 2):
        gallery = await client.create_gallery(subject, STYLES[:2], style_seeds=choice, **how)
        assert (gallery.style_seeds, gallery.seed) == (kept, 7)
        seeds = {each.seed for each in (await client.wait_gallery(gallery)).images}
        assert (seeds == {7}) == (kept is StyleSeeds.SAME)
    varied = {
        each.image.seed async for each in client.generate(subject, STYLES[:2], style_seeds=StyleSeeds.VARIED, **how)
    }
    assert varied == seeds


async def test_gallery_fields_and_events(client: AsyncHeadshots, fake: FakeGateway) -> None:
    fake.high_granted = True
    subject = await trained(client)
    gallery = await client.create_gallery(
        subject,
        STYLES,
        shots_per_style=1,
        format=ImageFormat.WEBP,
        quality=80,
        priority=Priority.HIGH,
    )
    asked = fake.requests[-1]
    assert asked.format == images_pb2.IMAGE_FORMAT_WEBP
    assert asked.priority == jobs_pb2.PRIORITY_HIGH
    assert asked.quality == 80
    events = [event async for event in client.watch_gallery(gallery, include_previews=True)]
    assert [type(event) for event in events] == [Gallery, *([ShotPreview, PaintedImage] * 3), Gallery]
    assert all(event.content == b"" for event in events if isinstance(event, PaintedImage))
    last = events[-1]
    assert isinstance(last, Gallery)
    assert (last.state, last.completed_shots, last.total_shots) == (JobState.SUCCEEDED, 3, 3)
    again = [event async for event in client.watch_gallery(gallery, include_content=True)]
    assert [type(event) for event in again] == [*([PaintedImage] * 3), Gallery]
    whole = await client.wait_gallery(gallery)
    assert [image.seed for image in whole.images] == [0, 0, 0]
    assert [each async for each in client.list_galleries(subject)] == [dataclasses.replace(whole, images=())]


async def test_a_gallery_over_an_image(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    (first,) = [each async for each in client.generate(subject, [STYLES[0]], shots_per_style=1)]
    remix = Remix(first.image.name, repaint=0.3)
    gallery = await client.create_gallery(subject, [STYLES[1]], remix=remix)
    assert gallery.remix == remix
    assert fake.requests[-1].remix == galleries_pb2.Remix(image=first.image.name, repaint=0.3)
    assert [each async for each in client.generate(subject, [STYLES[1]], remix=Remix(first.image.name))]
    assert {made.remix for made in [each async for each in client.list_galleries(subject)]} == {
        None,
        remix,
        Remix(first.image.name, None),
    }


async def test_one_thing_of_an_image_is_changed(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    (first,) = [each async for each in client.generate(subject, [STYLES[0]], shots_per_style=1)]
    gallery = await client.remix_image(first.image, RemixChange.BACKDROP, "sandy beach", shots=2, seed=9)
    asked = fake.requests[-1]
    assert asked.remix == galleries_pb2.Remix(
        image=first.image.name, change=galleries_pb2.REMIX_CHANGE_BACKDROP, to="sandy beach"
    )
    assert (asked.parent, list(asked.styles), asked.shots_per_style, asked.seed) == (subject.name, [], 2, 9)
    assert gallery.remix == Remix(first.image.name, None, RemixChange.BACKDROP, "sandy beach")
    assert (gallery.styles, gallery.max_tries) == ((f"styles/{STYLES[0]}",), 4)
    style = await client.get_style(STYLES[1])
    await client.remix_image(first.image.name, RemixChange.OUTFIT, style, repaint=0.9, validate_only=True)
    assert (fake.requests[-1].remix.to, fake.requests[-1].remix.repaint) == (f"styles/{STYLES[1]}", 0.9)


async def test_gallery_that_fails_raises_after_its_images(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    fake.gallery_failure = jobs_pb2.Failure(reason="SHOTS_FAILED", message="3 of 4 shots failed")
    painted = client.generate(subject, [STYLES[0]])
    assert (await anext(painted)).image.seed == 0
    with pytest.raises(JobFailedError, match="3 of 4"):
        await anext(painted)


async def test_unknown_style_and_bad_field_raise_different_errors(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    with pytest.raises(NotFoundError, match="ListStyles"):
        await client.create_gallery(subject, ["no-such-style"])
    with pytest.raises(InvalidArgumentError) as caught:
        await client.create_gallery(subject, [STYLES[0]], shots_per_style=65, quality=101)
    assert {violation.field for violation in caught.value.violations} == {"quality", "shots_per_style"}
