"""Attention whose projections that share an input are one matrix product, and their adapters another.

Shapes: B rows, T tokens or pixels, I inputs, O outputs, N projections of one input, H heads, D width of a head, R rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from headshots.diffusion.layout import Layout, Site

_KEYS_AND_VALUES = ("to_k", "to_v")


class AdapterRows:
    """The adapters of the batch in flight: which row of the batch uses which slot of the bank, and how strongly.

    A plain object on purpose: tracing copies dict and list attributes of a module, and the adapters of the traced batch
    would be baked into the graph as constants.
    """

    def __init__(self) -> None:
        self._bank_SP = torch.empty(0)
        self._slot_B = torch.empty(0)
        self._strength_B = torch.empty(0)
        # By size of a piece: slot_B as an index into the bank as a table of such pieces, [B] and [B, 1].
        self._first: dict[int, tuple[Tensor, Tensor]] = {}

    def use(self, bank_SP: Tensor, slot_B: Tensor, strength_B: Tensor) -> None:
        """From now on."""
        self._bank_SP, self._slot_B, self._strength_B = bank_SP, slot_B, strength_B
        self._first = {}

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

    def delta_by_channels(self, x_BIT: Tensor, layout: Layout, site: Site) -> Tensor:
        """As :meth:`delta` of one site without heads, channels first: [B, O, T]."""
        rank = layout.max_rank
        a_BIR = self._gather([site.a_offset], (site.in_features, rank))
        b_BRO = self._gather([site.b_offset], (rank, site.out_features))
        narrow_BRT = torch.matmul(a_BIR.transpose(1, 2), x_BIT) * self._strength_B.reshape(-1, 1, 1)
        return torch.matmul(b_BRO.transpose(1, 2), narrow_BRT)

    def _gather(self, offsets: Sequence[int], shape: tuple[int, ...]) -> Tensor:
        """Every row's matrices of ``shape`` at ``offsets``: [B, *shape], or [B, N, *shape] for several."""
        size, row = torch.Size(shape).numel(), self._bank_SP.shape[1]
        piece = math.gcd(size, row)
        if piece not in self._first:
            first_B = self._slot_B * (row // piece)
            self._first[piece] = first_B, first_B[:, None]
        pieces = size // piece
        places = torch.tensor(
            [offset // piece + number for offset in offsets for number in range(pieces)], device=self._slot_B.device
        )
        index = self._first[piece][len(places) > 1] + places
        if pieces == 1:
            return self._bank_SP.reshape(-1, *shape)[index]
        many = (len(offsets),) if len(offsets) > 1 else ()
        return self._bank_SP.reshape(-1, piece)[index].reshape(-1, *many, *shape)


class BankedLinear(nn.Module):
    """``base(x) + strength (x A) B`` with A and B of each row's own adapter."""

    def __init__(self, base: nn.Linear, rows: AdapterRows, layout: Layout, site: Site) -> None:
        super().__init__()
        self.base = base
        self._rows = rows
        self._layout = layout
        self._site = site

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, I] to [B, T, O], or without T."""
        x_BTI = x if x.dim() > 2 else x[:, None]
        delta_BTO = self._rows.delta(x_BTI, self._layout, [self._site])
        result: Tensor = self.base(x) + (delta_BTO if x.dim() > 2 else delta_BTO[:, 0])
        return result


class BankedPointwise(nn.Module):
    """A convolution that looks at single cells, which is a linear layer of each: adapted as those are."""

    def __init__(self, base: nn.Conv2d, rows: AdapterRows, layout: Layout, site: Site) -> None:
        super().__init__()
        self.base = base
        self._rows = rows
        self._layout = layout
        self._site = site

    def forward(self, x_BIHW: Tensor) -> Tensor:
        """[B, O, H, W]"""
        base: Tensor = self.base(x_BIHW)
        return base + self._rows.delta_by_channels(x_BIHW.flatten(2), self._layout, self._site).reshape(base.shape)


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


class ContextProjections(nn.Module):
    """Keys and values of every attention that is crossed with the context, which is the same for all of a call."""

    def __init__(self, attentions: Mapping[str, Any], rows: AdapterRows | None, layout: Layout) -> None:
        """``attentions``: the crossed ones by name."""
        super().__init__()
        groups: dict[tuple[Any, ...], list[str]] = {}
        for name, attention in attentions.items():
            groups.setdefault(context_group(attention), []).append(name)
        self._names = tuple(map(tuple, groups.values()))
        self.projections = nn.ModuleList(
            _Projection(
                [getattr(attentions[name], each) for name in names for each in _KEYS_AND_VALUES],
                attentions[names[0]].heads,
                rows,
                layout,
                [layout.by_name[f"{name}.{each}"] for name in names for each in _KEYS_AND_VALUES],
            )
            for names in self._names
        )

    def forward(self, context_BTI: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Keys and values, [B, H, T, D] each, by attention."""
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for names, projection in zip(self._names, self.projections, strict=True):
            parts = projection(context_BTI).unbind(1)
            found.update(zip(names, zip(parts[::2], parts[1::2], strict=True), strict=True))
        return found


class Context:
    """The context of the call in flight, projected when the first attention asks. A plain object, as AdapterRows is."""

    def __init__(self, projections: ContextProjections) -> None:
        self._projections = (projections,)  # within a tuple, so that no module owns it twice
        self._context_BTI: Tensor | None = None
        self._found: dict[str, tuple[Tensor, Tensor]] = {}

    def forget(self) -> None:
        """A new call begins."""
        self._context_BTI, self._found = None, {}

    def keys_and_values(self, name: str, context_BTI: Tensor) -> tuple[Tensor, Tensor]:
        """Of the attention ``name``, [B, H, T, D] each."""
        if context_BTI is not self._context_BTI:
            self._context_BTI, self._found = context_BTI, self._projections[0](context_BTI)
        return self._found[name]


class FusedAttention(nn.Module):
    """A plain diffusers ``Attention``, by the same arithmetic as its ``AttnProcessor2_0``."""

    def __init__(
        self, attention: Any, name: str, layout: Layout, rows: AdapterRows | None, context: Context | None
    ) -> None:
        """``context``: for an attention that is crossed with it, which then has no keys and values of its own."""
        super().__init__()
        sites = layout.by_name
        self._name = name
        self._context = context
        own = ("to_q", *_KEYS_AND_VALUES) if context is None else ("to_q",)
        self.projection = _Projection(
            [getattr(attention, each) for each in own],
            attention.heads,
            rows,
            layout,
            [sites[f"{name}.{each}"] for each in own],
        )
        out = attention.to_out[0]
        self.out = out if rows is None else BankedLinear(out, rows, layout, sites[f"{name}.to_out.0"])

    def forward(
        self, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, attention_mask: None = None
    ) -> Tensor:
        """Called by diffusers' blocks, hence the names: x_BTI, the context that it is crossed with, and no mask."""
        assert attention_mask is None
        if self._context is None:
            assert encoder_hidden_states is None
            q_BHTD, k_BHTD, v_BHTD = self.projection(hidden_states).unbind(1)
        else:
            assert encoder_hidden_states is not None
            q_BHTD = self.projection(hidden_states)
            k_BHTD, v_BHTD = self._context.keys_and_values(self._name, encoder_hidden_states)
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


def context_group(attention: Any) -> tuple[Any, ...]:
    """What crossed attentions must have in common for one product to make the keys and values of all."""
    keys = attention.to_k
    return keys.out_features, attention.heads, keys.in_features, keys.bias is not None


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
