"""Makes shape profiles: for every dynamic input the smallest, the usual and the largest shape of an engine.

TensorRT builds again, for minutes, whenever a shape comes that its engine was not built for; with explicit profiles
that happens at the first start only. TensorRT for RTX refuses such a shape. The bank has fixed lengths and needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headshots.diffusion.package import EnginePackage, Port

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Range:
    """Lengths of an axis: smallest, usual, largest."""

    low: int
    usual: int
    high: int


@dataclass(frozen=True)
class Shapes:
    """Shapes of an input: smallest, usual, largest."""

    low: Shape
    usual: Shape
    high: Shape


@dataclass(frozen=True)
class Profile:
    """As ONNX Runtime's options want it, ``input:2x4x64x64,other:2``; empty where every length is fixed."""

    low: str
    usual: str
    high: str


def profile(package: EnginePackage, graph: str) -> Profile:
    """The profile of one of the package's graphs, as text."""
    shapes = dynamic_shapes(package, graph)
    low, usual, high = (
        ",".join(f"{name}:" + "x".join(map(str, getattr(each, which))) for name, each in shapes.items())
        for which in ("low", "usual", "high")
    )
    return Profile(low, usual, high)


def dynamic_shapes(package: EnginePackage, graph: str) -> Mapping[str, Shapes]:
    """The profile of one of the package's graphs: every dynamic input, by name."""
    shapes = input_shapes(package, graph)
    return {
        port.name: shapes[port.name]
        for port in package.graphs[graph].inputs
        if any(isinstance(dim, str) for dim in port.shape)
    }


def input_shapes(package: EnginePackage, graph: str) -> Mapping[str, Shapes]:
    """Every input of a graph by name; one of fixed lengths has the same shape thrice."""
    ranges = axis_ranges(package, graph)
    return {port.name: _shapes(port, ranges) for port in package.graphs[graph].inputs}


def axis_ranges(package: EnginePackage, graph: str) -> Mapping[str, Range]:
    """Lengths of the dynamic axes, by name."""
    widths, heights = zip(*package.profile_sizes, strict=True)
    factor = package.vae_scale_factor
    width, height = Range(min(widths), widths[0], max(widths)), Range(min(heights), heights[0], max(heights))
    return {
        "rows": _rows(package, graph),
        "width": width,
        "height": height,
        "cells_wide": Range(width.low // factor, width.usual // factor, width.high // factor),
        "cells_high": Range(height.low // factor, height.usual // factor, height.high // factor),
    }


def _rows(package: EnginePackage, graph: str) -> Range:
    if graph == package.unet:
        # A lone image takes two rows, a full house all: between them is where most calls lie.
        return Range(1, max(2, package.max_rows // 2), package.max_rows)
    if graph in (package.vae_decoder, package.vae_encoder):
        return Range(1, 1, package.vae_rows)
    return Range(1, 1, 1)  # prompts are encoded alone


def _shapes(port: Port, ranges: Mapping[str, Range]) -> Shapes:
    low, usual, high = (
        tuple(getattr(ranges[dim], which) if isinstance(dim, str) else dim for dim in port.shape)
        for which in ("low", "usual", "high")
    )
    return Shapes(low, usual, high)
