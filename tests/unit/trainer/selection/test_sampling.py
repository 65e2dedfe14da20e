"""The portraits that judge checkpoints equal those of stock diffusers and of a generator with the same adapter."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from peft.utils import get_peft_model_state_dict

from headshots.client import Image
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import pairs_of_peft, write_diffusers_lora
from headshots.v1.styles_pb2 import GuidanceInterval
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import encode_captions, load_unet, load_vae
from services.trainer.lora.recipe import Recipe
from services.trainer.selection.sampling import CheckpointSampler, PortraitSet
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.foundations.stock import StockDiffusers, psnr
from tests.support.generator.whole_images import SAMPLERS, our_image

CPU = torch.device("cpu")
# In fp32 on any CPU, as stock pipelines are here.
COMPUTING = replace(Computing.on(CPU), dtype=torch.float32)
PROMPT, SEED = "photo of sks man in navy suit", 77_001


def adapted(foundation: Foundation) -> AdaptedUNet:
    """With an adapter whose effect is visible."""
    made = AdaptedUNet(
        load_unet(foundation, COMPUTING), foundation.adapted_layers, Recipe.resolve(foundation), COMPUTING
    )
    torch.manual_seed(3)
    for parameter in made.parameters.values():
        parameter.data.normal_(std=0.3)
    return made


def write_adapter(made: AdaptedUNet, path: Path) -> None:
    weights = {name: tensor.numpy() for name, tensor in get_peft_model_state_dict(made.unet).items()}
    write_diffusers_lora(path, pairs_of_peft(weights), {})


@pytest.mark.parametrize(("strength", "share"), [(1.0, 1.0), (0.75, 0.25), (1.0, 0.0)])
def test_portraits_equal_those_of_stock_diffusers(tmp_path: Path, strength: float, share: float) -> None:
    folder = Path(shutil.copytree(tiny_foundation(), tmp_path / "foundation"))
    with (folder / "headshots.yaml").open("a") as settings:
        settings.write(f"adapter_strength: {strength}\nnegative_adapter_share: {share}\n")
    foundation = Foundation.read(folder)
    made = adapted(foundation)
    write_adapter(made, tmp_path / "adapter.safetensors")
    wanted = PortraitSet((PROMPT,), (SEED,), first_caption=1, negative_caption=0, steps=foundation.steps)
    conditions = encode_captions(foundation, ["", PROMPT], CPU)
    sampler = CheckpointSampler(made.unet, load_vae(foundation), foundation, conditions, wanted, CPU)
    ((portrait,),) = sampler.sample(lambda: None)
    ((bare,),) = sampler.sample(lambda: None, bare=True)
    stock = StockDiffusers(folder)
    image = Mock(spec=Image, prompt=PROMPT, seed=SEED, width_px=64, height_px=64)
    assert psnr(bare, stock.paint(image)) >= 40
    stock.load_adapter(tmp_path / "adapter.safetensors")
    assert psnr(portrait, stock.paint(image)) >= 40
    assert psnr(portrait, bare) < 30, "the adapter has an effect"
    if share != 1:
        both = CheckpointSampler(
            made.unet,
            load_vae(foundation),
            replace(foundation, negative_adapter_share=1.0),
            conditions,
            wanted,
            CPU,
        )
        assert psnr(both.sample(lambda: None)[0][0], portrait) < 35, "the share has an effect"


@pytest.mark.parametrize(
    ("sampler", "interval"),
    [("ddim", (0.0, 0.5)), ("euler_ancestral", (0.0, 1.0))],
    ids=["guidance in an interval", "noise at the steps"],
)
async def test_portraits_equal_a_generators_pictures(
    tmp_path: Path, sampler: str, interval: tuple[float, float]
) -> None:
    package = tiny_package()
    # As much guidance as there may be, so that its interval shows.
    foundation = replace(
        Foundation.read(tiny_foundation()), sampler=sampler, guidance_interval=interval, adapter_guidance_scale=30.0
    )
    made = adapted(foundation)
    write_adapter(made, tmp_path / "adapter.safetensors")
    wanted = PortraitSet((PROMPT,), (SEED,), first_caption=1, negative_caption=0, steps=3)
    conditions = encode_captions(foundation, ["", PROMPT], CPU)
    ((portrait,),) = CheckpointSampler(made.unet, load_vae(foundation), foundation, conditions, wanted, CPU).sample(
        lambda: None
    )
    painted = await our_image(
        tmp_path,
        package,
        tmp_path / "adapter.safetensors",
        prompt=PROMPT,
        seed=SEED,
        steps=3,
        sampler=SAMPLERS[sampler],
        guidance_scale=30.0,
        guidance_interval=GuidanceInterval(low=interval[0], high=interval[1]),
    )
    assert psnr(portrait, painted) >= 50
