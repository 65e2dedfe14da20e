"""A cancelled gallery stops its shots and ends."""

from __future__ import annotations

from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_cancelling_stops_running_shots_at_once(world: World, subject: str) -> None:
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=8)
    await until(lambda: len(world.generator.requests) == 5 and world.generator.running == 4)
    await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_CANCELLED
    assert gallery.completed_shots == len(gallery.images) == 1
    await until(lambda: world.generator.running == 0)
    assert world.generator.stopped == 4
    assert len(world.generator.requests) == 5
    again = await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    assert (
        again.gallery
        == (await world.acme("ListGalleries", galleries_pb2.ListGalleriesRequest(parent=subject))).galleries[0]
    )


async def test_a_gallery_cancelled_while_no_gateway_ran_ends_after_the_restart(world: World, subject: str) -> None:
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: world.generator.running == 2)
    await world.kill()
    await world.start(shots_in_flight=1)
    world.expire_leases()
    answer = await world.acme("CancelGallery", galleries_pb2.CancelGalleryRequest(name=name))
    assert answer.gallery.state == jobs_pb2.JOB_STATE_RUNNING
    assert (await world.acme.finished_gallery(name)).state == jobs_pb2.JOB_STATE_CANCELLED
    assert world.generator.finished.total() == 0
