"""Whole images against stock diffusers: same weights, seed, sampler and prompt, PSNR of at least 40 dB."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headshots.diffusion.lora.files import LoraPair, diffusers_lora_bytes, kohya_lora_bytes
from headshots.diffusion.tensorrt.check import check_package
from headshots.settings import default_foundation
from tests.support.foundations.engines import (
    bundled_package,
    lora_bytes,
    peft_unet,
    tiny_foundation,
    tiny_package,
    tiny_sdxl,
    tiny_sdxl_package,
)
from tests.support.foundations.stock import psnr
from tests.support.generator.whole_images import SAMPLERS, our_image, stock_image
from tests.support.generator.world import running_generator

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("sampler", "steps", "guidance", "share", "size", "prediction"),
    [
        ("ddim", 6, 3.0, 1.0, (64, 64), "epsilon"),
        ("euler", 5, 1.0, 1.0, (48, 64), "epsilon"),
        ("dpmpp_2m", 9, 5.0, 0.25, (64, 32), "epsilon"),
        ("ddim", 5, 2.0, 0.0, (64, 64), "v_prediction"),
        ("dpmpp_2m", 6, 2.0, 1.0, (64, 64), "v_prediction"),
    ],
)
async def test_an_image_is_what_stock_diffusers_paints(
    tmp_path: Path, sampler: str, steps: int, guidance: float, share: float, size: tuple[int, int], prediction: str
) -> None:
    lora = tmp_path / "lora.safetensors"
    lora.write_bytes(lora_bytes(peft_unet(4, 8.0, seed=5)))
    common: dict[str, Any] = {
        "prompt": "photo of sks man in navy suit",
        "negative_prompt": "grey",
        "guidance_scale": guidance,
    }
    common["negative_adapter_share"] = share
    expected = stock_image(
        tiny_foundation(prediction), lora, sampler, seed=11, size=size, num_inference_steps=steps, **common
    )
    package = tiny_package(prediction)
    request = {**common, "seed": 11, "steps": steps, "sampler": SAMPLERS[sampler]}
    request |= {"width_px": size[0], "height_px": size[1]}
    found = await our_image(tmp_path, package, lora, **request)
    assert found.std() > 5, "there is something to see"
    assert psnr(found, expected) >= 40
    bare = await our_image(tmp_path, package, None, **request)
    assert psnr(bare, expected) < 35, "the adapter shows"


@pytest.mark.parametrize(
    ("write", "ranks", "scales"),
    [
        (diffusers_lora_bytes, [2, 4, 8], [1.5, 0.5, 0.5]),
        # One rank and alpha: what diffusers' own reader of kohya files gets right.
        (kohya_lora_bytes, [4], [0.5]),
    ],
)
async def test_files_that_we_write_mean_the_same_to_stock_diffusers(
    tmp_path: Path, write: Any, ranks: list[int], scales: list[float]
) -> None:
    random = np.random.default_rng(3)
    pairs = {}
    for number, site in enumerate(tiny_package().layout.sites):
        rank, scale = ranks[number % len(ranks)], scales[number % len(scales)]
        a_RI = random.standard_normal((rank, site.in_features), dtype=np.float32) * np.float32(0.3)
        b_OR = random.standard_normal((site.out_features, rank), dtype=np.float32) * np.float32(0.3)
        pairs[site.name] = LoraPair(a_RI, b_OR, scale, site.convolution)
    path = tmp_path / "adapter.safetensors"
    path.write_bytes(write(pairs, {"foundation_digest": tiny_package().foundation_digest}))
    call = {"prompt": "portrait of sks", "guidance_scale": 2.0}
    expected = stock_image(tiny_foundation(), path, "ddim", seed=3, size=(64, 64), num_inference_steps=4, **call)
    found = await our_image(tmp_path, tiny_package(), path, seed=3, steps=4, **call)
    assert psnr(found, expected) >= 40
    bare = await our_image(tmp_path, tiny_package(), None, seed=3, steps=4, **call)
    assert psnr(bare, expected) < 35, "the adapter shows"


@pytest.mark.parametrize(("sampler", "negative"), [("euler", None), ("dpmpp_2m", "grey suit")])
async def test_sdxl_is_what_stock_diffusers_paints(tmp_path: Path, sampler: str, negative: str | None) -> None:
    """Two text encoders, pooled embedding, time ids; an empty negative prompt is zeros, as in its pipeline."""
    lora = tmp_path / "lora.safetensors"
    lora.write_bytes(lora_bytes(peft_unet(4, 32.0, seed=5, foundation=tiny_sdxl())))
    call = {"prompt": "photo of sks woman", "guidance_scale": 3.0}
    expected = stock_image(
        tiny_sdxl(), lora, sampler, seed=2, size=(64, 32), num_inference_steps=5, negative_prompt=negative, **call
    )
    request = {**call, "negative_prompt": negative or "", "seed": 2, "steps": 5, "width_px": 64, "height_px": 32}
    request["sampler"] = SAMPLERS[sampler]
    found = await our_image(tmp_path, tiny_sdxl_package(), lora, **request)
    assert found.std() > 5
    assert psnr(found, expected) >= 40
    bare = await our_image(tmp_path, tiny_sdxl_package(), None, **request)
    assert psnr(bare, expected) < 35, "the adapter shows"


async def test_the_bundled_foundation_is_what_stock_diffusers_paints(tmp_path: Path) -> None:
    """Its own sampler and guidance, and an adapter of its recipe's rank in the trainer's file layout."""
    package = bundled_package()
    assert check_package(package) == [], "every node of every graph runs on TensorRT, by its parser's table"
    random = np.random.default_rng(1)
    rank = package.layout.max_rank
    pairs = {
        site.name: LoraPair(
            random.standard_normal((rank, site.in_features), dtype=np.float32) * np.float32(0.1),
            random.standard_normal((site.out_features, rank), dtype=np.float32) * np.float32(0.1),
            convolution=site.convolution,
        )
        for site in package.layout.sites
    }
    lora = tmp_path / "adapter.safetensors"
    lora.write_bytes(diffusers_lora_bytes(pairs, {"foundation_digest": package.foundation_digest}))
    prompt = f"headshot of a {package.trigger} man, wearing a navy suit, grey background"
    expected = stock_image(
        default_foundation(),
        lora,
        package.sampler,
        seed=7,
        size=(package.native_width_px, package.native_height_px),
        num_inference_steps=8,
        guidance_scale=package.adapter_guidance_scale,
        adapter_strength=package.adapter_strength,
        negative_adapter_share=package.negative_adapter_share,
        prompt=prompt,
    )
    found = await our_image(tmp_path, package, lora, seed=7, steps=8, prompt=prompt)
    assert psnr(found, expected) >= 40
    bare = await our_image(tmp_path, package, None, seed=7, steps=8, prompt=prompt)
    assert psnr(bare, expected) < 35, "the adapter shows"


async def test_a_preview_looks_like_the_image_that_comes(tmp_path: Path) -> None:
    """The linear map from latents to colours, without the decoder: after the last step it shows the finished image."""
    package = bundled_package()
    async with running_generator(tmp_path, package=package) as generator:
        events = await generator.generate(prompt="headshot of a man, wearing a navy suit", seed=5, preview_every=20)
    glimpse = next(event.step.preview for event in events if event.step.preview)
    with Image.open(io.BytesIO(glimpse)) as preview, Image.open(io.BytesIO(events[-1].image.content)) as image:
        shown = np.asarray(preview, float)
        # Four pixels of the preview and eight of the image a cell.
        truth = np.asarray(image.resize(preview.size, Image.Resampling.BOX), float)
    assert image.size == (2 * preview.width, 2 * preview.height)
    assert np.corrcoef(shown.ravel(), truth.ravel())[0, 1] > 0.8
    assert np.abs(shown - truth).mean() < truth.std() / 2
