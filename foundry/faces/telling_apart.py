"""The losses by which nets learn to tell people apart: the analyzer's supervised contrastive one (Khosla et al., arXiv
2004.11362), and the judge's, which differs so that the judge is not the analyzer again.

Shapes: R rows of one step, Q remembered rows, D embedding width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

TEMPERATURE = 0.08
LOOKALIKE_WEIGHT = 6.0


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


def told_from_lookalikes(
    vectors_RD: Tensor, people_R: Tensor, families_R: Tensor, memory_QD: Tensor, remembered_Q: Tensor
) -> Tensor:
    """InfoNCE (van den Oord et al., arXiv 1807.03748) of each pair of a person's rows against all rows of others.

    Others of the own family, who look alike, count LOOKALIKE_WEIGHT times: there is one of them for dozens of
    strangers, and a net that sees hair and skin alone pays little for it otherwise. That a person's third row is far
    costs nothing here, unlike in `told_apart`.

    Args:
        vectors_RD: unit vectors; each person has at least two rows.
        people_R: whose each row is.
        families_R: the family of each row.
        memory_QD: rows of earlier steps, without gradients; Q may be 0.
        remembered_Q: whose each of them is.
    """
    same = people_R[:, None] == people_R[None, :]
    alike = (families_R[:, None] == families_R[None, :]) & ~same
    among = vectors_RD @ vectors_RD.T / TEMPERATURE
    others = (among + alike * math.log(LOOKALIKE_WEIGHT)).masked_fill(same, float("-inf"))
    earlier = vectors_RD @ memory_QD.T / TEMPERATURE
    earlier = earlier.masked_fill(people_R[:, None] == remembered_Q[None, :], float("-inf"))
    strangers_R = torch.logsumexp(torch.cat([others, earlier], 1), 1)
    itself = torch.eye(len(vectors_RD), dtype=torch.bool, device=vectors_RD.device)
    # Of one positive among negatives, minus the logarithm of its share.
    costs = nn.functional.softplus(strangers_R[:, None] - among)
    return costs[same & ~itself].mean()
