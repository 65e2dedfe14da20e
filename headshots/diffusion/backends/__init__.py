"""Runs an engine package's graphs or engines, or the foundation's own networks in torch."""

from __future__ import annotations

from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.diffusion.backends.onnxruntime import OnnxRuntimeBackend
from headshots.diffusion.backends.providers import OnnxRuntimeOptions
from headshots.diffusion.backends.tensorrt_rtx import PROVIDER as TENSORRT_RTX
from headshots.diffusion.backends.tensorrt_rtx import TensorRtRtxBackend
from headshots.diffusion.package import EnginePackage

__all__ = [
    "NEED_PROFILES",
    "TENSORRT_RTX",
    "Backend",
    "OnnxRuntimeBackend",
    "OnnxRuntimeOptions",
    "TensorRtRtxBackend",
    "UNetBatch",
    "open_package",
]

NEED_PROFILES = ("tensorrt", TENSORRT_RTX)
"""Providers that can only take what a package's profiles span."""


def open_package(package: EnginePackage, options: OnnxRuntimeOptions) -> Backend:
    """The package on the provider that ``options`` name.

    Raises:
        HeadshotsError: what the backend raises.
    """
    if options.provider == TENSORRT_RTX:
        return TensorRtRtxBackend(package, options.device)
    return OnnxRuntimeBackend(package, options)
