"""A remix changes one thing of an image: masks, words, and what is refused with nothing left behind."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from headshots import schema
from headshots.database import write
from headshots.errors import FailedPreconditionError, HeadshotsError, InvalidArgumentError, NotFoundError
from headshots.looks.frame import Frame
from headshots.v1 import galleries_pb2, generator_pb2, styles_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.judging import good, paints, reasons, sitter, small
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer, PartsAnalyzer
from tests.support.images.pictures import HEAD, SIDE_PX

BACKDROP, OUTFIT, LIGHT = (
    galleries_pb2.REMIX_CHANGE_BACKDROP,
    galleries_pb2.REMIX_CHANGE_OUTFIT,
    galleries_pb2.REMIX_CHANGE_LIGHT,
)
SUIT = "studio-navy-suit"
FRAME = Frame(SIDE_PX, SIDE_PX, 0.3, 0.4)
Case = tuple[type[HeadshotsError], str, str | None, dict[str, Any]]


async def changed(world: World, subject: str, image: str, change: Any, to: str, **fields: Any) -> galleries_pb2.Gallery:
    """The gallery of such a remix, finished."""
    remix = galleries_pb2.Remix(image=image, change=change, to=to)
    return await world.acme.finished_gallery(await world.acme.gallery(subject, (), remix=remix, **fields))


async def source(world: World, subject: str) -> str:
    """The name of an accepted image in a navy suit."""
    paints(world, range(100))
    gallery = await world.acme.finished_gallery(await world.acme.gallery(subject, (SUIT,), shots_per_style=1))
    assert gallery.accepted_shots == 1
    return str(gallery.images[0].name)


def mask_of(request: generator_pb2.GenerateRequest) -> np.ndarray:
    assert request.source.soft_mask
    with Image.open(io.BytesIO(request.source.mask.content)) as opened:
        return np.asarray(opened)


async def test_one_thing_changes_and_a_remix_is_remixed(world: World) -> None:
    subject = await sitter(world, PartsAnalyzer())
    image = await source(world, subject)
    backdrop = await changed(world, subject, image, BACKDROP, "sandy beach", seed=10)
    first = world.generator.requests[-1]
    assert backdrop.remix == galleries_pb2.Remix(image=image, change=BACKDROP, to="sandy beach")
    assert (list(backdrop.styles), backdrop.total_shots, backdrop.max_tries) == ([f"styles/{SUIT}"], 1, 4)
    assert backdrop.images[0].style == f"styles/{SUIT}"
    assert "sandy beach" in first.prompt
    assert "navy suit" in first.prompt
    left, top, right, bottom = (round(edge) for edge in HEAD)
    mask = mask_of(first)
    assert (mask[top + 8 : bottom - 8, left + 8 : right - 12] == 0).all(), "the face stays"
    assert (mask[-1, left : right - 12] == 0).all(), "the clothes stay"
    assert (mask[:8] == 255).all()
    assert (mask[8:, :8] == 255).all()
    assert ((mask > 0) & (mask < 255)).any(), "the edges are soft"
    assert first.source.repaint == 1.0
    assert first.negative_adapter_share == 1.0
    outfit = await changed(world, subject, backdrop.images[0].name, OUTFIT, "styles/clinic-lab-coat", seed=20)
    second = world.generator.requests[-1]
    assert "sandy beach" in second.prompt, "what was changed before stays"
    assert "lab coat" in second.prompt
    assert "navy suit" not in second.prompt
    mask = mask_of(second)
    assert (mask[:bottom, left : right - 12] == 0).all(), "the head stays to its last pixel"
    assert (mask[: bottom - 12] == 0).all(), "and the backdrop, but for a soft edge"
    assert (mask[-1, left : right - 12] == 255).all()
    await changed(world, subject, outfit.images[0].name, LIGHT, "neon lighting", seed=30)
    third = world.generator.requests[-1]
    assert "neon lighting" in third.prompt
    assert not third.source.HasField("mask")
    assert not third.HasField("negative_adapter_share")
    assert third.source.repaint == 0.6
    stored = [key for key in await world.store.list("tenants") if "/photos/" not in key and "/adapters/" not in key]
    assert set(stored) == {row.image_key for row in world.rows(schema.shots)}, "no mask is kept"


async def test_an_image_that_lost_likeness_is_painted_again(world: World) -> None:
    class Less(PartsAnalyzer):
        """Sees somewhat less of Ada in pictures of seed 10."""

        def faces(self, pixels_HWC: Any) -> Any:
            found = super().faces(pixels_HWC)
            if found and np.array_equal(pixels_HWC, lesser):
                found[0].embedding[:] = (0.97, 0.0, np.sqrt(1 - 0.97**2))
            return found

    with Image.open(io.BytesIO(good(10))) as opened:
        lesser = np.asarray(opened.convert("RGB"))
    subject = await sitter(world, Less())
    gallery = await changed(world, subject, await source(world, subject), OUTFIT, "lab coat", seed=10)
    assert (gallery.tries, gallery.images[0].seed, reasons(gallery.images[0])) == (2, 11, [])
    alone = await changed(world, subject, gallery.images[0].name, OUTFIT, "red shirt", seed=10, max_tries=1)
    assert reasons(alone.images[0]) == ["LIKENESS_LOST"]
    again = await world.acme(
        "RegenerateImage", galleries_pb2.RegenerateImageRequest(name=alone.images[0].name, max_tries=1)
    )
    assert again.gallery.remix == alone.remix, "the change is made anew"
    await world.acme.finished_gallery(again.gallery.name)
    assert "red shirt" in world.generator.requests[-1].prompt
    assert mask_of(world.generator.requests[-1]).any()


async def test_several_images_of_one_change_may_be_alike(world: World) -> None:
    subject = await sitter(world, PartsAnalyzer())
    image = await source(world, subject)
    world.generator.pictures |= {seed: good(1) for seed in range(10, 20)}
    gallery = await changed(world, subject, image, BACKDROP, "brick wall", seed=10, shots_per_style=3)
    assert (gallery.accepted_shots, gallery.tries) == (3, 3)


async def order(world: World, subject: str, image: str, styles: tuple[str, ...] = (), **remix: Any) -> None:
    message = galleries_pb2.Remix(image=image, **{"change": BACKDROP, "to": "sandy beach", **remix})
    await world.acme.gallery(subject, styles, remix=message)


def cases(image: str, failed: str, at_sea: str, other: str) -> list[Case]:
    """Reason, field and what is ordered otherwise. `failed` was refused, `at_sea` is of a style of one prompt."""
    gallery = image.partition("/images/")[0]
    return [
        (InvalidArgumentError, "REMIX_INVALID", "remix.to", {"to": ""}),
        (InvalidArgumentError, "REMIX_INVALID", "remix.to", {"to": "  "}),
        (InvalidArgumentError, "REMIX_INVALID", "styles", {"styles": (SUIT,)}),
        (InvalidArgumentError, "REMIX_INVALID", "remix.change", {"change": 0, "styles": (SUIT,)}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", "styles", {"change": 0, "to": ""}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", "remix.change", {"change": 9}),
        (InvalidArgumentError, "CONSTRAINT_VIOLATED", "remix.to", {"to": "x" * 257}),
        (InvalidArgumentError, "STYLE_UNKNOWN", "remix.to", {"to": "styles/nothing"}),
        (InvalidArgumentError, "STYLE_UNKNOWN", "remix.to", {"to": "styles/theirs"}),
        (InvalidArgumentError, "REMIX_STYLE_WHOLE_PROMPT", "remix.to", {"to": "styles/whole"}),
        (InvalidArgumentError, "REMIX_STYLE_WHOLE_PROMPT", "remix.image", {"image": at_sea}),
        (InvalidArgumentError, "STYLE_WORDS_UNKNOWN", "remix.to", {"to": "turquoise studio"}),
        (InvalidArgumentError, "REPAINT_TOO_LITTLE", "remix.repaint", {"to": "navy studio", "repaint": 0.01}),
        (FailedPreconditionError, "REMIX_OF_REFUSED_IMAGE", "remix.image", {"image": failed}),
        (NotFoundError, "IMAGE_NOT_FOUND", None, {"image": f"{gallery}/images/7"}),
        (InvalidArgumentError, "REMIX_OF_ANOTHER_SUBJECT", "remix.image", {"subject": other}),
    ]


async def test_what_cannot_be_changed_is_refused_and_leaves_nothing(world: World) -> None:
    subject = await sitter(world, PartsAnalyzer())
    image = await source(world, subject)
    paints(world, range(100, 110), small)
    failed = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, seed=100))
    world.generator.pictures[200] = good(1)
    whole = styles_pb2.StyleRecipe(prompt="photo of {subject} at sea")
    await world.acme("CreateStyle", styles_pb2.CreateStyleRequest(style_id="whole", recipe=whole))
    at_sea = await world.acme.finished_gallery(
        await world.acme.gallery(subject, ("whole",), shots_per_style=1, seed=200)
    )
    other, foreign = await world.acme.trained_subject(), world.caller(world.keys["globex"])
    await foreign("CreateStyle", styles_pb2.CreateStyleRequest(style_id="theirs", recipe=whole))
    before = len(world.rows(schema.galleries)), sorted(await world.store.list("tenants"))
    known = "headshot of a person man woman sks wearing navy suit plain grey studio background soft lighting"
    world.generator.vocabulary = set(known.split(" "))
    for kind, reason, field, fields in cases(image, failed.images[0].name, at_sea.images[0].name, other):
        with refused(kind, reason) as caught:
            await order(world, **{"subject": subject, "image": image, **fields})
        assert field is None or field in [each.field for each in caught.value.violations], reason
    message = galleries_pb2.Remix(image=image, change=BACKDROP, to="navy studio")
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await foreign.gallery(subject, (), remix=message)
    await world.acme("DeleteImage", galleries_pb2.DeleteImageRequest(name=failed.images[0].name))
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await order(world, subject, failed.images[0].name)
    keys = sorted(await world.store.list("tenants"))
    assert len(world.rows(schema.galleries)) == before[0]
    assert set(keys) < set(before[1])


async def test_a_portrait_that_was_cut_to_a_frame_keeps_its_cut(world: World) -> None:
    subject = await sitter(world, PartsAnalyzer())
    image = await source(world, subject)
    cut = sa.update(schema.galleries).values(frame=FRAME.to_json())
    with write(world.database) as connection:
        connection.execute(cut)
    gallery = await changed(world, subject, image, BACKDROP, "sandy beach", seed=10, max_tries=1)
    again = galleries_pb2.RegenerateImageRequest(name=gallery.images[0].name, max_tries=1)
    await world.acme.finished_gallery((await world.acme("RegenerateImage", again)).gallery.name)
    assert reasons(gallery.images[0]) == [], "its head is the image's own, whatever the analyzer makes of it"
    lit = await changed(world, subject, image, LIGHT, "neon lighting", seed=30, max_tries=1)
    assert set(reasons(lit.images[0])) == {"EYE_LINE_OFF", "HEAD_HEIGHT_OFF"}, "the head was painted anew"
    requests = world.generator.requests[-3:]
    assert [request.source.whole for request in requests] == [True] * 3
    assert not any(request.HasField("frame") for request in requests), "it has its cut already"
    assert {tuple(row.frame.items()) for row in world.rows(schema.galleries)} == {tuple(FRAME.to_json().items())}
    with write(world.database) as connection:
        connection.execute(sa.update(schema.galleries).values(frame=Frame(96, 120).to_json()))
    other = await changed(world, subject, image, OUTFIT, "lab coat", seed=40, max_tries=1)
    assert reasons(other.images[0]) == ["FRAME_MISSED"], "an older generator answers in its own size"


@pytest.mark.parametrize("analyzer", [None, ColourAnalyzer()], ids=["no analyzer", "one that tells no parts"])
async def test_where_parts_are_not_told_only_light_changes(world: World, analyzer: ColourAnalyzer | None) -> None:
    subject = await sitter(world, analyzer, judged=analyzer is not None)
    paints(world, range(100))
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, (SUIT,), shots_per_style=1))
    for change in (BACKDROP, OUTFIT):
        with refused(FailedPreconditionError, "REMIX_PARTS_UNKNOWN"):
            await order(world, subject, first.images[0].name, change=change)
    assert len(world.rows(schema.galleries)) == 1
    lit = await changed(world, subject, first.images[0].name, LIGHT, "neon lighting", seed=10)
    assert lit.completed_shots == 1


async def test_a_picture_without_a_face_has_no_parts(world: World) -> None:
    """Images of before judging have no verdict, so they are not refused for it."""
    subject = await sitter(world, judged=False)
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, (SUIT,), shots_per_style=1))
    await world.kill()
    world.analyzer = PartsAnalyzer()
    await world.start()
    with refused(FailedPreconditionError, "REMIX_PARTS_UNKNOWN") as caught:
        await order(world, subject, first.images[0].name)
    assert "colour-1" in caught.value.message
