"""Tests the SDK's calls about the tenant, styles and subjects, against a gateway in memory."""

from __future__ import annotations

import pytest

from headshots.client import AsyncHeadshots, Deletion, PackStyle, StyleRecipe
from headshots.errors import FailedPreconditionError, NotFoundError
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.styles import STYLES


async def test_tenant_and_styles(client: AsyncHeadshots) -> None:
    assert (await client.get_tenant()).name == "tenants/t1"
    styles = [style async for style in client.list_styles(page_size=2)]
    assert [style.name for style in styles] == [f"styles/{style}" for style in STYLES]
    assert await client.get_style(STYLES[1]) == await client.get_style(styles[1]) == styles[1]
    assert styles[1].recipe.outfit == "studio-grey"


async def test_subjects_are_listed_by_pages_and_deleted(client: AsyncHeadshots, fake: FakeGateway) -> None:
    made = [await client.create_subject(f"person {number}") for number in range(5)]
    listed = [subject async for subject in client.list_subjects(page_size=2)]
    assert listed == made[::-1]
    assert fake.calls["ListSubjects"] == 3
    assert made[0].class_noun == "person"
    assert made[0].create_time is not None
    assert made[0].create_time.tzinfo is not None
    assert made[0].adapter is None
    assert await client.get_subject(made[0].name.removeprefix("subjects/")) == made[0]
    assert await client.delete_subject(made[0]) == Deletion(0, "erasures/e0")
    with pytest.raises(NotFoundError) as caught:
        await client.get_subject(made[0])
    assert caught.value.reason == "SUBJECT_NOT_FOUND"


async def test_creates_carry_fresh_request_ids(client: AsyncHeadshots) -> None:
    first, second = await client.create_subject(), await client.create_subject()
    assert first.name != second.name
    assert await client.create_subject(request_id="mine") == await client.create_subject(request_id="mine")


async def test_foundations(client: AsyncHeadshots) -> None:
    listed, older = [each async for each in client.list_foundations()]
    assert (listed.is_default, listed.ready_generators, older.ready_generators) == (True, 2, 0)
    assert await client.get_foundation("cd" * 32) == await client.get_foundation(listed) == listed
    assert (listed.display_name, listed.native_width_px, listed.max_height_px) == ("tiny", 512, 2048)
    assert (listed.class_nouns, listed.vocabulary, listed.window_tokens) == (
        ("man", "woman"),
        ("a", "man", "woman"),
        77,
    )
    assert (listed.guidance_interval, older.guidance_interval) == ((0.25, 0.75), None)
    assert (listed.head_height, listed.eye_line, older.head_height, older.eye_line) == (0.78, 0.39, None, None)
    with pytest.raises(NotFoundError):
        await client.get_foundation("ab" * 32)


async def test_own_styles(client: AsyncHeadshots) -> None:
    recipe = StyleRecipe(prompt="still of {subject}", guidance_scale=0.0, guidance_interval=(0.0, 0.8), steps=12)
    made = await client.create_style("still", recipe, description="A film still.")
    assert (made.recipe, made.display_name, made.built_in, made.version) == (recipe, "still", False, 1)
    assert made.create_time is not None
    changed = await client.update_style(made, display_name="Still")
    assert (changed.version, changed.recipe, changed.description) == (2, recipe, "A film still.")
    assert (await client.update_style(made, recipe=StyleRecipe(prompt="{subject}"))).recipe.guidance_scale is None
    preview = await client.preview_style(STYLES[0], class_noun="woman")
    assert (preview.lost, preview.unknown_words, preview.window_tokens) == ("turquoise wall", ("turquoise",), 77)
    assert preview.guidance_interval == (0.25, 0.75)
    assert (await client.archive_style(made)).archived
    assert "styles/still" not in [style.name async for style in client.list_styles()]
    assert "styles/still" in [style.name async for style in client.list_styles(include_archived=True)]
    with pytest.raises(FailedPreconditionError):
        await client.update_style(STYLES[0], display_name="Mine")


async def test_packs(client: AsyncHeadshots) -> None:
    (listed,) = [each async for each in client.list_packs()]
    assert await client.get_pack("business") == await client.get_pack(listed) == listed
    assert listed.styles == (PackStyle("styles/studio-navy-suit", 8),)
    assert (listed.total_shots, listed.version, listed.built_in, listed.create_time) == (8, 1, True, None)


async def test_own_packs(client: AsyncHeadshots) -> None:
    made = await client.create_pack("team", {STYLES[0]: 3, "styles/own": 1}, description="Ours.", request_id="once")
    assert (made.name, made.version, made.built_in, made.total_shots) == ("packs/team", 1, False, 4)
    assert made.styles == (PackStyle(f"styles/{STYLES[0]}", 3), PackStyle("styles/own", 1))
    assert made.create_time is not None
    renamed = await client.update_pack(made, display_name="Team")
    assert (renamed.version, renamed.styles, renamed.description) == (2, made.styles, "Ours.")
    changed = await client.update_pack("team", styles={await client.get_style(STYLES[1]): 2})
    assert (changed.styles, changed.display_name) == ((PackStyle(f"styles/{STYLES[1]}", 2),), "Team")
    assert (await client.update_pack("team", styles={}, validate_only=True)).styles == (), "sent as it was given"
    assert (await client.archive_pack(made)).archived
    assert [pack.name async for pack in client.list_packs()] == ["packs/business"]
    assert [pack.name async for pack in client.list_packs(include_archived=True)] == ["packs/business", "packs/team"]
    with pytest.raises(FailedPreconditionError):
        await client.update_pack("business", display_name="Mine")
