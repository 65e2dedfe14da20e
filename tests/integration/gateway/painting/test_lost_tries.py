"""Tries outlive the gateway that made them, and its late verdict changes nothing."""

from __future__ import annotations

import threading

import pytest

from headshots import schema
from headshots.faces import Face, Pixels
from headshots.v1 import images_pb2
from tests.support.gateway.judging import paints, sitter, stranger
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.waiting import PATIENCE_SECONDS, until


async def test_tries_of_a_killed_gateway_are_kept_and_nothing_is_painted_twice(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1], stranger)
    paints(world, [2])
    world.generator.hold(2)
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3)
    await until(lambda: [row.tries for row in world.rows(schema.shots)] == [2])
    await until(lambda: world.generator.running == 1)
    await world.kill()
    await until(lambda: world.generator.running == 0)
    world.expire_leases()
    await world.start(photo_max_pixels=1_000_000)
    world.generator.permit()
    [image] = (await world.acme.finished_gallery(name)).images
    assert (image.seed, image.tries, image.verdict.acceptance) == (2, 3, images_pb2.ACCEPTANCE_ACCEPTED)
    assert sorted((seed, times) for (_, seed), times in world.generator.finished.items()) == [(0, 1), (1, 1), (2, 1)]


class Frozen(ColourAnalyzer):
    """Stops at the first painted picture until it is let go, and then sees nobody in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped, self.let_go = threading.Event(), threading.Event()

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        found = super().faces(pixels_HWC)
        if self.calls <= 6:
            return found
        self.stopped.set()
        self.let_go.wait(PATIENCE_SECONDS)
        return []


async def test_the_late_verdict_of_a_frozen_gateway_changes_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    frozen = Frozen()
    # With no room for another shot, it does not claim its own again.
    subject = await sitter(world, frozen, shots_in_flight=1)
    paints(world, [0])
    name = await world.acme.gallery(subject, shots_per_style=1, max_tries=3)
    await until(frozen.stopped.is_set)
    first = world.gateway
    assert first is not None
    world.expire_leases()
    world.analyzer = ColourAnalyzer()
    await world.start(photo_max_pixels=1_000_000)
    gallery = await world.acme.finished_gallery(name)
    assert (gallery.accepted_shots, gallery.tries) == (1, 1)
    before = world.rows(schema.shots)
    frozen.let_go.set()
    await until(lambda: "the lease was lost to another worker; nothing was written" in caplog.text)
    assert world.rows(schema.shots) == before
    assert (await world.acme.finished_gallery(name)) == gallery
    await first.close()
    await first.server.stop(0)
