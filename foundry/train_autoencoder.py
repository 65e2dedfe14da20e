"""Stage 3: distils the patch code into a stock AutoencoderKL.

The encoder learns the code's latents by regression; the decoder learns pixels from the code's exact latents, blurred
by a little noise as a UNet's output is, and becomes sharper than the linear code because it sees neighbours.
`python -m foundry.train_autoencoder --work DIR --minutes 60`; resumes, leaves averaged weights in `DIR/autoencoder.pt`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor, nn

from foundry.dataset import prepare_pictures, render_range
from foundry.latents import prepare_latents, to_tensor
from foundry.model_settings import FRAMING
from foundry.models import make_autoencoder
from foundry.optim import make_optimizers
from foundry.portraits import DEFAULT_FRAMING, FRAMINGS
from foundry.progress import tqdm
from foundry.published import check_code, published_autoencoder
from foundry.training import Average, Budget, learning_rate_factor, pick_device, save_atomically, set_learning_rate

LOG_VARIANCE = -12.0  # a sample of the posterior differs from its mode by 0.0025
_GRADIENT_WEIGHT = 1.0
_FACE_WEIGHT = 1.0


class Encoder(nn.Module):
    """The encoding half: pixels to moments [B, 2C, H, W]."""

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.encoder, self.quant_conv = autoencoder.encoder, autoencoder.quant_conv

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        moments: Tensor = self.quant_conv(self.encoder(pixels_BCHW))
        return moments


class Decoder(nn.Module):
    """The decoding half: latents to pixels."""

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.post_quant_conv, self.decoder = autoencoder.post_quant_conv, autoencoder.decoder

    def forward(self, latents_BCHW: Tensor) -> Tensor:
        pixels: Tensor = self.decoder(self.post_quant_conv(latents_BCHW))
        return pixels


def face_weights(size: int) -> Tensor:
    """[1, 1, size, size]: pixels about where faces stand count double, because eyes are small and matter most."""
    y = (torch.arange(size) / size - 0.44)[:, None]
    x = (torch.arange(size) / size - 0.5)[None, :]
    return (1 + _FACE_WEIGHT * torch.exp(-(x**2 + y**2) / (2 * 0.15**2)))[None, None]


def decoder_loss(painted_BCHW: Tensor, pixels_BCHW: Tensor, weights: Tensor) -> Tensor:
    """Absolute error of values and of their differences to the next pixel right and below."""
    error = painted_BCHW - pixels_BCHW
    across, down = error.diff(dim=3).abs(), error.diff(dim=2).abs()
    edges = (across * weights[..., 1:]).mean() + (down * weights[..., 1:, :]).mean()
    return (error.abs() * weights).mean() + _GRADIENT_WEIGHT * edges


def psnr_db(painted_BCHW: Tensor, pixels_BCHW: Tensor) -> float:
    """Peak signal to noise of pictures in -1..1, averaged over pictures."""
    error = (painted_BCHW.clamp(-1, 1) - pixels_BCHW).square().mean((1, 2, 3)) / 4
    return float((-10 * error.log10()).mean())


class AutoencoderTrainer:
    """Both halves, each with its own optimizers; one average over the whole."""

    def __init__(
        self,
        work: Path,
        pictures: int,
        batch: int,
        learning_rate: float,
        seed: int,
        framing: str = DEFAULT_FRAMING,
        start: Path | None = None,
    ) -> None:
        """``framing``: of the pictures. ``start``: a pipeline whose autoencoder's weights are the first.

        Raises:
            ValueError: the patch code in ``work`` is not that of ``start``.
        """
        torch.manual_seed(seed)
        self.work, self.batch, self.learning_rate, self.seed = work, batch, learning_rate, seed
        self.device = pick_device()
        self.framing = framing
        self.pictures = prepare_pictures(work, pictures, framing)
        self.code, self.latents = prepare_latents(work, self.pictures, framing)
        self.model = make_autoencoder(self.code.channels).to(self.device, memory_format=torch.channels_last)
        if start is not None:
            check_code(start, self.code)
            self.model.load_state_dict(published_autoencoder(start, self.model))
        with torch.no_grad():
            half = self.model.config["latent_channels"]
            self.model.quant_conv.weight[half:] = 0
            self.model.quant_conv.bias[half:] = LOG_VARIANCE
        self.encoder, self.decoder = Encoder(self.model), Decoder(self.model)
        self.optimizers = make_optimizers([self.encoder, self.decoder], learning_rate)
        self.average = Average({"autoencoder": self.model})
        self.weights = face_weights(self.pictures.shape[1]).to(self.device)
        self.step = 0

    def train_step(self, progress: float) -> tuple[float, float]:
        """One update of both halves; the decoder's and the encoder's losses."""
        rng = np.random.default_rng([self.seed, self.step])
        rows = np.sort(rng.choice(len(self.pictures), self.batch, replace=False))
        pixels = to_tensor(self.pictures[rows]).to(self.device, memory_format=torch.channels_last)
        latents = torch.from_numpy(self.latents[rows]).float().to(self.device, memory_format=torch.channels_last)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        noise = torch.randn(latents.shape, generator=generator).to(self.device)
        strength = 0.12 * torch.rand(self.batch, 1, 1, 1, generator=generator).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            painted = self.decoder(latents + strength * noise)
            moments = self.encoder(pixels)
        decoding = decoder_loss(painted.float(), pixels, self.weights)
        encoding = (moments.float()[:, : latents.shape[1]] - latents).square().mean()
        set_learning_rate(self.optimizers, self.learning_rate * learning_rate_factor(self.step, progress))
        torch.autograd.backward(decoding + encoding)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update({"autoencoder": self.model}, self.step)
        return decoding.item(), encoding.item()

    def save(self, elapsed: float) -> None:
        """The checkpoint to resume from and the averaged weights to use."""
        save_atomically(self.average.states, self.work / "autoencoder.pt")
        state: dict[str, Any] = {
            "step": self.step,
            "elapsed": elapsed,
            "model": self.model.state_dict(),
            "average": self.average.states,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        save_atomically(state, self.work / "autoencoder_checkpoint.pt")

    def resume(self) -> float:
        """Load the last checkpoint, if any; the seconds that it had taken."""
        path = self.work / "autoencoder_checkpoint.pt"
        if not path.exists():
            return 0.0
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average.states, self.step = state["average"], state["step"]
        return float(state["elapsed"])

    def write_sheet(self) -> dict[str, float]:
        """Held-out pictures, the linear code's view of them, and the autoencoder's; returns the PSNRs."""
        model = make_autoencoder(self.code.channels)
        model.load_state_dict(self.average.states["autoencoder"])
        pixels = to_tensor(render_range(0, 24, held_out=True, framing=self.framing))
        with torch.no_grad():
            latents = self.code.encode(pixels)
            encoded = model.encode(pixels).latent_dist.mode()
            scores = {"linear_db": psnr_db(self.code.decode(latents), pixels)}
            decoded = model.decode(latents).sample
            round_trip = model.decode(encoded).sample
        scores |= {"decoder_db": psnr_db(decoded, pixels), "round_trip_db": psnr_db(round_trip, pixels)}
        rows = [_strip(images[:8]) for images in (pixels, self.code.decode(latents), decoded, round_trip)]
        folder = self.work / "sheets"
        folder.mkdir(exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(folder / f"autoencoder_{self.step:06d}.png")
        return scores


def _strip(images_BCHW: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    values = ((images_BCHW.clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.concatenate(list(values.permute(0, 2, 3, 1).numpy()), 1)


def train(trainer: AutoencoderTrainer, budget: Budget, save_every: float, sheet_every: float) -> list[float]:
    """Run until the budget is spent; returns the decoder's losses. The two periods are in seconds."""
    losses: list[tuple[float, float]] = []
    saved = drawn = time.monotonic()
    with tqdm(desc="autoencoder", unit="step", initial=trainer.step, mininterval=5) as bar:
        while (progress := budget.progress(trainer.step)) < 1:
            losses.append(trainer.train_step(progress))
            decoding, encoding = np.mean(losses[-100:], 0)
            bar.update()
            bar.set_postfix(decoder=f"{decoding:.4f}", encoder=f"{encoding:.4f}", refresh=False)
            if time.monotonic() - saved > save_every:
                trainer.save(budget.elapsed)
                saved = time.monotonic()
            if time.monotonic() - drawn > sheet_every:
                tqdm.write(f"step {trainer.step}: {trainer.write_sheet()}")
                drawn = time.monotonic()
    trainer.save(budget.elapsed)
    tqdm.write(f"step {trainer.step}: {trainer.write_sheet()}")
    return [decoding for decoding, _ in losses]


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_autoencoder", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--pictures", type=int, default=36_000, help="training pictures")
    parser.add_argument("--minutes", type=float, help="time budget, earlier runs included")
    parser.add_argument("--steps", type=int, help="step budget, earlier runs included")
    parser.add_argument("--batch", type=int, default=8, help="pictures a step")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--framing", default=FRAMING, choices=tuple(FRAMINGS), help="how near the camera is")
    parser.add_argument("--start", type=Path, help="a pipeline's folder whose autoencoder is gone on with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=float, default=180, help="seconds between checkpoints")
    parser.add_argument("--sheet-every", type=float, default=600, help="seconds between sample sheets")
    options = parser.parse_args()
    trainer = AutoencoderTrainer(
        options.work, options.pictures, options.batch, options.lr, options.seed, options.framing, options.start
    )
    spent = trainer.resume()
    budget = Budget(None if options.minutes is None else 60 * options.minutes, options.steps, spent)
    train(trainer, budget, options.save_every, options.sheet_every)


if __name__ == "__main__":
    main()
