"""Galleries are painted over an image of the same subject."""

from __future__ import annotations

import pytest

from headshots import schema
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


async def test_every_shot_is_painted_over_the_image_that_is_named(world: World) -> None:
    subject = await world.acme.trained_subject()
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=2))
    assert not first.HasField("remix")
    assert not any(request.HasField("source") for request in world.generator.requests)
    world.generator.requests.clear()
    chosen = first.images[1]
    remix = galleries_pb2.Remix(image=chosen.name, repaint=0.25)
    again = await world.acme.finished_gallery(await world.acme.gallery(subject, ("clinic-lab-coat",), remix=remix))
    assert again.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert again.remix == remix
    kept = [row.remix for row in world.rows(schema.galleries) if row.remix is not None]
    assert [set(remix) for remix in kept] == [{"gallery_id", "number", "repaint", "key", "sha256"}], "as before"
    (key,) = {row.image_key for row in world.rows(schema.shots) if row.image["sha256"] == chosen.sha256}
    assert len(world.generator.requests) == 4
    for request in world.generator.requests:
        stored = request.source.picture.stored
        assert (stored.key, stored.sha256, request.source.repaint) == (key, chosen.sha256, 0.25)
        assert not request.source.HasField("mask")
        assert "lab coat" in request.prompt


async def test_without_a_repaint_share_the_generator_takes_its_default(world: World) -> None:
    subject = await world.acme.trained_subject()
    first = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    remix = galleries_pb2.Remix(image=first.images[0].name)
    again = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, seed=9, remix=remix))
    assert not again.remix.HasField("repaint")
    assert not world.generator.requests[-1].source.HasField("repaint")


async def test_what_cannot_be_painted_over_is_refused_and_makes_nothing(world: World) -> None:
    subject, other = await world.acme.trained_subject(), await world.acme.trained_subject()
    foreign = await world.caller(world.keys["globex"]).trained_subject()
    name = await world.acme.gallery(subject, shots_per_style=1)
    image = (await world.acme.finished_gallery(name)).images[0].name

    async def order(parent: str, **remix: object) -> None:
        remix_message = galleries_pb2.Remix(**remix)  # type: ignore[arg-type]
        await world.acme.gallery(parent, remix=remix_message, validate_only=True)

    await order(subject, image=image, repaint=1.0)
    with refused(InvalidArgumentError, "REMIX_OF_ANOTHER_SUBJECT") as caught:
        await order(other, image=image)
    assert [violation.field for violation in caught.value.violations] == ["remix.image"]
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await order(foreign, image=f"{foreign}/galleries/g/images/0")
    with refused(NotFoundError, "GALLERY_NOT_FOUND"):
        await order(subject, image=f"{subject}/galleries/nothing/images/0")
    with refused(NotFoundError, "IMAGE_NOT_FOUND"):
        await order(subject, image=f"{name}/images/1")
    for wrong in ({"image": name}, {"image": image, "repaint": 0.0}, {"image": image, "repaint": 1.1}):
        with pytest.raises(InvalidArgumentError) as refusal:
            await order(subject, **wrong)
        assert {violation.field for violation in refusal.value.violations} <= {"remix.image", "remix.repaint"}
        assert refusal.value.violations
    assert len((await world.acme("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject))).galleries) == 1
