"""Runs an engine package's graphs, or the foundation's own networks in torch."""

from __future__ import annotations

from headshots.diffusion.backends.base import Backend, UNetBatch
from headshots.diffusion.backends.onnxruntime import OnnxRuntimeBackend
from headshots.diffusion.backends.providers import OnnxRuntimeOptions

__all__ = ["Backend", "OnnxRuntimeBackend", "OnnxRuntimeOptions", "UNetBatch"]
