"""Where each adapted layer's LoRA lies in an adapter row.

A row is one flat float vector: first every site's A, transposed to [in_features, max_rank], then every site's B,
transposed to [max_rank, out_features], so that the graph computes ``(x A) B`` without transposing anything. All A
before all B lets it scale a row's strength in one slice. Alpha/rank is folded into B; ranks below ``max_rank`` are
padded with zeros, which adds exactly nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

_DOWN = re.compile(r"^down_blocks\.(\d+)\.attentions\.(\d+)\.(.*)$")
_UP = re.compile(r"^up_blocks\.(\d+)\.attentions\.(\d+)\.(.*)$")
_MID = re.compile(r"^mid_block\.attentions\.0\.(.*)$")


@dataclass(frozen=True)
class Site:
    """One adapted linear layer: the diffusers module path within the UNet, and where its A and B start in a row."""

    name: str
    in_features: int
    out_features: int
    a_offset: int
    b_offset: int


@dataclass(frozen=True)
class Layout:
    """Every site of an engine. ``a_size``: floats of all A; ``row_size``: floats of a row."""

    sites: tuple[Site, ...]
    max_rank: int
    a_size: int
    row_size: int
    layers_per_block: int = 2

    @classmethod
    def build(cls, linears: Iterable[tuple[str, int, int]], max_rank: int, layers_per_block: int = 2) -> Layout:
        """Lay out ``(name, in_features, out_features)`` in the order given."""
        linears = list(linears)
        a_size = sum(max_rank * inputs for _, inputs, _ in linears)
        sites, a_offset, b_offset = [], 0, a_size
        for name, inputs, outputs in linears:
            sites.append(Site(name, inputs, outputs, a_offset, b_offset))
            a_offset += max_rank * inputs
            b_offset += max_rank * outputs
        return cls(tuple(sites), max_rank, a_size, b_offset, layers_per_block)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Layout:
        """Inverse of :meth:`to_json`."""
        return cls(**{**value, "sites": tuple(Site(**site) for site in value["sites"])})

    def to_json(self) -> dict[str, Any]:
        """For ``engine.json``."""
        return asdict(self)

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
