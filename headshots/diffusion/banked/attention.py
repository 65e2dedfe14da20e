"""Fuses attention's projections that share an input into one matrix product, and their adapters into another.

Shapes: B rows, T tokens or pixels, I inputs, O outputs, N projections of one input, H heads, D width of a head, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from headshots.diffusion.banked.layers import AdapterRows, BankedLinear
from headshots.diffusion.lora.layout import Layout, Site

_KEYS_AND_VALUES = ("to_k", "to_v")


class _Projection(nn.Module):
    """N linear layers of one input as one, cut into heads; with the adapters of ``sites`` where rows are given."""

    def __init__(
        self, linears: Sequence[nn.Linear], heads: int, rows: AdapterRows | None, sites: Sequence[Site]
    ) -> None:
        super().__init__()
        self.base = _joined(linears)
        self._count = len(linears)
        self._heads = heads
        self._adapters = None if rows is None else rows.reserve(sites)

    def forward(self, x_BTI: Tensor) -> Tensor:
        """[B, N, H, T, D]; for one layer [B, H, T, D]."""
        base: Tensor = self.base(x_BTI)
        rows, tokens, _ = x_BTI.shape
        if self._count == 1:
            # Adapters first: alone they need no heads, and are one product a row.
            whole = base if self._adapters is None else base + self._adapters.delta(x_BTI)
            return whole.reshape(rows, tokens, self._heads, -1).transpose(1, 2)
        cut = base.reshape(rows, tokens, self._count, self._heads, -1).permute(0, 2, 3, 1, 4)
        return cut if self._adapters is None else cut + self._adapters.delta(x_BTI)


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
                [layout.by_name[f"{name}.{each}"] for name in names for each in _KEYS_AND_VALUES],
            )
            for names in self._names
        )

    def forward(self, context_BTI: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Keys and values, [B, H, T, D] each, by attention."""
        return self.by_attention(self.projected(context_BTI))

    def projected(self, context_BTI: Tensor) -> tuple[Tensor, ...]:
        """Of each group of attentions the keys and values of all N, [B, 2 N, H, T, D]."""
        return tuple(projection(context_BTI) for projection in self.projections)

    def by_attention(self, projected: Sequence[Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """What :meth:`projected` made, as keys and values of each."""
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for names, group in zip(self._names, projected, strict=True):
            parts = group.unbind(1)
            found.update(zip(names, zip(parts[::2], parts[1::2], strict=True), strict=True))
        return found


class Context:
    """The context of the call in flight, projected when the first attention asks. A plain object, as AdapterRows is."""

    def __init__(self, projections: ContextProjections) -> None:
        self._projections = (projections,)  # within a tuple, so that no module owns it twice
        self._context_BTI: Tensor | None = None
        self._found: dict[str, tuple[Tensor, Tensor]] = {}
        self._given: Sequence[Tensor] = ()

    def give(self, projected: Sequence[Tensor]) -> None:
        """What :meth:`ContextProjections.projected` made before, for the calls to come; nothing ends that."""
        self._given = projected

    def forget(self) -> None:
        """A new call begins."""
        self._context_BTI, self._found = None, self._projections[0].by_attention(self._given) if self._given else {}

    def keys_and_values(self, name: str, context_BTI: Tensor) -> tuple[Tensor, Tensor]:
        """Of the attention ``name``, [B, H, T, D] each."""
        if not self._given and context_BTI is not self._context_BTI:
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
            [sites[f"{name}.{each}"] for each in own],
        )
        out = attention.to_out[0]
        self.out = out if rows is None else BankedLinear(out, rows, sites[f"{name}.to_out.0"])

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


def joined_projections(attention: Attention) -> tuple[str, ...]:
    """What of an attention has an input in common: its own tokens, or the context that it is crossed with."""
    return _KEYS_AND_VALUES if attention.is_cross_attention else ("to_q", *_KEYS_AND_VALUES)


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
