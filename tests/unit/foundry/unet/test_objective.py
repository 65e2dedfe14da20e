"""What is to count more counts more, and no more than it was told to."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel

from foundry.diffusion import alphas_cumprod, diffusion_loss
from foundry.unet.face_cells import eye_cells
from foundry.unet.objective import Emphasis, cell_weights
from foundry.unet.rows import Truth
from foundry.unet.truth_heads import TruthHeads
from headshots.faces import Part
from tests.support.foundations.tiny import smallest_unet

ROWS, TRAITS = 3, 7


@pytest.fixture
def truth() -> Truth:
    """The head fills the rows 4 to 11, the rest is backdrop."""
    parts = torch.zeros(ROWS, len(Part), 16, 16)
    parts[:, Part.BACKDROP] = 1
    parts[:, Part.BACKDROP, 4:12] = 0
    parts[:, Part.FACE, 4:12] = 1
    places = torch.tensor([(6.0, 7.0), (10.0, 7.0), (8.0, 8.5), (7.0, 10.0), (9.0, 10.0)]) / 16
    return Truth(parts, places.expand(ROWS, 5, 2), torch.zeros(ROWS, TRAITS))


@pytest.fixture
def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return smallest_unet(sample_size=16, in_channels=16, out_channels=16)


def test_cells_of_the_head_and_of_its_features_count_more(truth: Truth) -> None:
    weights = cell_weights(truth, Emphasis(face=2.0, features=4.0))
    assert torch.allclose(weights.mean((1, 2)), torch.ones(ROWS))
    assert float(weights[0, 11, 0] / weights[0, 0, 0]) == pytest.approx(3)
    inside = int(eye_cells(truth.landmarks_B52)[0].argmax())
    assert float(weights[0].flatten()[inside] / weights[0, 0, 0]) == pytest.approx(7)
    assert torch.equal(cell_weights(truth, Emphasis()), torch.ones(ROWS, 16, 16))


def test_an_emphasis_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="--truth-weight is -1"):
        Emphasis(truth=-1)


def test_errors_count_as_weighted(unet: UNet2DConditionModel) -> None:
    latents, context = torch.randn(ROWS, 16, 16, 16), torch.zeros(ROWS, 2, 8)
    counts = torch.zeros(ROWS, 1, 16, 16)
    counts[:, :, :, :8] = 2

    def loss(counted: torch.Tensor | None) -> float:
        with torch.no_grad():
            generator = torch.Generator().manual_seed(1)
            return float(diffusion_loss(unet, latents, context, generator, alphas_cumprod(), counted)[0])

    assert loss(None) == pytest.approx(loss(torch.ones(1)))
    assert loss(counts) + loss(2 - counts) == pytest.approx(2 * loss(None), rel=1e-5)
    assert loss(counts) != pytest.approx(loss(None), rel=1e-4)


def test_heads_teach_the_features_what_a_portrait_shows(unet: UNet2DConditionModel, truth: Truth) -> None:
    heads = TruthHeads(unet, TRAITS)
    assert not any(name.startswith("unet") for name, _ in heads.named_parameters())
    context = torch.zeros(ROWS, 2, 8)

    def loss(signal: torch.Tensor) -> torch.Tensor:
        unet(torch.ones(ROWS, 16, 16, 16), 10, context)
        return heads.loss(truth, signal)

    loss(torch.tensor([1.0, 0.5, 0.0])).backward()
    assert unet.mid_block is not None
    reached = [parameter.grad is not None for parameter in unet.mid_block.parameters()]
    assert all(reached)
    first = loss(torch.tensor([1.0, 1.0, 0.0]))
    truth.traits_BT[2] = 5
    torch.testing.assert_close(loss(torch.tensor([1.0, 1.0, 0.0])), first)
    assert loss(torch.ones(ROWS)).item() > first.item(), "noise alone counts nothing"
    with pytest.raises(KeyError):
        heads.loss(truth, torch.ones(ROWS))
