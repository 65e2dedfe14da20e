"""Runs the foundation's own networks in torch, with the same banked UNet: a reference, and for GPUs without TensorRT.

The package says what is served (layout, slots, tokenizers, sampler), its graphs are not read; the weights come from the
foundation that it was exported from. Imported only where it is asked for: it brings torch, diffusers and transformers.

Shapes: as in :mod:`headshots.diffusion.backends.base`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.backends.base import FloatArray, UNetBatch
from headshots.diffusion.banked.unet import BankedUNet, to_half
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.networks import ContextEncoder as TextNetwork
from headshots.diffusion.networks import VaeDecoder, VaeEncoder
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import Context, ContextEncoder
from headshots.errors import InvalidArgumentError

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# How `torch.compile` is called. "reduce-overhead" records CUDA graphs, one for each number of rows and size.
MODES: Mapping[str, str | None] = {"eager": None, "compile": "default", "graphs": "reduce-overhead"}


@dataclass(frozen=True)
class TorchOptions:
    """How to run.

    Attributes:
        provider: ``cpu`` or ``cuda``; what cannot be had is an error.
        device: GPU number.
        threads: of the CPU; 0 leaves torch's own choice.
        precision: ``fp32``, ``fp16`` or ``bf16``, the UNet's; empty takes fp32 on the CPU and bf16 on a GPU. The VAE
            and the text encoders stay fp32.
        mode: ``eager``; ``compile`` (``torch.compile``, which takes minutes at first); ``graphs`` (compiled, and
            recorded as CUDA graphs).
    """

    provider: str = "cpu"
    device: int = 0
    threads: int = 0
    precision: str = ""
    mode: str = "eager"


class TorchBackend:
    """A :class:`~headshots.diffusion.backends.base.Backend`."""

    def __init__(self, package: EnginePackage, foundation: Path, options: TorchOptions) -> None:
        """Load every network of ``foundation``.

        Raises:
            InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_INVALID, FOUNDATION_MISMATCH (not the one that the
                package was exported from), PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE, SETTING_INVALID.
        """
        self._device = _device(options)
        precision = options.precision or ("fp32" if self._device.type == "cpu" else "bf16")
        self._dtype = _chosen(PRECISIONS, precision, "precision")
        described = _described(package, foundation)
        if options.threads:
            torch.set_num_threads(options.threads)
        self.name = f"torch:{self._device.type}:{precision}:{options.mode}"
        unet = _Resident(_banked(package, described, self._dtype), package.slots, self._dtype)
        vae = _load(AutoencoderKL, described.path / "vae")
        texts = list(_text_networks(described))
        self._modules = [module.to(self._device).eval() for module in (unet, vae, *texts)]
        self._unet = _compiled(unet, _chosen(MODES, options.mode, "mode"))
        self._bank = unet.bank_SP
        self._decoder = VaeDecoder(vae).to(self._device)
        self._encoder = VaeEncoder(vae).to(self._device)
        # Beside the UNet's stream, so that decoding overlaps the next step.
        self._aside: Any = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None  # type: ignore[no-untyped-call]
        self._text = ContextEncoder(
            package.folder,
            package.text_encoders,
            [_TextGraph(text, self) for text in texts],
            zero_when_empty=package.zero_empty_prompt,
        )

    def unet(self, batch: UNetBatch) -> FloatArray:
        with torch.inference_mode():
            half = self._dtype
            prediction: Tensor = self._unet(
                self.to_device(batch.sample_BCHW, half),
                self.to_device(batch.timestep_B),
                self.to_device(batch.context_BTD, half),
                self.to_device(batch.slot_B),
                self.to_device(batch.strength_B, half),
                None if batch.pooled_BE is None else self.to_device(batch.pooled_BE, half),
                None if batch.time_ids_B6 is None else self.to_device(batch.time_ids_B6),
            )
            found: FloatArray = prediction.float().cpu().numpy()
            return found

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        with torch.inference_mode():
            if row_P is None:
                self._bank[slot].zero_()
            else:
                # A copy first: rows of the host tier are read-only, which torch warns of.
                self._bank[slot].copy_(torch.from_numpy(np.array(row_P)))

    def decode(self, latents_BCHW: FloatArray) -> npt.NDArray[np.uint8]:
        with self.beside_the_unet():
            pixels: npt.NDArray[np.uint8] = self._decoder(self.to_device(latents_BCHW)).cpu().numpy()
            return pixels

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> FloatArray:
        with self.beside_the_unet():
            latents: FloatArray = self._encoder(self.to_device(pixels_BHWC)).cpu().numpy()
            return latents

    def encode_text(self, prompt: str) -> Context:
        return self._text.encode(prompt)

    def device_memory_bytes(self) -> int:
        tensors = [tensor for module in self._modules for tensor in (*module.parameters(), *module.buffers())]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    @contextmanager
    def beside_the_unet(self) -> Iterator[None]:
        """Work for the device that does not wait for the UNet's."""
        with torch.inference_mode(), torch.cuda.stream(self._aside) if self._aside else nullcontext():
            yield

    def to_device(self, array: npt.NDArray[Any], dtype: torch.dtype | None = None) -> Tensor:
        """A copy of ``array`` on the device."""
        return torch.from_numpy(np.array(array)).to(self._device, dtype)


