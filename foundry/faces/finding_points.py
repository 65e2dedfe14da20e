"""Trains the analyzer's finder of points, and learns from true renders how they stand to each other.

A step bends faces first, so that points are found where they are and not where faces have them: who is asked whether a
face is regular must not mend it. What a step sees follows from the seed and its number alone.

Shapes: F families of M pictures, R pictures of one step, K points, x and y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from foundry.analyzer import PointFinder
from foundry.analyzer_embedding import moved_by, off_by
from foundry.analyzer_faces import MARGIN, prepare_faces
from foundry.camera import as_camera_sees
from foundry.faces.families import MEMBERS, SIZE, members, prepare_families, scene_of
from foundry.faces.judge_stages import landmark_loss
from foundry.faces.softening import as_painted, bent
from foundry.portraits import FIRST_HELD_OUT, FRAMINGS, face_points, render_portrait, sample_identity, sample_scene
from foundry.progress import tqdm
from headshots.faces.base import Face, FaceAnalyzer, Pixels
from headshots.faces.bundled import BundledAnalyzer
from headshots.faces.geometry import CROP, TEMPLATE, Floats, align, similarity, to_planes
from headshots.faces.regularity import Regularity, learn_regularity

ROWS = 64
# Of them the first half tells how points stand to each other, the second how far true faces differ from that.
FIRST_REGULAR_PERSON = 300_000  # apart from the people of other stages
REGULAR_PEOPLE = 1_600
FIRST_SCORED_PERSON = FIRST_HELD_OUT + 600_000


class PointsStage:
    """The distance of points from the true ones, and the cross entropy of their maps against blobs around them."""

    name = "points"
    learning_rate = 3e-3

    def __init__(self, work: Path, families: int, seed: int, device: torch.device, rows: int = ROWS) -> None:
        torch.manual_seed(seed + 2)
        self.seed, self.device = seed, device
        self.faces = prepare_faces(work, families)
        self.points_NK2 = torch.from_numpy(points_in_crops(work, families)).flatten(0, 1)
        self.rows = min(rows, len(self.points_NK2))
        self.finder = PointFinder().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.models: dict[str, nn.Module] = {"points": self.finder}

    def loss(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step, 0x9017])
        chosen = np.sort(rng.choice(len(self.points_NK2), self.rows, replace=False))
        family, member = np.divmod(chosen, len(MEMBERS))
        crops = torch.from_numpy(to_planes(self.faces[family, member]))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        bent_crops, points = bent(crops, self.points_NK2[torch.from_numpy(chosen)], generator, strength=0.02)
        matrix = off_by(self.rows, generator)
        faces = as_camera_sees(as_painted(moved_by(bent_crops, matrix), generator), generator)
        with torch.autocast(self.device.type, torch.bfloat16):
            maps = self.finder.maps(faces.to(self.device).contiguous(memory_format=torch.channels_last))
        return landmark_loss(maps.float(), points_moved(points, matrix).to(self.device))


def points_in_crops(work: Path, families: int) -> Floats:
    """The true points of `prepare_faces`' crops, [F, M, K, 2] in units of the crop's side."""
    landmarks_FM52 = prepare_families(work, families).landmarks
    found = []
    for number in range(families):
        shown = enumerate(members(number))
        drawn = [face_points(person, scene_of(number, place), SIZE) for place, person in shown]
        found.append([_into_crop(*pair) for pair in zip(drawn, landmarks_FM52[number], strict=True)])
    return np.asarray(found, np.float32)


def _into_crop(
    points_K2: npt.NDArray[np.floating], landmarks_52: Floats, margin: int = MARGIN
) -> npt.NDArray[np.float64]:
    """Picture pixels to shares of the side of the crop with its margin that `align` cuts by these landmarks."""
    matrix = similarity(TEMPLATE + margin, landmarks_52)
    return np.asarray((points_K2 - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T / (CROP + 2 * margin))


def points_moved(points_RK2: Tensor, matrix_R23: Tensor) -> Tensor:
    """Where points of crops with a margin are in the faces that `moved_by` cuts of them; both in shares of the side."""
    away = 2 * points_RK2 - 1 - matrix_R23[:, None, :, 2]
    placed: Tensor = torch.linalg.solve(matrix_R23[:, None, :, :2], away[..., None])[..., 0]
    return (placed + 1) / 2


@torch.no_grad()
def regularity_of_renders(analyzer: FaceAnalyzer, finder: PointFinder, people: int = REGULAR_PEOPLE) -> Regularity:
    """How points of true renders stand to each other, as they are found; in every framing in turn."""
    found = []
    for person in tqdm(range(people), desc="regularity", mininterval=5):
        pixels, _ = _portrait(FIRST_REGULAR_PERSON + person, tuple(FRAMINGS)[person % len(FRAMINGS)])
        if faces := analyzer.faces(pixels):
            crop = align(pixels, faces[0].landmarks)
            found.append(finder(torch.from_numpy(to_planes(crop[None])))[0].numpy())
    points_NK2 = np.stack(found)
    return learn_regularity(points_NK2[: len(found) // 2], points_NK2[len(found) // 2 :])


def point_scores(analyzer: BundledAnalyzer, people: int) -> dict[str, float]:
    """Of held-out people's portraits, by framing: how far points are off in the median, in pixels of the crop, how many
    faces are regular, and how many with one eye a fifth of the eyes' distance higher. Empty where it finds no points.
    """
    if not analyzer.tells_regularity:
        return {}
    found: dict[str, float] = {}
    for framing in FRAMINGS:
        errors, regular, broken = [], [], []
        for person in range(people):
            pixels, true_K2 = _portrait(FIRST_SCORED_PERSON + person, framing)
            for face in analyzer.faces(pixels)[:1]:
                truth = _into_crop(true_K2, face.landmarks, margin=0) * CROP
                inside = np.all((truth > 0) & (truth < CROP), axis=1)
                errors += list(np.linalg.norm(analyzer.points(pixels, face) - truth, axis=1)[inside])
                regular.append(_is_regular(analyzer, pixels, face))
                broken.append(_is_regular(analyzer, _with_an_eye_higher(pixels, face), face))
        found |= {
            f"point_error_px_{framing}": float(np.median(errors)),
            f"regular_{framing}": float(np.mean(regular)),
            f"regular_broken_{framing}": float(np.mean(broken)),
        }
    return found


def _is_regular(analyzer: BundledAnalyzer, pixels: Pixels, face: Face) -> bool:
    told = analyzer.irregularity(pixels, face)
    return told is not None and told <= 1


def _with_an_eye_higher(pixels_HWC: Pixels, face: Face) -> Pixels:
    """The left eye and its brow moved up by a fifth of the distance of the eyes."""
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
    (x, y), half, up = face.landmarks[0], round(0.4 * eyes), max(round(0.2 * eyes), 1)
    left, top = max(round(float(x)) - half, 0), max(round(float(y)) - half, up)
    patch = pixels_HWC[top : top + 2 * half, left : left + 2 * half]
    moved = pixels_HWC.copy()
    moved[top - up : top - up + len(patch), left : left + patch.shape[1]] = patch
    return moved


def _portrait(seed: int, framing: str) -> tuple[Pixels, npt.NDArray[np.floating]]:
    """A studio portrait of a person, and its true points in pixels."""
    person, rng = sample_identity(seed), np.random.default_rng([seed, 0x4E6])
    scene = sample_scene(rng, "studio", framing)
    return render_portrait(person, scene, SIZE).pixels, face_points(person, scene, SIZE)
