"""Layers that take their adapters from the bank: which slot each row of the batch uses, and what is added there.

Shapes: B rows, T tokens or pixels, I inputs, O outputs, N projections of one input, H heads, D width of a head, R rank,
S slots, P floats of an adapter row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
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
        # By size of a piece: slot_B as an index into the bank as a table of such pieces, [B] and [B, 1].
        self._first: dict[int, tuple[Tensor, Tensor]] = {}
        # By number of dimensions: the strength as a factor of a tensor of so many.
        self._factors: dict[int, Tensor] = {}

    def use(self, bank_SP: Tensor, slot_B: Tensor, strength_B: Tensor) -> None:
        """From now on."""
        self._bank_SP, self._slot_B, self._strength_B = bank_SP, slot_B, strength_B
        self._first, self._factors = {}, {}

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
        return torch.matmul(self._strong(narrow), b)

    def delta_by_channels(self, x_BIT: Tensor, layout: Layout, site: Site) -> Tensor:
        """As :meth:`delta` of one site without heads, channels first: [B, O, T]."""
        rank = layout.max_rank
        a_BIR = self._gather([site.a_offset], (site.in_features, rank))
        b_BRO = self._gather([site.b_offset], (rank, site.out_features))
        narrow_BRT = torch.matmul(a_BIR.transpose(1, 2), x_BIT)
        return torch.matmul(b_BRO.transpose(1, 2), self._strong(narrow_BRT))

    def _strong(self, narrow: Tensor) -> Tensor:
        """Times each row's strength. The factor is made once a call, not at every site: one node of the graph."""
        dimensions = narrow.dim()
        if dimensions not in self._factors:
            self._factors[dimensions] = self._strength_B.reshape(-1, *(1,) * (dimensions - 1))
        return narrow * self._factors[dimensions]

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


class _Banked(nn.Module):
    """A frozen layer and the site of its adapters."""

    def __init__(self, base: nn.Module, rows: AdapterRows, layout: Layout, site: Site) -> None:
        super().__init__()
        self.base = base
        self._rows = rows
        self._layout = layout
        self._site = site


class BankedLinear(_Banked):
    """A linear layer: ``base(x) + strength (x A) B`` with A and B of each row's own adapter."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, I] to [B, T, O], or without T."""
        x_BTI = x if x.dim() > 2 else x[:, None]
        delta_BTO = self._rows.delta(x_BTI, self._layout, [self._site])
        result: Tensor = self.base(x) + (delta_BTO if x.dim() > 2 else delta_BTO[:, 0])
        return result


class BankedPointwise(_Banked):
    """A convolution that looks at single cells, which is a linear layer of each: adapted as those are."""

    def forward(self, x_BIHW: Tensor) -> Tensor:
        """[B, O, H, W]"""
        base: Tensor = self.base(x_BIHW)
        # view_as is traced as two nodes, where reshaping to the sizes would be a dozen.
        return base + self._rows.delta_by_channels(x_BIHW.flatten(2), self._layout, self._site).view_as(base)
