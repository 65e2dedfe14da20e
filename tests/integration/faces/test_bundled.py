"""The bundled analyzer on people that no training showed: one face, two, none, cut off; the same person and others."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFilter

from foundry.evaluate_analyzer import Recognition
from foundry.portraits import (
    BACKDROPS,
    Portrait,
    held_out_seed,
    render_portrait,
    sample_identity,
    sample_scene,
    sample_selfies,
)
from foundry.portraits.canvas import Canvas
from foundry.portraits.draw_backdrop import draw_backdrop
from headshots.faces import FaceAnalyzer, Part, open_analyzer
from headshots.faces.detection import overlap
from headshots.settings import default_analyzer
from tests.support.images.parts import mask_iou

FIRST_PERSON = 300_000  # of the held-out people: none of the card's, none of the calibration's


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


def portrait(person: int, number: int = 0, kind: str = "studio", size: int = 128) -> Portrait:
    rng = np.random.default_rng([person, number, 0x7E57])
    return render_portrait(sample_identity(held_out_seed(FIRST_PERSON + person)), sample_scene(rng, kind), size)


def backdrop(name: str) -> np.ndarray:
    canvas = Canvas(128)
    draw_backdrop(canvas, name, np.random.default_rng(77))
    return np.clip(canvas.pixels, 0, 255).astype(np.uint8)


def box_overlap(first: Sequence[float], second: Sequence[float]) -> float:
    return overlap(np.reshape(np.array(first, np.float32), (2, 2)), np.reshape(np.array(second, np.float32), (2, 2)))


def test_the_files_stay_below_four_megabytes() -> None:
    files = {path.name: path.stat().st_size for path in default_analyzer().iterdir()}
    assert {"detector.onnx", "embedder.onnx", "analyzer.json", "scores.json", "README.md"} <= files.keys()
    assert sum(files.values()) < 4e6


@pytest.mark.parametrize("person", range(8))
@pytest.mark.parametrize(("kind", "size"), [("studio", 128), ("selfie", 256)])
def test_one_face_is_found_where_it_was_drawn(analyzer: FaceAnalyzer, person: int, kind: str, size: int) -> None:
    true = portrait(person, 0, kind, size)
    (face,) = analyzer.faces(true.pixels)
    assert box_overlap(face.box, true.box) > 0.75
    assert np.linalg.norm(face.landmarks - true.landmarks, axis=1).mean() < size * 0.03
    assert face.score >= 0.4
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-4)


def test_one_person_is_near_and_strangers_are_far(analyzer: FaceAnalyzer) -> None:
    kinds = ("selfie", "studio", "studio")
    vectors = np.array(
        [
            [analyzer.faces(portrait(person, number, kind).pixels)[0].embedding for number, kind in enumerate(kinds)]
            for person in range(12)
        ]
    )
    scores = Recognition(vectors).scores(analyzer.same_person_from)
    assert scores["roc_auc"] > 0.99
    assert scores["rank1"] > 0.95
    assert scores["true_match_rate"] > 0.9
    assert scores["false_match_rate"] < 0.05


@pytest.mark.parametrize("framing", ["", "_close"])
def test_the_scores_beside_it_say_that_it_tells_lookalikes(framing: str) -> None:
    """As `foundry.evaluate_analyzer` found, on people that nothing was taught or chosen by."""
    scores = json.loads((default_analyzer() / "scores.json").read_text())
    assert scores[f"auc_hard{framing}"] >= 0.99
    assert scores[f"rank1_lookalikes{framing}"] >= 0.95


def test_soft_noisy_and_compressed_pictures_keep_their_person(analyzer: FaceAnalyzer) -> None:
    for person in range(4):
        sharp = Image.fromarray(portrait(person).pixels)
        packed = io.BytesIO()
        sharp.filter(ImageFilter.GaussianBlur(0.9)).save(packed, "JPEG", quality=60)
        noise = np.random.default_rng(person).normal(0, 5, (128, 128, 3))
        soft = (np.asarray(Image.open(packed), np.float32) + noise).clip(0, 255).astype(np.uint8)
        first, second = (analyzer.faces(picture)[0] for picture in (np.asarray(sharp), soft))
        assert float(first.embedding @ second.embedding) > analyzer.same_person_from


@pytest.mark.parametrize("name", BACKDROPS)
def test_a_backdrop_has_no_face(analyzer: FaceAnalyzer, name: str) -> None:
    assert analyzer.faces(backdrop(name)) == []


@pytest.mark.parametrize("pixels", [np.zeros((1, 1, 3), np.uint8), np.full((9, 700, 3), 255, np.uint8)])
def test_odd_pictures_have_no_face(analyzer: FaceAnalyzer, pixels: np.ndarray) -> None:
    assert analyzer.faces(pixels) == []
    parts = analyzer.parts(pixels)
    assert parts is not None
    assert parts.face_HW.shape == parts.hair_HW.shape == pixels.shape[:2]


@pytest.mark.parametrize("people", [2, 3])
def test_several_people_in_a_row_are_found_and_told_apart(analyzer: FaceAnalyzer, people: int) -> None:
    alone = [portrait(20 + person) for person in range(people)]
    found = analyzer.faces(np.concatenate([one.pixels for one in alone], axis=1))
    assert len(found) == people
    for face in found:
        here = int((face.box[0] + face.box[2]) / 2 // 128)
        likeness = [float(face.embedding @ analyzer.faces(one.pixels)[0].embedding) for one in alone]
        assert int(np.argmax(likeness)) == here
    areas = [(face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in found]
    assert areas == sorted(areas, reverse=True)


def test_a_face_cut_off_by_the_border_reaches_beyond_it(analyzer: FaceAnalyzer) -> None:
    outside = []
    for person in range(6):
        whole = portrait(person, 3)
        left, _, right, _ = whole.box
        cut = int(left + 0.3 * (right - left))
        (face,) = analyzer.faces(np.ascontiguousarray(whole.pixels[:, cut:]))
        outside.append(-face.box[0] / (face.box[2] - face.box[0]))
    assert np.mean(outside) == pytest.approx(0.3, abs=0.05)
    assert min(outside) > 0.15


def test_parts_are_told_apart(analyzer: FaceAnalyzer) -> None:
    for person in range(4):
        true = portrait(40 + person, 0, "selfie", 256)
        told = analyzer.parts(true.pixels)
        assert told is not None
        assert told.face_HW.dtype == told.hair_HW.dtype == np.float32
        assert told.face_HW.shape == true.parts.shape
        assert mask_iou(told.face_HW, true.parts == Part.FACE) > 0.85
        assert mask_iou(told.hair_HW, true.parts == Part.HAIR) > 0.75
        assert told.clothes_HW is not None
        assert mask_iou(told.clothes_HW, true.parts == Part.CLOTHES) > 0.85
        assert not (told.clothes_HW * told.head_HW).any(), "each pixel shows one thing"
        np.testing.assert_array_equal(told.head_HW, (told.face_HW > 0) | (told.hair_HW > 0))


def test_selfies_as_phones_send_them_are_one_person(analyzer: FaceAnalyzer) -> None:
    people = []
    for person in (FIRST_PERSON + 60, FIRST_PERSON + 61):
        pictures = [np.array(Image.open(io.BytesIO(file))) for file in sample_selfies(held_out_seed(person), 3)]
        people.append(np.stack([analyzer.faces(picture)[0].embedding for picture in pictures]))
    for vectors in people:
        assert float((vectors @ vectors.mean(0)).min()) > analyzer.same_person_from * np.linalg.norm(vectors.mean(0))
    assert float((people[0] @ people[1].T).max()) < analyzer.same_person_from


def test_threads_may_share_an_analyzer(analyzer: FaceAnalyzer) -> None:
    pictures = [portrait(person).pixels for person in range(4)]
    alone = [analyzer.faces(picture)[0].embedding for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: analyzer.faces(picture)[0].embedding, pictures))
    assert np.allclose(alone, together, atol=1e-5)
