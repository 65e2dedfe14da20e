"""Captions and images are encoded as diffusers' pipelines do it, for both families."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import FailedPreconditionError
from services.trainer.lora.frozen import encode_captions, encode_images, load_vae
from tests.support.foundations.engines import tiny_foundation, tiny_sdxl
from tests.support.foundations.tiny import make_tiny_foundation

CPU = torch.device("cpu")
CAPTIONS = ["photo of a sks man", "", "headshot"]


@pytest.mark.filterwarnings("ignore")
def test_sd15_text_is_the_pipelines() -> None:
    conditions = encode_captions(Foundation.read(tiny_foundation()), CAPTIONS, CPU)
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_foundation(), safety_checker=None)
    with torch.no_grad():
        expected, _ = pipeline.encode_prompt(CAPTIONS, CPU, 1, False)
    torch.testing.assert_close(conditions.context_KND, expected)
    assert conditions.rows(torch.tensor([1]))[1] is None


@pytest.mark.filterwarnings("ignore")
def test_sdxl_text_is_the_pipelines() -> None:
    conditions = encode_captions(Foundation.read(tiny_sdxl()), CAPTIONS, CPU)
    pipeline = StableDiffusionXLPipeline.from_pretrained(tiny_sdxl())
    with torch.no_grad():
        for number, caption in enumerate(CAPTIONS):
            context, empty, pooled, empty_pooled = pipeline.encode_prompt(caption, device=CPU)
            expected = (context, pooled) if caption else (empty, empty_pooled)
            found, added = conditions.rows(torch.tensor([number]))
            torch.testing.assert_close(found, expected[0])
            assert added is not None
            torch.testing.assert_close(added["text_embeds"], expected[1])
            assert added["time_ids"].tolist() == [[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]]


def test_images_are_encoded_in_the_unets_scale() -> None:
    foundation = Foundation.read(tiny_foundation())
    # Not one colour each: their normalised variance would be rounding alone.
    images = list(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8))
    latents = encode_images(load_vae(foundation), images, CPU)
    assert latents.shape == (3, 4, 8, 8)
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_foundation(), safety_checker=None)
    pixels = pipeline.image_processor.preprocess(np.stack(images).astype(np.float32) / 255)
    with torch.no_grad():
        expected = pipeline.vae.encode(pixels).latent_dist.mode() * foundation.scaling_factor
    torch.testing.assert_close(latents, expected, rtol=1e-3, atol=1e-4)


def test_a_vae_that_yields_nan_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    make_tiny_foundation(broken)
    weights = broken / "vae" / "diffusion_pytorch_model.safetensors"
    arrays = safetensors.numpy.load_file(weights)
    arrays["encoder.conv_in.bias"][:] = np.nan
    safetensors.numpy.save_file(arrays, weights, metadata={"format": "pt"})
    with pytest.raises(FailedPreconditionError) as caught:
        encode_images(load_vae(Foundation.read(broken)), [np.zeros((64, 64, 3), np.uint8)], CPU)
    assert caught.value.reason == "LATENTS_NOT_FINITE"
