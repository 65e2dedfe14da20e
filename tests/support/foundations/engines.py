"""A tiny foundation's engine package, exported once a test session, and adapters made by PEFT itself."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save

from headshots.diffusion.export.ensure import ExportOptions, ensure_package
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.package import EnginePackage
from headshots.settings import default_foundation
from services.generator.adapters.tiers import AdapterRef
from tests.support.foundations.tiny import make_tiny_foundation, make_tiny_sdxl
from tests.support.paths import SHARED_ENGINES

OPTIONS = ExportOptions(max_rank=8, slots=4, max_rows=8)


@functools.cache
def scratch() -> Path:
    """A folder of the test session, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="headshots-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def engines() -> Path:
    """A folder of packages, which all processes of a test session share: each takes seconds to export."""
    shared = os.environ.get(SHARED_ENGINES)
    return Path(shared) if shared else scratch() / "engines"


@functools.cache
def tiny_foundation(prediction_type: str = "epsilon") -> Path:
    """Never changed by a test."""
    return make_tiny_foundation(scratch() / f"tiny-{prediction_type}", prediction_type=prediction_type)


@functools.cache
def tiny_digest() -> str:
    """The digest of :func:`tiny_foundation`."""
    return foundation_digest(tiny_foundation())


@functools.cache
def tiny_package(prediction_type: str = "epsilon") -> EnginePackage:
    """Never changed by a test."""
    folder = ensure_package(tiny_foundation(prediction_type), engines(), OPTIONS)
    return EnginePackage.read(folder)


@functools.cache
def bundled_package() -> EnginePackage:
    """The bundled foundation's, with the options that it is served with; never changed by a test."""
    return EnginePackage.read(ensure_package(default_foundation(), engines()))


@functools.cache
def tiny_sdxl() -> Path:
    """Never changed by a test."""
    return make_tiny_sdxl(scratch() / "tiny-sdxl")


@functools.cache
def tiny_sdxl_package() -> EnginePackage:
    """Never changed by a test."""
    return EnginePackage.read(ensure_package(tiny_sdxl(), engines(), OPTIONS))


def peft_unet(rank: int, alpha: float, seed: int, foundation: Path | None = None, **more: Any) -> UNet2DConditionModel:
    """The tiny UNet with a random PEFT adapter: the truth that ours is held against."""
    path = foundation or tiny_foundation()
    unet = UNet2DConditionModel.from_pretrained(path / "unet").eval()
    torch.manual_seed(seed)
    layers = list(Foundation.read(path).adapted_layers)
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights=False, target_modules=layers, **more))
    return unet


def lora_bytes(unet: UNet2DConditionModel, **metadata: str) -> bytes:
    """The adapter's file as stock diffusers writes it, with its scales; ``metadata`` joins the header."""
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    config = unet.peft_config["default"].to_dict()
    config["target_modules"] = sorted(config["target_modules"])
    StableDiffusionPipeline.save_lora_weights(
        folder, unet_lora_layers=get_peft_model_state_dict(unet), unet_lora_adapter_metadata=config
    )
    data = (folder / "pytorch_lora_weights.safetensors").read_bytes()
    return with_metadata(data, metadata) if metadata else data


def with_metadata(data: bytes, metadata: dict[str, str]) -> bytes:
    """The same tensors with more metadata."""
    from safetensors import safe_open
    from safetensors.torch import load

    path = scratch() / f"{hashlib.sha256(data).hexdigest()}.safetensors"
    path.write_bytes(data)
    with safe_open(path, framework="pt") as file:
        header = dict(file.metadata() or {})
    return save(load(data), {**header, **metadata})


def adapter_ref(data: bytes, key: str = "") -> AdapterRef:
    """A reference to ``data`` as an adapter of the tiny foundation."""
    sha256 = hashlib.sha256(data).hexdigest()
    return AdapterRef(sha256, key or f"adapters/{sha256}.safetensors", tiny_digest())
