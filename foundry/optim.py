"""Implements Muon: momentum whose matrix updates are orthogonalised, with AdamW for all but hidden matrices.

Keller Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024); the step is scaled by 0.2 * sqrt of
the larger side so that AdamW's learning rates and weight decay carry over (Moonlight, arXiv 2502.16982).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from foundry.parallel import Ranks

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ADAM_ONLY = ("conv_in", "conv_out", "time_emb", "embedding")


def orthogonalised(updates_NRC: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrices, in and to bfloat16; rows <= columns."""
    x: Tensor = updates_NRC.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; matrices of one shape share one batched iteration, ranks share the shapes."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._ranks = ranks or Ranks()

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every parameter; all must have a gradient."""
        for group in self.param_groups:
            parameters = group["params"]
            for parameter in parameters:
                if not self.state[parameter]:
                    self.state[parameter]["momentum"] = torch.zeros_like(parameter)
            gradients = [parameter.grad for parameter in parameters]
            moments = [self.state[parameter]["momentum"] for parameter in parameters]
            torch._foreach_lerp_(moments, gradients, 1 - group["momentum"])
            directions = self._directions(torch._foreach_lerp(gradients, moments, group["momentum"]))
            torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(parameters, directions, alpha=-group["lr"])

    def _directions(self, updates: Sequence[Tensor]) -> list[Tensor]:
        """Each update orthogonalised. A rank works on its share; the sum over ranks gives all of them the whole."""
        same_shape: dict[tuple[int, int], list[tuple[int, Tensor]]] = defaultdict(list)
        for index, update in enumerate(updates):
            matrix = update.flatten(1)
            wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
            same_shape[(wide.shape[0], wide.shape[1])].append((index, wide))
        # bfloat16 on the wire loses nothing: the iteration ran in it, and each value comes from one rank only.
        flat = torch.zeros(sum(update.numel() for update in updates), dtype=torch.bfloat16, device=updates[0].device)
        parts = torch.split(flat, [update.numel() for update in updates])
        for shape, members in same_shape.items():
            mine = members[self._ranks.rank :: self._ranks.world]
            if not mine:
                continue
            solved = orthogonalised(torch.stack([wide for _, wide in mine])) * (0.2 * max(shape) ** 0.5)
            for (index, wide), direction in zip(mine, solved, strict=True):
                upright = wide.shape == updates[index].flatten(1).shape
                parts[index].copy_((direction if upright else direction.mT).flatten())
        self._ranks.sum_flat(flat)
        return [part.view(update.shape).float() for part, update in zip(parts, updates, strict=True)]


def make_optimizers(models: Iterable[nn.Module], lr: float, ranks: Ranks | None = None) -> list[torch.optim.Optimizer]:
    """Muon for hidden matrices and convolutions, AdamW for the rest."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for model in models:
        for name, parameter in model.named_parameters():
            hidden = parameter.ndim >= 2 and not any(part in name for part in _ADAM_ONLY)
            (matrices if hidden else others).append(parameter)
    adam = torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=0.0)
    return [Muon(matrices, lr=lr, ranks=ranks), adam] if matrices else [adam]
