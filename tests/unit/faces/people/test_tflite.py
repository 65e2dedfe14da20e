"""TensorFlow Lite's networks as ONNX: operators against what they mean, in numpy; what is not converted is refused."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from headshots.faces.people.installing.flat import FlatError
from headshots.faces.people.installing.tflite import INPUT, convert
from tests.support.faces.tflite_files import ADD, CONV, DEPTHWISE, POOL, PRELU, Model

RNG = np.random.default_rng(0)
PICTURE = RNG.normal(size=(1, 5, 6, 3)).astype(np.float32)


def run(model: Model) -> np.ndarray:
    """What the converted network says to PICTURE, channels last."""
    session = ort.InferenceSession(convert(model.data()).SerializeToString(), providers=["CPUExecutionProvider"])
    flat = session.run(None, {INPUT: PICTURE.transpose(0, 3, 1, 2)})[0]
    height, width, channels = model.shape[1:]
    return np.asarray(flat.reshape(channels, height, width).transpose(1, 2, 0))


def windows(picture_HWC: np.ndarray, side: int, stride: int, fill: float) -> np.ndarray:
    """As TensorFlow's SAME: [h, w, side, side, C]; the odd pixel of the padding at the end."""
    pads = [max((-(-size // stride) - 1) * stride + side - size, 0) for size in picture_HWC.shape[:2]]
    around = [(pad // 2, pad - pad // 2) for pad in pads]
    padded = np.pad(picture_HWC, [*around, (0, 0)], constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(0, 1))[::stride, ::stride]
    return np.asarray(seen.transpose(0, 1, 3, 4, 2))


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_pads_as_tensorflow_does(stride: int) -> None:
    weight_OHWI, bias = RNG.normal(size=(4, 3, 3, 3)), RNG.normal(size=4)
    model = Model(PICTURE.shape)
    model.add(CONV, [weight_OHWI, bias], (1, -(-5 // stride), -(-6 // stride), 4), strides=stride, activation=1)
    expected = np.einsum("hwijc,oijc->hwo", windows(PICTURE[0], 3, stride, 0), weight_OHWI) + bias
    np.testing.assert_allclose(run(model), np.maximum(expected, 0), atol=1e-4)


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    weight_HWC, bias = RNG.normal(size=(3, 3, 3)), RNG.normal(size=3)
    model = Model(PICTURE.shape)
    model.add(DEPTHWISE, [weight_HWC[None], bias], (1, 3, 3, 3), strides=2)
    expected = np.einsum("hwijc,ijc->hwc", windows(PICTURE[0], 3, 2, 0), weight_HWC) + bias
    np.testing.assert_allclose(run(model), expected, atol=1e-4)


def test_pooling_slopes_and_sums() -> None:
    slopes = RNG.normal(size=(1, 1, 3))
    model = Model(PICTURE.shape)
    model.add(PRELU, [slopes], PICTURE.shape)
    model.add(ADD, [], PICTURE.shape, beside=0)
    model.add(POOL, [], (1, 3, 3, 3), strides=2, side=2)
    added = PICTURE[0] + np.where(PICTURE[0] < 0, slopes * PICTURE[0], PICTURE[0])
    expected = windows(added, 2, 2, -np.inf).max(axis=(2, 3))
    np.testing.assert_allclose(run(model), expected, atol=1e-5)


def test_what_is_not_converted_is_refused_by_its_number() -> None:
    model = Model(PICTURE.shape)
    model.add(99, [], PICTURE.shape)
    with pytest.raises(FlatError, match="operator 99"):
        convert(model.data())
    model = Model(PICTURE.shape)
    model.add(CONV, [np.zeros((4, 3, 3, 3)), np.zeros(4)], (1, 5, 6, 4), strides=1, activation=3)
    with pytest.raises(FlatError, match="activation 3"):
        convert(model.data())
    with pytest.raises(FlatError, match="no TensorFlow Lite model"):
        convert(b"something else")
