"""Adds to a layer's output what each row's adapter in the bank makes of its input.

Shapes: B rows, T tokens or pixels, I inputs, O outputs, N projections of one input, H heads, D width of a head, R rank,
S slots, P floats of an adapter row, M matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from headshots.diffusion.lora.layout import Layout, Site


@dataclass(frozen=True)
class _Matrices:
    """What one Gather takes of every row's adapter: ``shape``, in pieces of ``piece`` floats.

    ``places``: of the pieces, counted in pieces from an adapter row's start. ``number``: where there is one piece,
    which of all such that is.
    """

    shape: tuple[int, ...]
    piece: int
    places: tuple[int, ...]
    number: int | None


class AdapterRows:
    """The adapters of the batch in flight: which row of the batch uses which slot of the bank, and how strongly.

    A plain object on purpose: tracing copies dict and list attributes of a module, and the adapters of the traced batch
    would be baked into the graph as constants.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        # By size of a piece: the places of what is gathered in one such piece.
        self._places: dict[int, list[int]] = {}
        self.forget()

    def reserve(self, sites: Sequence[Site]) -> Adapters:
        """Those of neighbouring ``sites`` with one input, to be asked for in every call to come."""
        site, rank = sites[0], self._layout.max_rank
        inputs, outputs = (site.in_features, rank), (rank, site.out_features // site.heads)
        a_offsets, b_offsets = [each.a_offset for each in sites], [each.b_offset for each in sites]
        if len(sites) == site.heads == 1:
            return Adapters(self, self._reserve(a_offsets, inputs), self._reserve(b_offsets, outputs))
        a_shape, b_shape = (len(sites), 1, *inputs), (len(sites), site.heads, *outputs)
        return Adapters(self, self._reserve(a_offsets, a_shape), self._reserve(b_offsets, b_shape))

    def use(self, bank_SP: Tensor, slot_B: Tensor, strength_B: Tensor) -> None:
        """A call begins, on these slots of this bank."""
        self._bank_SP, self._slot_B, self._strength_B = bank_SP, slot_B, strength_B

    def forget(self) -> None:
        """The call is over: nothing of it stays."""
        self._bank_SP = self._slot_B = self._strength_B = torch.empty(0)
        # By size of a piece: each row's slot as an index into the bank as a table of such pieces, [B]; and the indices
        # of all places that are gathered alone, [B] each.
        self._first: dict[int, Tensor] = {}
        self._index: dict[int, Sequence[Tensor]] = {}
        # By number of dimensions: the strength as a factor of a tensor of so many.
        self._factors: dict[int, Tensor] = {}

    def strengthened(self, x: Tensor) -> Tensor:
        """``x``, [B, ...], times each row's strength. The factor is made once a call: one node of the graph."""
        dimensions = x.dim()
        if dimensions not in self._factors:
            self._factors[dimensions] = self._strength_B.reshape(-1, *(1,) * (dimensions - 1))
        return x * self._factors[dimensions]

    def gather(self, matrices: _Matrices) -> Tensor:
        """Every row's: [B, *shape]."""
        piece, shape = matrices.piece, matrices.shape
        if piece not in self._first:
            self._first[piece] = self._slot_B * (self._layout.row_size // piece)
        if matrices.number is not None:
            if piece not in self._index:
                # All at once: a sum for each would cost as much as its Gather.
                places_M = torch.tensor(self._places[piece], device=self._slot_B.device)
                self._index[piece] = _rows(places_M[:, None] + self._first[piece])
            return self._bank_SP.reshape(-1, *shape)[self._index[piece][matrices.number]]
        index_BM = self._first[piece][:, None] + torch.tensor(matrices.places, device=self._slot_B.device)
        if piece == math.prod(shape[1:]):
            return self._bank_SP.reshape(-1, *shape[1:])[index_BM]
        return self._bank_SP.reshape(-1, piece)[index_BM].reshape(-1, *shape)

    def _reserve(self, offsets: Sequence[int], shape: tuple[int, ...]) -> _Matrices:
        """``offsets``: where in an adapter row the matrices of each site begin, which are ``shape`` together."""
        size = math.prod(shape) // len(offsets)
        piece = math.gcd(size, self._layout.row_size)
        places = tuple(offset // piece + number for offset in offsets for number in range(size // piece))
        alone = self._places.setdefault(piece, [])
        if len(places) > 1:
            return _Matrices(shape, piece, places, None)
        alone.append(places[0])
        return _Matrices(shape, piece, places, len(alone) - 1)


@dataclass(frozen=True, eq=False)
class Adapters:
    """A and B of every row of the batch in flight, for neighbouring sites with one input."""

    rows: AdapterRows
    a: _Matrices
    b: _Matrices

    def delta(self, x_BTI: Tensor) -> Tensor:
        """``strength (x A) B``: [B, T, O]; of several sites, or with heads, [B, N, H, T, D]."""
        x = x_BTI if len(self.a.shape) == 2 else x_BTI[:, None, None]
        narrow = torch.matmul(x, self.rows.gather(self.a))
        return torch.matmul(self.rows.strengthened(narrow), self.rows.gather(self.b))

    def delta_by_channels(self, x_BIT: Tensor) -> Tensor:
        """As :meth:`delta` of one site without heads, channels first: [B, O, T]."""
        narrow_BRT = torch.matmul(self.rows.gather(self.a).transpose(1, 2), x_BIT)
        return torch.matmul(self.rows.gather(self.b).transpose(1, 2), self.rows.strengthened(narrow_BRT))


class _Rows(torch.autograd.Function):
    """``unbind`` as two nodes: traced as it is, every row would be squeezed by a node of its own."""

    @staticmethod
    def forward(ctx: Any, matrix_MB: Tensor, count: int) -> tuple[Tensor, ...]:
        return matrix_MB.unbind(0)

    @staticmethod
    def symbolic(g: Any, matrix_MB: Any, count: int) -> Any:
        flat = g.op("Reshape", matrix_MB, g.op("Constant", value_t=torch.tensor([-1])))
        return g.op("Split", flat, axis_i=0, num_outputs_i=count, outputs=count)


class _Cells(torch.autograd.Function):
    """``flatten(2)`` as one node: traced as it is, its sizes would be worked out by three."""

    @staticmethod
    def forward(ctx: Any, x_BIHW: Tensor) -> Tensor:
        return x_BIHW.flatten(2)

    @staticmethod
    def symbolic(g: Any, x_BIHW: Any) -> Any:
        return g.op("Reshape", x_BIHW, g.op("Constant", value_t=torch.tensor([0, 0, -1])))


def _rows(matrix_MB: Tensor) -> Sequence[Tensor]:
    """[B] each."""
    if len(matrix_MB) == 1 or not torch.onnx.is_in_onnx_export():
        return matrix_MB.unbind(0)
    found: Sequence[Tensor] = _Rows.apply(matrix_MB, len(matrix_MB))  # type: ignore[no-untyped-call]
    return found


def _cells(x_BIHW: Tensor) -> Tensor:
    """[B, I, H W]"""
    if not torch.onnx.is_in_onnx_export():
        return x_BIHW.flatten(2)
    found: Tensor = _Cells.apply(x_BIHW)  # type: ignore[no-untyped-call]
    return found


class _Banked(nn.Module):
    """A frozen layer and the adapters of its site."""

    def __init__(self, base: nn.Module, rows: AdapterRows, site: Site) -> None:
        super().__init__()
        self.base = base
        self._adapters = rows.reserve([site])


class BankedLinear(_Banked):
    """A linear layer: ``base(x) + strength (x A) B`` with A and B of each row's own adapter."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, I] to [B, T, O], or without T."""
        x_BTI = x if x.dim() > 2 else x[:, None]
        delta_BTO = self._adapters.delta(x_BTI)
        result: Tensor = self.base(x) + (delta_BTO if x.dim() > 2 else delta_BTO[:, 0])
        return result


class BankedPointwise(_Banked):
    """A convolution that looks at single cells, which is a linear layer of each: adapted as those are."""

    def forward(self, x_BIHW: Tensor) -> Tensor:
        """[B, O, H, W]"""
        base: Tensor = self.base(x_BIHW)
        # view_as is traced as two nodes, where reshaping to the sizes would be a dozen.
        return base + self._adapters.delta_by_channels(_cells(x_BIHW)).view_as(base)
