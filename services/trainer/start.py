"""Where adapters start: at LoRA that a foundation brings, which was learned on many other people.

An adapter that starts from noise spends most of its steps on what all people have in common: that the trigger means one
person, how selfies become portraits. A start that was learned over many trainings (Reptile, arXiv 1803.02999; the
bundled foundation's by ``python -m foundry.train_start``) leaves the steps to what is one's own.

Shapes: O outputs, I inputs, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from headshots.diffusion.layout import Layout
from headshots.diffusion.lora_pairs import LoraPair, pairs_from_arrays
from headshots.diffusion.safetensors_io import read_arrays
from headshots.errors import InvalidAdapterError, InvalidArgumentError


def read_start(path: Path, layout: Layout) -> dict[str, LoraPair]:
    """The LoRA of each layer that ``path``, any file that engines take, has one for.

    Raises:
        InvalidArgumentError: FOUNDATION_START_INVALID.
    """
    try:
        pairs = pairs_from_arrays(*read_arrays(path.read_bytes()), layout)
    except InvalidAdapterError as error:
        raise _invalid(path, error.message) from error
    for name, pair in pairs.items():
        site = layout.by_name[name]
        wanted = (pair.rank, site.in_features), (site.out_features, pair.rank)
        if (pair.a_RI.shape, pair.b_OR.shape) != wanted:
            raise _invalid(path, f"{name} has shapes {pair.a_RI.shape} and {pair.b_OR.shape}, not {wanted}")
    return pairs


@torch.no_grad()
def put_start(pairs: Mapping[str, LoraPair], parameters: Mapping[str, nn.Parameter], adapter: str) -> None:
    """Set ``parameters``, PEFT's by name; layers that ``pairs`` lacks keep what they have."""
    for name, pair in pairs.items():
        a, b = (parameters[f"{name}.{part}.{adapter}.weight"] for part in ("lora_A", "lora_B"))
        rank = len(a)
        a_RI, b_OR = _at_most(rank, torch.from_numpy(pair.a_RI), torch.from_numpy(pair.b_OR) * pair.scale)
        # What of a larger rank is left over stays as PEFT made it: A of noise, B of zeros, which add nothing.
        a.view(rank, -1)[: len(a_RI)] = a_RI
        b.view(-1, rank)[:, : len(a_RI)] = b_OR


def _at_most(rank: int, a_RI: Tensor, b_OR: Tensor) -> tuple[Tensor, Tensor]:
    """A and B of ``rank`` at most whose product is the nearest to theirs (Eckart-Young)."""
    if len(a_RI) <= rank:
        return a_RI, b_OR
    u_OR, s_R, v_RI = torch.linalg.svd(b_OR @ a_RI, full_matrices=False)
    root_R = s_R[:rank].sqrt()
    return root_R[:, None] * v_RI[:rank], u_OR[:, :rank] * root_R


def _invalid(path: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "FOUNDATION_START_INVALID", f"{path}: {why}; mend the file, or remove it: adapters start from noise then"
    )
