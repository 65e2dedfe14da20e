"""Tenants make styles of their own, change them, preview them and archive them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headshots import schema
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from headshots.v1 import galleries_pb2, styles_pb2
from tests.support.gateway.caller import Caller, refused
from tests.support.gateway.fake_generator import INTERVAL as FOUNDATIONS
from tests.support.gateway.world import World

WORDS = {"outfit": "orange hoodie", "backdrop": "brick wall", "lighting": "neon lighting", "framing": "headshot"}
HOODIE = "styles/hoodie"
INTERVAL = "recipe.guidance_interval"


async def create(caller: Caller, style_id: str = "hoodie", recipe: dict[str, Any] | None = None, **fields: Any) -> Any:
    message = styles_pb2.StyleRecipe(**(WORDS if recipe is None else recipe))
    request = styles_pb2.CreateStyleRequest(style_id=style_id, recipe=message, **fields)
    return (await caller("CreateStyle", request)).style


async def update(caller: Caller, **fields: Any) -> Any:
    return (await caller("UpdateStyle", styles_pb2.UpdateStyleRequest(name=HOODIE, **fields))).style


async def get(caller: Caller, version: int = 0) -> Any:
    return (await caller("GetStyle", styles_pb2.GetStyleRequest(name=HOODIE, version=version))).style


async def archive(caller: Caller, name: str = HOODIE) -> Any:
    return (await caller("ArchiveStyle", styles_pb2.ArchiveStyleRequest(name=name))).style


async def names(caller: Caller, **fields: Any) -> list[str]:
    """By pages of two."""
    request, found = styles_pb2.ListStylesRequest(page_size=2, **fields), []
    while True:
        answer = await caller("ListStyles", request)
        found += [style.name for style in answer.styles]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def test_a_style_is_usable_at_once(world: World) -> None:
    subject = await world.acme.trained_subject(class_noun="man")
    made = await create(world.acme, recipe={**WORDS, "expression": "warm smile", "negative_prompt": "blurry"})
    assert (made.name, made.display_name, made.version) == (HOODIE, "hoodie", 1)
    assert not made.built_in
    assert not made.archived
    assert made.HasField("create_time")
    assert await get(world.acme) == made
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, ["hoodie"], shots_per_style=1))
    assert gallery.images[0].prompt == (
        "headshot of a ohwx man, wearing an orange hoodie, brick wall background, neon lighting, warm smile"
    )
    assert world.generator.requests[-1].negative_prompt == "blurry"


async def test_an_interval_of_guidance_is_kept_asked_for_and_told(world: World) -> None:
    subject = await world.acme.trained_subject(class_noun="man")
    plain = await create(world.acme, "plain")
    assert not plain.recipe.HasField("guidance_interval")
    told = styles_pb2.GuidanceInterval(low=0.0, high=0.75)
    made = await create(world.acme, recipe={**WORDS, "guidance_interval": told})
    assert made.recipe.guidance_interval == told
    assert await get(world.acme) == made
    assert await update(world.acme, recipe=made.recipe) == made, "the same interval makes no version"
    previews = [
        (await world.acme("PreviewStyle", styles_pb2.PreviewStyleRequest(name=name))).guidance_interval
        for name in ("styles/plain", HOODIE)
    ]
    assert previews == [FOUNDATIONS, told]
    gallery = await world.acme.gallery(subject, ["hoodie"], shots_per_style=1)
    await world.acme.finished_gallery(gallery)
    assert world.generator.requests[-1].guidance_interval == told
    other = await update(world.acme, recipe=plain.recipe)
    assert (other.version, other.recipe.HasField("guidance_interval")) == (2, False)


async def test_a_style_without_a_negative_prompt_takes_the_foundations(world: World) -> None:
    world.generator.negative_prompt = "cartoon"
    await create(world.acme, recipe=WORDS)
    await create(world.acme, "own", recipe={**WORDS, "negative_prompt": "blurry"})
    previewed = [
        (await world.acme("PreviewStyle", styles_pb2.PreviewStyleRequest(name=name))).negative_prompt
        for name in ("styles/hoodie", "styles/own")
    ]
    assert previewed == ["cartoon", "blurry"]


async def test_styles_are_listed_among_the_built_in_ones_by_name(world: World) -> None:
    built_in = await names(world.acme)
    for style_id in ("a-first", "hoodie", "zz-last", "gone"):
        await create(world.acme, style_id)
    await archive(world.acme, "styles/gone")
    own = [f"styles/{style_id}" for style_id in ("a-first", "hoodie", "zz-last")]
    assert await names(world.acme) == sorted([*built_in, *own])
    assert await names(world.acme, include_archived=True) == sorted([*built_in, *own, "styles/gone"])
    assert await names(world.caller(world.keys["globex"])) == built_in


async def test_a_new_version_leaves_galleries_and_older_versions_alone(world: World) -> None:
    subject = await world.acme.trained_subject(class_noun="man")
    first = await create(world.acme)
    world.generator.hold()
    gallery = await world.acme.gallery(subject, ["hoodie"], shots_per_style=6)
    second = await update(world.acme, recipe=styles_pb2.StyleRecipe(prompt="photo of {subject}"), display_name="Hood")
    assert (second.version, second.recipe.outfit, second.display_name) == (2, "", "Hood")
    assert [await get(world.acme, version) for version in (0, 1, 2)] == [second, first, second]
    with refused(NotFoundError, "STYLE_VERSION_NOT_FOUND"):
        await get(world.acme, 3)
    world.generator.permit()
    prompts = {image.prompt for image in (await world.acme.finished_gallery(gallery)).images}
    assert prompts == {"headshot of a ohwx man, wearing an orange hoodie, brick wall background, neon lighting"}
    newer = await world.acme.finished_gallery(await world.acme.gallery(subject, ["hoodie"], shots_per_style=1))
    assert newer.images[0].prompt == "photo of ohwx man"


async def test_an_update_that_changes_nothing_makes_no_version(world: World) -> None:
    made = await create(world.acme)
    assert await update(world.acme) == made
    recipe = styles_pb2.StyleRecipe(**WORDS)
    assert await update(world.acme, display_name="hoodie", recipe=recipe) == made
    assert await update(world.acme, display_name="") == made, "as where it is made without one"
    assert (await update(world.acme, description="Warm.", validate_only=True)).version == 2
    assert len(world.rows(schema.styles)) == 1
    assert (await update(world.acme, description="Warm.")).recipe == made.recipe


async def test_an_archived_style_is_refused_and_its_galleries_keep_it(world: World) -> None:
    subject = await world.acme.trained_subject()
    await create(world.acme)
    await update(world.acme, description="Warm.")
    world.generator.hold()
    gallery = await world.acme.gallery(subject, ["hoodie"], shots_per_style=1)
    assert (await archive(world.acme)).archived
    assert (await archive(world.acme)).archived, "again is as once"
    world.generator.permit()
    assert (await world.acme.finished_gallery(gallery)).completed_shots == 1
    for validate_only in (True, False):
        with refused(FailedPreconditionError, "STYLE_ARCHIVED") as caught:
            await world.acme.gallery(subject, ["studio-navy-suit", "hoodie"], validate_only=validate_only)
        assert [violation.field for violation in caught.value.violations] == ["styles[1]"]
    with refused(FailedPreconditionError, "STYLE_ARCHIVED"):
        await update(world.acme, display_name="Hood")
    with refused(AlreadyExistsError, "STYLE_EXISTS"):
        await create(world.acme)
    assert (await get(world.acme, 1)).archived
    assert len(world.rows(schema.galleries)) == 1


async def test_names_are_taken_within_the_tenant_and_by_built_in_styles(world: World) -> None:
    await create(world.acme)
    for style_id in ("hoodie", "studio-navy-suit"):
        for validate_only in (True, False):
            with refused(AlreadyExistsError, "STYLE_EXISTS"):
                await create(world.acme, style_id, validate_only=validate_only)
    await create(world.caller(world.keys["globex"]))
    for call in (archive(world.acme, "styles/studio-navy-suit"), _change_built_in(world.acme)):
        with refused(FailedPreconditionError, "STYLE_BUILT_IN"):
            await call
    assert len(world.rows(schema.styles)) == 2


async def _change_built_in(caller: Caller) -> None:
    await caller("UpdateStyle", styles_pb2.UpdateStyleRequest(name="styles/studio-navy-suit", display_name="Mine"))


async def test_the_same_request_id_makes_one_style(world: World) -> None:
    made = await create(world.acme, request_id="once")
    assert await create(world.acme, request_id="once") == made
    await update(world.acme, description="Warm.")
    world.generator.window_tokens = 3
    assert (await create(world.acme, request_id="once")).version == 2, "as it is now, and not checked again"
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
        await create(world.acme, "other", {**WORDS, "outfit": "suit"}, request_id="once")
    assert {violation.field for violation in caught.value.violations} == {"style_id", "recipe.outfit"}


@pytest.mark.parametrize("validate_only", [True, False])
@pytest.mark.parametrize(
    ("recipe", "reason", "fields"),
    [
        ({}, "STYLE_INVALID", ["recipe.outfit", "recipe.backdrop", "recipe.lighting", "recipe.framing"]),
        ({**WORDS, "outfit": " "}, "STYLE_INVALID", ["recipe.outfit"]),
        ({"prompt": "nobody"}, "STYLE_INVALID", ["recipe.prompt"]),
        ({"prompt": "{subject.__class__}"}, "STYLE_INVALID", ["recipe.prompt"]),
        ({"prompt": "{subject}", "outfit": "suit"}, "STYLE_INVALID", ["recipe.outfit"]),
        ({"prompt": "{subject}", "width_px": 100}, "STYLE_INVALID", ["recipe.width_px"]),
        ({"prompt": "{subject}", "guidance_interval": {"low": 0.8, "high": 0.2}}, "STYLE_INVALID", [INTERVAL]),
        ({"prompt": "{subject}", "guidance_interval": {"low": 0.8}}, "CONSTRAINT_VIOLATED", [f"{INTERVAL}.high"]),
        ({"prompt": "{subject}", "height_px": 72}, "SIZE_INVALID", ["recipe.height_px"]),
        ({"prompt": "{subject}" + " word" * 80}, "PROMPT_TOO_LONG", ["recipe.prompt"]),
        ({"prompt": "{subject}", "negative_prompt": "word " * 80}, "PROMPT_TOO_LONG", ["recipe.negative_prompt"]),
        ({"prompt": "{subject}", "steps": 151}, "CONSTRAINT_VIOLATED", ["recipe.steps"]),
        ({**WORDS, "outfit": "x" * 257}, "CONSTRAINT_VIOLATED", ["recipe.outfit"]),
        ({**WORDS, "outfit": "a\x00b"}, "CONSTRAINT_VIOLATED", ["recipe.outfit"]),
    ],
    ids=str,
)
async def test_bad_styles_are_refused_with_the_fields(
    world: World, recipe: dict[str, Any], reason: str, fields: list[str], validate_only: bool
) -> None:
    with refused(InvalidArgumentError, reason) as caught:
        await create(world.acme, recipe=recipe, validate_only=validate_only)
    assert [violation.field for violation in caught.value.violations] == fields
    assert world.rows(schema.styles) == []


async def test_words_that_the_foundation_does_not_know_are_refused(world: World) -> None:
    world.generator.vocabulary = {"a", "person", "headshot", "of", "wearing", "hoodie", "brick", "wall", "background"}
    world.generator.vocabulary |= {"neon", "lighting", "purple", "man", "woman"}
    with refused(InvalidArgumentError, "STYLE_WORDS_UNKNOWN") as caught:
        await create(world.acme, recipe={**WORDS, "backdrop": "turquoise wall"})
    assert [violation.field for violation in caught.value.violations] == ["recipe.outfit", "recipe.backdrop"]
    assert "does not know orange, turquoise and" in caught.value.message
    assert "purple" in caught.value.message
    await create(world.acme, recipe={**WORDS, "outfit": "purple hoodie"})
    with refused(InvalidArgumentError, "STYLE_WORDS_UNKNOWN"):
        await update(world.acme, recipe=styles_pb2.StyleRecipe(**WORDS))
    assert len(world.rows(schema.styles)) == 1


async def test_where_no_generator_answers_a_style_is_made_unchecked_and_not_previewed(world: World) -> None:
    await world.stop_peer(world.generator_port)
    await create(world.acme)
    with refused(UnavailableError, "GENERATOR_UNREACHABLE"):
        await world.acme("PreviewStyle", styles_pb2.PreviewStyleRequest(name=HOODIE))


async def test_a_preview_tells_the_prompt_and_what_is_read_of_it(world: World) -> None:
    subject = await world.acme.trained_subject(class_noun="woman")
    await create(world.acme, recipe={**WORDS, "negative_prompt": "blurry", "steps": 12, "width_px": 512})
    preview = await world.acme("PreviewStyle", styles_pb2.PreviewStyleRequest(name=HOODIE, subject=subject))
    assert preview.prompt == "headshot of a ohwx woman, wearing an orange hoodie, brick wall background, neon lighting"
    assert (preview.negative_prompt, preview.width_px, preview.height_px) == ("blurry", 512, 256)
    assert (preview.steps, preview.guidance_scale, preview.window_tokens, preview.lost) == (12, 2.5, 77, "")
    assert preview.tokens == len(preview.prompt.split()) + 2
    world.generator.window_tokens = 14
    world.generator.vocabulary = {"headshot", "of", "a", "man"}
    await world.kill()
    await world.start()
    request = styles_pb2.PreviewStyleRequest(name="styles/studio-navy-suit", class_noun="man")
    built_in = await world.acme("PreviewStyle", request)
    assert built_in.prompt.startswith("headshot of a sks man, wearing a navy suit")
    assert built_in.lost == "background, soft studio lighting"
    assert list(built_in.unknown_words)[:3] == ["navy", "suit", "plain"], "the style's own words alone"


async def test_two_changes_at_once_make_two_versions(world: World) -> None:
    await create(world.acme)
    await asyncio.gather(update(world.acme, display_name="Hood"), update(world.acme, description="Warm."))
    newest = await get(world.acme)
    assert (newest.version, newest.display_name, newest.description) == (3, "Hood", "Warm.")


async def test_a_gallery_of_another_tenants_style_is_refused(world: World) -> None:
    subject = await world.acme.trained_subject()
    await create(world.caller(world.keys["globex"]))
    request = galleries_pb2.CreateGalleryRequest(parent=subject, styles=[HOODIE], validate_only=True)
    with pytest.raises(HeadshotsError) as caught:
        await world.acme("CreateGallery", request)
    assert caught.value.reason == "STYLE_UNKNOWN"
