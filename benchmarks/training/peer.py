"""Trains as diffusers' ``examples/dreambooth/train_dreambooth_lora.py`` does, step by step, on the same libraries.

Read in the commit 000280f of huggingface/diffusers (Apache-2.0) and written anew: a data loader that opens, scales and
crops the image files and tokenizes the prompt for every row; VAE and text encoder in the loop, a latent that is sampled
from the VAE's distribution, uniform timesteps, plain mean squared error, AdamW at a constant rate under accelerate, no
prior preservation. LoRA through PEFT, as in the script's later versions. What differs from its defaults, for the peer's
good: rank and learning rate are those of the foundation's recipe instead of 4 and 5e-4. And so that a step has as many
rows as ours: with fewer files than rows, or where these do not divide, an epoch goes through the files several times.

:class:`Tuning` is what the script and its siblings let a user change for speed; :data:`PLAIN` changes nothing.

Shapes: B rows, C latent channels, H, W latent cells, N tokens, D width of the text.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from headshots.diffusion.lora.files import LoraPair, diffusers_lora_bytes
from services.trainer.lora.recipe import Recipe

_WEIGHT_DECAY, _MAX_GRADIENT_NORM = 1e-2, 1.0
_TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]


@dataclass(frozen=True)
class Tuning:
    """What is changed of the script's defaults for speed.

    ``cached``: the VAE and the text encoder run once, before the first step (``--cache_latents`` of the script's
    siblings, ``--pre_compute_text_embeddings``). ``bf16``: ``--mixed_precision bf16``, frozen weights in bf16 under
    autocast. ``unfused_attention``: attention by separate products, as torch's fused one is slow to differentiate in
    bf16 on a CPU.
    """

    cached: bool = False
    bf16: bool = False
    unfused_attention: bool = False

    @property
    def name(self) -> str:
        """As ``cached, bf16``."""
        parts = {"cached": self.cached, "bf16": self.bf16, "unfused attention": self.unfused_attention}
        return ", ".join(name for name, given in parts.items() if given) or "plain"


PLAIN = Tuning()


def tunings() -> tuple[Tuning, ...]:
    """What is tried on this CPU to find the fastest; bf16 only where the CPU multiplies it natively."""
    fp32 = Tuning(cached=True)
    if not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return (fp32,)
    return fp32, Tuning(cached=True, bf16=True), Tuning(cached=True, bf16=True, unfused_attention=True)


class _Selfies(Dataset[dict[str, Tensor]]):
    """Image files with one prompt, as the script's DreamBoothDataset: everything is done again for every row."""

    def __init__(self, files: Sequence[Path], prompt: str, tokenizer: Any, side_px: int) -> None:
        self._files, self._prompt, self._tokenizer, self._side_px = list(files), prompt, tokenizer, side_px

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        image = ImageOps.exif_transpose(Image.open(self._files[index])).convert("RGB")
        scale = self._side_px / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR)
        left = int(torch.randint(0, image.width - self._side_px + 1, (1,)))
        top = int(torch.randint(0, image.height - self._side_px + 1, (1,)))
        image = image.crop((left, top, left + self._side_px, top + self._side_px))
        pixels = torch.from_numpy(np.asarray(image, np.float32).copy()).permute(2, 0, 1) / 127.5 - 1
        tokens = self._tokenizer(
            self._prompt,
            truncation=True,
            padding="max_length",
            max_length=self._tokenizer.model_max_length,
            return_tensors="pt",
        )
        return {"pixels": pixels, "ids": tokens.input_ids[0]}


class _Encoded(Dataset[dict[str, Tensor]]):
    """The same, encoded once: of each file the distribution of its latents, and the prompt's embedding [N, D].

    Each file is cropped once then, as in the script's siblings.
    """

    def __init__(self, selfies: _Selfies, vae: Any, text: Any) -> None:
        with torch.no_grad():
            items = [selfies[index] for index in range(len(selfies))]
            self._moments = [vae.encode(item["pixels"][None]).latent_dist.parameters[0] for item in items]
            self._told_ND = text(items[0]["ids"][None], return_dict=False)[0][0]

    def __len__(self) -> int:
        return len(self._moments)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"moments": self._moments[index], "told": self._told_ND}


