"""Tenants make packs of their own, change them, order shoots with them and archive them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.database import write
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.v1 import galleries_pb2, packs_pb2, styles_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import Caller, refused
from tests.support.gateway.world import World

SUIT, SHIRT, COAT = "studio-navy-suit", "stage-red-shirt", "clinic-lab-coat"
TEAM = "packs/team"
RECIPE = styles_pb2.StyleRecipe(prompt="photo of {subject}")


def styles_of(shots: Mapping[str, int]) -> list[packs_pb2.PackStyle]:
    return [packs_pb2.PackStyle(style=f"styles/{style}", shots=count) for style, count in shots.items()]


async def create(caller: Caller, pack_id: str = "team", shots: Mapping[str, int] | None = None, **fields: Any) -> Any:
    styles = styles_of({SUIT: 3, SHIRT: 1} if shots is None else shots)
    request = packs_pb2.CreatePackRequest(pack_id=pack_id, styles=styles, **fields)
    return (await caller("CreatePack", request)).pack


async def update(caller: Caller, shots: Mapping[str, int] | None = None, name: str = TEAM, **fields: Any) -> Any:
    styles = None if shots is None else packs_pb2.PackStyles(styles=styles_of(shots))
    return (await caller("UpdatePack", packs_pb2.UpdatePackRequest(name=name, styles=styles, **fields))).pack


async def get(caller: Caller, version: int = 0) -> Any:
    return (await caller("GetPack", packs_pb2.GetPackRequest(name=TEAM, version=version))).pack


async def archive(caller: Caller, name: str = TEAM) -> Any:
    return (await caller("ArchivePack", packs_pb2.ArchivePackRequest(name=name))).pack


async def own_style(caller: Caller, style_id: str) -> None:
    await caller("CreateStyle", styles_pb2.CreateStyleRequest(style_id=style_id, recipe=RECIPE))


async def archive_style(caller: Caller, style_id: str) -> None:
    await caller("ArchiveStyle", styles_pb2.ArchiveStyleRequest(name=f"styles/{style_id}"))


async def names(caller: Caller, **fields: Any) -> list[str]:
    """By pages of two."""
    request, found = packs_pb2.ListPacksRequest(page_size=2, **fields), []
    while True:
        answer = await caller("ListPacks", request)
        found += [pack.name for pack in answer.packs]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def test_a_pack_is_usable_at_once(world: World) -> None:
    subject = await world.acme.trained_subject()
    await own_style(world.acme, "mine")
    made = await create(world.acme, shots={"mine": 3, SUIT: 1}, description="Ours.")
    assert (made.name, made.display_name, made.description, made.version) == (TEAM, "team", "Ours.", 1)
    assert ([*made.styles], made.total_shots) == (styles_of({"mine": 3, SUIT: 1}), 4)
    assert (made.built_in, made.archived, made.HasField("create_time")) == (False, False, True)
    assert await get(world.acme) == made
    for validate_only in (True, False):
        shoot = await shoots.order(world.acme, subject, count=8, pack=TEAM, validate_only=validate_only)
        assert (shoot.pack, shoot.pack_version) == (TEAM, 1)
        assert ([*shoot.styles], [*shoot.style_shots]) == (["styles/mine", f"styles/{SUIT}"], [6, 2])
    ended = await shoots.finished(world.acme, shoot.name)
    assert ended.completed_shots == 8


async def test_packs_are_listed_among_the_built_in_ones_by_name(world: World) -> None:
    built_in = await names(world.acme)
    for pack_id in ("a-first", "team", "zz-last", "gone"):
        await create(world.acme, pack_id)
    await archive(world.acme, "packs/gone")
    own = [f"packs/{pack_id}" for pack_id in ("a-first", "team", "zz-last")]
    assert await names(world.acme) == sorted([*built_in, *own])
    assert await names(world.acme, include_archived=True) == sorted([*built_in, *own, "packs/gone"])
    assert await names(world.caller(world.keys["globex"])) == built_in


async def test_a_shoot_keeps_what_its_pack_was_when_it_was_made(world: World) -> None:
    """While it trains the pack gets another version and goes out of use, and so does one of its styles."""
    acme = (await shoots.with_large_photos(world)).acme
    subject = await shoots.person(world)
    await own_style(acme, "mine")
    await create(acme, shots={"mine": 1, SUIT: 1})
    world.trainer.go.clear()
    made = await shoots.order(acme, subject, count=2, pack=TEAM)
    assert (await update(acme, {SHIRT: 64})).version == 2
    await archive_style(acme, "mine")
    await archive(acme)
    world.trainer.go.set()
    shoot = await shoots.finished(acme, made.name)
    assert (shoot.pack_version, [*shoot.styles], [*shoot.style_shots]) == (1, [*made.styles], [1, 1])
    gallery = (await acme("GetGallery", galleries_pb2.GetGalleryRequest(name=shoot.gallery))).gallery
    assert sorted(image.style for image in gallery.images) == ["styles/mine", f"styles/{SUIT}"]


async def test_a_new_version_is_what_shoots_take_and_leaves_older_ones_alone(world: World) -> None:
    subject = await world.acme.trained_subject()
    first = await create(world.acme, display_name="Team")
    second = await update(world.acme, {SHIRT: 2}, description="Shirts.")
    assert (second.version, second.display_name, second.total_shots) == (2, "Team", 2)
    assert [await get(world.acme, version) for version in (0, 1, 2)] == [second, first, second]
    with refused(NotFoundError, "PACK_VERSION_NOT_FOUND"):
        await get(world.acme, 3)
    shoot = await shoots.order(world.acme, subject, pack=TEAM, validate_only=True)
    assert (shoot.pack_version, [*shoot.styles]) == (2, [f"styles/{SHIRT}"])


async def test_an_update_that_changes_nothing_makes_no_version(world: World) -> None:
    made = await create(world.acme)
    assert await update(world.acme) == made
    assert await update(world.acme, {SUIT: 3, SHIRT: 1}, display_name="team") == made
    assert (await update(world.acme, {SHIRT: 1, SUIT: 3}, validate_only=True)).version == 2, "the order counts"
    assert len(world.rows(schema.packs)) == 1
    assert [*(await update(world.acme, description="Ours.")).styles] == [*made.styles]


async def test_an_empty_display_name_is_the_name(world: World) -> None:
    await create(world.acme, display_name="Ours")
    assert (await update(world.acme, display_name="")).display_name == "team"


async def test_an_archived_pack_is_refused(world: World) -> None:
    subject = await world.acme.trained_subject()
    await create(world.acme)
    await update(world.acme, description="Ours.")
    assert (await archive(world.acme)).archived
    assert (await archive(world.acme)).archived, "again is as once"
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "PACK_ARCHIVED") as caught:
            await shoots.order(world.acme, subject, pack=TEAM, validate_only=validate_only)
        assert [violation.field for violation in caught.value.violations] == ["pack"]
    with refused(FailedPreconditionError, "PACK_ARCHIVED"):
        await update(world.acme, display_name="Ours")
    with refused(AlreadyExistsError, "PACK_EXISTS"):
        await create(world.acme)
    assert (await get(world.acme, 1)).archived
    assert world.rows(schema.shoots) == []


async def test_names_are_taken_within_the_tenant_and_by_built_in_packs(world: World) -> None:
    await create(world.acme)
    for pack_id in ("team", "business"):
        for validate_only in (True, False):
            with refused(AlreadyExistsError, "PACK_EXISTS"):
                await create(world.acme, pack_id, validate_only=validate_only)
    await create(world.caller(world.keys["globex"]))
    for call in (archive(world.acme, "packs/business"), update(world.acme, name="packs/business", display_name="Mine")):
        with refused(FailedPreconditionError, "PACK_BUILT_IN"):
            await call
    assert len(world.rows(schema.packs)) == 2


async def test_what_is_only_checked_is_told_and_not_kept(world: World) -> None:
    checked = await create(world.acme, validate_only=True)
    assert (checked.name, checked.version, checked.total_shots) == (TEAM, 1, 4)
    assert world.rows(schema.packs) == []


async def test_a_shoot_of_before_packs_had_versions_is_answered(world: World) -> None:
    made = await shoots.order(world.acme, await world.acme.trained_subject(), pack="packs/business")
    (row,) = world.rows(schema.shoots)
    older = {name: value for name, value in row.plan.items() if name != "pack_version"}
    with write(world.database) as connection:
        connection.execute(sa.update(schema.shoots).values(plan=older))
    found = await shoots.get(world.acme, made.name)
    assert (made.pack_version, found.pack, found.pack_version) == (1, "packs/business", 0)


async def test_the_same_request_id_makes_one_pack(world: World) -> None:
    await own_style(world.acme, "mine")
    made = await create(world.acme, shots={"mine": 1}, request_id="once")
    assert await create(world.acme, shots={"mine": 1}, request_id="once") == made
    await update(world.acme, description="Ours.")
    await archive_style(world.acme, "mine")
    assert (await create(world.acme, shots={"mine": 1}, request_id="once")).version == 2, "as it is now, unchecked"
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
        await create(world.acme, "other", {SUIT: 1}, request_id="once")
    assert {violation.field for violation in caught.value.violations} == {"pack_id", "styles"}


REFUSED: dict[str, tuple[dict[str, int], type[HeadshotsError], str, str]] = {
    "no style": ({}, InvalidArgumentError, "PACK_INVALID", ""),
    "an unknown style": ({SUIT: 1, "nowhere": 1}, InvalidArgumentError, "STYLE_UNKNOWN", "[1].style"),
    "another tenant's style": ({SUIT: 1, "of-globex": 1}, InvalidArgumentError, "STYLE_UNKNOWN", "[1].style"),
    "an archived style": ({SUIT: 1, "archived": 1}, FailedPreconditionError, "STYLE_ARCHIVED", "[1].style"),
    "161 shots": ({SUIT: 64, SHIRT: 64, COAT: 33}, InvalidArgumentError, "TOO_MANY_SHOTS", ""),
    "no shot of a style": ({SUIT: 1, SHIRT: 0}, InvalidArgumentError, "CONSTRAINT_VIOLATED", "[1].shots"),
    "65 shots of a style": ({SUIT: 65}, InvalidArgumentError, "CONSTRAINT_VIOLATED", "[0].shots"),
    "33 styles": ({f"s{n}": 1 for n in range(33)}, InvalidArgumentError, "CONSTRAINT_VIOLATED", ""),
    "no name of a style": ({"A": 1}, InvalidArgumentError, "CONSTRAINT_VIOLATED", "[0].style"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_styles_that_could_not_be_ordered_are_refused_with_the_field(world: World, case: str) -> None:
    shots, error, reason, field = REFUSED[case]
    await own_style(world.caller(world.keys["globex"]), "of-globex")
    await own_style(world.acme, "archived")
    await archive_style(world.acme, "archived")
    await create(world.acme, "kept")
    before = world.rows(schema.packs)
    for validate_only in (True, False):
        with refused(error, reason) as caught:
            await create(world.acme, shots=shots, validate_only=validate_only)
        assert [violation.field for violation in caught.value.violations] == [f"styles{field}"]
        with refused(error, reason) as caught:
            await update(world.acme, shots, "packs/kept", validate_only=validate_only)
        assert [violation.field for violation in caught.value.violations] == [f"styles.styles{field}"]
    assert world.rows(schema.packs) == before


async def test_a_style_twice_is_refused(world: World) -> None:
    styles = [*styles_of({SUIT: 1, SHIRT: 1}), *styles_of({SUIT: 2})]
    with refused(InvalidArgumentError, "PACK_INVALID") as caught:
        await world.acme("CreatePack", packs_pb2.CreatePackRequest(pack_id="team", styles=styles))
    assert [violation.field for violation in caught.value.violations] == ["styles[2].style"]
    assert world.rows(schema.packs) == []


async def test_the_largest_pack_is_kept(world: World) -> None:
    assert (await create(world.acme, shots={SUIT: 64, SHIRT: 64, COAT: 32})).total_shots == 160


async def test_a_pack_with_a_style_that_was_archived_since_cannot_be_ordered_and_can_be_changed(world: World) -> None:
    subject = await world.acme.trained_subject()
    await own_style(world.acme, "mine")
    await create(world.acme, shots={SUIT: 1, "mine": 1})
    await archive_style(world.acme, "mine")
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "STYLE_ARCHIVED") as caught:
            await shoots.order(world.acme, subject, pack=TEAM, validate_only=validate_only)
        assert [violation.field for violation in caught.value.violations] == ["pack"]
        assert "packs/team cannot be ordered: styles/mine is archived" in caught.value.message
        assert "UpdatePack" in caught.value.message
    assert (await update(world.acme, display_name="Team")).version == 2
    await update(world.acme, {SUIT: 1})
    assert (await shoots.order(world.acme, subject, pack=TEAM, validate_only=True)).pack_version == 3
    assert world.rows(schema.shoots) == []


async def test_two_changes_at_once_make_two_versions(world: World) -> None:
    await create(world.acme)
    await asyncio.gather(update(world.acme, display_name="Team"), update(world.acme, {SUIT: 5}))
    newest = await get(world.acme)
    assert (newest.version, newest.display_name, newest.total_shots) == (3, "Team", 5)


async def test_a_style_that_goes_out_of_use_after_the_check_is_refused_with_the_order(world: World) -> None:
    subject = await world.acme.trained_subject()
    await own_style(world.acme, "mine")
    await create(world.acme, shots={SUIT: 1, "mine": 1})
    assert [*(await shoots.order(world.acme, subject, pack=TEAM, validate_only=True)).style_shots] == [2, 1]
    await archive_style(world.acme, "mine")
    with refused(FailedPreconditionError, "STYLE_ARCHIVED"):
        await shoots.order(world.acme, subject, pack=TEAM)
    assert not any(world.rows(table) for table in (schema.shoots, schema.galleries, schema.shots))
    assert len(world.trainer.jobs) == 1, "the person's own training"


async def test_archiving_beside_changes_leaves_no_version_in_use(world: World) -> None:
    for pack_id in ("a", "b", "c", "d"):
        await create(world.acme, pack_id)
        await update(world.acme, {SUIT: 4}, f"packs/{pack_id}")
        calls = [update(world.acme, {SUIT: shots}, f"packs/{pack_id}") for shots in (5, 6)]
        archived, *_ = await asyncio.gather(archive(world.acme, f"packs/{pack_id}"), *calls, return_exceptions=True)
        assert archived.archived
        with refused(FailedPreconditionError, "PACK_ARCHIVED"):
            await update(world.acme, {SUIT: 7}, f"packs/{pack_id}")
    assert all(row.archived_at is not None for row in world.rows(schema.packs))
