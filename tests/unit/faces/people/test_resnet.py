"""dlib's network as ONNX, on a small made-up one, against plain numpy that applies every layer by itself."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from headshots.faces.people.installing.dat import DatError
from headshots.faces.people.installing.graphs import halve
from headshots.faces.people.installing.resnet import Stage, convert
from tests.support.faces import dlib_files

STAGES, SIDE, WIDTH = (Stage(2, 2, False), Stage(4, 2, True), Stage(5, 1, True)), 43, 6


def made(seed: int = 0) -> tuple[bytes, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    return dlib_files.network(STAGES, WIDTH, lambda size: rng.normal(0, 0.3, size).astype(np.float32))


def windows(x_CHW: np.ndarray, side: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x_CHW, (side, side), (1, 2))[:, ::stride, ::stride]


def layer(x_CHW: np.ndarray, weights: list[np.ndarray], fan_out: int, side: int, stride: int) -> np.ndarray:
    """dlib's con<…> and affine."""
    filters, affine = weights.pop(0), weights.pop(0)
    if stride == 1:
        x_CHW = np.pad(x_CHW, ((0, 0), (side // 2,) * 2, (side // 2,) * 2))
    kernel = filters[:-fan_out].reshape(fan_out, len(x_CHW), side, side)
    y = np.einsum("chwij,ocij->ohw", windows(x_CHW, side, stride), kernel) + filters[-fan_out:, None, None]
    return y * affine[:fan_out, None, None] + affine[fan_out:, None, None]


def expected(picture_HWC: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    x = (picture_HWC.transpose(2, 0, 1) - np.array([122.782, 117.001, 104.298])[:, None, None]) / 256
    x = np.maximum(layer(x, weights, STAGES[0].channels, 7, 2), 0)
    x = windows(x, 3, 2).max(axis=(3, 4))
    for stage in STAGES:
        for block in range(stage.blocks):
            halves = stage.down and block == 0
            inner = np.maximum(layer(x, weights, stage.channels, 3, 2 if halves else 1), 0)
            inner = layer(inner, weights, stage.channels, 3, 1)
            past = windows(x, 2, 2).mean(axis=(3, 4)) if halves else x
            # add_prev: the larger of both in each direction; what is missing is zero.
            total = np.zeros(np.maximum(inner.shape, past.shape))
            for part in (inner, past):
                total[tuple(slice(size) for size in part.shape)] += part
            x = np.maximum(total, 0)
    return x.mean(axis=(1, 2)) @ weights.pop(0).reshape(-1, WIDTH)


def run(model: object, picture_HWC: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])  # type: ignore[attr-defined]
    planes = np.ascontiguousarray(picture_HWC.transpose(2, 0, 1)[None], np.float32)
    return np.asarray(session.run(None, {"faces": planes})[0][0])


def test_the_converted_network_answers_as_its_layers_do() -> None:
    data, weights = made()
    picture = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3))
    model = convert(data, STAGES, SIDE, WIDTH)
    told = expected(picture, weights)
    assert weights == []
    assert np.abs(told).max() > 0.1
    np.testing.assert_allclose(run(model, picture), told, atol=1e-5)
    # Half the bytes for the weights change little, and nothing about inputs and outputs.
    whole = len(model.SerializeToString())
    halved = halve(model)
    assert len(halved.SerializeToString()) < 0.8 * whole
    answer = run(halved, picture)
    np.testing.assert_allclose(answer, told, atol=5e-3 * np.abs(told).max())
    assert answer.dtype == np.float32


def test_another_network_is_refused() -> None:
    data, _ = made()
    with pytest.raises(DatError, match="no tensor"):
        convert(data, (Stage(2, 2, False), Stage(4, 3, True), Stage(5, 1, True)), SIDE, WIDTH)
    with pytest.raises(DatError, match="no tensor"):
        convert(data[: len(data) // 2], STAGES, SIDE, WIDTH)
    with pytest.raises(DatError, match="bytes are left"):
        convert(data + bytes(4 * 5 * WIDTH), STAGES, SIDE, WIDTH)
