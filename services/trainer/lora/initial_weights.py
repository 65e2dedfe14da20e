"""Sets the initial weights of an adapter from a LoRA file of the foundation, which was learned on many other people.

An adapter with random initial weights spends most of its steps on what all people have in common: that the trigger
means one person, how selfies become portraits. Initial weights that were learned over many trainings (Reptile,
arXiv 1803.02999; ``python -m foundry.train_initial_weights`` for the bundled foundation) leave the steps to the person.

Shapes: O outputs, I inputs, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from headshots.diffusion.lora.files import LoraPair, read_pairs
from headshots.diffusion.lora.layout import Layout
from headshots.errors import InvalidAdapterError, InvalidArgumentError


def read_initial_weights(path: Path, layout: Layout, foundation_digest: str) -> dict[str, LoraPair]:
    """Read LoRA weights by layer from ``path``, any adapter file that engines of this foundation can load.

    Raises:
        InvalidArgumentError: FOUNDATION_START_INVALID.
    """
    try:
        return read_pairs(path.read_bytes(), layout, foundation_digest)
    except (InvalidAdapterError, OSError) as error:
        why = error.message if isinstance(error, InvalidAdapterError) else str(error)
        raise InvalidArgumentError(
            "FOUNDATION_START_INVALID",
            f"adapters cannot start from {path}: {why}; repair the file, or remove it to start from noise, and restart "
            "the trainer",
        ) from error


@torch.no_grad()
def apply_initial_weights(pairs: Mapping[str, LoraPair], parameters: Mapping[str, nn.Parameter], adapter: str) -> None:
    """Set ``parameters`` (by PEFT's names) to ``pairs``; layers that ``pairs`` lacks keep their weights."""
    for name, pair in pairs.items():
        a, b = (parameters[f"{name}.{part}.{adapter}.weight"] for part in ("lora_A", "lora_B"))
        rank = len(a)
        a_RI, b_OR = _at_most(rank, torch.from_numpy(pair.a_RI), torch.from_numpy(pair.b_OR) * pair.scale)
        # A larger rank keeps PEFT's weights beyond that of the file: random A and zero B, which add nothing.
        a.view(rank, -1)[: len(a_RI)] = a_RI
        b.view(-1, rank)[:, : len(a_RI)] = b_OR


def _at_most(rank: int, a_RI: Tensor, b_OR: Tensor) -> tuple[Tensor, Tensor]:
    """A and B of ``rank`` at most whose product is nearest to that of ``a_RI`` and ``b_OR`` (Eckart-Young)."""
    if len(a_RI) <= rank:
        return a_RI, b_OR
    # Only an R x R core of the product has to be decomposed.
    left_OR, b_RR = torch.linalg.qr(b_OR)
    right_IR, a_RR = torch.linalg.qr(a_RI.T)
    u_RR, s_R, v_RR = torch.linalg.svd(b_RR @ a_RR.T)
    root_R = s_R[:rank].sqrt()
    return (root_R[:, None] * v_RR[:rank]) @ right_IR.T, left_OR @ (u_RR[:, :rank] * root_R)
