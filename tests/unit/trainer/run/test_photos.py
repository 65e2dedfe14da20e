"""Stored photos become crops, or a precise error."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foundry.portraits import sample_selfies
from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError, InvalidPhotoError, NotFoundError
from headshots.faces import open_analyzer
from headshots.looks.placing import head_of
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.progress.phases import Entered, Phase, not_told
from services.trainer.queue.job import JobRequest, PhotoRef
from services.trainer.run import __main__ as training_process
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Task
from services.trainer.run.photos import crops, cut_photo, decode, load_crops
from tests.support.images.faces import ColourAnalyzer, draw_head
from tests.support.trainer.foundation import described_foundation


def _png(width: int, height: int, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def _stored(store: ArtifactStore, data: bytes) -> PhotoRef:
    digest = hashlib.sha256(data).hexdigest()
    store.put_sync(f"photos/{digest}.png", data)
    return PhotoRef(f"photos/{digest}.png", digest)


def test_the_first_crop_is_centred_and_no_crop_is_mirrored() -> None:
    # Brightness grows to the right, with black bands above and below the centre square.
    pixels = np.zeros((120, 60, 3), np.uint8)
    pixels[30:90] = np.linspace(40, 250, 60).astype(np.uint8)[None, :, None]
    recipe = Recipe(crops_per_photo=5, crop_jitter=0.1)
    made = [crop.pixels for crop in cut_photo(Image.fromarray(pixels), (32, 32), recipe, [1])]
    assert len(made) == 5
    assert made[0].min() > 30
    for crop in made:
        assert crop.shape == (32, 32, 3)
        assert crop[16, 28, 0] > crop[16, 4, 0]
    assert len({crop.tobytes() for crop in made}) == 5


def test_crops_are_a_function_of_the_photo_and_the_seed() -> None:
    store = ArtifactStore.open("memory:///")
    first, second = _stored(store, _png(70, 90, 1)), _stored(store, _png(90, 70, 2))
    recipe = Recipe(crops_per_photo=3)
    told: list[Entered] = []
    both = load_crops(store, [first, second], recipe, (32, 32), tell=told.append)
    phases = (Phase.DOWNLOADING, Phase.INSPECTING)
    assert told == [Entered(phase, number, 2) for phase in phases for number in range(2)]
    alone = load_crops(store, [second], recipe, (32, 32))
    assert [crop.pixels.tobytes() for crop in both[3:]] == [crop.pixels.tobytes() for crop in alone]
    other = load_crops(store, [second], Recipe(crops_per_photo=3, seed=1), (32, 32))
    assert alone[0].pixels.tobytes() == other[0].pixels.tobytes()
    assert alone[1].pixels.tobytes() != other[1].pixels.tobytes()


@pytest.mark.parametrize(
    ("size", "box"),
    [((400, 200), (20, 60, 80, 140)), ((400, 200), (300, 50, 390, 150)), ((200, 360), (60, 10, 130, 90))],
    ids=["left", "right", "top"],
)
def test_a_face_beside_the_middle_is_in_every_crop(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    store, image = ArtifactStore.open("memory:///"), Image.new("RGB", size, (120, 120, 120))
    draw_head(image, "ada", box)
    packed = io.BytesIO()
    image.save(packed, "PNG")
    photo, recipe = _stored(store, packed.getvalue()), Recipe(crops_per_photo=4)
    # The largest size that needs no enlarging.
    side = (min(size), min(size))
    assert all(_shows(crop.pixels, box) for crop in load_crops(store, [photo], recipe, side, ColourAnalyzer()))
    assert not _shows(load_crops(store, [photo], recipe, side)[0].pixels, box)


def _shows(crop: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Whether the crop shows the whole face, at least in its original size."""
    for face in ColourAnalyzer().faces(crop):
        left, top, right, bottom = face.box
        is_whole = min(left, top) > 0 and max(right, bottom) < len(crop)
        return is_whole and right - left >= box[2] - box[0] and bottom - top >= box[3] - box[1]
    return False


