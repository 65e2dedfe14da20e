"""More latent channels tell more of a picture, and the nets that are gone on with say at first what they said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from foundry.export import autoencoder_of
from foundry.latents import PatchCode, fit_patch_code, to_tensor
from foundry.models import make_autoencoder
from foundry.published import published_autoencoder
from foundry.unet import wider_code
from foundry.unet.drawing import Order, draw
from foundry.unet.wider_code import widened, widened_code
from headshots.settings import default_foundation
from tests.support.foundations.tiny import smallest_unet

HELD_OUT = to_tensor(draw(Order(seed=0, first=0, count=3, framing="close", held_out=True)).pixels)


@pytest.fixture(scope="module")
def code() -> PatchCode:
    return fit_patch_code(draw(Order(seed=1, first=0, count=16, framing="wide")).pixels)


def test_a_wider_code_begins_with_the_published_one_and_keeps_more(
    code: PatchCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wider_code, "FITTED_TO", 24)
    wider = widened_code(code, 32, "close")
    latents = wider.encode(HELD_OUT)
    assert wider.channels == latents.shape[1] == 32
    torch.testing.assert_close(latents[:, :16], code.encode(HELD_OUT))
    torch.testing.assert_close(wider.basis_DC.T @ wider.basis_DC, torch.eye(32), atol=1e-5, rtol=0)
    assert bool((wider.scale_C[16:].diff() >= 0).all()), "fainter components are enlarged more"
    errors = [(one.decode(one.encode(HELD_OUT)) - HELD_OUT).square().mean() for one in (code, wider)]
    assert float(errors[1]) < 0.6 * float(errors[0])
    assert widened_code(code, 16, "close") is code
    with pytest.raises(ValueError, match="--channels is that or more, not 8"):
        widened_code(code, 8, "close")


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        (24, r"have 24 channels, those of .* 32: .* --work \S+$"),
        (40, r"have 40 channels, .* --start"),
        (32, "of another patch code"),
    ],
)
def test_a_published_autoencoder_paints_its_own_latents_only(
    code: PatchCode, tmp_path: Path, channels: int, why: str
) -> None:
    other = PatchCode(code.mean_D, torch.eye(192, channels), torch.ones(channels))
    with pytest.raises(ValueError, match=why):
        autoencoder_of(tmp_path, other, default_foundation())


def tiny(channels: int) -> UNet2DConditionModel:
    torch.manual_seed(channels)
    return smallest_unet(
        in_channels=channels,
        out_channels=channels,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    )


@torch.no_grad()
def test_a_wider_unet_says_of_the_first_channels_what_it_said() -> None:
    before, after = tiny(4), tiny(6)
    after.load_state_dict(widened(before.state_dict(), after.state_dict()))
    sample, context = torch.randn(2, 6, 8, 8), torch.zeros(2, 1, 8)
    said = after(sample, 5, context).sample
    torch.testing.assert_close(said[:, :4], before(sample[:, :4], 5, context).sample)
    assert float(said[:, 4:].abs().max()) > 0


@torch.no_grad()
def test_a_wider_autoencoder_codes_and_paints_as_the_published_one() -> None:
    published = AutoencoderKL.from_pretrained(default_foundation() / "vae").float().eval()
    known = published.config["latent_channels"]
    wider = make_autoencoder(known + 8).eval()
    wider.load_state_dict(published_autoencoder(default_foundation(), wider))
    latents = wider.encode(HELD_OUT).latent_dist.mode()
    assert latents.shape[1] == known + 8
    torch.testing.assert_close(latents[:, :known], published.encode(HELD_OUT).latent_dist.mode(), atol=1e-4, rtol=1e-3)
    # Not the published one's log-variances, which stood there.
    assert float(latents[:, known:].abs().max()) < 6
    assert float(latents[:, known:].std()) > 0.01
    torch.testing.assert_close(wider.decode(latents).sample, published.decode(latents[:, :known]).sample)
