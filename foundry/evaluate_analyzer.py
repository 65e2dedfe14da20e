"""Measures the bundled analyzer on people that no training ever showed.

`python -m foundry.evaluate_analyzer --analyzer models/portrait-analyzer` writes `scores.json` there: every picture goes
through detection, cropping and embedding as at run time; a picture whose face is not found counts as a miss.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundry.analyzer_scenes import SEEN_FROM, UNSEEN_BELOW, Scenes, compose, render_backdrops, render_scenes
from foundry.faces import hard_pairs
from foundry.faces.finding_points import point_scores
from foundry.faces.hard_pairs import roc_area
from foundry.faces.judge_scores import VIEWS
from foundry.portraits import FIRST_HELD_OUT, render, sample_identity, sample_scene
from foundry.progress import tqdm
from headshots.faces.base import Face, FaceAnalyzer, Part, Pixels
from headshots.faces.bundled import BundledAnalyzer
from headshots.faces.detection import overlap

PEOPLE = 200
KINDS = ("selfie", "selfie", "studio", "studio")  # each person's pictures; the first is the gallery's
SELFIE_SIZE, STUDIO_SIZE = 256, 128
FIRST_SCENE_PERSON = FIRST_HELD_OUT + 100_000
FOUND_FROM = 0.5  # of the union of a found and a true box

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recognition:
    """Embeddings [people, pictures, D] of everybody; a row of zeros where no face was found."""

    vectors: Floats

    def scores(self, same_person_from: float) -> dict[str, float]:
        """ROC area over all pairs, rank 1 among all people, and the rates at the analyzer's own threshold."""
        people, pictures, width = self.vectors.shape
        flat = self.vectors.reshape(-1, width)
        similarity = flat @ flat.T
        owner = np.repeat(np.arange(people), pictures)
        upper = np.triu(np.ones_like(similarity, bool), 1)
        same = similarity[upper & (owner[:, None] == owner[None, :])]
        strangers = similarity[upper & (owner[:, None] != owner[None, :])]
        return {
            "roc_auc": roc_area(same, strangers),
            "rank1": rank1(self.vectors[:, 0], self.vectors[:, 1:]),
            "rank1_studio_from_two_selfies": rank1(self.vectors[:, :2].mean(1), self.vectors[:, 2:]),
            "true_match_rate": float((same >= same_person_from).mean()),
            "false_match_rate": float((strangers >= same_person_from).mean()),
            "same_person_mean": float(same.mean()),
            "strangers_mean": float(strangers.mean()),
        }


def rank1(gallery_ND: Floats, probes_NKD: Floats) -> float:
    """The share of probes [N, K, D] whose nearest of the N gallery vectors is their own person's."""
    nearest = np.argmax(probes_NKD @ gallery_ND.T, axis=-1)
    found = np.any(probes_NKD != 0, axis=-1)
    return float(((nearest == np.arange(len(gallery_ND))[:, None]) & found).mean())


def recognise(analyzer: FaceAnalyzer, people: int = PEOPLE) -> Recognition:
    """Every picture of people FIRST_HELD_OUT .. through the whole analyzer."""
    rows = []
    for person in tqdm(range(people), desc="people", mininterval=5):
        vectors = []
        for index, kind in enumerate(KINDS):
            scene = sample_scene(np.random.default_rng([FIRST_HELD_OUT + person, index, 0xE7A1]), kind)
            size = SELFIE_SIZE if kind == "selfie" else STUDIO_SIZE
            found = analyzer.faces(render(sample_identity(FIRST_HELD_OUT + person), scene, size))
            vectors.append(found[0].embedding if found else None)
        width = next((len(vector) for vector in vectors if vector is not None), 1)
        rows.append([np.zeros(width, np.float32) if vector is None else vector for vector in vectors])
    return Recognition(np.array(rows, np.float32))


def embeddings(analyzer: FaceAnalyzer, pictures: Sequence[Pixels]) -> Floats:
    """Of the largest face of each picture; zeros where none is found."""
    found = [analyzer.faces(picture) for picture in pictures]
    width = next((len(faces[0].embedding) for faces in found if faces), 1)
    return np.array([faces[0].embedding if faces else np.zeros(width, np.float32) for faces in found], np.float32)


def likenesses(analyzer: FaceAnalyzer, people: int) -> dict[str, float]:
    """`hard_pairs.scores` in the world's own framing, and with `_close` behind their names in the closer one."""
    embed, found = functools.partial(embeddings, analyzer), dict[str, float]()
    for name, framing in VIEWS.items():
        told = hard_pairs.scores(hard_pairs.embed_families(embed, people, framing=framing))
        found |= {key if name == "own" else f"{key}_{name}": value for key, value in told.items()}
    return found


def held_out_scenes(count: int) -> Scenes:
    """Rendered people for the detection scores, none of whom training or calibration shows."""
    return Scenes(*render_scenes(0, count, FIRST_SCENE_PERSON), render_backdrops(count))


