"""What was not measured is no pass and no guarantee, and is not painted again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from headshots import schema
from headshots.faces import Face, Pixels
from headshots.v1 import galleries_pb2, images_pb2
from tests.support.gateway.judging import good, paints, sitter, stranger
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.waiting import until

NOT_MEASURED = images_pb2.ACCEPTANCE_NOT_MEASURED


async def test_without_an_analyzer_nothing_is_measured_and_nothing_painted_again(world: World) -> None:
    subject = await sitter(world, judged=False)
    name = await world.acme.gallery(subject, shots_per_style=2, max_tries=3)
    gallery = await world.acme.finished_gallery(name)
    assert [(image.tries, image.verdict.acceptance) for image in gallery.images] == [(1, NOT_MEASURED)] * 2
    assert (gallery.tries, gallery.accepted_shots) == (2, 0)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED


class SometimesBlind(ColourAnalyzer):
    """Breaks at the third painted picture."""

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        found = super().faces(pixels_HWC)
        if self.calls == 6 + 3:
            raise ZeroDivisionError("a defect of the analyzer's")
        return found


@pytest.mark.parametrize(
    ("picture", "outcome"), [(good, images_pb2.ACCEPTANCE_ACCEPTED), (stranger, images_pb2.ACCEPTANCE_REFUSED)]
)
async def test_one_image_that_was_not_measured_is_no_guarantee(
    picture: Callable[[int], bytes], outcome: int, world: World
) -> None:
    subject = await sitter(world, SometimesBlind(), shots_in_flight=1)
    paints(world, range(3), picture)
    name = await world.acme.gallery(subject, shots_per_style=3, max_tries=1)
    gallery = await world.acme.finished_gallery(name)
    assert [image.verdict.acceptance for image in gallery.images] == [outcome, outcome, NOT_MEASURED]
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    assert gallery.tries == 3


async def test_a_gallery_of_before_images_were_judged_goes_on_and_promises_nothing(world: World) -> None:
    subject = await sitter(world)
    paints(world, [0, 1])
    world.generator.hold(1)
    name = await world.acme.gallery(subject, shots_per_style=2)
    await until(lambda: sorted(row.tries for row in world.rows(schema.shots)) == [0, 1])
    with world.database.begin() as connection:
        connection.execute(sa.update(schema.galleries).values(profile=None, style_shots=None))
        connection.execute(sa.update(schema.shots).values(acceptance=None, judged=None))
    world.generator.permit()
    gallery = await world.acme.finished_gallery(name)
    assert sorted(image.HasField("verdict") for image in gallery.images) == [False, True]
    assert (gallery.total_shots, gallery.profile) == (2, "")
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
