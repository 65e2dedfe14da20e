"""Tests that the SDK sends labels and external ids, hands them out, and filters lists by them."""

from __future__ import annotations

from typing import Any

import pytest

from headshots.client import AsyncHeadshots, Labelling, StyleRecipe, Subject
from headshots.v1 import labels_pb2
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.prepared import trained
from tests.support.fake_gateway.styles import STYLES

LABELLING = Labelling({"order": "4711", "tier": "gold"}, "customer/1")


async def make(client: AsyncHeadshots, subject: Subject, labelling: Labelling | None) -> list[Any]:
    """One of each kind."""
    number = "1" if labelling is None else "2"
    return [
        await client.create_subject("Ada", labelling=labelling),
        await client.create_training(subject, labelling=labelling),
        await client.create_gallery(subject, STYLES[:1], shots_per_style=1, labelling=labelling),
        await client.create_shoot(subject, styles=STYLES[:1], count=1, labelling=labelling),
        await client.create_style(f"own-{number}", StyleRecipe(prompt="{subject}"), labelling=labelling),
        await client.create_profile(f"own-{number}", labelling=labelling),
        await client.create_pack(f"own-{number}", {STYLES[0]: 1}, labelling=labelling),
    ]


async def listed(client: AsyncHeadshots, subject: Subject, labelling: Labelling | None) -> list[list[str]]:
    """The names of each kind."""
    lists: tuple[Any, ...] = (
        client.list_subjects(labelling=labelling),
        client.list_trainings(subject, labelling=labelling),
        client.list_galleries(subject, labelling=labelling),
        client.list_shoots(subject, labelling=labelling),
        client.list_styles(labelling=labelling),
        client.list_profiles(labelling=labelling),
        client.list_packs(labelling=labelling),
    )
    return [[each.name async for each in items] for items in lists]


async def test_every_kind_has_them_and_is_found_by_them(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    plain = await make(client, subject, None)
    made = await make(client, subject, LABELLING)
    assert [(dict(each.labels), each.external_id) for each in plain] == [({}, "")] * 7
    assert [(each.labels, each.external_id) for each in made] == [(LABELLING.labels, "customer/1")] * 7
    names = [[each.name] for each in made]
    for wanted in (LABELLING, Labelling({"order": "4711"}), Labelling(external_id="customer/1")):
        assert await listed(client, subject, wanted) == names
    assert await listed(client, subject, Labelling({"order": "4712"})) == [[]] * 7
    for everything, mine in zip(await listed(client, subject, None), names, strict=True):
        assert set(everything) > set(mine)


async def test_those_that_wait_for_the_end_give_labels_too(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    training = await client.train(subject, labelling=LABELLING)
    painted = [each async for each in client.generate(subject, STYLES[:1], shots_per_style=1, labelling=LABELLING)]
    shoot = await client.shoot(subject, styles=STYLES[:1], count=1, labelling=LABELLING)
    gallery = await client.get_gallery(painted[0].image.name.partition("/images/")[0])
    for made in (training, gallery, shoot):
        assert (made.labels, made.external_id) == (LABELLING.labels, LABELLING.external_id)


async def test_a_subject_changes_what_is_given(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await client.create_subject("Ada", labelling=LABELLING)
    assert (await client.update_subject(subject, display_name="Grace")).labels == LABELLING.labels
    assert not fake.requests[-1].HasField("labels")
    assert not fake.requests[-1].HasField("external_id")
    emptied = await client.update_subject(subject, labels={}, external_id="")
    assert (emptied.display_name, emptied.labels, emptied.external_id) == ("Grace", {}, "")
    assert fake.requests[-1].labels == labels_pb2.Labels()


async def test_photos_are_labelled_when_uploaded_changed_and_found(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject, pictures = await client.create_subject(), [painted_png("selfie", number) for number in range(5)]
    first, second = await client.upload_photos(subject, pictures[:2], labelling=LABELLING)
    each = [Labelling({"order": "1"}), Labelling(external_id="x")]
    third, fourth = await client.upload_photos(subject, pictures[2:4], labelling=each)
    (plain,) = await client.upload_photos(subject, pictures[4:])
    photos = (first, second, third, fourth, plain)
    told = [(photo.labels, photo.external_id) for photo in photos]
    assert told == [(LABELLING.labels, "customer/1")] * 2 + [({"order": "1"}, ""), ({}, "x"), ({}, "")]
    assert [photo async for photo in client.list_photos(subject, labelling=LABELLING)] == [first, second]
    changed = await client.update_photo(first, labels={}, external_id="")
    assert (changed.labels, changed.external_id) == ({}, "")
    assert (await client.update_photo(second, external_id="b")).labels == LABELLING.labels
    assert not fake.requests[-1].HasField("labels")
    with pytest.raises(ValueError, match="1 labellings for 2 photos"):
        await client.upload_photos(subject, pictures[:2], labelling=each[:1])
    assert len({*photos}) == 5


async def test_images_are_labelled_and_found(client: AsyncHeadshots) -> None:
    subject = await trained(client)
    gallery = await client.wait_gallery(await client.create_gallery(subject, STYLES[:1], shots_per_style=2))
    image, other = gallery.images
    assert (image.labels, image.external_id) == ({}, "")
    changed = await client.update_image(image, labels=LABELLING.labels, external_id="customer/1")
    assert (changed.labels, changed.external_id) == (LABELLING.labels, "customer/1")
    assert [each.name async for each in client.list_images(gallery, labelling=LABELLING)] == [image.name]
    assert [each.name async for each in client.list_images(gallery, labelling=Labelling({"order": "1"}))] == []
    assert (await client.update_image(image.name, labels={})).external_id == "customer/1"
    assert len({changed, other}) == 2


async def test_resources_with_labels_can_be_kept_in_sets(client: AsyncHeadshots) -> None:
    subject = await client.create_subject(labelling=LABELLING)
    assert len({subject, await client.get_subject(subject), LABELLING}) == 2
