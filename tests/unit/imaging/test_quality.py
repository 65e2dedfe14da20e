"""What is measured of a photo: it tells good drawn selfies from worse ones, whatever their size and file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from foundry.portraits import held_out_seed, sample_selfies
from headshots.imaging import quality
from headshots.imaging.inspection import judge, measure
from headshots.imaging.quality import QualityLimits
from tests.support.images.pictures import lit

LIMITS = QualityLimits()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.fixture(scope="module")
def selfies() -> list[Image.Image]:
    """The first selfies of the demo's own person."""
    return [opened(data) for data in sample_selfies(held_out_seed(7), 10)]


@pytest.mark.parametrize("person", [0, 3, 7, 12])
def test_selfies_of_sample_people_are_fit_to_train_on(person: int) -> None:
    photos = [measure(opened(data), None) for data in sample_selfies(held_out_seed(person), 10)]
    verdict = judge(photos, LIMITS)
    assert verdict.photos == ((),) * 10
    assert verdict.findings == ()
    assert verdict.usable_count == 10


def test_a_blurred_photo_is_less_sharp_than_any_good_one(selfies: list[Image.Image]) -> None:
    for selfie in selfies:
        sharp, soft, blurred = (
            measure(selfie.filter(ImageFilter.GaussianBlur(share * selfie.width)), None).sharpness
            for share in (0.0, 0.004, 0.02)
        )
        assert sharp > soft > LIMITS.min_photo_sharpness > blurred


def test_sharpness_depends_neither_on_size_nor_on_light(selfies: list[Image.Image]) -> None:
    large = selfies[0].resize((1024, 1024), Image.Resampling.LANCZOS)
    assert measure(large, None).sharpness == pytest.approx(measure(selfies[0], None).sharpness, rel=0.2)
    dim = measure(lit(0.5)(selfies[0]), None)
    assert dim.sharpness == pytest.approx(measure(selfies[0], None).sharpness, rel=0.1)


def test_a_face_is_measured_within_its_box() -> None:
    rng = np.random.default_rng(0)
    noise_HW = rng.uniform(0, 255, (200, 200)).astype(np.float32)
    noise_HW[50:150, 50:150] = np.linspace(90, 110, 100, dtype=np.float32)[:, None]
    face_HW = quality.cut(noise_HW, (50, 50, 150, 150))
    assert face_HW.shape == (100, 100)
    assert quality.face_sharpness(face_HW) < 0.001 < 1 < quality.face_sharpness(noise_HW)
    assert quality.cut(noise_HW, (-40, -9, 30, 300)).shape == (200, 30)
    assert quality.cut(noise_HW, (500, 500, 600, 600)).size == 1
    assert quality.face_sharpness(quality.cut(noise_HW, (500, 500, 600, 600))) == 0


@pytest.mark.parametrize("flat", [0, 128, 255])
def test_pictures_of_nothing_have_numbers_too(flat: int) -> None:
    found = measure(Image.new("RGB", (100, 3000), (flat,) * 3), None)
    assert found.sharpness == 0
    assert found.bright_luma == pytest.approx(flat, abs=0.01)
    assert quality.hash_spread([found.hash_N]) == quality.hash_spread([]) == 0


def test_the_hash_of_a_photo_outlives_what_happens_to_files(selfies: list[Image.Image]) -> None:
    def hash_of(picture: Image.Image) -> quality.Bits:
        return measure(picture, None).hash_N

    def saved(picture: Image.Image) -> Image.Image:
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=30)
        return Image.open(packed).convert("RGB")

    hashes = [hash_of(selfie) for selfie in selfies]
    for number, selfie in enumerate(selfies):
        for changed in (saved(selfie), selfie.resize((128, 128)), lit(0.7)(selfie), selfie.convert("L").convert("RGB")):
            assert quality.hash_distance(hash_of(changed), hashes[number]) <= LIMITS.max_duplicate_distance
        for other in hashes[:number]:
            assert quality.hash_distance(other, hashes[number]) > LIMITS.max_duplicate_distance
    assert quality.hash_spread(hashes) > LIMITS.min_hash_spread
    assert quality.hash_spread([hashes[0]] * 5 + [hashes[1]]) == 0


def test_the_pose_moves_with_the_nose() -> None:
    def landmarks(nose_x: float) -> quality.Floats:
        return np.array([(40, 50), (80, 50), (nose_x, 70), (45, 90), (75, 90)], dtype=np.float32)

    assert quality.pose(landmarks(60)).tolist() == [0.0, 0.5]
    assert quality.pose(landmarks(70)).tolist() == [0.25, 0.5]
    assert quality.pose(2 * landmarks(70)).tolist() == [0.25, 0.5]
    assert quality.pose_spread([quality.pose(landmarks(x)) for x in (50, 60, 70)]) == pytest.approx(0.204, abs=0.001)
    assert quality.pose_spread([quality.pose(landmarks(60))] * 4) == quality.pose_spread([]) == 0
    assert np.isfinite(quality.pose(np.zeros((5, 2), dtype=np.float32))).all()


def test_how_much_of_a_box_is_outside() -> None:
    assert quality.outside_share((10, 10, 20, 20), 100, 100) == 0
    assert quality.outside_share((-5, 10, 5, 20), 100, 100) == 0.5
    assert quality.outside_share((95, 95, 105, 105), 100, 100) == 0.75
    assert quality.outside_share((200, 200, 210, 210), 100, 100) == 1
    assert quality.outside_share((20, 20, 20, 30), 100, 100) == 1
