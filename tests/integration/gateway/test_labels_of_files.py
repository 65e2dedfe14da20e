"""Labels and external ids of photos and images: given, changed, filtered by, and gone with their file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from headshots import schema
from headshots.errors import InvalidArgumentError
from headshots.v1 import galleries_pb2, images_pb2, labels_pb2, photos_pb2, subjects_pb2
from tests.support.gateway.caller import Caller, refused, selfie, upload_messages
from tests.support.gateway.world import World

LABELS = {"order": "4711", "customer_tier": "gold"}


@dataclass(frozen=True)
class Kind:
    """How a kind of file is listed and changed; each test has five of them below a parent."""

    noun: str
    module: Any

    async def parent(self, caller: Caller) -> str:
        """What the five are listed by."""
        subject = await caller.trained_subject() if self.noun == "Image" else await caller.subject()
        if self.noun == "Photo":
            await caller.upload(subject, *map(selfie, range(5)))
            return subject
        return str((await caller.finished_gallery(await caller.gallery(subject, shots_per_style=5))).name)

    async def list(self, caller: Caller, parent: str, **how: Any) -> Any:
        request = getattr(self.module, f"List{self.noun}sRequest")(parent=parent, **how)
        return await caller(f"List{self.noun}s", request)

    async def listed(self, caller: Caller, parent: str, **how: Any) -> list[Any]:
        return list(getattr(await self.list(caller, parent, **how), f"{self.noun.lower()}s"))

    async def names(self, caller: Caller, parent: str, **how: Any) -> list[str]:
        return [each.name for each in await self.listed(caller, parent, **how)]

    async def change(self, caller: Caller, name: str, labels: dict[str, str] | None = None, **fields: Any) -> Any:
        whole = None if labels is None else labels_pb2.Labels(labels=labels)
        request = getattr(self.module, f"Update{self.noun}Request")(name=name, labels=whole, **fields)
        return getattr(await caller(f"Update{self.noun}", request), self.noun.lower())

    async def delete(self, caller: Caller, name: str) -> None:
        await caller(f"Delete{self.noun}", getattr(self.module, f"Delete{self.noun}Request")(name=name))


PHOTO, IMAGE = Kind("Photo", photos_pb2), Kind("Image", galleries_pb2)
each_kind = pytest.mark.parametrize("kind", [PHOTO, IMAGE], ids=lambda kind: kind.noun)


@each_kind
async def test_what_is_changed_is_answered_and_found(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    first, second, third, *_ = await kind.names(caller, parent)
    made = await kind.change(caller, first, LABELS, external_id="a/1")
    await kind.change(caller, second, {"order": "4712"}, external_id="a/2")
    [listed] = await kind.listed(caller, parent, external_id="a/1")
    for answer in (made, listed):
        assert (answer.name, dict(answer.labels), answer.external_id) == (first, LABELS, "a/1")
    for how, expected in (
        ({"labels": {"order": "4711"}}, [first]),
        ({"labels": LABELS}, [first]),
        ({"labels": {**LABELS, "order": "4712"}}, []),
        ({"labels": {"order": ""}}, []),
        ({"labels": {"order": "4712"}, "external_id": "a/2"}, [second]),
        ({"labels": {"order": "4712"}, "external_id": "a/1"}, []),
        ({"external_id": "a/"}, []),
    ):
        assert await kind.names(caller, parent, **how) == expected, how
    (plain,) = [each for each in await kind.listed(caller, parent) if each.name == third]
    assert (dict(plain.labels), plain.external_id) == ({}, "")


@each_kind
async def test_what_is_not_given_stays_and_labels_change_as_a_whole(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    name, *_ = await kind.names(caller, parent)
    await kind.change(caller, name, LABELS, external_id="a")
    for change, labels, external_id in (
        ({}, LABELS, "a"),
        ({"labels": {"order": "1"}}, {"order": "1"}, "a"),
        ({"external_id": "b"}, {"order": "1"}, "b"),
        ({"labels": {}, "external_id": ""}, {}, ""),
    ):
        changed = await kind.change(caller, name, **change)
        assert (dict(changed.labels), changed.external_id) == (labels, external_id)


@each_kind
async def test_pages_hold_with_a_filter_in_whatever_order_its_labels_come(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    names = await kind.names(caller, parent)
    several = {f"k{number}": "x" for number in range(9)}
    for at, name in enumerate(names):
        await kind.change(caller, name, {**several, "odd": str(at % 2)}, external_id="x")
    wanted = {**several, "odd": "0"}
    found, token = [], ""
    for shift in range(3):
        pairs = [*wanted.items()]
        labels = dict(pairs[shift:] + pairs[:shift])
        page = await kind.list(caller, parent, labels=labels, external_id="x", page_size=1, page_token=token)
        found += [each.name for each in getattr(page, f"{kind.noun.lower()}s")]
        token = page.next_page_token
    assert (found, token) == (names[::2], "")


@each_kind
async def test_what_breaks_the_limits_is_refused_and_changes_nothing(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    name, *_ = await kind.names(caller, parent)
    for bad in ({"labels": {"Order": "1"}}, {"labels": {"k": "\0"}}, {"external_id": "é" * 129}):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await kind.change(caller, name, **bad)
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
            await kind.list(caller, parent, **bad)
    [first, *_] = await kind.listed(caller, parent)
    assert (dict(first.labels), first.external_id) == ({}, "")


LARGEST = {f"k{number:02}" + "_" * 60: "é" * 128 for number in range(32)}


@each_kind
async def test_the_largest_labels_are_kept_and_one_more_is_refused(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    name, *_ = await kind.names(caller, parent)
    await kind.change(caller, name, LARGEST, external_id="é" * 128)
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await kind.change(caller, name, {**LARGEST, "k": ""})
    assert await kind.names(caller, parent, labels=LARGEST, external_id="é" * 128) == [name]


async def test_a_photo_is_uploaded_with_the_largest_labels(world: World) -> None:
    subject = await world.acme.subject()
    messages = upload_messages(subject, selfie(0))
    (start,) = [message.photo for message in messages if message.HasField("photo")]
    start.labels.update(LARGEST)
    start.external_id = "é" * 128
    (stored,) = await world.acme.send(messages)
    assert (dict(stored.labels), stored.external_id) == (LARGEST, "é" * 128)


@each_kind
async def test_the_database_s_file_forgets_what_was_changed_and_what_was_erased(world: World, kind: Kind) -> None:
    caller, parent = world.acme, await kind.parent(world.acme)
    name, other, *_ = await kind.names(caller, parent)
    await kind.change(caller, name, {"passport": "SECRET-1"}, external_id="SECRET-2")
    await kind.change(caller, other, {"passport": "SECRET-5"})
    await kind.change(caller, name, {"passport": "SECRET-3"}, external_id="SECRET-4")
    assert [holds(world, f"SECRET-{number}") for number in range(1, 6)] == [False, False, True, True, True]
    await kind.delete(caller, name)
    assert [holds(world, f"SECRET-{number}") for number in range(3, 6)] == [False, False, True]
    subject = "/".join(parent.split("/")[:2])
    await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert not holds(world, "SECRET-5")


def holds(world: World, text: str) -> bool:
    """Whether any file of the database has the text."""
    return any(text.encode() in file.read_bytes() for file in world.folder.glob("headshots.db*"))


async def test_photos_are_labelled_when_they_are_uploaded_each_its_own_way(world: World) -> None:
    subject = await world.acme.subject()
    messages = upload_messages(subject, selfie(0), selfie(1), selfie(2))
    first, second, _ = [message.photo for message in messages if message.HasField("photo")]
    first.labels.update(LABELS)
    first.external_id, second.external_id = "a/1", "a/2"
    stored = await world.acme.send(messages)
    assert stored == await PHOTO.listed(world.acme, subject)
    told = [(dict(photo.labels), photo.external_id) for photo in stored]
    assert told == [(LABELS, "a/1"), ({}, "a/2"), ({}, "")]


@pytest.mark.parametrize("bad", [{"labels": {"Order": "1"}}, {"external_id": "é" * 129}], ids=str)
async def test_an_upload_with_a_label_that_breaks_the_limits_stores_nothing(world: World, bad: dict[str, Any]) -> None:
    subject = await world.acme.subject()
    messages = upload_messages(subject, selfie(0), selfie(1))
    start = photos_pb2.PhotoStart(size_bytes=10, **bad)
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme.send([*messages, photos_pb2.UploadPhotosRequest(photo=start)])
    assert world.rows(schema.photos) == []


async def test_an_image_s_labels_are_told_wherever_it_is(world: World) -> None:
    caller, gallery = world.acme, await IMAGE.parent(world.acme)
    name, *_ = await IMAGE.names(caller, gallery)
    await IMAGE.change(caller, name, LABELS, external_id="a")
    got = (await caller("GetImage", galleries_pb2.GetImageRequest(name=name))).image
    whole = (await caller("GetGallery", galleries_pb2.GetGalleryRequest(name=gallery))).gallery
    watched = caller.stream("WatchGallery", galleries_pb2.WatchGalleryRequest(name=gallery))
    streamed = [event.image async for event in watched if event.HasField("image")]
    for image in (got, *(each for each in (*whole.images, *streamed) if each.name == name)):
        assert isinstance(image, images_pb2.Image)
        assert (dict(image.labels), image.external_id) == (LABELS, "a")
    assert (dict(whole.labels), whole.external_id) == ({}, "")


async def test_an_image_painted_anew_has_none_of_the_old_one(world: World) -> None:
    caller, gallery = world.acme, await IMAGE.parent(world.acme)
    name, *_ = await IMAGE.names(caller, gallery)
    await IMAGE.change(caller, name, LABELS)
    request = galleries_pb2.RegenerateImageRequest(name=name)
    another = await caller.finished_gallery((await caller("RegenerateImage", request)).gallery.name)
    assert [dict(image.labels) for image in another.images] == [{}]
