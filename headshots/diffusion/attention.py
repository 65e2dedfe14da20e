"""Attention whose projections that share an input are one matrix product, and their adapters another.

Shapes: B rows, T tokens or pixels, I inputs, O outputs, N projections of one input, H heads, D width of a head, R rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from headshots.diffusion.layout import Layout, Site


class AdapterRows:
    """The adapters of the batch in flight: which row of the batch uses which slot of the bank, and how strongly.

    A plain object on purpose: tracing copies dict and list attributes of a module, and the adapters of the traced batch
    would be baked into the graph as constants.
    """

    def __init__(self) -> None:
        self._bank_SP = torch.empty(0)
        self._slot_B = torch.empty(0)
        self._strength_B = torch.empty(0)
        # slot_B as an index into the bank as a table of matrices of that many floats: one product for all its sites.
        self._first_B: dict[int, Tensor] = {}

    def use(self, bank_SP: Tensor, slot_B: Tensor, strength_B: Tensor) -> None:
        """From now on."""
        self._bank_SP, self._slot_B, self._strength_B = bank_SP, slot_B, strength_B
        self._first_B = {}

    def delta(self, x_BTI: Tensor, layout: Layout, sites: Sequence[Site]) -> Tensor:
        """``strength (x A) B`` of neighbouring sites with one input: [B, T, O], with heads [B, H, T, D], several sites
        [B, N, H, T, D]."""
        site, rank = sites[0], layout.max_rank
        heads = site.heads
        many, cut = len(sites) > 1, heads > 1 or len(sites) > 1
        # A: [B, I, R], with heads [B, 1, I, R], several sites [B, N, 1, I, R]; x and the product like it.
        a = self._gather([site.a_offset for site in sites], (1,) * cut + (site.in_features, rank))
        b = self._gather([site.b_offset for site in sites], (heads,) * cut + (rank, site.out_features // heads))
        x = x_BTI[:, None, None] if many else x_BTI[:, None] if cut else x_BTI
        narrow = torch.matmul(x, a)
        return torch.matmul(narrow * self._strength_B.reshape(-1, *(1,) * (narrow.dim() - 1)), b)

    def _gather(self, offsets: Sequence[int], shape: tuple[int, ...]) -> Tensor:
        """Every row's matrices of ``shape`` at ``offsets``: [B, *shape], or [B, N, *shape] for several."""
        size = torch.Size(shape).numel()
        if size not in self._first_B:
            self._first_B[size] = self._slot_B * (self._bank_SP.shape[1] // size)
        places = torch.tensor([offset // size for offset in offsets], device=self._slot_B.device)
        first_B = self._first_B[size]
        index = first_B + places if len(offsets) == 1 else first_B[:, None] + places
        return self._bank_SP.reshape(-1, *shape)[index]


class BankedLinear(nn.Module):
    """``base(x) + strength (x A) B`` with A and B of each row's own adapter."""

    def __init__(self, base: nn.Linear, rows: AdapterRows, layout: Layout, site: Site) -> None:
        super().__init__()
        self.base = base
        self._rows = rows
        self._layout = layout
        self._site = site

    def forward(self, x_BTI: Tensor) -> Tensor:
        result: Tensor = self.base(x_BTI) + self._rows.delta(x_BTI, self._layout, [self._site])
        return result


class _Projection(nn.Module):
    """N linear layers of one input as one, cut into heads; with the adapters of ``sites`` where rows are given."""

    def __init__(
        self, linears: Sequence[nn.Linear], heads: int, rows: AdapterRows | None, layout: Layout, sites: Sequence[Site]
    ) -> None:
        super().__init__()
        self.base = _joined(linears)
        self._count = len(linears)
        self._heads = heads
        self._rows = rows
        self._layout = layout
        self._sites = tuple(sites)

    def forward(self, x_BTI: Tensor) -> Tensor:
        """[B, N, H, T, D]; for one layer [B, H, T, D]."""
        base: Tensor = self.base(x_BTI)
        rows, tokens, _ = x_BTI.shape
        if self._count == 1:
            cut = base.reshape(rows, tokens, self._heads, -1).transpose(1, 2)
        else:
            cut = base.reshape(rows, tokens, self._count, self._heads, -1).permute(0, 2, 3, 1, 4)
        return cut if self._rows is None else cut + self._rows.delta(x_BTI, self._layout, self._sites)


class FusedAttention(nn.Module):
    """A plain diffusers ``Attention``, by the same arithmetic as its ``AttnProcessor2_0``."""

    def __init__(self, attention: Any, name: str, layout: Layout, rows: AdapterRows | None) -> None:
        super().__init__()
        sites = layout.by_name
        self._crossed = bool(attention.is_cross_attention)
        groups = (("to_q",), ("to_k", "to_v")) if self._crossed else (("to_q", "to_k", "to_v"),)
        self.projections = nn.ModuleList(
            _Projection(
                [getattr(attention, each) for each in group],
                attention.heads,
                rows,
                layout,
                [sites[f"{name}.{each}"] for each in group],
            )
            for group in groups
        )
        out = attention.to_out[0]
        self.out = out if rows is None else BankedLinear(out, rows, layout, sites[f"{name}.to_out.0"])

    def forward(
        self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, attention_mask: None = None
    ) -> Tensor:
        """Called by diffusers' blocks, hence the names: x_BTI, the context that it is crossed with, and no mask."""
        assert attention_mask is None
        assert (encoder_hidden_states is not None) == self._crossed
        if self._crossed:
            q_BHTD = self.projections[0](hidden_states)
            k_BHTD, v_BHTD = self.projections[1](encoder_hidden_states).unbind(1)
        else:
            q_BHTD, k_BHTD, v_BHTD = self.projections[0](hidden_states).unbind(1)
        # The scale is told: left out, the graph works it out again at every call.
        mixed_BHTD = nn.functional.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, scale=q_BHTD.shape[-1] ** -0.5)
        rows, tokens, _ = hidden_states.shape
        result: Tensor = self.out(mixed_BHTD.transpose(1, 2).reshape(rows, tokens, -1))
        return result


def is_plain(module: nn.Module) -> bool:
    """Whether it is an ``Attention`` that :class:`FusedAttention` computes: no norms or sums of its own."""
    if not isinstance(module, Attention):
        return False
    parts = ("spatial_norm", "group_norm", "norm_cross", "norm_q", "norm_k", "add_k_proj")
    return (
        all(getattr(module, part, None) is None for part in parts)
        and not module.residual_connection
        and module.rescale_output_factor == 1
        and module.inner_kv_dim == module.inner_dim
    )


def _joined(linears: Sequence[nn.Linear]) -> nn.Linear:
    """One layer that computes all, their outputs side by side."""
    if len(linears) == 1:
        return linears[0]
    biased = linears[0].bias is not None
    made = nn.Linear(linears[0].in_features, sum(linear.out_features for linear in linears), bias=biased)
    made.weight = nn.Parameter(torch.cat([linear.weight.detach() for linear in linears]), requires_grad=False)
    if biased:
        made.bias = nn.Parameter(torch.cat([linear.bias.detach() for linear in linears]), requires_grad=False)
    return made
