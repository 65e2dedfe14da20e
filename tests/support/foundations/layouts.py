"""The tiny foundations in the layouts that models are found in, saved by diffusers itself."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file

from tests.support.foundations.engines import scratch, tiny_foundation, tiny_sdxl

FAMILIES = ("sd15", "sdxl")
WEIGHTED = ("unet", "vae", "text_encoder", "text_encoder_2")
# Of a tiny UNet some three.
_SHARD = "400KB"


def tiny(family: str) -> Path:
    """The tiny foundation of a family; never changed by a test."""
    return tiny_sdxl() if family == "sdxl" else tiny_foundation()


@functools.cache
def found(family: str, layout: str) -> Path:
    """A diffusers folder as one finds it; never changed by a test.

    ``fp32``, ``fp16`` (only files of that variant), ``sharded``, ``sharded-fp16``, ``mixed`` (a sharded UNet, a VAE in
    fp16 alone, the rest plain), ``beside`` (shards in fp32 beside files in fp16).
    """
    path = scratch() / f"found-{family}-{layout}"
    shutil.rmtree(path, ignore_errors=True)
    if layout == "fp32":
        _save(family, path)
    elif layout == "fp16":
        _save(family, path, half=True, variant="fp16")
    elif layout == "sharded":
        _save(family, path, max_shard_size=_SHARD)
    elif layout == "sharded-fp16":
        _save(family, path, half=True, variant="fp16", max_shard_size="200KB")
    elif layout == "mixed":
        _save(family, path)
        for part, other in (("unet", "sharded"), ("vae", "fp16")):
            shutil.rmtree(path / part)
            shutil.copytree(found(family, other) / part, path / part)
    else:
        assert layout == "beside"
        _save(family, path, max_shard_size=_SHARD)
        for part in WEIGHTED:
            for file in (found(family, "fp16") / part).glob("*.safetensors"):
                shutil.copy(file, path / part)
    (path / "LICENSE.md").write_text("Do as you like.")
    return path


def _save(family: str, path: Path, *, half: bool = False, **options: Any) -> None:
    cls = StableDiffusionXLPipeline if family == "sdxl" else StableDiffusionPipeline
    pipeline = cls.from_pretrained(tiny(family))
    if half:
        pipeline.to(torch.float16)
    pipeline.save_pretrained(path, **options)


def weights(part: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a part's files, as stored."""
    return {name: tensor for file in sorted(part.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two state dicts have the same tensors, types and shapes and bits."""
    return set(one) == set(other) and all(
        one[name].dtype == other[name].dtype
        and one[name].shape == other[name].shape
        and one[name].numpy().tobytes() == other[name].numpy().tobytes()
        for name in one
    )


def with_index(path: Path, **changes: Any) -> Path:
    """The folder, with other values in its ``model_index.json``."""
    index = json.loads((path / "model_index.json").read_text())
    (path / "model_index.json").write_text(json.dumps({**index, **changes}))
    return path