class _Resident(nn.Module):
    """A banked UNet and the bank, which never moves: compiled code and CUDA graphs read it where it lies."""

    bank_SP: Tensor

    def __init__(self, banked: BankedUNet, slots: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.banked = banked
        self.register_buffer("bank_SP", torch.zeros(slots, banked.layout.row_size, dtype=dtype))

    def forward(
        self,
        sample_BCHW: Tensor,
        timestep_B: Tensor,
        context_BTD: Tensor,
        slot_B: Tensor,
        strength_B: Tensor,
        pooled_BE: Tensor | None,
        time_ids_B6: Tensor | None,
    ) -> Tensor:
        """The model's prediction, [B, C, H, W]."""
        result: Tensor = self.banked(
            sample_BCHW, timestep_B, context_BTD, slot_B, strength_B, self.bank_SP, pooled_BE, time_ids_B6
        )
        return result


class _TextGraph:
    """A text encoder as :class:`headshots.diffusion.text.ContextEncoder` runs graphs."""

    def __init__(self, network: nn.Module, backend: TorchBackend) -> None:
        self._network = network
        self._backend = backend

    def run(self, inputs: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.generic]]:
        """Outputs in order."""
        with self._backend.beside_the_unet():
            out = self._network(self._backend.to_device(inputs["ids"]))
            return [tensor.cpu().numpy() for tensor in (out if isinstance(out, tuple) else (out,))]


def _described(package: EnginePackage, path: Path) -> Foundation:
    """The foundation in ``path``, which must be the package's."""
    described = Foundation.read(path)
    digest = foundation_digest(path)
    if digest != package.foundation_digest:
        raise _mismatch(f"{path} has digest {digest[:12]}…, the package was exported from "
                        f"{package.foundation_digest[:12]}…")  # fmt: skip
    return described


def _banked(package: EnginePackage, foundation: Foundation, dtype: torch.dtype) -> BankedUNet:
    unet = _load(UNet2DConditionModel, foundation.path / "unet")
    banked = BankedUNet(unet, package.layout.max_rank, foundation.adapted_layers)
    if banked.layout != package.layout:
        raise _mismatch("the UNet has other sites than the package's layout; export again")
    if dtype != torch.float32:
        to_half(unet, dtype)
    return banked


def _text_networks(foundation: Foundation) -> Iterator[nn.Module]:
    """The text encoders, as the export wraps them."""
    sdxl = foundation.family == "sdxl"
    for suffix in ("", "_2") if sdxl else ("",):
        cls = CLIPTextModelWithProjection if suffix else CLIPTextModel
        encoder = _load(cls, foundation.path / f"text_encoder{suffix}")
        yield TextNetwork(encoder, penultimate=sdxl, pooled=bool(suffix))


def _load(cls: Any, path: Path) -> Any:
    """A network in fp32, from safetensors only."""
    try:
        module = cls.from_pretrained(path, use_safetensors=True, torch_dtype=torch.float32)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidArgumentError("FOUNDATION_INVALID", f"{path}: cannot be loaded: {error}") from error
    return module.requires_grad_(False)


def _compiled(unet: nn.Module, mode: str | None) -> Any:
    """Row counts and sizes are left open, or each new one would compile again and soon none would."""
    return unet if mode is None else torch.compile(unet, mode=mode, dynamic=True)


def _device(options: TorchOptions) -> torch.device:
    if options.provider not in ("cpu", "cuda"):
        raise InvalidArgumentError("PROVIDER_UNKNOWN", f"provider {options.provider!r}; torch runs on cpu or cuda")
    if options.provider == "cpu":
        return torch.device("cpu")
    if options.device >= torch.cuda.device_count():
        raise InvalidArgumentError(
            "PROVIDER_UNAVAILABLE",
            f"cuda:{options.device} was asked for and torch sees {torch.cuda.device_count()} GPUs; "
            "install torch with CUDA and give the process a GPU",
        )
    return torch.device("cuda", options.device)


def _chosen(choices: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in choices:
        raise InvalidArgumentError("SETTING_INVALID", f"torch {what} {name!r}; use {', '.join(choices)}")
    return choices[name]


def _mismatch(why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_MISMATCH", f"{why}; mount the foundation that the package is of")