def test_a_face_in_the_middle_or_no_face_does_not_change_the_crops() -> None:
    store, image = ArtifactStore.open("memory:///"), Image.new("RGB", (300, 200), (120, 120, 120))
    empty = image.copy()
    draw_head(image, "ada", (100, 40, 199, 139))
    for shown in (image, empty):
        packed = io.BytesIO()
        shown.save(packed, "PNG")
        photo = _stored(store, packed.getvalue())
        with_, without = (
            load_crops(store, [photo], Recipe(), (200, 200), analyzer) for analyzer in (ColourAnalyzer(), None)
        )
        assert [crop.pixels.tobytes() for crop in with_] == [crop.pixels.tobytes() for crop in without]


def test_a_foundation_need_not_be_square() -> None:
    (crop,) = cut_photo(Image.new("RGB", (300, 200)), (48, 64), Recipe(crops_per_photo=1), [0])
    assert crop.pixels.shape == (64, 48, 3)


def test_a_crop_tells_sdxl_of_what_photo_it_is_and_where_it_was_cut() -> None:
    # Half as large as the crop's size, and cut on the left and right: 80 of 300 columns are kept, twice enlarged.
    box = (20.0, 0.0, 80.0, 120.0)
    whole, smaller = crops(Image.new("RGB", (300, 120)), (160, 240), count=2, jitter=0.5, seed=[3], box=box)
    assert whole.size_ids == (120, 300, 0, 40, 240, 160)
    height, width, top, left, *target = smaller.size_ids
    assert (height, width, target) == (120, 300, [240, 160])
    # The smaller crop was enlarged more, so the same spot of the photo lies farther from its corner.
    assert left >= 40
    assert top >= 0


def _portrait(box: tuple[int, int, int, int], side: int = 256) -> Image.Image:
    """A square photo of a head."""
    image = Image.new("RGB", (side, side), (120, 120, 120))
    draw_head(image, "ada", box)
    return image


def _placed(crop: np.ndarray) -> tuple[float, float, float]:
    """The middle of the eyes, x and y, and the head's height, as shares of the crop's side."""
    x, y, height = head_of(ColourAnalyzer().faces(crop)[0].landmarks)
    return x / len(crop), y / len(crop), height / len(crop)


def test_a_foundation_of_close_portraits_has_photos_cut_so_near() -> None:
    image, recipe = _portrait((70, 90, 120, 140)), Recipe(crops_per_photo=4)
    far, near = (
        [crop.pixels for crop in cut_photo(image, (96, 96), recipe, [1], ColourAnalyzer(), height)]
        for height in (None, 0.5)
    )
    assert _placed(far[0])[2] < 0.45
    assert _placed(near[0]) == pytest.approx((0.5, 0.4, 0.5), abs=0.02)
    # The others lie within it and are smaller, as ever.
    assert all(0.49 < _placed(crop)[2] < 0.58 for crop in near[1:])
    assert len({crop.tobytes() for crop in near}) == 4


def test_a_photo_that_allows_no_nearer_cut_is_cut_as_ever() -> None:
    recipe = Recipe(crops_per_photo=2)
    for image, analyzer in (
        (_portrait((30, 30, 225, 225)), ColourAnalyzer()),  # so near already
        (Image.new("RGB", (256, 256), (90, 90, 90)), ColourAnalyzer()),  # nobody
        (_portrait((70, 90, 120, 140)), None),  # nobody looks
    ):
        assert [crop.pixels.tobytes() for crop in cut_photo(image, (96, 96), recipe, [1], analyzer, 0.5)] == [
            crop.pixels.tobytes() for crop in cut_photo(image, (96, 96), recipe, [1])
        ]


