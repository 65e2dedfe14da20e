"""Makes each contender's UNet call: arrays in, arrays out, whatever the device does in between.

B rows, C latent channels, H, W latent cells, T tokens, D context width.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch.utils.flop_counter import FlopCounterMode

from headshots.diffusion.backends import UNetBatch
from headshots.diffusion.banked.unet import to_half, without_bank
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.lora.layout import ATTENTION_LAYERS
from headshots.diffusion.package import EnginePackage

SUBJECTS = 8
LEAST_RUNS = 5


def batch_of(rows: int, package: EnginePackage, cells: int) -> UNetBatch:
    """Random inputs at mixed timesteps, the subjects in turn."""
    random = np.random.default_rng(rows)
    tokens, sdxl = package.text_encoders[0].max_tokens, package.family == "sdxl"
    return UNetBatch(
        sample_BCHW=random.standard_normal((rows, package.latent_channels, cells, cells), dtype=np.float32),
        timestep_B=random.integers(0, 1000, rows).astype(np.float32),
        context_BTD=random.standard_normal((rows, tokens, package.context_width), dtype=np.float32),
        slot_B=np.arange(rows, dtype=np.int64) % SUBJECTS + 1,
        strength_B=np.ones(rows, np.float32),
        pooled_BE=random.standard_normal((rows, 1280), dtype=np.float32) if sdxl else None,
        time_ids_B6=np.full((rows, 6), cells * 8, np.float32) if sdxl else None,
    )


class Stock:
    """diffusers' own UNet: bare, or with one subject's adapter by PEFT; eager or compiled."""

    def __init__(
        self, foundation: Path, device: torch.device, dtype: torch.dtype, *, rank: int = 0, mode: str = ""
    ) -> None:
        """``rank`` of a random adapter, 0 for none; ``mode`` of ``torch.compile``, empty for eager."""
        unet = UNet2DConditionModel.from_pretrained(foundation / "unet", torch_dtype=dtype).eval()
        if rank:
            torch.manual_seed(1)
            targets = list(ATTENTION_LAYERS)
            unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, init_lora_weights=False, target_modules=targets))
        self.unet = unet.to(device, dtype)
        self.device, self.dtype = device, dtype
        self._call: Any = torch.compile(self.unet, mode=mode, dynamic=True) if mode else self.unet

    def __call__(self, batch: UNetBatch) -> Any:
        """The prediction, [B, C, H, W]."""
        with torch.inference_mode():
            added = None
            if batch.pooled_BE is not None and batch.time_ids_B6 is not None:
                added = {"text_embeds": self._to(batch.pooled_BE), "time_ids": self._to(batch.time_ids_B6)}
            out = self._call(
                self._to(batch.sample_BCHW),
                torch.from_numpy(batch.timestep_B).to(self.device),
                self._to(batch.context_BTD),
                added_cond_kwargs=added,
                return_dict=False,
            )[0]
            return out.float().cpu().numpy()

    def row(self, package: EnginePackage) -> Any:
        """The adapter as a row of the bank, by way of the file that diffusers writes."""
        with tempfile.TemporaryDirectory() as folder:
            layers = {key: value.float() for key, value in get_peft_model_state_dict(self.unet).items()}
            StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
            data = (Path(folder) / "pytorch_lora_weights.safetensors").read_bytes()
        return load_row(data, package.layout, package.foundation_digest)

    def flops(self, batch: UNetBatch) -> int:
        """Floating-point operations of the matrix products and convolutions of one call."""
        with FlopCounterMode(display=False) as counter:
            self(batch)
        return int(counter.get_total_flops())

    def _to(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device, self.dtype)


def bankless(foundation: Path, device: torch.device, dtype: torch.dtype) -> Stock:
    """Our UNet without a bank, in the backend's own precisions: what the bank is measured against."""
    stock = Stock(foundation, torch.device("cpu"), torch.float32)
    without_bank(stock.unet)
    if dtype != torch.float32:
        to_half(stock.unet, dtype)
    stock.unet.to(device)
    stock.device, stock.dtype = device, dtype
    return stock


def relative_difference(one: Any, other: Any) -> float:
    """Of norms."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def milliseconds(call: Callable[[], object], seconds: float) -> float:
    """Median time of a call that ends with its result on the host, after two that do not count."""
    call()
    call()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < LEAST_RUNS or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def matmul_flops(device: torch.device, dtype: torch.dtype, size: int, seconds: float) -> float:
    """Floating-point operations a second of a square matrix product: what this chip gives, not what its sheet says."""
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        torch.matmul(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return 2 * size**3 / (milliseconds(product, seconds) / 1000)
