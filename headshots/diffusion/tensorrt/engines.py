"""Keeps built engines, and makes the TensorRT provider's options for building and for using them.

A folder for each package, GPU and TensorRT: ``{package digest}-{GPU}-sm{capability}-trt{version}``, written beside it
and put in place when whole, so that pods on a shared volume build once. For each graph it holds an *engine context*, a
small ONNX file whose one node names the engine: opening that instead of the graph needs no parsing and no building. A
graph that TensorRT does not take whole gets no context; its engines are then found by their names, and the parsing is
paid at each start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.publish import exclusive, publish, sweep
from headshots.diffusion.tensorrt.gpu import Gpu
from headshots.diffusion.tensorrt.profiles import profile


class Use(Enum):
    """What is done with a graph."""

    BUILD = "build its engine and write the context"
    CONTEXT = "load the engine that its context names"
    CACHED = "parse it, with engines from the cache"


@dataclass(frozen=True)
class Source:
    """What to open for a graph, and the provider's options for it."""

    path: Path
    options: dict[str, str]


def engines_folder(cache: Path, package: EnginePackage, gpu: Gpu) -> Path:
    """Where the engines of ``package`` on ``gpu`` are kept."""
    return cache / f"{package.digest[:16]}-{gpu.slug}"


def context_file(folder: Path, graph: str) -> Path:
    """Where ONNX Runtime writes the context of a graph."""
    return folder / f"{Path(graph).stem}_ctx.onnx"


def ensure_built(package: EnginePackage, folder: Path, device: int, open_graph: Callable[[Source], object]) -> None:
    """Have every engine in ``folder``: of several processes one builds, the others wait.

    ``open_graph`` makes a session, which is what builds; it is dropped at once, as two UNets need not fit beside each
    other.
    """

    def build_all(partial: Path) -> None:
        for graph in package.graphs:
            open_graph(build(package, graph, partial, device))

    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    with exclusive(folder):
        if not folder.is_dir():
            publish(folder, build_all)


def build(package: EnginePackage, graph: str, folder: Path, device: int) -> Source:
    """Build into ``folder``, which exists."""
    return _source(package, graph, folder, device, Use.BUILD)


def load(package: EnginePackage, graph: str, folder: Path, device: int) -> Source:
    """Use what was built into ``folder``."""
    there = context_file(folder, graph).is_file()
    return _source(package, graph, folder, device, Use.CONTEXT if there else Use.CACHED)


def _source(package: EnginePackage, graph: str, folder: Path, device: int, use: Use) -> Source:
    options = {"device_id": str(device), **_precision(package, graph), **_caches(folder, use)}
    if use is Use.CONTEXT:
        return Source(context_file(folder, graph), options)
    shapes = profile(package, graph)
    if shapes.low:
        options |= {
            "trt_profile_min_shapes": shapes.low,
            "trt_profile_opt_shapes": shapes.usual,
            "trt_profile_max_shapes": shapes.high,
        }
    return Source(package.folder / graph, options)


def _precision(package: EnginePackage, graph: str) -> dict[str, str]:
    """Half precision where the graph has it, and nowhere else: TensorRT 10 may otherwise choose it for fp32 layers."""
    half = any(port.dtype == "float16" for port in package.graphs[graph].inputs)
    return {"trt_fp16_enable": str(half), "trt_layer_norm_fp32_fallback": str(half)}


def _caches(folder: Path, use: Use) -> dict[str, str]:
    timing = {"trt_timing_cache_enable": "True", "trt_timing_cache_path": str(folder)}
    if use is Use.BUILD:
        # With contexts ONNX Runtime insists on a cache path relative to theirs: empty is the same folder. Engines stay
        # files of their own, as one in a protobuf is slow to load and may not be over 2 GiB.
        return timing | {
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": "",
            "trt_dump_ep_context_model": "True",
            "trt_ep_context_file_path": str(folder),
            "trt_ep_context_embed_mode": "0",
        }
    if use is Use.CACHED:
        return timing | {"trt_engine_cache_enable": "True", "trt_engine_cache_path": str(folder)}
    return {}
