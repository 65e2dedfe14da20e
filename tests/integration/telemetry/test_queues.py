"""What a call orders stays part of it, whoever works it off, and whenever."""

from __future__ import annotations

from pathlib import Path

from headshots import schema
from headshots.v1 import jobs_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import selfie
from tests.support.gateway.world import opened_world
from tests.support.traces import recorded, trace_of
from tests.support.waiting import until


async def test_a_shoots_gallery_is_of_the_call_that_ordered_the_shoot(tmp_path: Path) -> None:
    with recorded() as told:
        async with opened_world(tmp_path) as world:
            await shoots.with_large_photos(world)
            subject = await shoots.person(world)
            world.acme.metadata = (*world.acme.metadata, ("x-request-id", "order-1"))
            ordered = await shoots.order(world.acme, subject)
            world.acme.metadata = world.acme.metadata[:-1]
            assert (await shoots.finished(world.acme, ordered.name)).state == jobs_pb2.JOB_STATE_SUCCEEDED
            origins = [
                row.origin for table in (schema.shoots, schema.trainings, schema.galleries) for row in world.rows(table)
            ]
    (call,) = told.named("/CreateShoot")
    assert [origin["request_id"] for origin in origins] == ["order-1"] * 3
    assert {origin["traceparent"].split("-")[1] for origin in origins} == {trace_of(call)}
    assert len([span for span in told.trace(trace_of(call)) if span.name == "shot"]) == 3
    assert told.named("/StartTraining")
    assert {trace_of(span) for span in told.named("/StartTraining")} == {trace_of(call)}


async def test_another_gateway_goes_on_with_the_trace(tmp_path: Path) -> None:
    with recorded() as told:
        async with opened_world(tmp_path) as world:
            subject = await world.acme.trained_subject()
            world.generator.hold()
            gallery = await world.acme.gallery(subject, shots_per_style=1)
            await until(lambda: bool(world.generator.requests))
            await world.kill()
            world.expire_leases()
            world.generator.permit()
            await world.start()
            await world.acme.finished_gallery(gallery)
    (call,) = told.named("/CreateGallery")
    attempts = [span for span in told.trace(trace_of(call)) if span.name == "shot"]
    assert sorted((span.attributes or {})["headshots.attempt"] for span in attempts) == [1, 2]
    assert len([span for span in told.trace(trace_of(call)) if span.name == "shot queue"]) == 1


async def test_a_failed_shot_tells_its_reason_and_nothing_of_anybody(tmp_path: Path) -> None:
    with recorded() as told:
        async with opened_world(tmp_path) as world:
            subject = await world.acme.subject()
            await world.acme.upload(subject, *map(selfie, range(6)))
            await world.acme.finished_training((await world.acme.create_training(subject)).name)
            world.generator.errors = [ValueError("Ada in a suit")]
            await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    failed = [span for span in told.named("shot") if "error.type" in (span.attributes or {})]
    assert [(span.attributes or {})["error.type"] for span in failed] == ["INTERNAL"]
    assert "Ada" not in "".join(f"{span.attributes}{span.status.description}{span.events}" for span in told.spans)
