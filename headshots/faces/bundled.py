"""Runs the bundled analyzer: two small ONNX graphs that the foundry trained on its own portraits.

It knows drawn people only; on photos of real ones its answers mean nothing. Imports onnxruntime, numpy and Pillow.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from headshots.errors import FailedPreconditionError
from headshots.faces.base import Face, Part, Parts, Pixels, Traits
from headshots.faces.detection import SIDE, Detection, detections
from headshots.faces.geometry import Floats, align, letterbox, to_planes
from headshots.faces.regularity import Regularity
from headshots.faces.sessions import LOAD_ERRORS, open_session
from headshots.faces.traits import measure_traits

SETTINGS_FILE = "analyzer.json"
DETECTOR_FILE, EMBEDDER_FILE = "detector.onnx", "embedder.onnx"
POINTS_FILE, REGULARITY_FILE = "points.onnx", "regularity.npz"
"""Both or neither is there: without them the analyzer tells of no face how regular it is."""


@dataclass(frozen=True, slots=True)
class AnalyzerSettings:
    """What `analyzer.json` holds beside the graphs."""

    same_person_from: float  # cosine, -1..1
    sure_from: float  # a peak of the heat map counts as a face from here, 0..1


class BundledAnalyzer:
    """A `FaceAnalyzer`. May be called from several threads: ONNX Runtime's sessions are."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the graphs on the CPU with so many threads each.

        Raises:
            FailedPreconditionError: ANALYZER_UNUSABLE, when a file is missing or cannot be read.
        """
        try:
            settings = json.loads((folder / SETTINGS_FILE).read_text("utf-8"))
            self._settings = AnalyzerSettings(settings["same_person_from"], settings["sure_from"])
            graphs = [(folder / name).read_bytes() for name in (DETECTOR_FILE, EMBEDDER_FILE)]
            self._detector, self._embedder = (open_session(graph, threads) for graph in graphs)
            self._points = self._regularity = None
            if (folder / POINTS_FILE).exists() or (folder / REGULARITY_FILE).exists():
                self._points = open_session((folder / POINTS_FILE).read_bytes(), threads)
                self._regularity = Regularity.load(folder / REGULARITY_FILE)
        except (OSError, ValueError, KeyError, TypeError, *LOAD_ERRORS) as error:
            raise FailedPreconditionError(
                "ANALYZER_UNUSABLE",
                f"no usable analyzer in {folder}: {error}. Name a folder with {SETTINGS_FILE}, {DETECTOR_FILE} and "
                f"{EMBEDDER_FILE} as models/portrait-analyzer has, or choose another analyzer",
            ) from error
        self._name = f"portrait-analyzer-{hashlib.sha256(graphs[1]).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """The embedder's digest is part of it: other weights, other embeddings."""
        return self._name

    @property
    def same_person_from(self) -> float:
        """From held-out strangers; the model card says at which rate of false matches."""
        return self._settings.same_person_from

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        """Every face from about an eighth of the picture's longer side upwards, largest first."""
        square, box = letterbox(pixels_HWC, SIDE)
        heat, geometry, _ = self._detect(square)
        found = detections(heat, geometry, self._settings.sure_from)
        if not found:
            return []
        corners = [box.to_picture(one.corners_22) for one in found]
        landmarks = [box.to_picture(one.landmarks_52) for one in found]
        embeddings = self._embed(pixels_HWC, landmarks)
        faces = [_face(*parts) for parts in zip(found, corners, landmarks, embeddings, strict=True)]
        return sorted(faces, key=_area, reverse=True)

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> Parts:
        """Of everybody in the picture, whether `faces` finds them or not; each pixel shows one thing."""
        told = self.labels(pixels_HWC)
        return Parts(*((told == part).astype(np.float32) for part in (Part.FACE, Part.HAIR, Part.CLOTHES)))

    def labels(self, pixels_HWC: Pixels) -> npt.NDArray[np.uint8]:
        """What each pixel shows, [H, W] of `Part` values, as sharp as the picture at 64 pixels a side."""
        square, box = letterbox(pixels_HWC, SIDE)
        logits_PHW = self._detect(square)[2]
        ratio = logits_PHW.shape[-1] / SIDE
        inside = (box.left, box.top, box.left + box.width, box.top + box.height)
        window = tuple(value * ratio for value in inside)
        size = (pixels_HWC.shape[1], pixels_HWC.shape[0])
        enlarged = [
            np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, window)) for plane in logits_PHW
        ]
        told: npt.NDArray[np.uint8] = np.argmax(np.stack(enlarged), axis=0).astype(np.uint8)
        return told

    def unsafe(self, pixels_HWC: Pixels) -> None:
        """None: nobody draws it."""
        return None

    def years(self, pixels_HWC: Pixels, face: Face) -> None:
        """None: drawn people have no age."""
        return None

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits:
        """Glasses and beard, by the colours of frame and chin."""
        return measure_traits(pixels_HWC, face)

    @property
    def tells_regularity(self) -> bool:
        """Whether the folder has `points.onnx`."""
        return self._points is not None

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> float | None:
        """By 24 points of eyes, brows, nose, mouth and chin; None where the folder has no `points.onnx`."""
        if self._regularity is None:
            return None
        return float(self._regularity.distances(self.points(pixels_HWC, face)[None])[0]) / self._regularity.limit

    def points(self, pixels_HWC: Pixels, face: Face) -> Floats:
        """Where 24 points of a face are, [24, 2] in pixels of its upright crop.

        Raises:
            FailedPreconditionError: ANALYZER_UNUSABLE, the folder has no `points.onnx`.
        """
        if self._points is None:
            message = f"this analyzer has no {POINTS_FILE}; `python -m foundry.export_analyzer` writes it"
            raise FailedPreconditionError("ANALYZER_UNUSABLE", message)
        crop = align(pixels_HWC, face.landmarks)
        return np.asarray(self._points.run(None, {"faces": to_planes(crop[None])})[0][0], np.float32)

    def _detect(self, square_HWC: Pixels) -> tuple[Floats, Floats, Floats]:
        heat, geometry, parts = self._detector.run(None, {"pixels": to_planes(square_HWC[None])})
        return heat[0], geometry[0], parts[0]

    def _embed(self, pixels_HWC: Pixels, landmarks: list[Floats]) -> Floats:
        crops = np.stack([align(pixels_HWC, one) for one in landmarks])
        vectors: Floats = self._embedder.run(None, {"faces": to_planes(crops)})[0]
        return vectors


def _face(found: Detection, corners_22: Floats, landmarks_52: Floats, embedding_D: Floats) -> Face:
    left, top, right, bottom = (float(value) for value in corners_22.ravel())
    return Face((left, top, right, bottom), landmarks_52, embedding_D, found.score)


def _area(face: Face) -> float:
    left, top, right, bottom = face.box
    return (right - left) * (bottom - top)
