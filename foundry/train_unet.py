"""Stage 2: trains the UNet and the text encoder together, on latents of the fixed patch code.

`python -m foundry.train_unet --work DIR --minutes 90`; resumes from `DIR/unet_checkpoint.pt`, leaves the averaged
weights in `DIR/unet.pt` and a sample sheet in `DIR/sheets/`. With `--start FOLDER` the first run goes on from a
published pipeline.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import UNet2DConditionModel
from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from foundry.dataset import captions, prepare_pictures
from foundry.diffusion import alphas_cumprod, diffusion_loss, sample_latents
from foundry.latents import PatchCode, prepare_latents
from foundry.models import make_text_encoder, make_unet
from foundry.optim import make_optimizers
from foundry.parallel import Ranks, run_ranks
from foundry.progress import tqdm
from foundry.published import CHECKED, check_latents, load_published
from foundry.tokens import MAX_TOKENS, save_tokenizer
from foundry.training import Average, Budget, learning_rate_factor, pick_device, save_atomically, set_learning_rate

EMPTY_SHARE = 0.1
SHEET_PROMPTS = (
    "headshot of a woman, wearing a navy suit, plain grey studio background, soft studio lighting",
    "headshot of a brown haired man with a beard, wearing a white shirt, library background, cool window lighting",
    "headshot of a blonde haired woman with glasses, wearing a red shirt, leafy park background, soft studio lighting",
    "headshot of a black haired man, wearing a black turtleneck, red curtain background, dramatic side lighting",
    "headshot of a red haired woman, wearing a green sweater, snowy mountains background, warm sunset lighting",
    "headshot of a grey haired man with glasses, wearing a lab coat, bright office background, soft studio lighting",
    "headshot of a man, wearing a purple hoodie, city at night background, neon lighting",
    "headshot of a woman, wearing a yellow cardigan, brick wall background, warm sunset lighting",
)


def prepare_tokens(work: Path, tokenizer: CLIPTokenizer, count: int) -> npt.NDArray[np.int64]:
    """Token ids of every picture's captions, [N, captions a picture, L], kept in `work`."""
    path = work / "tokens.npy"
    if path.exists():
        stored: npt.NDArray[np.uint16] = np.load(path)
        if len(stored) == count:
            return stored.astype(np.int64)
    texts = [captions(index) for index in tqdm(range(count), desc="captions", unit="picture")]
    ids = tokenize(tokenizer, [text for group in texts for text in group])
    tokens = ids.numpy().reshape(count, -1, MAX_TOKENS)
    np.save(path, tokens.astype(np.uint16))
    return tokens


