"""Holds converted nets to what they answered when this was written: a conversion that went wrong must not pass.

Inputs are arithmetic, so that they are the same everywhere. What the embedder and the landmarks have to answer is what
dlib 20.0.1 itself did, which the embedder's fp16 weights meet within 3e-4; what the other nets have
to, what their files did as they were published. Imports numpy and onnxruntime.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from headshots.errors import FailedPreconditionError
from headshots.faces.base import Pixels
from headshots.faces.geometry import Floats
from headshots.faces.people import ages, mesh, safety
from headshots.faces.people.files import AGES, DETECTOR, EMBEDDER, MESH, POINTS, SAFETY
from headshots.faces.people.points import Trees

_EMBEDDING = (-0.02179157, 0.11608218, 0.029177, -0.08181822, -0.11472492, -0.01381537, -0.08237138, 0.03388475)
"""The first eight of 128."""
_DETECTED = {"cls_8": 0.6713655, "bbox_16": 0.5839716, "kps_8": 2.8204722, "kps_32": 1.5385642}
"""The largest value of each of these outputs."""
_UNSAFE = 0.16064964
"""Of a smooth picture: of noise the answer is so near 0 that a broken net would give it too."""
_YEARS = 26.179
_MESH = (92.157, 121.997, -9.735, 94.808, 108.984, -24.986, 93.815, 113.059, -12.745)
"""The first three of 468 points, by TensorFlow Lite (ai-edge-litert 2.3.0)."""
_POINTS = (84, 50, 72, 50, 40, 47, 52, 49, 61, 77)
"""In whole pixels, as dlib rounds them."""
_BOX = (20, 20, 99, 99)
_TOLERANCE, _PIXELS = 2e-3, 0.6


def check(folder: Path) -> None:
    """Run what was converted into `folder` once.

    Raises:
        FailedPreconditionError: ANALYZER_CONVERSION_WRONG, naming the file.
    """
    _compare(EMBEDDER, _run(folder / EMBEDDER, "faces", pattern(150), "embeddings")[0, : len(_EMBEDDING)], _EMBEDDING)
    for name, expected in _DETECTED.items():
        answer = _run(folder / DETECTOR, "input", pattern(64), name)
        _compare(DETECTOR, np.array([answer.max()], np.float32), (expected,))
    answer = _run(folder / SAFETY, safety.INPUT, safety.picture(_slope(safety.SIDE)), safety.OUTPUT)
    _compare(SAFETY, answer[0, 1:], (_UNSAFE,), 5e-3)
    face = pattern(ages.SIDE)[0].transpose(1, 2, 0).astype(np.uint8)
    shares = _run(folder / AGES, ages.INPUT, ages.picture(face), ages.OUTPUT)[0]
    _compare(AGES, np.array([ages.expected(shares)]), (_YEARS,), 0.05)
    answer = _run(folder / MESH, mesh.INPUT, pattern(mesh.SIDE) / np.float32(255), mesh.POINTS_OUTPUT)[0, : len(_MESH)]
    _compare(MESH, answer, _MESH, 0.1)
    _compare(POINTS, Trees.load(folder / POINTS).predict(_bowl(120), _BOX).ravel(), _POINTS, _PIXELS)


def pattern(side: int) -> Floats:
    """[1, 3, side, side] of whole numbers, 0..255, that look like noise."""
    values = (np.arange(side * side * 3) * 7919 % 256).astype(np.float32)
    return np.ascontiguousarray(values.reshape(side, side, 3).transpose(2, 0, 1)[None])


def _bowl(side: int) -> Pixels:
    """A smooth picture, dark in the middle: on noise a rounding would send the trees elsewhere."""
    rows, columns = np.mgrid[:side, :side]
    grey = np.minimum(((columns - 60) ** 2 + (rows - 50) ** 2) // 20, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _slope(side: int) -> Pixels:
    """A smooth picture whose colours differ."""
    rows, columns = np.mgrid[:side, :side]
    return np.stack([(rows + columns) // 2, columns * 7 // 10, rows // 2], axis=2).astype(np.uint8)


def _run(path: Path, name: str, values: Floats, output: str) -> Floats:
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    answer: Floats = session.run([output], {name: values})[0]
    return answer


def _compare(file: str, answer: Floats, expected: Sequence[float], tolerance: float = _TOLERANCE) -> None:
    off = float(np.abs(answer - np.array(expected, np.float32)).max())
    if not off <= tolerance:
        raise FailedPreconditionError(
            "ANALYZER_CONVERSION_WRONG",
            f"{file} was converted, and answers otherwise than recorded (off by {off:.2g}, allowed {tolerance:.2g}). "
            "Nothing was installed. Install the versions of onnx and onnxruntime that constraints.txt pins, and try "
            "again; if it stays, this machine computes wrongly or headshots has a defect",
        )
