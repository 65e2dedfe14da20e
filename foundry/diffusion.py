"""Defines the noise schedule, the training loss and a plain sampler on the latents, for training and looking.

Shapes: B rows, C x H x W latents, L tokens, E context width, T timesteps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from foundry.models import LATENT_SIZE, SCHEDULE

MIN_SNR_GAMMA = 5.0
# Min-SNR alone gives the noisiest steps, where it is decided who and where, a weight of almost nothing.
WEIGHT_FLOOR = 0.2


def alphas_cumprod() -> Tensor:
    """[T]: the share of signal variance at each timestep, of diffusers' scaled-linear schedule."""
    start, end = SCHEDULE["beta_start"], SCHEDULE["beta_end"]
    assert isinstance(start, float)
    assert isinstance(end, float)
    betas = torch.linspace(start**0.5, end**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


@dataclass(frozen=True)
class Noised:
    """Latents with noise of one level a row, and what the UNet is to say of them: v (arXiv 2202.00512)."""

    noisy_BCHW: Tensor
    timesteps_B: Tensor
    target_BCHW: Tensor


def noised(latents_BCHW: Tensor, timesteps_B: Tensor, generator: torch.Generator, alphas_T: Tensor) -> Noised:
    """Noise from the generator, which is a CPU's, at the given timesteps."""
    noise = torch.randn(latents_BCHW.shape, generator=generator).to(latents_BCHW.device)
    alpha = alphas_T[timesteps_B].sqrt()[:, None, None, None]
    sigma = (1 - alphas_T[timesteps_B]).sqrt()[:, None, None, None]
    return Noised(alpha * latents_BCHW + sigma * noise, timesteps_B, alpha * noise - sigma * latents_BCHW)


def stratified_timesteps(rows: int, generator: torch.Generator, levels: int) -> Tensor:
    """[rows]: each row gets its own slice of the schedule, which steadies the loss."""
    place = (torch.arange(rows) + torch.rand(rows, generator=generator)) / rows
    return (place * levels).long().clamp_max(levels - 1)


def predict(unet: UNet2DConditionModel, given: Noised, context_BLE: Tensor) -> Tensor:
    """What the UNet says, in fp32; computed in bfloat16."""
    # On a CPU the plain attention's backward pass takes a third of the fused one's time at these sizes.
    kind = given.noisy_BCHW.device.type
    backends = [SDPBackend.MATH] if kind == "cpu" else [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
    with torch.autocast(kind, torch.bfloat16), sdpa_kernel(backends):
        predicted: Tensor = unet(given.noisy_BCHW, given.timesteps_B, context_BLE, return_dict=False)[0]
    return predicted.float()


def level_weights(timesteps_B: Tensor, alphas_T: Tensor) -> Tensor:
    """[B]: min-SNR weights (arXiv 2303.09556) of v's errors, with a floor."""
    snr = alphas_T[timesteps_B] / (1 - alphas_T[timesteps_B])
    return (snr.clamp_max(MIN_SNR_GAMMA) + WEIGHT_FLOOR) / (snr + 1)


def diffusion_loss(
    unet: UNet2DConditionModel,
    latents_BCHW: Tensor,
    context_BLE: Tensor,
    generator: torch.Generator,
    alphas_T: Tensor,
    counts: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean weighted error, a scalar, and the timesteps [B] that were drawn.

    ``counts``: how much each value of a row counts, of mean 1, broadcast to [B, C, H, W]; None: all the same.
    """
    timesteps = stratified_timesteps(len(latents_BCHW), generator, len(alphas_T)).to(latents_BCHW.device)
    given = noised(latents_BCHW, timesteps, generator, alphas_T)
    error = (predict(unet, given, context_BLE) - given.target_BCHW).square()
    if counts is not None:
        error = error * counts
    weight = level_weights(timesteps, alphas_T)
    loss: Tensor = (weight * error.mean((1, 2, 3))).sum() / weight.sum()
    return loss, timesteps


@torch.no_grad()
def sample_latents(
    unet: UNet2DConditionModel,
    context_BLE: Tensor,
    empty_LE: Tensor,
    seed: int,
    steps: int = 20,
    guidance: float = 3.0,
) -> Tensor:
    """Latents [B, C, 16, 16] by DPM-Solver++ 2M with classifier-free guidance."""
    scheduler = DPMSolverMultistepScheduler(**SCHEDULE)
    scheduler.set_timesteps(steps)
    rows, device = len(context_BLE), context_BLE.device
    shape = (rows, unet.config["in_channels"], LATENT_SIZE, LATENT_SIZE)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)
    both = torch.cat([empty_LE.expand_as(context_BLE), context_BLE])
    for timestep in scheduler.timesteps:
        with torch.autocast(device.type, torch.bfloat16):
            plain, told = unet(latents.repeat(2, 1, 1, 1), timestep, both, return_dict=False)[0].float().chunk(2)
        latents = scheduler.step(plain + guidance * (told - plain), timestep, latents, return_dict=False)[0]
    return latents