class Peer:
    """One training by that recipe on the CPU; of several processes of a torch.distributed group, one's part of it."""

    def __init__(
        self,
        foundation: Path,
        files: Sequence[Path],
        prompt: str,
        recipe: Recipe,
        side_px: int,
        tuning: Tuning = PLAIN,
    ) -> None:
        """A step has ``recipe.batch_rows`` rows, over all processes, whose number must divide them."""
        self._accelerator = Accelerator(cpu=True)
        assert recipe.batch_rows % self._accelerator.num_processes == 0
        torch.manual_seed(recipe.seed + self._accelerator.process_index)
        self._dtype = torch.bfloat16 if tuning.bf16 else torch.float32
        self._scheduler = DDPMScheduler.from_pretrained(foundation / "scheduler")
        selfies = self._photos(foundation, files, prompt, recipe, side_px, tuning)
        # The processes walk through the files in one order, of which each takes its part of every step.
        loader = DataLoader(
            selfies,
            batch_size=recipe.batch_rows // self._accelerator.num_processes,
            shuffle=True,
            generator=torch.Generator().manual_seed(recipe.seed),
        )
        unet = _with_lora(foundation, recipe, self._dtype)
        if tuning.unfused_attention:
            unet.set_attn_processor(AttnProcessor())
        self._learned = [parameter for parameter in unet.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(self._learned, lr=recipe.learning_rate, weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
        self._unet, self._optimizer, self._loader, self._schedule = self._accelerator.prepare(
            unet, optimizer, loader, schedule
        )
        self._unet.train()

    def steps(self) -> Iterator[float]:
        """Endless: a step, and its loss."""
        while True:
            for batch in self._loader:
                with self._accelerator.accumulate(self._unet):
                    loss = self._loss(batch)
                    self._accelerator.backward(loss)
                    self._accelerator.clip_grad_norm_(self._learned, _MAX_GRADIENT_NORM)
                    self._optimizer.step()
                    self._schedule.step()
                    self._optimizer.zero_grad()
                yield float(loss.detach())

    def run_for(self, seconds: float) -> int:
        """Steps done in so many seconds of wall time."""
        end, count = time.perf_counter() + seconds, 0
        for _ in self.steps():
            count += 1
            if time.perf_counter() >= end:
                break
        return count

    def adapter(self, foundation_digest: str) -> bytes:
        """What has been learned, as our engine reads it."""
        state: dict[str, npt.NDArray[np.float32]] = {
            name: tensor.detach().numpy().copy()
            for name, tensor in get_peft_model_state_dict(self._accelerator.unwrap_model(self._unet)).items()
        }
        names = sorted(name.removesuffix(".lora_A.weight") for name in state if name.endswith(".lora_A.weight"))
        pairs = {name: LoraPair(state[f"{name}.lora_A.weight"], state[f"{name}.lora_B.weight"]) for name in names}
        return diffusers_lora_bytes(pairs, {"foundation_digest": foundation_digest})

    def _photos(
        self, foundation: Path, files: Sequence[Path], prompt: str, recipe: Recipe, side_px: int, tuning: Tuning
    ) -> Dataset[dict[str, Tensor]]:
        """The files as often as gives every step all of its rows."""
        text = CLIPTextModel.from_pretrained(foundation / "text_encoder", dtype=torch.float32)
        vae = AutoencoderKL.from_pretrained(foundation / "vae", torch_dtype=torch.float32)
        for model in (text, vae):
            model.requires_grad_(False)
        self._scaling = vae.config.scaling_factor
        repeats = math.lcm(recipe.batch_rows, len(files)) // len(files)
        tokenizer = CLIPTokenizer.from_pretrained(foundation / "tokenizer")
        selfies = _Selfies(list(files) * repeats, prompt, tokenizer, side_px)
        if tuning.cached:
            return _Encoded(selfies, vae, text)
        self._vae, self._text = vae, text
        return selfies

    def _encoded(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Latents [B, C, H, W], sampled anew, and the text [B, N, D]."""
        if "moments" in batch:
            sampled_BCHW = DiagonalGaussianDistribution(batch["moments"]).sample()
            return sampled_BCHW * self._scaling, batch["told"]
        sampled_BCHW = self._vae.encode(batch["pixels"]).latent_dist.sample()
        return sampled_BCHW * self._scaling, self._text(batch["ids"], return_dict=False)[0]

    def _loss(self, batch: dict[str, Tensor]) -> Tensor:
        latents_BCHW, told_BND = self._encoded(batch)
        noise_BCHW = torch.randn_like(latents_BCHW)
        levels = self._scheduler.config.num_train_timesteps
        timestep_B = torch.randint(0, levels, (len(latents_BCHW),)).long()
        noisy_BCHW = self._scheduler.add_noise(latents_BCHW, noise_BCHW, timestep_B)
        # What accelerate wraps the UNet in, without its settings for the whole process.
        with torch.autocast("cpu", torch.bfloat16, enabled=self._dtype == torch.bfloat16):
            predicted = self._unet(noisy_BCHW.to(self._dtype), timestep_B, told_BND.to(self._dtype)).sample
        target = noise_BCHW
        if self._scheduler.config.prediction_type == "v_prediction":
            target = self._scheduler.get_velocity(latents_BCHW, noise_BCHW, timestep_B)
        return F.mse_loss(predicted.float(), target.float(), reduction="mean")


def _with_lora(foundation: Path, recipe: Recipe, dtype: torch.dtype) -> Any:
    """The UNet, frozen in ``dtype``, with LoRA in fp32 on its attention projections."""
    unet = UNet2DConditionModel.from_pretrained(foundation / "unet", torch_dtype=dtype)
    unet.requires_grad_(False)
    unet.add_adapter(
        LoraConfig(r=recipe.rank, lora_alpha=recipe.rank, init_lora_weights="gaussian", target_modules=list(_TARGETS))
    )
    for parameter in unet.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return unet
