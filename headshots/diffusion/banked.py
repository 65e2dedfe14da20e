"""A UNet whose LoRA is an input: each row of the batch names the slot of the bank that holds its adapter.

In half precision, what would lose too much stays single: normalisations and the embedding of the timestep.

Shapes: B rows, C latent channels, H, W latent cells, T tokens or pixels, D context width, S slots, P floats of an
adapter row, I inputs, O outputs, R rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from headshots.diffusion.layout import Layout

TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
"""Endings of the module paths that are adapted: the attention projections."""


class _Rows:
    """The adapter rows of the batch in flight, cut into the sites' parts: one Split in the graph, not a Slice each.

    A plain object on purpose: tracing copies dict and list attributes of a module, and the adapters of the traced batch
    would be baked into the graph as constants.
    """

    a: tuple[Tensor, ...]
    b: tuple[Tensor, ...]


class BankedLinear(nn.Module):
    """``base(x) + (x A) B`` with A and B taken from each row's own adapter."""

    def __init__(self, base: nn.Linear, rows: _Rows, number: int, rank: int) -> None:
        """``number``: which site of the layout this is."""
        super().__init__()
        self.base = base
        self._rows = rows
        self._number = number
        self._rank = rank

    def forward(self, x_BTI: Tensor) -> Tensor:
        a_BIR = self._rows.a[self._number].reshape(-1, self.base.in_features, self._rank)
        b_BRO = self._rows.b[self._number].reshape(-1, self._rank, self.base.out_features)
        result: Tensor = self.base(x_BTI) + torch.matmul(torch.matmul(x_BTI, a_BIR), b_BRO)
        return result


class BankedUNet(nn.Module):
    """A diffusers ``UNet2DConditionModel``, changed in place to take its adapters from a bank."""

    def __init__(self, unet: nn.Module, max_rank: int, targets: Sequence[str] = TARGETS) -> None:
        super().__init__()
        linears = [
            (name, module)
            for name, module in unet.named_modules()
            if isinstance(module, nn.Linear) and any(name == t or name.endswith("." + t) for t in targets)
        ]
        config: Any = unet.config
        layers = config.layers_per_block
        self.layout = Layout.build(
            ((name, linear.in_features, linear.out_features) for name, linear in linears),
            max_rank,
            layers if isinstance(layers, int) else layers[0],
        )
        self._rows = _Rows()
        for number, (name, linear) in enumerate(linears):
            unet.set_submodule(name, BankedLinear(linear, self._rows, number, max_rank))
        self.unet = unet

    def forward(
        self,
        sample_BCHW: Tensor,
        timestep_B: Tensor,
        context_BTD: Tensor,
        slot_B: Tensor,
        strength_B: Tensor,
        bank_SP: Tensor,
        pooled_BD: Tensor | None = None,
        time_ids_B6: Tensor | None = None,
    ) -> Tensor:
        """The model's prediction, [B, C, H, W]. The last two are SDXL's added conditions."""
        layout = self.layout
        rows_BP = bank_SP[slot_B]
        scaled_BP = rows_BP[:, layout.a_size :] * strength_B[:, None]
        a_sizes = [site.in_features * layout.max_rank for site in layout.sites]
        b_sizes = [site.out_features * layout.max_rank for site in layout.sites]
        self._rows.a = torch.split(rows_BP[:, : layout.a_size], a_sizes, dim=1)
        self._rows.b = torch.split(scaled_BP, b_sizes, dim=1)
        added = None if pooled_BD is None else {"text_embeds": pooled_BD, "time_ids": time_ids_B6}
        output: Tensor = self.unet(sample_BCHW, timestep_B, context_BTD, added_cond_kwargs=added, return_dict=False)[0]
        return output


class _Single(nn.Module):
    """Runs ``inner`` in single precision between half-precision neighbours."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner.float()

    def forward(self, x: Tensor, *more: Any) -> Tensor:
        result: Tensor = self.inner(x.float(), *more)
        return result.half()


def to_half(unet: nn.Module) -> None:
    """Turn a UNet's weights into fp16, in place; normalisations and the timestep's embedding stay fp32."""
    unet.half()
    kept = [name for name, module in unet.named_modules() if isinstance(module, nn.GroupNorm | nn.LayerNorm)]
    for name in [*kept, "time_embedding"]:
        unet.set_submodule(name, _Single(unet.get_submodule(name)))
    projection: Any = unet.time_proj

    def get_time_embed(sample: Tensor, timestep: Tensor) -> Tensor:
        """diffusers' own rounds the sinusoids to the sample's type first."""
        result: Tensor = projection(timestep)
        return result

    unet.get_time_embed = get_time_embed  # type: ignore[assignment]
