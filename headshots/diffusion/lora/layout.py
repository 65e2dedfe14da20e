"""Lays out where each adapted layer's LoRA lies in an adapter row.

A row is one flat float vector: first every site's A, transposed to [in_features, max_rank], then every site's B,
transposed to [max_rank, out_features] and cut by attention heads, so that the graph computes ``(x A) B`` without
transposing anything. Alpha/rank is folded into B; ranks below ``max_rank`` are padded with zeros, which adds exactly
nothing.

Matrices of one size lie side by side, and each starts at a multiple of its own size, as does the row: so the graph sees
the whole bank as a table of such matrices, and one Gather takes the matrices of a batch with a single copy. Where a row
would grow too much by it, the rarer sizes do not divide it: those matrices are taken in pieces of a size that does.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

ATTENTION_LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
"""The attention projections, which every engine adapts, by the endings of their module paths."""
MORE_LAYERS = ("ff.net.0.proj", "ff.net.2", "proj_in", "proj_out", "time_emb_proj", "conv_shortcut")
"""What a foundation's settings may add to them: layers that work on each cell alone, and those of the timestep."""

# By how much a row may grow so that matrices divide it: a share of it, and floats.
_WASTE, _WASTE_FLOATS = 1 / 8, 4096

_DOWN = re.compile(r"^down_blocks\.(\d+)\.attentions\.(\d+)\.(.*)$")
_UP = re.compile(r"^up_blocks\.(\d+)\.attentions\.(\d+)\.(.*)$")
_MID = re.compile(r"^mid_block\.attentions\.0\.(.*)$")


@dataclass(frozen=True)
class AdaptedLayer:
    """A linear layer, or a convolution of single cells, to lay out.

    ``heads``: attention heads that its outputs are cut into, 1 where they are not. ``convolution``: it is one of 1 x 1,
    and files hold its LoRA with four dimensions.
    """

    name: str
    in_features: int
    out_features: int
    heads: int = 1
    convolution: bool = False


@dataclass(frozen=True)
class Site:
    """One adapted linear layer: the diffusers module path within the UNet, and where its A and B start in a row.

    A is [in_features, max_rank], B is [heads, max_rank, out_features / heads].
    """

    name: str
    in_features: int
    out_features: int
    heads: int
    a_offset: int
    b_offset: int
    convolution: bool = False


@dataclass(frozen=True)
class Layout:
    """Every site of an engine. ``row_size``: floats of a row."""

    sites: tuple[Site, ...]
    max_rank: int
    row_size: int
    layers_per_block: int = 2

    @classmethod
    def build(cls, layers: Iterable[AdaptedLayer], max_rank: int, layers_per_block: int = 2) -> Layout:
        """Lay out ``layers``; those of one size keep their order and touch."""
        layers = list(layers)
        a_offsets, end = _place([layer.in_features * max_rank for layer in layers], 0)
        b_offsets, end = _place([layer.out_features * max_rank for layer in layers], end)
        sites = tuple(
            Site(layer.name, layer.in_features, layer.out_features, layer.heads, a_offset, b_offset, layer.convolution)
            for layer, a_offset, b_offset in zip(layers, a_offsets, b_offsets, strict=True)
        )
        widths = [width for layer in layers for width in (layer.in_features, layer.out_features)]
        return cls(sites, max_rank, _row_size(end, widths, max_rank), layers_per_block)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Layout:
        """Inverse of :meth:`to_json`."""
        return cls(**{**value, "sites": tuple(Site(**site) for site in value["sites"])})

    def to_json(self) -> dict[str, Any]:
        """For ``engine.json``."""
        return asdict(self)

    def put(self, row_P: FloatArray, site: Site, a_RI: FloatArray, b_OR: FloatArray) -> None:
        """Write a site's LoRA, of any rank R up to ``max_rank``, into a row of zeros."""
        rank = len(a_RI)
        a_IR, b_HRO = self.parts(row_P, site)
        a_IR[:, :rank] = a_RI.T
        b_HRO[:, :rank] = b_OR.reshape(site.heads, -1, rank).transpose(0, 2, 1)

    def parts(self, row_P: FloatArray, site: Site) -> tuple[FloatArray, FloatArray]:
        """Views of a site's A, [in_features, max_rank], and B, [heads, max_rank, out_features / heads], in a row."""
        a_size, b_size = site.in_features * self.max_rank, site.out_features * self.max_rank
        a_IR = row_P[site.a_offset : site.a_offset + a_size].reshape(site.in_features, self.max_rank)
        b_HRO = row_P[site.b_offset : site.b_offset + b_size].reshape(site.heads, self.max_rank, -1)
        return a_IR, b_HRO

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The endings of the sites' module paths."""
        endings = (*ATTENTION_LAYERS, *MORE_LAYERS)
        return tuple(ending for ending in endings if any(f".{site.name}".endswith(f".{ending}") for site in self.sites))

    @cached_property
    def by_name(self) -> dict[str, Site]:
        """Sites by diffusers module path."""
        return {site.name: site for site in self.sites}

    @cached_property
    def by_kohya_name(self) -> dict[str, Site]:
        """Sites by what kohya-style files call them, without the ``lora_unet_`` prefix.

        Both dialects: diffusers' block names, and the original repository's ``input_blocks_4_1_…`` that SDXL files use.
        """
        names = {}
        for site in self.sites:
            for name in (site.name, sgm_name(site.name, self.layers_per_block)):
                names[name.replace(".", "_")] = site
        return names


def _place(sizes: Sequence[int], start: int) -> tuple[list[int], int]:
    """Offsets from ``start`` on, equal sizes side by side and each at a multiple of its size; and where they end."""
    offsets = [0] * len(sizes)
    for size in sorted(set(sizes)):
        start = _round_up(start, size)
        for number, own in enumerate(sizes):
            if own == size:
                offsets[number] = start
                start += size
    return offsets, start


def _row_size(end: int, widths: Sequence[int], max_rank: int) -> int:
    """At least ``end``: a multiple of as many matrices' sizes, the frequent ones first, as cost little room."""
    unit = max_rank
    for width, _ in Counter(widths).most_common():
        wider = math.lcm(unit, width * max_rank)
        if _round_up(end, wider) <= end + max(_WASTE * end, _WASTE_FLOATS):
            unit = wider
    return _round_up(end, unit)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def sgm_name(name: str, layers_per_block: int) -> str:
    """The original Stable Diffusion repository's path of an attention module, from the diffusers one.

    Its down blocks are one flat list, [stem, (layers, down-sampler)…]; its up blocks one of layers + 1 a block.
    """
    if found := _DOWN.match(name):
        block, layer = int(found[1]), int(found[2])
        return f"input_blocks.{1 + block * (layers_per_block + 1) + layer}.1.{found[3]}"
    if found := _UP.match(name):
        block, layer = int(found[1]), int(found[2])
        return f"output_blocks.{block * (layers_per_block + 1) + layer}.1.{found[3]}"
    if found := _MID.match(name):
        return f"middle_block.1.{found[1]}"
    return name
