"""A few-step LoRA fused into SDXL paints as stock diffusers does with it, and adapters are of one foundation alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler

from headshots.artifacts import ArtifactStore
from headshots.diffusion.export.ensure import export_to
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.diffusion.importing.fusing.request import read_fusion
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise
from headshots.errors import InvalidAdapterError
from tests.support.foundations.engines import OPTIONS, lora_bytes, peft_unet, tiny_sdxl_package
from tests.support.foundations.layouts import found
from tests.support.foundations.loras import pipeline_class, write_stock
from tests.support.foundations.stock import psnr
from tests.support.generator.whole_images import our_image
from tests.support.trainer.runs import finish, training_task

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PROMPT = "photo of the sks man"
SEED = 5


def stock_images(plain: Path, fused: Path, adapter: Path) -> list[np.ndarray[Any, Any]]:
    """As SDXL-Lightning's makers have it painted, without and with an adapter; the plain model last."""
    pipeline: Any = pipeline_class(plain).from_pretrained(plain)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    latents = torch.from_numpy(initial_noise(SEED, (1, 4, 8, 8)))
    call = {"num_inference_steps": 4, "guidance_scale": 0, "width": 64, "height": 64, "output_type": "np"}

    def paint() -> np.ndarray[Any, Any]:
        made = pipeline(PROMPT, latents=latents, **call).images[0]
        return (made * 255).round().astype(np.uint8)  # type: ignore[no-any-return]

    bare = paint()
    pipeline.load_lora_weights(fused)
    pipeline.fuse_lora(lora_scale=0.8)
    pipeline.unload_lora_weights()
    with_lora = paint()
    pipeline.load_lora_weights(adapter)
    return [with_lora, paint(), bare]


async def test_lightning_on_sdxl_trains_exports_and_paints_in_four_steps(tmp_path: Path) -> None:
    plain = found("sdxl", "fp32")
    lora = write_stock(plain, tmp_path / "lightning.safetensors")
    options = ImportOptions(fusion=read_fusion([f"{lora}@0.8"], "lightning-4"))
    folder = import_foundation(plain, tmp_path / "fused", options).folder
    task = training_task(folder, tmp_path / "home", steps=3, rank=4, learning_rate=0.02)
    adapter = tmp_path / "adapter.safetensors"
    adapter.write_bytes(ArtifactStore.open(task.store_url).get_sync(finish(task).adapter.key))
    package = EnginePackage.read(export_to(folder, tmp_path / "engine", OPTIONS))
    assert (package.sampler, package.scheduler["timestep_spacing"], package.steps) == ("euler", "trailing", 4)
    assert (package.guidance_scale, package.adapter_guidance_scale) == (1.0, 1.0)
    expected, expected_with_adapter, plain_image = stock_images(plain, lora, adapter)
    image = await our_image(tmp_path, package, None, seed=SEED, prompt=PROMPT)
    assert image.std() > 5, "there is something to see"
    assert psnr(image, expected) >= 60
    assert psnr(image, plain_image) < 50, "what is fused shows"
    with_adapter = await our_image(tmp_path, package, adapter, seed=SEED, prompt=PROMPT)
    assert psnr(with_adapter, expected_with_adapter) >= 60
    assert psnr(with_adapter, image) < 55, "the adapter shows"
    with pytest.raises(InvalidAdapterError, match="train it again on this foundation") as caught:
        load_row(adapter.read_bytes(), tiny_sdxl_package().layout, tiny_sdxl_package().foundation_digest)
    assert caught.value.reason == "ADAPTER_FOREIGN_FOUNDATION"
    of_plain = lora_bytes(peft_unet(4, 4, 0, plain), foundation_digest=foundation_digest(plain))
    with pytest.raises(InvalidAdapterError) as caught:
        load_row(of_plain, package.layout, package.foundation_digest)
    assert caught.value.reason == "ADAPTER_FOREIGN_FOUNDATION"
