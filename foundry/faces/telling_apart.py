"""The loss by which nets learn to tell people apart: supervised contrastive (Khosla et al., arXiv 2004.11362).

Shapes: R rows of one step, Q remembered rows, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor

TEMPERATURE = 0.08


def told_apart(vectors_RD: Tensor, people_R: Tensor, memory_QD: Tensor, remembered_Q: Tensor) -> Tensor:
    """Every row should be nearer to the other rows of its person than to all others, remembered ones too.

    Args:
        vectors_RD: unit vectors; each person has at least two rows.
        people_R: whose each row is.
        memory_QD: rows of earlier steps, without gradients; Q may be 0.
        remembered_Q: whose each of them is.
    """
    itself = torch.eye(len(vectors_RD), dtype=torch.bool, device=vectors_RD.device)
    among = (vectors_RD @ vectors_RD.T / TEMPERATURE).masked_fill(itself, float("-inf"))
    earlier = vectors_RD @ memory_QD.T / TEMPERATURE
    earlier = earlier.masked_fill(people_R[:, None] == remembered_Q[None, :], float("-inf"))
    odds = torch.log_softmax(torch.cat([among, earlier], 1), 1)[:, : len(vectors_RD)]
    own = (people_R[:, None] == people_R[None, :]) & ~itself
    return -(odds.masked_fill(~own, 0).sum(1) / own.sum(1)).mean()
