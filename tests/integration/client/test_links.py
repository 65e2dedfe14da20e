"""Tests that the SDK hands out links, against a gateway in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headshots.client import AsyncHeadshots, Headshots
from headshots.errors import InvalidArgumentError, NotFoundError
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, fake_gateway_in_thread
from tests.support.fake_gateway.prepared import trained
from tests.support.fake_gateway.styles import STYLES


async def test_links_to_all_images_or_to_those_that_are_named(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await trained(client)
    gallery = await client.create_gallery(subject, STYLES[:1], shots_per_style=3)
    assert await client.image_links(gallery) == []
    assert "CreateImageLinks" not in fake.calls
    whole = await client.wait_gallery(gallery)
    made = await client.image_links(gallery)
    assert [link.image for link in made] == [image.name for image in whole.images]
    assert made[0].url == f"http://images.example.com/{whole.images[0].name}"
    assert "http" not in repr(made), "what is printed or logged opens nothing"
    few = await client.image_links(gallery, [whole.images[2], whole.images[0].name], valid_seconds=90)
    assert [link.image for link in few] == [whole.images[2].name, whole.images[0].name]
    assert few[0].expire_time == datetime.fromtimestamp(90, UTC)


async def test_what_cannot_be_linked_to_is_refused(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    gallery = await client.wait_gallery(await client.create_gallery(subject, STYLES[:1], shots_per_style=1))
    with pytest.raises(NotFoundError, match="IMAGE_NOT_FOUND"):
        await client.image_links(gallery, [f"{gallery.name}/images/9"])
    with pytest.raises(InvalidArgumentError, match="valid_seconds"):
        await client.image_links(gallery, valid_seconds=604801)
    with pytest.raises(TypeError, match="takes a list"):
        await client.image_links(gallery, gallery.images[0].name)


def test_the_blocking_client_has_them_too() -> None:
    with (
        fake_gateway_in_thread() as (_, address),
        Headshots(address, API_KEY) as client,
        pytest.raises(NotFoundError, match="GALLERY_NOT_FOUND"),
    ):
        client.image_links("subjects/a/galleries/b")
