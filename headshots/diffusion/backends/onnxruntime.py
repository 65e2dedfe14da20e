"""Runs the package's graphs on ONNX Runtime: CPU, CUDA or TensorRT, with the bank resident on the device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from headshots.diffusion.backends.bank import Bank
from headshots.diffusion.backends.base import FloatArray, UNetBatch
from headshots.diffusion.backends.cores import Cores, Graph
from headshots.diffusion.backends.providers import (
    PROVIDERS,
    OnnxRuntimeOptions,
    check_provider,
    provider_list,
    provider_name,
    session_options_for,
    unavailable,
)
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt import engines
from headshots.diffusion.tensorrt.gpu import read_gpu
from headshots.diffusion.text import Context, ContextEncoder
from headshots.errors import InvalidArgumentError

_SMALL_BYTES = 256 << 20
"""Weights of a package whose rows are spread over the cores of a CPU. A large one keeps all cores busy layer by layer,
and its weights should be neither held twice nor read by every core on its own."""


class OnnxRuntimeBackend:
    """A :class:`~headshots.diffusion.backends.base.Backend`."""

    def __init__(self, package: EnginePackage, options: OnnxRuntimeOptions) -> None:
        """Load every graph; with TensorRT build first what was not built before, which takes minutes.

        Raises:
            InvalidArgumentError: PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE.
        """
        self._provider = provider_name(options.provider)
        self._weight_bytes = sum((package.folder / name).stat().st_size for name in package.files)
        opened = _opener(package, options)
        if options.provider == "cpu" and self._weight_bytes <= _SMALL_BYTES:
            cores = Cores(options.threads)
            # The engine doubles a row that is alone.
            self._unet = cores.open(partial(_session, package.folder / package.unet), options, least_rows=2)
            self._decoder = cores.open(partial(_session, package.folder / package.vae_decoder), options, least_rows=1)
        else:
            self._unet = opened(package.unet)
            self._decoder = opened(package.vae_decoder)
        self._encoder = opened(package.vae_encoder)
        encoders = [opened(encoder.graph) for encoder in package.text_encoders]
        self._text = ContextEncoder(
            package.folder, package.text_encoders, encoders, zero_when_empty=package.zero_empty_prompt
        )
        self._float = np.dtype(np.float16 if package.precision == "fp16" else np.float32)
        device = "cpu" if options.provider == "cpu" else "cuda"
        self._bank = Bank(package.slots, package.layout.row_size, self._float, device=device, device_id=options.device)
        self._vae_rows = package.vae_rows

    @property
    def name(self) -> str:
        return f"onnxruntime:{self._provider}"

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
        prediction: FloatArray = self._unet.run(inputs, {"bank": self._bank.value_SP})[0].astype(np.float32, copy=False)
        return prediction

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        self._bank.write(slot, row_P)

    def decode(self, latents_BCHW: FloatArray) -> npt.NDArray[np.uint8]:
        return self._in_parts(self._decoder, "latents", latents_BCHW).astype(np.uint8, copy=False)

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> FloatArray:
        return self._in_parts(self._encoder, "pixels", pixels_BHWC).astype(np.float32, copy=False)

    def encode_text(self, prompt: str) -> Context:
        return self._text.encode(prompt)

    def device_memory_bytes(self) -> int:
        return self._weight_bytes + self._bank.nbytes

    def _in_parts(self, graph: Graph, name: str, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """No more images in a call than the VAE's memory is meant for."""
        starts = range(0, len(array), self._vae_rows)
        parts = [graph.run({name: array[start : start + self._vae_rows]})[0] for start in starts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _opener(package: EnginePackage, options: OnnxRuntimeOptions) -> Callable[[str], Graph]:
    """What opens a graph by its file name."""
    if options.provider != "tensorrt":
        return lambda graph: Graph(_session(package.folder / graph, options))
    gpu = read_gpu(options.device)
    folder = engines.engines_folder(options.cache_dir or package.folder.parent / "tensorrt", package, gpu)

    def opened(source: engines.Source) -> Graph:
        return Graph(_session(source.path, options, source.options))

    engines.ensure_built(package, folder, options.device, opened)
    return lambda graph: opened(engines.load(package, graph, folder, options.device))


def _session(path: Path, options: OnnxRuntimeOptions, tensorrt: dict[str, str] | None = None) -> ort.InferenceSession:
    """A session that runs on the provider that was asked for.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE; ENGINE_DAMAGED, where the CPU, which needs nothing, cannot load it.
    """
    wanted, providers = PROVIDERS[options.provider], provider_list(options, tensorrt)
    try:
        # ONNX Runtime's own fall-back would catch a provider's failure and go on, on the CPU, at a hundredth of the
        # speed.
        session = ort.InferenceSession(str(path), session_options_for(options), providers=providers, enable_fallback=0)
    except Exception as error:
        # ONNX Runtime's errors have no base class of their own.
        if options.provider != "cpu":
            raise unavailable(wanted, f"{path.name} cannot be loaded: {error}") from error
        raise InvalidArgumentError(
            "ENGINE_DAMAGED", f"{path} cannot be loaded ({error}); delete the folder and export again"
        ) from error
    check_provider(wanted, session.get_providers())
    return session