def prepare(
    work: Path, pictures: int
) -> tuple[CLIPTokenizer, PatchCode, npt.NDArray[np.float16], npt.NDArray[np.int64]]:
    """All that training reads, made where missing: tokenizer, patch code, latents and token ids."""
    code, latents = prepare_latents(work, prepare_pictures(work, pictures))
    # A tokenizer that is there stays: the ids in tokens.npy and the trained embeddings are its own.
    folder = work / "tokenizer"
    tokenizer = CLIPTokenizer.from_pretrained(folder) if folder.exists() else save_tokenizer(folder)
    return tokenizer, code, latents, prepare_tokens(work, tokenizer, pictures)


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Padded token ids, int64 [B, L]."""
    encoded = tokenizer(texts, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    ids: Tensor = encoded.input_ids
    return ids


class UNetTrainer:
    """The models, their optimizers and average, and the step counter."""

    def __init__(
        self,
        ranks: Ranks,
        work: Path,
        pictures: int,
        batch: int,
        learning_rate: float,
        seed: int,
        start: Path | None = None,
    ) -> None:
        """`start`: a pipeline whose weights are the first."""
        torch.manual_seed(seed)
        self.ranks = ranks
        self.work, self.batch, self.learning_rate, self.seed = work, batch, learning_rate, seed
        self.device = pick_device()
        self.tokenizer, self.code, self.latents, self.tokens = prepare(work, pictures)
        self.unet = make_unet().to(self.device, memory_format=torch.channels_last)
        self.text = make_text_encoder(self.tokenizer).to(self.device)
        if start is not None:
            check_latents(start, np.array(prepare_pictures(work, pictures)[:CHECKED]), self.latents[:CHECKED])
            load_published(start, self.tokenizer, self.unet, self.text)
        self.models = {"unet": self.unet, "text": self.text}
        # On CPUs the compiler did not finish within minutes; on CUDA the same code is compiled once for a whole run.
        self.forward: UNet2DConditionModel = torch.compile(self.unet) if self.device.type == "cuda" else self.unet
        self.parameters = [parameter for model in self.models.values() for parameter in model.parameters()]
        self.average = Average(self.models)
        self.optimizers = make_optimizers(self.models.values(), learning_rate, ranks)
        self.empty = tokenize(self.tokenizer, [""])[0]
        self.alphas = alphas_cumprod().to(self.device)
        self.step = 0

    def train_step(self, progress: float) -> tuple[float, float]:
        """One update; the loss, and the progress that the first rank sees.

        The batch depends on the seed and the step alone, so that a resumed run repeats nothing.
        """
        rng = np.random.default_rng([self.seed, self.step])
        rows = rng.choice(len(self.latents), self.batch, replace=False)
        ids = torch.from_numpy(self.tokens[rows, rng.integers(self.tokens.shape[1], size=self.batch)])
        ids[torch.from_numpy(rng.random(self.batch) < EMPTY_SHARE)] = self.empty
        share = slice(self.ranks.rank, None, self.ranks.world)
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)) + self.ranks.rank)
        latents = torch.from_numpy(self.latents[rows[share]]).float().to(self.device)
        context = self.text(ids[share].to(self.device)).last_hidden_state
        loss = diffusion_loss(self.forward, latents, context, generator, self.alphas)
        torch.autograd.backward(loss)
        known = progress if self.ranks.rank == 0 else 0.0
        total, progress = self.ranks.mean_gradients(self.parameters, [loss.item(), known])
        set_learning_rate(self.optimizers, self.learning_rate * learning_rate_factor(self.step, progress))
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        if self.ranks.rank == 0:
            self.average.update(self.models, self.step)
        return total / self.ranks.world, progress

    def save(self, elapsed: float) -> None:
        """The checkpoint to resume from and the averaged weights to use."""
        save_atomically(self.average.states, self.work / "unet.pt")
        state: dict[str, Any] = {
            "step": self.step,
            "elapsed": elapsed,
            "models": {name: model.state_dict() for name, model in self.models.items()},
            "average": self.average.states,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        save_atomically(state, self.work / "unet_checkpoint.pt")

    def resume(self) -> float:
        """Load the last checkpoint, if any; the seconds that it had taken."""
        path = self.work / "unet_checkpoint.pt"
        if not path.exists():
            return 0.0
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name, model in self.models.items():
            model.load_state_dict(state["models"][name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.average.states = state["average"]
        self.step = state["step"]
        return float(state["elapsed"])

    def write_sheet(self) -> None:
        """Paint the fixed prompts with the averaged weights, through the linear decoder."""
        sheet = paint_sheet(self.average.states, self.tokenizer, self.code, self.device)
        folder = self.work / "sheets"
        folder.mkdir(exist_ok=True)
        sheet.save(folder / f"step_{self.step:06d}.png")


def paint_sheet(
    states: dict[str, dict[str, Tensor]], tokenizer: CLIPTokenizer, code: PatchCode, device: torch.device
) -> Image.Image:
    """Two seeds of every sheet prompt, a row a seed."""
    unet, text = make_unet().to(device), make_text_encoder(tokenizer).to(device)
    unet.load_state_dict(states["unet"])
    text.load_state_dict(states["text"])
    with torch.no_grad():
        context = text(tokenize(tokenizer, [*SHEET_PROMPTS, ""]).to(device)).last_hidden_state
    rows = []
    for seed in (1, 2):
        latents = sample_latents(unet, context[:-1], context[-1:], seed)
        pixels = ((code.decode(latents.cpu()).clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
        rows.append(np.concatenate(list(pixels), 1))
    return Image.fromarray(np.concatenate(rows))


def train(trainer: UNetTrainer, budget: Budget, save_every: float, sheet_every: float) -> list[float]:
    """Run until the first rank's budget is spent; returns the losses. The two periods are in seconds."""
    losses: list[float] = []
    leads = trainer.ranks.rank == 0
    saved = drawn = time.monotonic()
    progress = budget.progress(trainer.step)
    with tqdm(desc="unet", unit="step", initial=trainer.step, mininterval=5, disable=not leads) as bar:
        while progress < 1:
            loss, progress = trainer.train_step(budget.progress(trainer.step + 1))
            losses.append(loss)
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-100:]):.4f}", refresh=False)
            if leads and time.monotonic() - saved > save_every:
                trainer.save(budget.elapsed)
                saved = time.monotonic()
            if leads and time.monotonic() - drawn > sheet_every:
                trainer.write_sheet()
                drawn = time.monotonic()
    if leads:
        trainer.save(budget.elapsed)
        trainer.write_sheet()
    return losses


def run_rank(ranks: Ranks, options: argparse.Namespace) -> None:
    """One rank's whole run."""
    trainer = UNetTrainer(ranks, options.work, options.pictures, options.batch, options.lr, options.seed, options.start)
    spent = trainer.resume()
    budget = Budget(None if options.minutes is None else 60 * options.minutes, options.steps, spent)
    train(trainer, budget, options.save_every, options.sheet_every)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_unet", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--pictures", type=int, default=36_000, help="training pictures")
    parser.add_argument("--minutes", type=float, help="time budget, earlier runs included")
    parser.add_argument("--steps", type=int, help="step budget, earlier runs included")
    parser.add_argument("--batch", type=int, default=48, help="pictures a step, all ranks together")
    parser.add_argument("--ranks", type=int, default=1, help="processes to share a CPU's cores among")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--start", type=Path, help="a pipeline's folder whose weights are the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=float, default=180, help="seconds between checkpoints")
    parser.add_argument("--sheet-every", type=float, default=600, help="seconds between sample sheets")
    options = parser.parse_args()
    prepare(options.work, options.pictures)
    run_ranks(options.ranks, run_rank, options)


if __name__ == "__main__":
    main()
