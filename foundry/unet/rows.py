"""Hands the rows of every training step out: of portraits kept on disk, or of portraits that are drawn as it goes.

Both are pure functions of the seed and the step, so that a resumed run repeats nothing.

Shapes: B rows, C channels, H x W latent cells, L tokens, P parts, T traits.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from foundry.latents import PatchCode, to_tensor
from foundry.parallel import Ranks
from foundry.tokens import tokenize
from foundry.unet.drawing import Drawn, Order
from foundry.unet.workers import Workers

EMPTY_SHARE = 0.1
"""Of the captions: left empty, for guidance."""
_CHUNK = 48
_ROUND_STREAM = 0x20D


@dataclass(frozen=True)
class Truth:
    """What the renderer knows of each row's portrait; see `foundry.unet.drawing.Drawn`."""

    parts_BPHW: Tensor
    landmarks_B52: Tensor
    traits_BT: Tensor

    def to(self, device: torch.device) -> Truth:
        """The same on a device."""
        return Truth(self.parts_BPHW.to(device), self.landmarks_B52.to(device), self.traits_BT.to(device))

    def at(self, rows_B: Tensor) -> Truth:
        """That of some rows."""
        return Truth(self.parts_BPHW[rows_B], self.landmarks_B52[rows_B], self.traits_BT[rows_B])


@dataclass(frozen=True)
class Rows:
    """One rank's rows of one step. ``rng``: continues the step's random stream, the same on all ranks."""

    latents_BCHW: Tensor
    ids_BL: Tensor
    truth: Truth | None
    rng: np.random.Generator


class RowSource(Protocol):
    """Where rows come from."""

    def rows(self, step: int) -> Rows:
        """This rank's rows of step ``step`` (0 ..), on the CPU in fp32."""
        ...

    def close(self) -> None:
        """End what works in the background."""
        ...


class StoredRows:
    """Rows of portraits that were drawn once: each step takes ``batch`` of them at random."""

    def __init__(
        self,
        latents: npt.NDArray[np.float16],
        tokens: npt.NDArray[np.int64],
        empty_L: Tensor,
        batch: int,
        seed: int,
        ranks: Ranks,
    ) -> None:
        """``latents``: [N, C, 16, 16]; ``tokens``: [N, captions, L]; ``batch``: rows of all ranks together."""
        self._latents, self._tokens, self._empty_L = latents, tokens, empty_L
        self._batch, self._seed = batch, seed
        self._share = slice(ranks.rank, None, ranks.world)

    def rows(self, step: int) -> Rows:
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.choice(len(self._latents), self._batch, replace=False)
        ids = torch.from_numpy(self._tokens[chosen, rng.integers(self._tokens.shape[1], size=self._batch)])
        ids[torch.from_numpy(rng.random(self._batch) < EMPTY_SHARE)] = self._empty_L
        latents = torch.from_numpy(self._latents[chosen[self._share]]).float()
        return Rows(latents, ids[self._share], None, rng)

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Rounds:
    """How drawn portraits are used: a round of ``batches`` batches of new ones, each in ``passes`` of its steps.

    Drawing a portrait costs a third of a step on it, and noise and wording are others every time.
    """

    batches: int = 32
    passes: int = 2

    def __post_init__(self) -> None:
        if self.batches < 1 or self.passes < 1:
            raise ValueError(f"a round has at least one batch and one pass, not {self.batches} and {self.passes}")

    @property
    def steps(self) -> int:
        """Of one round."""
        return self.batches * self.passes


@dataclass(frozen=True)
class _Round:
    """The portraits of one round, as rows are made of them."""

    latents_NCHW: Tensor
    ids_NKL: Tensor
    truth: Truth


class DrawnRows:
    """Rows of portraits that are drawn while training goes on: no portrait is met in two rounds.

    While one round is learned, the workers draw the next. A rank draws its own.
    """

    def __init__(
        self,
        code: PatchCode,
        tokenizer: CLIPTokenizer,
        framing: str,
        batch: int,
        seed: int,
        ranks: Ranks,
        workers: Workers,
        rounds: Rounds = Rounds(),
    ) -> None:
        """``batch``: rows of all ranks together.

        Raises:
            ValueError: the ranks cannot share a batch evenly.
        """
        if batch % ranks.world:
            raise ValueError(f"{ranks.world} ranks cannot share {batch} rows; take a multiple of {ranks.world}")
        self._code, self._tokenizer, self._framing = code, tokenizer, framing
        self._batch, self._seed, self._ranks = batch // ranks.world, seed, ranks
        self._workers, self._shape = workers, rounds
        self._drawing: dict[int, list[Future[Drawn]]] = {}
        self._kept: tuple[int, _Round] | None = None

    def rows(self, step: int) -> Rows:
        number, place = divmod(step, self._shape.steps)
        turn, batch = divmod(place, self._shape.batches)
        kept = self._round(number)
        order = np.random.default_rng([self._seed, number, turn, _ROUND_STREAM]).permutation(len(kept.latents_NCHW))
        chosen = torch.from_numpy(order[batch * self._batch : (batch + 1) * self._batch])
        rng = np.random.default_rng([self._seed, step])
        ids = kept.ids_NKL[chosen, turn].clone()
        left_out = rng.random(self._batch * self._ranks.world)[self._ranks.rank :: self._ranks.world] < EMPTY_SHARE
        ids[torch.from_numpy(left_out)] = tokenize(self._tokenizer, [""])[0]
        return Rows(kept.latents_NCHW[chosen].float(), ids, kept.truth.at(chosen), rng)

    def close(self) -> None:
        """End the workers."""
        self._workers.close()

    def orders(self, number: int) -> list[Order]:
        """What round ``number`` consists of for this rank."""
        count = self._shape.batches * self._batch
        first = (number * self._ranks.world + self._ranks.rank) * count
        return [
            Order(self._seed, start, min(_CHUNK, first + count - start), self._framing, self._shape.passes)
            for start in range(first, first + count, _CHUNK)
        ]

    def _round(self, number: int) -> _Round:
        if self._kept is None or self._kept[0] != number:
            futures = self._drawing.pop(number, None) or self._workers.submit(self.orders(number))
            self._kept = number, self._encoded([future.result() for future in futures])
            if self._workers.ahead:
                self._drawing[number + 1] = self._workers.submit(self.orders(number + 1))
        return self._kept[1]

    def _encoded(self, drawn: Sequence[Drawn]) -> _Round:
        texts = [text for one in drawn for captions in one.captions for text in captions]
        ids = tokenize(self._tokenizer, texts)
        latents = torch.cat([self._code.encode(to_tensor(one.pixels)).half() for one in drawn])
        truth = Truth(
            torch.from_numpy(np.concatenate([one.parts for one in drawn])),
            torch.from_numpy(np.concatenate([one.landmarks for one in drawn])),
            torch.from_numpy(np.concatenate([one.traits for one in drawn])),
        )
        return _Round(latents, ids.view(len(latents), self._shape.passes, -1), truth)
