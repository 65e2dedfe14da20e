"""LoRA files of tiny foundations as tools write them, and what they mean by plain arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor

from tests.support.foundations.layouts import weights
from tests.support.foundations.single_files import original_unet_name

LCM_LAYERS = (
    "to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2",
    "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj",
)  # fmt: skip
"""What few-step LoRA adapt: those of LCM, Hyper-SD and Lightning."""


@dataclass(frozen=True)
class Lora:
    """Of one layer: y += scale * up(down x), or up(mid(down x))."""

    down: Tensor
    up: Tensor
    alpha: float | None = None
    mid: Tensor | None = None

    def delta(self) -> Tensor:
        """What it adds to the weight, in the weight's shape."""
        down, up = (matrix.flatten(1) for matrix in (self.down, self.up))
        scale = 1.0 if self.alpha is None else self.alpha / len(down)
        if self.mid is not None:
            return scale * torch.einsum("op,prhw,ri->oihw", up, self.mid, down)
        return scale * (up @ down).reshape(len(up), *self.down.shape[1:])


def random_lora(shape: tuple[int, ...], rank: int, alpha: float | None, seed: int, *, tucker: bool = False) -> Lora:
    """For a weight of ``shape``; ``tucker``: with the kernel in a matrix of its own."""
    torch.manual_seed(seed)
    outputs, inputs, *kernel = shape
    ones = [1] * len(kernel)
    up = torch.randn(outputs, rank, *ones) * 0.1
    if tucker:
        return Lora(torch.randn(rank, inputs, *ones) * 0.1, up, alpha, torch.randn(rank, rank, *kernel) * 0.1)
    return Lora(torch.randn(rank, inputs, *kernel) * 0.1, up, alpha)


def layers_of(folder: Path, part: str, *endings: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights of a part's layers whose paths end so, as its files name them."""
    return {
        name.removesuffix(".weight"): tuple(tensor.shape)
        for name, tensor in weights(folder / part).items()
        if name.removesuffix(".weight").endswith(tuple(f".{ending}" for ending in endings)) and name.endswith(".weight")
    }


def write_kohya(path: Path, prefixed: Mapping[str, Mapping[str, Lora]], **metadata: str) -> Path:
    """Kohya's file: layers by their path, by prefix, as ``lora_unet_``."""
    tensors: dict[str, Tensor] = {}
    for prefix, loras in prefixed.items():
        for module, lora in loras.items():
            stem = prefix + module.replace(".", "_")
            tensors |= {f"{stem}.lora_down.weight": lora.down, f"{stem}.lora_up.weight": lora.up}
            if lora.mid is not None:
                tensors[f"{stem}.lora_mid.weight"] = lora.mid
            if lora.alpha is not None:
                tensors[f"{stem}.alpha"] = torch.tensor(lora.alpha)
    save_file(tensors, path, metadata=metadata or None)
    return path


def original_names(folder: Path, loras: Mapping[str, Lora]) -> dict[str, Lora]:
    """The same by the paths of the original code."""
    rename = original_unet_name(folder)
    return {rename(f"{module}.weight").removesuffix(".weight"): lora for module, lora in loras.items()}


def write_stock(folder: Path, path: Path, *, text: bool = False, seed: int = 0) -> Path:
    """As diffusers saves what PEFT has trained: rank 4 and alpha 2, convolutions too, its scales in the metadata."""
    pipeline: Any = pipeline_class(folder).from_pretrained(folder)
    torch.manual_seed(seed)
    targets = {"unet": (4, 2, list(LCM_LAYERS))} | ({"text_encoder": (3, 6, ["q_proj", "fc1"])} if text else {})
    given: dict[str, Any] = {}
    for part, (rank, alpha, modules) in targets.items():
        network = getattr(pipeline, part)
        network.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights=False, target_modules=modules))
        config = network.peft_config["default"].to_dict()
        given[f"{part}_lora_layers"] = get_peft_model_state_dict(network)
        given[f"{part}_lora_adapter_metadata"] = {**config, "target_modules": sorted(config["target_modules"])}
    pipeline_class(folder).save_lora_weights(path.parent, weight_name=path.name, **given)
    return path


def pipeline_class(folder: Path) -> Any:
    """Diffusers' own for a foundation."""
    return StableDiffusionXLPipeline if (folder / "text_encoder_2").is_dir() else StableDiffusionPipeline


def changed(plain: Path, fused: Path, part: str) -> dict[str, np.ndarray[Any, Any]]:
    """By how much the weights of a part differ, where they do."""
    before, after = weights(plain / part), weights(fused / part)
    assert set(before) == set(after)
    return {
        name: (after[name].float() - before[name].float()).numpy()
        for name in before
        if not torch.equal(after[name].float(), before[name].float())
    }
