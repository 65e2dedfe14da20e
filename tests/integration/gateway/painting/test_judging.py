"""Each image is judged against the subject's photos where there is an analyzer, and its likeness measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headshots.faces import Face, Pixels
from headshots.v1 import galleries_pb2, jobs_pb2, photos_pb2, subjects_pb2
from services.gateway.erasures.log import ErasureLog
from services.gateway.painting.judge import ShotJudge
from services.gateway.subjects import erasure
from tests.support.gateway.world import World
from tests.support.images.faces import ColourAnalyzer
from tests.support.images.pictures import HEAD, files


async def painted(world: World, analyzer: ColourAnalyzer | None, *photos: bytes) -> galleries_pb2.Gallery:
    """A gallery of the subject with these photos."""
    await world.kill()
    world.analyzer = analyzer
    await world.start(photo_max_pixels=1_000_000)
    subject = await world.acme.subject()
    await world.acme.upload(subject, *photos)
    await world.acme.finished_training((await world.acme.create_training(subject)).name)
    return await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))


class Painted(ColourAnalyzer):
    """Finds in every painted picture (they are small) a face that is `likeness` like Ada's."""

    def __init__(self, likeness: float | None) -> None:
        super().__init__()
        self.likeness = likeness

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        found = super().faces(pixels_HWC)
        if pixels_HWC.shape[0] == 256:
            return found
        if self.likeness is None:
            return []
        rest = np.sqrt(1 - self.likeness**2)
        embedding = np.array([self.likeness, 0, rest], dtype=np.float32)
        return [Face(HEAD, np.zeros((5, 2), dtype=np.float32), embedding, 0.9)]


async def test_likeness_is_the_cosine_to_the_mean_of_the_photos(world: World) -> None:
    # Four photos of Ada and two of Bob: their mean is (4, 2, 0) / 6.
    photos = [*files(range(4), "ada"), *files(range(4, 6), "bob")]
    analyzer = Painted(0.8)
    gallery = await painted(world, analyzer, *photos)
    assert [image.likeness for image in gallery.images] == pytest.approx([0.8 * 4 / np.sqrt(20)] * 3)
    assert analyzer.calls == 6 + 3, "the photos are looked at once for all shots"
    one = await world.acme("GetImage", galleries_pb2.GetImageRequest(name=gallery.images[0].name))
    assert one.image.likeness == gallery.images[0].likeness


@pytest.mark.parametrize("analyzer", [None, Painted(None)], ids=["no analyzer", "no face in the image"])
async def test_what_was_not_measured_is_unset(world: World, analyzer: ColourAnalyzer | None) -> None:
    gallery = await painted(world, analyzer, *files(range(6), "ada"))
    assert [image.HasField("likeness") for image in gallery.images] == [False] * 3
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED


async def test_photos_without_a_face_leave_everything_unmeasured(world: World) -> None:
    gallery = await painted(world, Painted(0.8), *files(range(6)))
    assert [image.HasField("likeness") for image in gallery.images] == [False] * 3
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    assert [[check.message for check in image.verdict.checks] for image in gallery.images] == [
        ["none of the subject's photos shows a face"]
    ] * 3


async def test_photos_that_came_since_count(world: World) -> None:
    """What was measured of the photos is kept for as long as they are the same."""
    analyzer = Painted(0.8)
    gallery = await painted(world, analyzer, *files(range(6), "ada"))
    subject = gallery.name.partition("/galleries/")[0]
    await world.acme.upload(subject, *files(range(6, 8), "bob"))
    again = await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    assert analyzer.calls == 6 + 3 + 8 + 3
    assert again.images[0].likeness < gallery.images[0].likeness


class Defective(ColourAnalyzer):
    """Breaks."""

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        raise ZeroDivisionError("a defect of the analyzer's")


async def test_an_analyzers_defect_costs_no_image(world: World) -> None:
    gallery = await painted(world, Defective(), *files(range(6), "ada"))
    assert (gallery.completed_shots, gallery.failed_shots) == (3, 0)
    assert gallery.guarantee == galleries_pb2.GUARANTEE_NOT_MEASURED
    assert [image.HasField("likeness") for image in gallery.images] == [False] * 3


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> list[ShotJudge]:
    """Those of the gateways that are started from now on."""
    made: list[ShotJudge] = []

    class Known(ShotJudge):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **named)
            made.append(self)

    monkeypatch.setattr("services.gateway.wiring.ShotJudge", Known)
    return made


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "by another gateway"])
async def test_what_was_measured_of_an_erased_subject_is_forgotten(
    world: World, judges: list[ShotJudge], elsewhere: bool
) -> None:
    gallery = await painted(world, ColourAnalyzer(), *files(range(6), "ada"))
    subject, (judge,) = gallery.name.split("/galleries/")[0], judges
    assert judge.measured == [subject.removeprefix("subjects/")]
    if elsewhere:
        erasure.mark_deleted(world.database, "acme", subject.removeprefix("subjects/"))
        erasure.erase(world.database, world.store, ErasureLog(world.store), "acme", subject.removeprefix("subjects/"))
        await judge.forget_erased()
    else:
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=subject))
    assert judge.measured == []


async def test_what_was_measured_is_kept_while_its_photos_are_there(world: World, judges: list[ShotJudge]) -> None:
    gallery = await painted(world, ColourAnalyzer(), *files(range(6), "ada"))
    (judge,) = judges
    await judge.forget_erased()
    assert len(judge.measured) == 1
    listed = photos_pb2.ListPhotosRequest(parent=gallery.name.split("/galleries/")[0])
    photo = (await world.acme("ListPhotos", listed)).photos[0]
    await world.acme("DeletePhoto", photos_pb2.DeletePhotoRequest(name=photo.name))
    await judge.forget_erased()
    assert judge.measured == [], "the mean was over a photo that is there no more"
