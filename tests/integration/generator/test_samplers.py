"""Every sampler, over the wire, against stock diffusers with the same scheduler and noise: PSNR of at least 60 dB."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headshots.diffusion.sampling.options import SAMPLERS
from headshots.v1.styles_pb2 import GuidanceInterval
from tests.support.foundations.engines import (
    lora_bytes,
    peft_unet,
    tiny_foundation,
    tiny_package,
    tiny_sdxl,
    tiny_sdxl_package,
)
from tests.support.foundations.stock import psnr
from tests.support.generator.whole_images import SAMPLERS as NUMBERS
from tests.support.generator.whole_images import painted_by, stock_pipeline
from tests.support.generator.world import Generator, refused, running_generator

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (64, 32)
CALL: dict[str, Any] = {"prompt": "photo of sks woman", "guidance_scale": 30.0}
STEPS = 3
MODELS = [
    pytest.param(tiny_foundation, tiny_package, id="sd15"),
    pytest.param(tiny_sdxl, tiny_sdxl_package, id="sdxl"),
]


async def _ours(generator: Generator, sampler: str, **request: Any) -> np.ndarray[Any, Any]:
    asked = {"seed": 2, "steps": STEPS, "sampler": NUMBERS[sampler], "width_px": SIZE[0], "height_px": SIZE[1]}
    image = await generator.image(**CALL, **asked, **request)
    with Image.open(io.BytesIO(image.content)) as opened:
        return np.asarray(opened)


@pytest.mark.parametrize(("foundation", "package"), MODELS)
async def test_every_sampler_paints_what_stock_diffusers_paints(tmp_path: Path, foundation: Any, package: Any) -> None:
    """Guided throughout without an adapter, and in an interval with one: stock's guidance is 1 outside of it."""
    lora, made = tmp_path / "lora.safetensors", package()
    lora.write_bytes(lora_bytes(peft_unet(4, 16.0, seed=5, foundation=foundation())))
    call = {"seed": 2, "size": SIZE, "num_inference_steps": STEPS, **CALL}
    stock, adapted = stock_pipeline(foundation(), None), stock_pipeline(foundation(), lora)
    bare: dict[str, np.ndarray[Any, Any]] = {}
    async with running_generator(tmp_path, package=made) as generator:
        adapter = await generator.add(lora.read_bytes())
        adapter.foundation_digest = made.foundation_digest
        for sampler in SAMPLERS:
            bare[sampler] = await _ours(generator, sampler)
            assert bare[sampler].std() > 5, "there is something to see"
            assert psnr(bare[sampler], painted_by(stock, sampler, **call)) >= 60, sampler
            within = {"adapter": adapter, "guidance_interval": GuidanceInterval(low=0.3, high=0.8)}
            found = await _ours(generator, sampler, **within)
            expected = painted_by(adapted, sampler, interval=(0.3, 0.8), **call)
            assert psnr(found, expected) >= 60, f"{sampler}, in an interval"
            if sampler == "euler":
                throughout = await _ours(generator, sampler, adapter=adapter)
                assert psnr(throughout, expected) < psnr(found, expected), "the interval shows"
    # From the same timesteps DDIM is Euler's method; all others differ.
    assert len({image.tobytes() for image in bare.values()}) >= len(SAMPLERS) - 1


async def test_an_interval_that_is_none_is_refused(generator: Generator) -> None:
    error = await refused(generator, guidance_interval=GuidanceInterval(low=0.8, high=0.2))
    assert error.reason == "GUIDANCE_INTERVAL_INVALID"
    assert "the lower first" in str(error)
