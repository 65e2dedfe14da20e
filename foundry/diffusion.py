"""Defines the noise schedule, the training loss and a plain sampler on the latents, for training and looking.

Shapes: B rows, C x H x W latents, L tokens, E context width, T timesteps.
"""

from __future__ import annotations

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


def diffusion_loss(
    unet: UNet2DConditionModel, latents_BCHW: Tensor, context_BLE: Tensor, generator: torch.Generator, alphas_T: Tensor
) -> Tensor:
    """v-prediction (arXiv 2202.00512) under min-SNR weights (arXiv 2303.09556) with a floor; a scalar.

    Timesteps are stratified over the batch: each row gets its own slice of the schedule, which steadies the loss.
    """
    rows = len(latents_BCHW)
    place = (torch.arange(rows) + torch.rand(rows, generator=generator)) / rows
    timesteps = (place * len(alphas_T)).long().clamp_max(len(alphas_T) - 1).to(latents_BCHW.device)
    noise = torch.randn(latents_BCHW.shape, generator=generator).to(latents_BCHW.device)
    alpha = alphas_T[timesteps].sqrt()[:, None, None, None]
    sigma = (1 - alphas_T[timesteps]).sqrt()[:, None, None, None]
    noisy = alpha * latents_BCHW + sigma * noise
    target = alpha * noise - sigma * latents_BCHW
    # On a CPU the plain attention's backward pass takes a third of the fused one's time at these sizes.
    backends = [SDPBackend.MATH] if noisy.device.type == "cpu" else [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
    with torch.autocast(noisy.device.type, torch.bfloat16), sdpa_kernel(backends):
        predicted = unet(noisy, timesteps, context_BLE, return_dict=False)[0]
    snr = alphas_T[timesteps] / (1 - alphas_T[timesteps])
    weight = (snr.clamp_max(MIN_SNR_GAMMA) + WEIGHT_FLOOR) / (snr + 1)
    error = (predicted.float() - target).square().mean((1, 2, 3))
    loss: Tensor = (weight * error).sum() / weight.sum()
    return loss


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
