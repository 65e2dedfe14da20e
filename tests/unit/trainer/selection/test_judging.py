"""The judge's scores: likeness, copying, diversity and prompt following; and the photos that are held out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from foundry.portraits import held_out_seed, render, sample_identity, sample_scene, sample_selfies
from headshots.acceptance import PROFILE_WORTHY, Gate, measure_reference
from headshots.faces import Face, Parts, Pixels, Traits, open_analyzer
from services.trainer.selection.judging import Judge, surroundings

SIDE = 32
SIDE_PX = 128
ADA, BOB = (200, 40, 40), (40, 40, 200)
WALL, PARK = (240, 240, 240), (20, 120, 20)


class CentreAnalyzer:
    """Finds one face in the middle, whose colour is who it is; a black middle is no face. Implements the Protocol."""

    name, same_person_from = "centre-1", 0.9

    def __init__(self, tells_parts: bool = True) -> None:
        self._tells_parts = tells_parts

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        colour = pixels_HWC[8:24, 8:24].reshape(-1, 3).mean(axis=0)
        if colour.max() < 10:
            return []
        embedding = (colour / np.linalg.norm(colour)).astype(np.float32)
        return [Face((8.0, 8.0, 24.0, 24.0), np.zeros((5, 2), np.float32), embedding, 1.0)]

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts | None:
        if not self._tells_parts:
            return None
        told = Parts.nowhere(*pixels_HWC.shape[:2])
        told.face_HW[8:24, 8:24] = 1
        return told

    def unsafe(self, pixels_HWC: Pixels) -> float | None:
        return None

    def years(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits | None:
        return None

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return None


class SeeingAnalyzer(CentreAnalyzer):
    """Tells that only ADA's faces are regular, and just so; others' are too irregular for ADA too."""

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        return 1.0 if face.embedding @ _face(self, ADA).embedding > 0.99 else 1.51


def _portrait(face: tuple[int, int, int], around: tuple[int, int, int], seed: int = 0) -> Pixels:
    image = np.empty((SIDE, SIDE, 3), np.int16)
    image[:] = around
    image[8:24, 8:24] = face
    noise = np.random.default_rng(seed).integers(-8, 9, image.shape) if seed else 0
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _face(analyzer: CentreAnalyzer, colour: tuple[int, int, int]) -> Face:
    return analyzer.faces(_portrait(colour, WALL))[0]


BARE = [[_portrait(BOB, around, seed) for seed in (1, 2)] for around in (WALL, PARK)]


def _judge(analyzer: CentreAnalyzer, held_out: list[Face], trained_on: list[Face]) -> Judge:
    reference = measure_reference(analyzer, [_portrait(ADA, WALL, seed) for seed in (5, 6)])
    assert reference is not None
    return Judge(analyzer, held_out, trained_on, BARE, Gate(analyzer, reference, PROFILE_WORTHY))


@pytest.mark.parametrize("tells_parts", [True, False])
def test_portraits_of_the_person_that_follow_the_prompt_have_no_flaws(tells_parts: bool) -> None:
    analyzer = CentreAnalyzer(tells_parts)
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    scores = judge.scores(7, [[_portrait(ADA, around, seed) for seed in (3, 4)] for around in (WALL, PARK)])
    assert scores.step == 7
    assert scores.likeness > 0.99
    assert scores.copying == pytest.approx(0.0, abs=1e-6)
    assert scores.diversity == pytest.approx(1.0, abs=0.2)
    assert (scores.prompt_kept, scores.faces) == (1.0, 1.0)
    assert scores.flaws == ()


def test_strangers_and_missing_faces_lower_the_likeness() -> None:
    analyzer = CentreAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    stranger = judge.scores(1, BARE).likeness
    assert stranger < 0.5
    half = judge.scores(1, [[_portrait(ADA, WALL, 3), _portrait((0, 0, 0), WALL)]] * 2)
    assert half.likeness == pytest.approx(0.5, abs=0.01)
    assert half.faces == 0.5


def test_a_portrait_nearer_to_a_photo_of_the_training_copies() -> None:
    analyzer = CentreAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA), _face(analyzer, BOB)])
    scores = judge.scores(1, BARE)
    assert scores.copying > 0.5
    assert any("copies" in flaw for flaw in scores.flaws)


def test_one_image_for_every_seed_has_no_diversity() -> None:
    analyzer = CentreAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    scores = judge.scores(1, [[_portrait(ADA, around)] * 2 for around in (WALL, PARK)])
    assert scores.diversity == 0.0


def test_the_selfies_room_in_every_portrait_is_a_forgotten_prompt() -> None:
    analyzer = CentreAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    scores = judge.scores(1, [[_portrait(ADA, PARK, seed) for seed in (3, 4)] for _ in range(2)])
    assert scores.prompt_kept == 0.5
    assert any("forgets" in flaw for flaw in scores.flaws)


def test_a_portrait_whose_parts_stand_oddly_or_that_has_no_face_is_not_regular() -> None:
    analyzer = SeeingAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    odd, nobody, good = _portrait(BOB, PARK), _portrait((0, 0, 0), PARK), _portrait(ADA, WALL, 3)
    scores = judge.scores(1, [[good, _portrait(ADA, WALL, 4)], [odd, nobody]])
    assert (scores.regular, scores.bare_regular) == (0.5, 0.0)
    assert judge.scores(1, [[nobody] * 2] * 2).regular == 0.0


def test_an_adapter_that_breaks_faces_which_the_foundation_paints_well_is_not_sound() -> None:
    analyzer = SeeingAnalyzer()
    bare = [[_portrait(ADA, around, seed) for seed in (1, 2)] for around in (WALL, PARK)]
    judge = _judged_by_photos_of(analyzer, ADA, bare)
    assert judge.scores(1, bare).flaws == ()
    assert "breaks faces (0% regular, 100% without it)" in judge.scores(1, BARE).flaws


def test_a_person_whose_own_photos_are_irregular_may_be_painted_so() -> None:
    analyzer = SeeingAnalyzer()
    bare = [[_portrait(ADA, around, seed) for seed in (1, 2)] for around in (WALL, PARK)]
    scores = _judged_by_photos_of(analyzer, BOB, bare).scores(1, BARE)
    assert (scores.regular, scores.bare_regular) == (1.0, 1.0)


def _judged_by_photos_of(analyzer: SeeingAnalyzer, colour: tuple[int, int, int], bare: list[list[Pixels]]) -> Judge:
    reference = measure_reference(analyzer, [_portrait(colour, WALL, seed) for seed in (5, 6)])
    assert reference is not None
    face = _face(analyzer, colour)
    return Judge(analyzer, [face], [face], bare, Gate(analyzer, reference, PROFILE_WORTHY))


def test_an_analyzer_that_does_not_see_it_leaves_regular_faces_unchecked() -> None:
    analyzer = CentreAnalyzer()
    judge = _judge(analyzer, [_face(analyzer, ADA)], [_face(analyzer, ADA)])
    for portraits in (BARE, [[_portrait((0, 0, 0), PARK)] * 2] * 2):
        scores = judge.scores(1, portraits)
        assert (scores.regular, scores.bare_regular) == (None, None)


def test_without_parts_the_heads_box_is_left_out_with_its_hair() -> None:
    outside = surroundings(CentreAnalyzer(tells_parts=False), _portrait(ADA, WALL))
    assert not outside[4:28, 4:28].any()
    assert outside.sum() == SIDE * SIDE - 24 * 24


def test_the_share_of_accepted_portraits_is_the_gates() -> None:
    """Of four drawn portraits, one blurred."""
    analyzer = open_analyzer("bundled")
    assert analyzer is not None
    photos = [np.asarray(Image.open(io.BytesIO(file))) for file in sample_selfies(held_out_seed(7), 6)]
    reference = measure_reference(analyzer, photos)
    assert reference is not None
    face = analyzer.faces(photos[0])[0]
    judge = Judge(analyzer, [face], [face], BARE, Gate(analyzer, reference, PROFILE_WORTHY))
    good, other = (
        render(sample_identity(held_out_seed(7)), sample_scene(np.random.default_rng(seed), "studio"), SIDE_PX)
        for seed in (1, 2)
    )
    blurred = np.asarray(Image.fromarray(good).filter(ImageFilter.GaussianBlur(3)))
    assert judge.scores(1, [[good, other], [other, blurred]]).accepted == 0.75
    assert judge.scores(1, [[good, other], [other, good]]).accepted == 1.0
