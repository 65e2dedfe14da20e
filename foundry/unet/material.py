"""Makes what a training of the UNet reads, where the work folder lacks it: tokenizer, code, kept portraits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from transformers import CLIPTokenizer

from foundry.dataset import captions, prepare_pictures
from foundry.latents import CHANNELS, PatchCode, prepare_code, prepare_latents
from foundry.parallel import Ranks
from foundry.portraits import DEFAULT_FRAMING, FRAMINGS
from foundry.progress import tqdm
from foundry.tokens import MAX_TOKENS, save_tokenizer, tokenize
from foundry.unet.rows import DrawnRows, Rounds, RowSource, StoredRows
from foundry.unet.wider_code import widened_code
from foundry.unet.workers import Workers


@dataclass(frozen=True)
class Portraits:
    """Which portraits are learned from.

    ``pictures``: how many are kept on disk; of drawn ones, whose code the latents are in. ``drawn``: how portraits that
    are drawn while training are used; None: the kept ones are learned from. ``channels``: of the latents.
    ``workers``: processes that draw.
    """

    pictures: int
    framing: str = DEFAULT_FRAMING
    channels: int = CHANNELS
    drawn: Rounds | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.framing not in FRAMINGS:
            raise ValueError(f"unknown framing {self.framing!r}; know {', '.join(FRAMINGS)}")
        if self.drawn is None and (self.framing, self.channels) != (DEFAULT_FRAMING, CHANNELS):
            raise ValueError(
                f"kept portraits are {DEFAULT_FRAMING}, in {CHANNELS} channels; anything else needs --fresh"
            )


def prepare(work: Path, portraits: Portraits) -> tuple[CLIPTokenizer, PatchCode]:
    """The tokenizer and the code; with them, where they are learned from, the kept portraits' latents and token ids."""
    if portraits.drawn is None:
        code, _ = prepare_latents(work, prepare_pictures(work, portraits.pictures))
    else:
        code = prepare_drawn_code(work, portraits)
    # A tokenizer that is there stays: the ids in tokens.npy and the trained embeddings are its own.
    folder = work / "tokenizer"
    tokenizer = CLIPTokenizer.from_pretrained(folder) if folder.exists() else save_tokenizer(folder)
    if portraits.drawn is None:
        prepare_tokens(work, tokenizer, portraits.pictures)
    return tokenizer, code


def prepare_drawn_code(work: Path, portraits: Portraits) -> PatchCode:
    """The code of the kept portraits with as many channels as drawn ones are learned in, kept in `work`.

    Raises:
        ValueError: the work folder's code has more.
    """
    code = prepare_code(work, portraits.pictures)
    if code.channels != portraits.channels:
        code = widened_code(code, portraits.channels, portraits.framing)
        code.save(work / "patch_code.npz")
    return code


def prepare_tokens(work: Path, tokenizer: CLIPTokenizer, count: int) -> npt.NDArray[np.int64]:
    """Token ids of every kept picture's captions, [N, captions a picture, L], kept in `work`."""
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


def row_source(
    work: Path, portraits: Portraits, tokenizer: CLIPTokenizer, code: PatchCode, batch: int, seed: int, ranks: Ranks
) -> RowSource:
    """Rows of the portraits; see the classes."""
    if portraits.drawn is None:
        _, latents = prepare_latents(work, prepare_pictures(work, portraits.pictures))
        tokens = prepare_tokens(work, tokenizer, portraits.pictures)
        return StoredRows(latents, tokens, tokenize(tokenizer, [""])[0], batch, seed, ranks)
    workers = Workers(portraits.workers)
    return DrawnRows(code, tokenizer, portraits.framing, batch, seed, ranks, workers, portraits.drawn)
