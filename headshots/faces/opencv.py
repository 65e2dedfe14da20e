"""Runs YuNet and SFace through OpenCV: for photos of real people, with weights that the operator mounts.

The two files come from the OpenCV Zoo (https://github.com/opencv/opencv_zoo): `face_detection_yunet_2023mar.onnx`
(models/face_detection_yunet, MIT) and `face_recognition_sface_2021dec.onnx` (models/face_recognition_sface,
Apache-2.0). opencv-python-headless carries neither. Coordinates and the threshold are as OpenCV documents them:
https://docs.opencv.org/4.x/d0/dd4/tutorial_dnn_face.html.
"""

from __future__ import annotations

import hashlib
import importlib
import threading
from pathlib import Path
from typing import Any

import numpy as np

from headshots.errors import FailedPreconditionError
from headshots.faces.base import LANDMARKS, Face, Pixels, Traits
from headshots.faces.traits import measure_traits

DETECTOR_PATTERN, RECOGNIZER_PATTERN = "face_detection_yunet*.onnx", "face_recognition_sface*.onnx"
SAME_PERSON_FROM = 0.363  # cosine, OpenCV's own for SFace: 99.6 % right on LFW
SURE_FROM = 0.8
_OVERLAP, _MOST_FACES = 0.3, 100
_LONGEST_SIDE = 640  # YuNet finds faces of 10 to 300 pixels; larger photos are shrunk for it, not for SFace


class OpenCVAnalyzer:
    """A `FaceAnalyzer`. OpenCV's nets keep state between calls, so that one thread at a time uses them."""

    def __init__(self, folder: Path) -> None:
        """Load both nets.

        Raises:
            FailedPreconditionError: ANALYZER_NEEDS_PACKAGE without OpenCV; ANALYZER_UNUSABLE when a file is missing,
                ambiguous or refused by OpenCV.
        """
        try:
            self._cv2: Any = importlib.import_module("cv2")
        except ImportError as error:
            raise FailedPreconditionError(
                "ANALYZER_NEEDS_PACKAGE",
                "the opencv analyzer needs OpenCV: pip install 'headshots[opencv]', or choose another analyzer",
            ) from error
        detector, recognizer = _only(folder, DETECTOR_PATTERN), _only(folder, RECOGNIZER_PATTERN)
        try:
            self._detector = self._cv2.FaceDetectorYN.create(
                str(detector), "", (_LONGEST_SIDE, _LONGEST_SIDE), SURE_FROM, _OVERLAP, _MOST_FACES
            )
            self._recognizer = self._cv2.FaceRecognizerSF.create(str(recognizer), "")
        except self._cv2.error as error:
            raise FailedPreconditionError(
                "ANALYZER_UNUSABLE", f"OpenCV cannot load {detector} and {recognizer}: {error}. Fetch them again"
            ) from error
        self._name = f"opencv-{recognizer.stem}-{hashlib.sha256(recognizer.read_bytes()).hexdigest()[:12]}"
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The recognizer's file and its digest."""
        return self._name

    @property
    def same_person_from(self) -> float:
        """OpenCV's threshold for SFace."""
        return SAME_PERSON_FROM

    def faces(self, pixels_HWC: Pixels) -> list[Face]:
        """Every face, largest first."""
        height, width = pixels_HWC.shape[:2]
        scale = min(1.0, _LONGEST_SIDE / max(height, width))
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        blue_first = np.ascontiguousarray(pixels_HWC[..., ::-1])
        with self._lock:
            small = self._cv2.resize(blue_first, size, interpolation=self._cv2.INTER_AREA) if scale < 1 else blue_first
            self._detector.setInputSize(size)
            _, rows = self._detector.detect(small)
            found = [] if rows is None else [self._face(blue_first, row, size) for row in np.asarray(rows)]
        return sorted(found, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]), reverse=True)

    def parts(self, pixels_HWC: Pixels, face: Face | None = None) -> None:
        """None: these nets tell neither face nor hair from the rest."""
        return None

    def unsafe(self, pixels_HWC: Pixels) -> None:
        """None: these nets do not look for nudity."""
        return None

    def years(self, pixels_HWC: Pixels, face: Face) -> None:
        """None: these nets tell no age."""
        return None

    def traits(self, pixels_HWC: Pixels, face: Face) -> Traits:
        """Glasses and beard, by the colours of frame and chin, at the landmarks that `people` has from YuNet too."""
        return measure_traits(pixels_HWC, face)

    def irregularity(self, pixels_HWC: Pixels, face: Face) -> None:
        """None: five landmarks do not tell it."""
        return None

    def _face(self, blue_first_HWC: Pixels, row: np.ndarray[Any, Any], size: tuple[int, int]) -> Face:
        """One row: x, y, width, height; eyes, nose and mouth corners, each the picture's left one first; score."""
        ratio = np.array([blue_first_HWC.shape[1] / size[0], blue_first_HWC.shape[0] / size[1]], np.float32)
        scaled = np.array(row, np.float32)
        scaled[:14] *= np.tile(ratio, 7)
        aligned = self._recognizer.alignCrop(blue_first_HWC, scaled)
        feature = np.asarray(self._recognizer.feature(aligned), np.float32).ravel()
        left, top, wide, high = (float(value) for value in scaled[:4])
        return Face(
            box=(left, top, left + wide, top + high),
            landmarks=scaled[4:14].reshape(len(LANDMARKS), 2).copy(),
            embedding=feature / max(float(np.linalg.norm(feature)), 1e-12),
            score=float(scaled[14]),
        )


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise FailedPreconditionError(
            "ANALYZER_UNUSABLE",
            f"{folder} must hold exactly one {pattern} and holds {names}; the OpenCV Zoo has it "
            "(https://github.com/opencv/opencv_zoo)",
        )
    return found[0]
