"""The cells of eyes and mouth are where the landmarks are, and some channels of the code tell eyes more than others."""

from __future__ import annotations

import pytest
import torch

from foundry.latents import fit_patch_code
from foundry.unet import face_cells
from foundry.unet.drawing import Order, draw
from foundry.unet.face_cells import channel_weights, eye_cells, eye_variance, mouth_cells

# Eyes in the middles of cells 4 and 11 of row 6, the mouth's corners around the middle of row 11.
LANDMARKS = torch.tensor([[(4.5, 6.5), (11.5, 6.5), (8, 9), (6, 11.5), (10, 11.5)]]) / 16


def test_boxes_lie_around_eyes_and_mouth() -> None:
    eyes, mouth = eye_cells(LANDMARKS)[0], mouth_cells(LANDMARKS)[0]
    assert eyes[6, 4] == eyes[6, 11] == 1
    assert float(eyes[9:].sum()) == 0
    assert float(eyes.sum()) == pytest.approx(2 * (2 * 0.38 * 7) * (2 * 0.28 * 7), rel=1e-4)
    assert mouth[11, 7] == 1
    assert mouth[6].sum() == 0
    assert float(mouth.sum()) == pytest.approx((4 + 0.2 * 7) * (0.48 * 7), rel=1e-4)


def test_a_box_beyond_the_edge_is_cut() -> None:
    high = LANDMARKS - torch.tensor([0.0, 6.5 / 16])
    assert float(eye_cells(high).sum()) == pytest.approx(float(eye_cells(LANDMARKS).sum()) / 2, rel=1e-4)


def test_channels_differ_in_what_they_tell_of_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_cells, "VARIANCE_OF", 12)
    code = fit_patch_code(draw(Order(seed=1, first=0, count=12, framing="close")).pixels)
    variance = eye_variance(code, "close")
    assert variance.shape == (16,)
    assert float(variance.max() / variance.min()) > 2
    weights = channel_weights(code, "close", 0.5)
    assert float(weights.mean()) == pytest.approx(1)
    torch.testing.assert_close(weights / weights[0], (variance / variance[0]).sqrt())
    assert channel_weights(code, "close", 0.0).tolist() == [1] * 16
