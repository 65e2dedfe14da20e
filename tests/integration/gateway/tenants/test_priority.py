"""High priority is a right of a tenant: without it, trainings and galleries that ask for it are refused."""

from __future__ import annotations

from headshots import keys, schema
from headshots.errors import PermissionDeniedError
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World

HIGH = jobs_pb2.PRIORITY_HIGH


async def test_a_gallery_of_high_priority_needs_the_right(world: World) -> None:
    subject = await world.acme.trained_subject()
    for validate_only in (True, False):
        with refused(PermissionDeniedError, "PRIORITY_NOT_GRANTED") as caught:
            await world.acme.gallery(subject, priority=HIGH, validate_only=validate_only)
        assert "headshots tenants grant-high acme" in caught.value.message
        assert [violation.field for violation in caught.value.violations] == ["priority"]
    assert world.rows(schema.galleries) == []
    assert world.generator.checks == [], "no generator is asked"
    # The right of another is none.
    keys.grant_high(world.database, "globex")
    with refused(PermissionDeniedError, "PRIORITY_NOT_GRANTED"):
        await world.acme.gallery(subject, priority=HIGH)
    keys.grant_high(world.database, "acme")
    await world.acme.gallery(subject, priority=HIGH, validate_only=True)
    name = await world.acme.gallery(subject, priority=HIGH, shots_per_style=1, request_id="once")
    await world.acme.finished_gallery(name)
    assert world.generator.requests[-1].priority == HIGH
    keys.revoke_high(world.database, "acme")
    with refused(PermissionDeniedError, "PRIORITY_NOT_GRANTED"):
        await world.acme.gallery(subject, priority=HIGH)
    # What was made before is still answered.
    assert await world.acme.gallery(subject, priority=HIGH, shots_per_style=1, request_id="once") == name
    standard = await world.acme.gallery(subject, priority=jobs_pb2.PRIORITY_STANDARD, shots_per_style=1)
    gallery = (await world.acme("GetGallery", galleries_pb2.GetGalleryRequest(name=standard))).gallery
    assert gallery.name == standard


async def test_a_training_of_high_priority_needs_the_right(world: World) -> None:
    subject = await world.acme.subject()
    await world.acme.upload(subject, *map(selfie, range(6)))
    for validate_only in (True, False):
        with refused(PermissionDeniedError, "PRIORITY_NOT_GRANTED"):
            await world.acme.create_training(subject, priority=HIGH, validate_only=validate_only)
    assert world.rows(schema.trainings) == []
    keys.grant_high(world.database, "acme")
    training = await world.acme.create_training(subject, priority=HIGH)
    await world.acme.finished_training(training.name)
    (row,) = world.rows(schema.trainings)
    assert row.request["priority"] == HIGH