def detection_scores(analyzer: FaceAnalyzer, scenes: Scenes, canvases: int) -> dict[str, float]:
    """Faces found in composed canvases of none to six people, and how exactly. Hidden faces count for nothing."""
    rng = np.random.default_rng(0xE7A1)
    hits, missed, false, empty_canvases, empty_right, several, several_right = 0, 0, 0, 0, 0, 0, 0
    overlaps, errors = [], []
    for _ in tqdm(range(canvases), desc="canvases", mininterval=5):
        canvas = compose(scenes, rng)
        found = analyzer.faces(canvas.pixels)
        pairs = [(place, shown) for place, shown in zip(canvas.places, canvas.shown, strict=True)]
        true = [place for place, shown in pairs if shown >= SEEN_FROM]
        hidden = [place for place, shown in pairs if UNSEEN_BELOW <= shown < SEEN_FROM]
        matches, spare = match(true, found)
        spare = [face for face in spare if all(overlap(corners(face), place[:2]) < 0.3 for place in hidden)]
        hits, missed, false = hits + len(matches), missed + len(true) - len(matches), false + len(spare)
        exact = len(matches) == len(true) and not spare
        if not true:
            empty_canvases, empty_right = empty_canvases + 1, empty_right + exact
        if len(true) > 1:
            several, several_right = several + 1, several_right + exact
        for place, face in matches:
            overlaps.append(overlap(corners(face), place[:2]))
            errors.append(np.linalg.norm(face.landmarks - place[2:], axis=1).mean() / (place[1] - place[0])[1])
    return {
        "precision": hits / max(hits + false, 1),
        "recall": hits / max(hits + missed, 1),
        "canvases_without_faces_right": empty_right / max(empty_canvases, 1),
        "canvases_of_several_right": several_right / max(several, 1),
        "box_iou": float(np.mean(overlaps)) if overlaps else 0.0,
        "landmark_error_of_face_height": float(np.mean(errors)) if errors else 1.0,
    }


def corners(face: Face) -> Floats:
    """A face's box as its two corners."""
    return np.reshape(np.array(face.box, np.float32), (2, 2))


def match(true: list[Floats], found: list[Face]) -> tuple[list[tuple[Floats, Face]], list[Face]]:
    """Pairs of a true place and the surest face that overlaps it enough, and the faces left over."""
    spare = sorted(found, key=lambda face: -face.score)
    pairs = []
    for place in true:
        best = max(spare, key=lambda face: overlap(corners(face), place[:2]), default=None)
        if best is not None and overlap(corners(best), place[:2]) >= FOUND_FROM:
            pairs.append((place, best))
            spare = [face for face in spare if face is not best]
    return pairs, spare


def portrait_scores(analyzer: BundledAnalyzer, scenes: Scenes) -> dict[str, float]:
    """On portraits as they are rendered: one face each, box, landmarks in pixels of 128, and each part's IoU."""
    overlaps, errors, one = [], [], 0
    shared, whole = np.zeros(len(Part)), np.zeros(len(Part))
    for pixels, parts, place in zip(scenes.pixels, scenes.parts, scenes.places, strict=True):
        found = analyzer.faces(pixels)
        one += len(found) == 1
        if found:
            overlaps.append(overlap(corners(found[0]), place[:2]))
            errors.append(np.linalg.norm(found[0].landmarks - place[2:], axis=1).mean())
        told = analyzer.labels(pixels)
        for part in Part:
            shared[part] += np.sum((told == part) & (parts == part))
            whole[part] += np.sum((told == part) | (parts == part))
    return {
        "portraits_with_one_face": one / len(scenes.pixels),
        "portrait_box_iou": float(np.mean(overlaps)) if overlaps else 0.0,
        "portrait_landmark_error_px": float(np.mean(errors)) if errors else 128.0,
        **{f"mask_iou_{part.name.lower()}": float(shared[part] / whole[part]) for part in Part},
    }


def milliseconds(analyzer: FaceAnalyzer, repeats: int = 20) -> float:
    """CPU milliseconds of the process for the faces of one selfie of 256 pixels."""
    scene = sample_scene(np.random.default_rng(0), "selfie")
    pixels = render(sample_identity(FIRST_HELD_OUT), scene, SELFIE_SIZE)
    analyzer.faces(pixels)
    start = time.process_time()
    for _ in range(repeats):
        analyzer.faces(pixels)
    return (time.process_time() - start) / repeats * 1e3


def main() -> None:
    """Parse the command line, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m foundry.evaluate_analyzer", description=__doc__)
    parser.add_argument("--analyzer", type=Path, default=Path("models/portrait-analyzer"), help="its folder")
    parser.add_argument("--people", type=int, default=PEOPLE, help="how many to tell apart")
    parser.add_argument("--scenes", type=int, default=200, help="portraits for boxes, landmarks and masks")
    parser.add_argument("--canvases", type=int, default=400, help="composed pictures of none to six people")
    options = parser.parse_args()
    analyzer = BundledAnalyzer(options.analyzer)
    scenes = held_out_scenes(options.scenes)
    scores: dict[str, object] = {"name": analyzer.name, "same_person_from": analyzer.same_person_from}
    scores["people"], scores["pictures_a_person"] = options.people, len(KINDS)
    measured = {
        **likenesses(analyzer, options.people),
        **point_scores(analyzer, options.scenes),
        **recognise(analyzer, options.people).scores(analyzer.same_person_from),
        **detection_scores(analyzer, scenes, options.canvases),
        **portrait_scores(analyzer, scenes),
        "cpu_milliseconds": milliseconds(analyzer),
    }
    scores.update({name: round(value, 5) for name, value in measured.items()})
    (options.analyzer / "scores.json").write_text(json.dumps(scores, indent=2) + "\n")
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
