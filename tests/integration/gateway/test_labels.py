"""Labels and external ids of every kind of resource: kept, filtered by, compared, paged, and gone with their subject.

Each test runs for every kind, so that a kind that forgets a part fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from headshots.errors import AlreadyExistsError, InvalidArgumentError
from headshots.v1 import (
    galleries_pb2,
    labels_pb2,
    looks_pb2,
    packs_pb2,
    profiles_pb2,
    shoots_pb2,
    styles_pb2,
    subjects_pb2,
    teams_pb2,
    trainings_pb2,
)
from tests.support.gateway.caller import Caller, refused, selfie
from tests.support.gateway.world import World

LABELS = {"order": "4711", "customer_tier": "gold"}
RECIPE = styles_pb2.StyleRecipe(prompt="photo of {subject}")


@dataclass(frozen=True)
class Kind:
    """How a kind of resource is made, found and listed; `subject` prepares what it belongs to, if anything."""

    noun: str
    module: Any
    subject: Callable[[Caller], Awaitable[str]]
    fields: Callable[[str, int], Mapping[str, Any]]
    """Of the create request, of the subject and a number."""
    plural: str
    ends: bool = False
    """Whether only one may run at a time, so that the next needs the end of the one before."""

    top_level: bool = False
    """Whether it is the tenant's, whoever's it tells of."""

    async def create(self, caller: Caller, subject: str, number: int = 0, **more: Any) -> Any:
        request = getattr(self.module, f"Create{self.noun}Request")(**self.fields(subject, number), **more)
        made = getattr(await caller(f"Create{self.noun}", request), self.noun.lower())
        if self.ends:
            await caller.finished_training(made.name)
        return made

    async def get(self, caller: Caller, name: str) -> Any:
        request = getattr(self.module, f"Get{self.noun}Request")(name=name)
        return getattr(await caller(f"Get{self.noun}", request), self.noun.lower())

    async def list(self, caller: Caller, subject: str, **how: Any) -> Any:
        parent = {"parent": subject} if subject and not self.top_level else {}
        request = getattr(self.module, f"List{self.plural}Request")(**parent, **how)
        return await caller(f"List{self.plural}", request)

    async def names(self, caller: Caller, subject: str, **how: Any) -> list[str]:
        return [each.name for each in getattr(await self.list(caller, subject, **how), self.plural.lower())]


async def nobody(caller: Caller) -> str:
    return ""


async def with_photos(caller: Caller) -> str:
    subject = await caller.subject()
    await caller.upload(subject, *map(selfie, range(6)))
    return subject


async def trained(caller: Caller) -> str:
    return await caller.trained_subject()


async def with_look(caller: Caller) -> str:
    await caller("CreateLook", looks_pb2.CreateLookRequest(look_id="office", styles=STYLES, frame=FRAME))
    return await caller.trained_subject()


STYLES = ["styles/studio-navy-suit"]
FRAME = looks_pb2.Frame(width_px=64, height_px=64)
PACKED = [packs_pb2.PackStyle(style=STYLES[0], shots=1)]
KINDS = [
    Kind("Subject", subjects_pb2, nobody, lambda _, number: {"display_name": str(number)}, "Subjects"),
    Kind("Training", trainings_pb2, with_photos, lambda subject, _: {"parent": subject}, "Trainings", ends=True),
    Kind(
        "Gallery",
        galleries_pb2,
        trained,
        lambda subject, number: {"parent": subject, "styles": STYLES, "shots_per_style": 1, "seed": number},
        "Galleries",
    ),
    Kind(
        "Shoot",
        shoots_pb2,
        trained,
        lambda subject, number: {"parent": subject, "styles": STYLES, "count": 1, "seed": number},
        "Shoots",
    ),
    Kind("Style", styles_pb2, nobody, lambda _, number: {"style_id": f"own-{number}", "recipe": RECIPE}, "Styles"),
    Kind("Profile", profiles_pb2, nobody, lambda _, number: {"profile_id": f"own-{number}"}, "Profiles"),
    Kind("Pack", packs_pb2, nobody, lambda _, number: {"pack_id": f"own-{number}", "styles": PACKED}, "Packs"),
    Kind(
        "Look",
        looks_pb2,
        nobody,
        lambda _, number: {"look_id": f"own-{number}", "styles": STYLES, "frame": FRAME},
        "Looks",
    ),
    Kind(
        "Team",
        teams_pb2,
        with_look,
        lambda subject, _: {"look": "looks/office", "members": [subject]},
        "Teams",
        top_level=True,
    ),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


@each_kind
async def test_what_is_written_on_a_resource_is_answered_and_found(world: World, kind: Kind) -> None:
    caller, subject = world.acme, await kind.subject(world.acme)
    made = await kind.create(caller, subject, 0, labels=LABELS, external_id="a/1")
    other = await kind.create(caller, subject, 1, labels={"order": "4712"}, external_id="a/2")
    plain = await kind.create(caller, subject, 2)
    [listed] = getattr(await kind.list(caller, subject, external_id="a/1"), kind.plural.lower())
    for answer in (made, await kind.get(caller, made.name), listed):
        assert (dict(answer.labels), answer.external_id) == (LABELS, "a/1")
    assert (dict(plain.labels), plain.external_id) == ({}, "")
    for how, expected in (
        ({"labels": {"order": "4711"}}, [made.name]),
        ({"labels": LABELS}, [made.name]),
        ({"labels": {**LABELS, "order": "4712"}}, []),
        ({"labels": {"order": ""}}, []),
        ({"labels": {"order": "4712"}, "external_id": "a/2"}, [other.name]),
        ({"labels": {"order": "4712"}, "external_id": "a/1"}, []),
        ({"external_id": "a/"}, []),
    ):
        assert await kind.names(caller, subject, **how) == expected, how
    assert {made.name, other.name, plain.name} <= set(await kind.names(caller, subject))
    if not subject:
        assert await kind.names(world.caller(world.keys["globex"]), "", external_id="a/1") == []


@each_kind
async def test_pages_hold_with_a_filter(world: World, kind: Kind) -> None:
    caller, subject = world.acme, await kind.subject(world.acme)
    made = [await kind.create(caller, subject, at, labels={"odd": str(at % 2)}, external_id="x") for at in range(5)]
    found, token = [], ""
    for _ in range(3):
        page = await kind.list(caller, subject, labels={"odd": "0"}, external_id="x", page_size=1, page_token=token)
        found += [each.name for each in getattr(page, kind.plural.lower())]
        token = page.next_page_token
    assert sorted(found) == sorted(each.name for each in made[::2])
    assert token == ""


@each_kind
async def test_a_request_id_goes_with_its_labels(world: World, kind: Kind) -> None:
    caller, subject = world.acme, await kind.subject(world.acme)
    asked = {"request_id": "once", "external_id": "a"}
    made = await kind.create(caller, subject, labels=LABELS, **asked)
    assert (await kind.create(caller, subject, labels=LABELS, **asked)).name == made.name
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
        await kind.create(caller, subject, labels={**LABELS, "order": "1"}, request_id="once", external_id="b")
    assert [violation.field for violation in caught.value.violations] == ["external_id", "labels.order"]


REFUSED = {
    "33 labels": {"labels": {f"k{number}": "" for number in range(33)}},
    "a key with a capital": {"labels": {"Order": "1"}},
    "a key with a quote": {"labels": {'o"': "1"}},
    "a key with a dot": {"labels": {"a.b": "1"}},
    "an empty key": {"labels": {"": "1"}},
    "a key of 64": {"labels": {"k" * 64: "1"}},
    "a value of 129": {"labels": {"k": "é" * 129}},
    "NUL in a value": {"labels": {"k": "\0"}},
    "an id of 129": {"external_id": "é" * 129},
    "NUL in an id": {"external_id": "\0"},
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_breaks_the_limits_is_refused(world: World, case: str) -> None:
    for kind in KINDS:
        given = {name: "subjects/a" for name in ("parent",) if name in kind.fields("subjects/a", 0)}
        for verb, fields in (("Create", kind.fields("subjects/a", 0)), ("List", given)):
            noun = kind.noun if verb == "Create" else kind.plural
            request = getattr(kind.module, f"{verb}{noun}Request")(**fields, **REFUSED[case])
            with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
                await world.acme(f"{verb}{noun}", request)


async def test_the_largest_labels_are_kept(world: World) -> None:
    labels = {f"k{number:02}" + "_" * 60: "é" * 128 for number in range(32)}
    made = await KINDS[0].create(world.acme, "", labels=labels, external_id="é" * 128)
    assert await KINDS[0].names(world.acme, "", labels=labels, external_id="é" * 128) == [made.name]


@pytest.mark.parametrize("value", ["", "1", "true", "null", '"quoted"', "it's", "%", "a\\b", "1.0", "🙂"])
async def test_a_value_is_text_whatever_it_looks_like(world: World, value: str) -> None:
    made = await KINDS[0].create(world.acme, "", labels={"a-b": value})
    await KINDS[0].create(world.acme, "", labels={"a-b": value + "x", "a_b": value})
    assert await KINDS[0].names(world.acme, "", labels={"a-b": value}) == [made.name]


async def update(world: World, name: str, **fields: Any) -> subjects_pb2.Subject:
    answer = await world.acme("UpdateSubject", subjects_pb2.UpdateSubjectRequest(name=name, **fields))
    assert isinstance(answer.subject, subjects_pb2.Subject)
    return answer.subject


async def test_a_subject_changes_its_labels_as_a_whole_where_they_are_given(world: World) -> None:
    subject = await KINDS[0].create(world.acme, "", labels=LABELS, external_id="a", request_id="once")
    renamed = await update(world, subject.name, display_name="Ada")
    assert (dict(renamed.labels), renamed.external_id) == (LABELS, "a")
    changed = await update(world, subject.name, labels=labels_pb2.Labels(labels={"order": "1"}))
    assert (dict(changed.labels), changed.external_id, changed.display_name) == ({"order": "1"}, "a", "Ada")
    emptied = await update(world, subject.name, labels=labels_pb2.Labels(), external_id="")
    assert (dict(emptied.labels), emptied.external_id) == ({}, "")
    assert await KINDS[0].get(world.acme, subject.name) == emptied
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await update(world, subject.name, labels=labels_pb2.Labels(labels={"A": "1"}))


async def test_the_file_of_the_database_forgets_what_was_changed(world: World) -> None:
    subject = await KINDS[0].create(world.acme, "", labels={"passport": "SECRET-1"}, request_id="once")
    await update(world, subject.name, labels=labels_pb2.Labels(labels={"passport": "SECRET-2"}))
    assert not holds(world, "SECRET-1")
    assert holds(world, "SECRET-2")
    await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject.name))
    assert not holds(world, "SECRET-2")


def holds(world: World, text: str) -> bool:
    """Whether any file of the database has the text."""
    return any(text.encode() in file.read_bytes() for file in world.folder.glob("headshots.db*"))


async def test_versions_have_the_labels_of_the_first(world: World) -> None:
    await KINDS[4].create(world.acme, "", labels=LABELS, external_id="a")
    changed = await world.acme("UpdateStyle", styles_pb2.UpdateStyleRequest(name="styles/own-0", display_name="Own"))
    await KINDS[5].create(world.acme, "", labels=LABELS, external_id="a")
    update = profiles_pb2.UpdateProfileRequest(name="profiles/own-0", display_name="Own")
    await KINDS[6].create(world.acme, "", labels=LABELS, external_id="a")
    renamed = await world.acme("UpdatePack", packs_pb2.UpdatePackRequest(name="packs/own-0", display_name="Own"))
    await KINDS[7].create(world.acme, "", labels=LABELS, external_id="a")
    look = (await world.acme("UpdateLook", looks_pb2.UpdateLookRequest(name="looks/own-0", seed=5))).look
    for second in (changed.style, (await world.acme("UpdateProfile", update)).profile, renamed.pack, look):
        assert (second.version, dict(second.labels), second.external_id) == (2, LABELS, "a")
    for kind in KINDS[4:8]:
        assert await kind.names(world.acme, "", labels=LABELS) == [f"{kind.plural.lower()}/own-0"]


async def test_an_image_painted_anew_is_found_by_the_same_labels(world: World) -> None:
    subject = await trained(world.acme)
    gallery = await KINDS[2].create(world.acme, subject, labels=LABELS, external_id="a")
    await world.acme.finished_gallery(gallery.name)
    request = galleries_pb2.RegenerateImageRequest(name=f"{gallery.name}/images/0")
    another = (await world.acme("RegenerateImage", request)).gallery
    assert await KINDS[2].names(world.acme, subject, labels=LABELS, external_id="a") == [another.name, gallery.name]


async def test_a_label_of_a_shoot_finds_its_training_and_gallery_too_and_an_external_id_it_alone(world: World) -> None:
    subject = await world.acme.subject()
    photos = [photo.name for photo in await world.acme.upload(subject, *map(selfie, range(6)))]
    shoot = await KINDS[3].create(world.acme, subject, photos=photos, labels=LABELS, external_id="a")
    request = shoots_pb2.WatchShootRequest(name=shoot.name)
    events = [event async for event in world.acme.stream("WatchShoot", request)]
    assert all(dict(event.shoot.labels) == LABELS for event in events)
    for kind in KINDS[1:3]:
        [made] = await kind.names(world.acme, subject, labels=LABELS)
        assert await kind.names(world.acme, subject, external_id="a") == []
        assert dict((await kind.get(world.acme, made)).labels) == LABELS
