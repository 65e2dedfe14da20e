"""Runs the networks of a package as graphs, whatever runs the graphs: what all such backends have in common.

Shapes: as in :mod:`headshots.diffusion.backends.base`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from headshots.diffusion.backends.base import FloatArray, UNetBatch
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import Context, ContextEncoder

Array = npt.NDArray[Any]


class RunnableGraph(Protocol):
    """A graph that is loaded. Thread-safe."""

    def run(self, inputs: Mapping[str, Array], resident: Mapping[str, Any] = ...) -> list[Array]:
        """Outputs in order. ``inputs`` are copied to the device; ``resident`` are inputs that are there already."""
        ...


class ResidentBank(Protocol):
    """The bank on its device."""

    @property
    def value_SP(self) -> Any:
        """As the graphs take resident inputs."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        ...

    def write(self, slot: int, row_P: Array | None) -> None:
        """Copy a row into ``slot``; None clears it."""
        ...


@dataclass(frozen=True)
class Graphs:
    """The package's graphs; ``encoders`` are those of text, in the package's order."""

    unet: RunnableGraph
    vae_decoder: RunnableGraph
    vae_encoder: RunnableGraph
    encoders: Sequence[RunnableGraph]


def bank_type(package: EnginePackage) -> np.dtype[Any]:
    """Of the bank's floats, and of the UNet's other inputs in half precision."""
    return np.dtype(np.float16 if package.precision == "fp16" else np.float32)


class GraphBackend:
    """A :class:`~headshots.diffusion.backends.base.Backend` over loaded graphs."""

    def __init__(
        self, package: EnginePackage, name: str, graphs: Graphs, bank: ResidentBank, weight_bytes: int
    ) -> None:
        self._name = name
        self._graphs, self._bank, self._weight_bytes = graphs, bank, weight_bytes
        self._text = ContextEncoder(
            package.folder, package.text_encoders, graphs.encoders, zero_when_empty=package.zero_empty_prompt
        )
        self._float = bank_type(package)
        self._vae_rows = package.vae_rows

    @property
    def name(self) -> str:
        return self._name

    def unet(self, batch: UNetBatch) -> FloatArray:
        inputs = {
            "sample": batch.sample_BCHW.astype(self._float, copy=False),
            "timestep": batch.timestep_B,
            "context": batch.context_BTD.astype(self._float, copy=False),
            "slot": batch.slot_B,
            "strength": batch.strength_B.astype(self._float, copy=False),
        }
        if batch.pooled_BE is not None and batch.time_ids_B6 is not None:
            inputs["pooled"] = batch.pooled_BE.astype(self._float, copy=False)
            inputs["time_ids"] = batch.time_ids_B6
        prediction = self._graphs.unet.run(inputs, {"bank": self._bank.value_SP})[0]
        return prediction.astype(np.float32, copy=False)

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        self._bank.write(slot, row_P)

    def decode(self, latents_BCHW: FloatArray) -> npt.NDArray[np.uint8]:
        return self._in_parts(self._graphs.vae_decoder, "latents", latents_BCHW).astype(np.uint8, copy=False)

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> FloatArray:
        return self._in_parts(self._graphs.vae_encoder, "pixels", pixels_BHWC).astype(np.float32, copy=False)

    def encode_text(self, prompt: str) -> Context:
        return self._text.encode(prompt)

    def device_memory_bytes(self) -> int:
        return self._weight_bytes + self._bank.nbytes

    def _in_parts(self, graph: RunnableGraph, name: str, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """No more images in a call than the VAE's memory is meant for."""
        starts = range(0, len(array), self._vae_rows)
        parts = [graph.run({name: array[start : start + self._vae_rows]})[0] for start in starts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