def test_a_nearer_cut_stays_within_the_photo_and_is_never_enlarged() -> None:
    recipe = Recipe(crops_per_photo=1)
    # At the upper edge: as near, and the head where the photo has it.
    (crop,) = cut_photo(_portrait((5, 5, 55, 55)), (96, 96), recipe, [1], ColourAnalyzer(), 0.5)
    assert crop.corner_px == (0, 0)
    assert _placed(crop.pixels)[2] == pytest.approx(0.5, abs=0.02)
    # Far away: pixel by pixel, and not nearer.
    (crop,) = cut_photo(_portrait((140, 150, 164, 174)), (96, 96), recipe, [1], ColourAnalyzer(), 0.9)
    top, left = crop.corner_px
    original = np.asarray(_portrait((140, 150, 164, 174)))[top : top + 96, left : left + 96]
    assert np.abs(crop.pixels.astype(int) - original).mean() < 8


def test_crops_are_as_near_as_the_foundation_says() -> None:
    store, packed = ArtifactStore.open("memory:///"), io.BytesIO()
    _portrait((70, 90, 120, 140)).save(packed, "PNG")
    photo, recipe = _stored(store, packed.getvalue()), Recipe(crops_per_photo=1)
    far, near = (
        load_crops(store, [photo], recipe, (96, 96), ColourAnalyzer(), head_height=height)[0] for height in (None, 0.5)
    )
    assert _placed(far.pixels)[2] < 0.45 < _placed(near.pixels)[2]


def _bomb() -> bytes:
    packed = io.BytesIO()
    Image.new("1", (9000, 9000)).save(packed, "PNG")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not an image", "PHOTO_UNDECODABLE"),
        (_png(64, 64)[:600], "PHOTO_UNDECODABLE"),
        (_bomb(), "PHOTO_TOO_MANY_PIXELS"),
    ],
    ids=["text", "cut", "bomb"],
)
def test_bad_bytes_are_refused_by_reason(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidPhotoError) as caught:
        decode(PhotoRef("photos/x.png", "0" * 64), data)
    assert caught.value.reason == reason


def test_missing_and_changed_photos_have_their_own_reasons() -> None:
    store = ArtifactStore.open("memory:///")
    ref = _stored(store, _png(64, 64))
    cases: list[tuple[PhotoRef, type[HeadshotsError], str]] = [
        (PhotoRef("photos/none.png", ref.sha256), NotFoundError, "PHOTO_NOT_FOUND"),
        (PhotoRef(ref.key, "0" * 64), InvalidPhotoError, "PHOTO_DIGEST_MISMATCH"),
    ]
    for bad, kind, reason in cases:
        with pytest.raises(kind) as caught:
            load_crops(store, [ref, bad], Recipe(), (32, 32))
        assert caught.value.reason == reason
        assert caught.value.metadata == {"key": bad.key}


def test_the_training_process_cuts_photos_as_near_as_the_foundations_card_says(tmp_path: Path) -> None:
    foundation, store_url = tmp_path / "foundation", f"file://{tmp_path}/objects"
    described_foundation(foundation)
    (photo_file,) = sample_selfies(7, 1)
    packed = io.BytesIO()
    Image.open(io.BytesIO(photo_file)).convert("RGB").save(packed, "PNG")
    photo = _stored(ArtifactStore.open(store_url), packed.getvalue())
    task = Task(
        job_id="j",
        request=JobRequest((photo,), "out", "man", TrainingOptions()),
        foundation=str(foundation),
        foundation_digest="f" * 64,
        foundation_stamp=foundation_stamp(foundation),
        store_url=store_url,
        device="cpu",
        threads=1,
        checkpoint_seconds=1.0,
    )
    analyzer = open_analyzer("bundled")
    far = training_process._load_crops(task, analyzer, not_told)[0]
    (foundation / "headshots.yaml").write_text("head_height: 0.9\n")
    near = training_process._load_crops(
        dataclasses.replace(task, foundation_stamp=foundation_stamp(foundation)), analyzer, not_told
    )[0]
    assert far.corner_px == (0, 0)
    assert near.corner_px != (0, 0)
