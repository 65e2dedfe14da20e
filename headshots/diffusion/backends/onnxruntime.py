"""The package's graphs on ONNX Runtime: CPU, CUDA or TensorRT, with the bank resident on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from headshots.diffusion.backends.base import FloatArray, UNetBatch
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import Context, ContextEncoder
from headshots.errors import InvalidArgumentError

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}


@dataclass(frozen=True)
class OnnxRuntimeOptions:
    """How to run.

    Attributes:
        provider: ``cpu``, ``cuda`` or ``tensorrt``; what cannot be had is an error, never a silent fall-back.
        threads: of the CPU provider; 0 takes one a core.
        device: GPU number.
        cache_dir: where TensorRT keeps built engines and timings.
    """

    provider: str = "cpu"
    threads: int = 0
    device: int = 0
    cache_dir: Path | None = None


class _Session:
    """One graph of the package."""

    def __init__(self, path: Path, options: ort.SessionOptions, providers: list[Any]) -> None:
        self.session = ort.InferenceSession(str(path), options, providers=providers)
        self.inputs = {entry.name: entry.type for entry in self.session.get_inputs()}

    def run(self, inputs: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.generic]]:
        """Outputs in order."""
        outputs: list[npt.NDArray[np.generic]] = self.session.run(None, dict(inputs))
        return outputs


class OnnxRuntimeBackend:
    """A :class:`~headshots.diffusion.backends.base.Backend`."""

    def __init__(self, package: EnginePackage, options: OnnxRuntimeOptions) -> None:
        """Load every graph.

        Raises:
            InvalidArgumentError: PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE.
        """
        wanted = provider_name(options.provider)
        session_options = session_options_for(options)
        providers = provider_list(options, package)
        folder = package.folder
        self._provider = wanted
        self._unet = _Session(folder / package.unet, session_options, providers)
        self._decoder = _Session(folder / package.vae_decoder, session_options, providers)
        self._encoder = _Session(folder / package.vae_encoder, session_options, providers)
        encoders = [_Session(folder / e.graph, session_options, providers) for e in package.text_encoders]
        for session in (self._unet, self._decoder, self._encoder, *encoders):
            if wanted not in session.session.get_providers():
                raise _unavailable(wanted, "it failed to start; the log says why")
        self._text = ContextEncoder(folder, package.text_encoders, encoders, zero_when_empty=package.zero_empty_prompt)
        self._float = np.dtype(np.float16 if package.precision == "fp16" else np.float32)
        bank = np.zeros((package.slots, package.layout.row_size), self._float)
        self._device = "cpu" if wanted == PROVIDERS["cpu"] else "cuda"
        self._device_id = options.device
        # On the CPU the value shares the array's memory, so writing a slot is one copy.
        self._bank = bank
        self._bank_value = ort.OrtValue.ortvalue_from_numpy(bank, self._device, options.device)
        self._weight_bytes = sum((folder / name).stat().st_size for name in package.files)

    @property
    def name(self) -> str:
        return f"onnxruntime:{self._provider}"

    def unet(self, batch: UNetBatch) -> FloatArray:
        binding = self._unet.session.io_binding()
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
        for name, array in inputs.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        binding.bind_ortvalue_input("bank", self._bank_value)
        binding.bind_output("prediction", "cpu")
        self._unet.session.run_with_iobinding(binding)
        prediction: FloatArray = binding.copy_outputs_to_cpu()[0].astype(np.float32, copy=False)
        return prediction

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        self._bank[slot] = 0 if row_P is None else row_P
        if self._device != "cpu":
            self._bank_value.update_inplace(self._bank)

    def decode(self, latents_BCHW: FloatArray) -> npt.NDArray[np.uint8]:
        return self._decoder.run({"latents": latents_BCHW})[0].astype(np.uint8, copy=False)

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> FloatArray:
        latents: FloatArray = self._encoder.run({"pixels": pixels_BHWC})[0].astype(np.float32, copy=False)
        return latents

    def encode_text(self, prompt: str) -> Context:
        return self._text.encode(prompt)

    def device_memory_bytes(self) -> int:
        return self._weight_bytes + self._bank.nbytes


def provider_name(name: str) -> str:
    """ONNX Runtime's name of a provider, if this installation has it.

    Raises:
        InvalidArgumentError: PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE.
    """
    if name not in PROVIDERS:
        raise InvalidArgumentError("PROVIDER_UNKNOWN", f"provider {name!r}; use {', '.join(PROVIDERS)}")
    wanted = PROVIDERS[name]
    if wanted not in ort.get_available_providers():
        raise _unavailable(wanted, "this onnxruntime was built without it; install onnxruntime-gpu")
    return wanted


def session_options_for(options: OnnxRuntimeOptions) -> ort.SessionOptions:
    """Threads and logging; all graph optimisations on."""
    made = ort.SessionOptions()
    made.intra_op_num_threads = options.threads
    made.inter_op_num_threads = 1
    made.log_severity_level = 3
    made.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return made


def provider_list(options: OnnxRuntimeOptions, package: EnginePackage) -> list[Any]:
    """Providers with their options, the wanted one first."""
    wanted = provider_name(options.provider)
    if options.provider == "cpu":
        return [wanted]
    cuda = ("CUDAExecutionProvider", cuda_options(options))
    if options.provider == "cuda":
        return [cuda, "CPUExecutionProvider"]
    return [(wanted, tensorrt_options(options, package)), cuda, "CPUExecutionProvider"]


def cuda_options(options: OnnxRuntimeOptions) -> dict[str, str]:
    """For the CUDA provider: exhaustive convolution search once, memory grown only by what is asked for."""
    return {
        "device_id": str(options.device),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "0",
    }


def tensorrt_options(options: OnnxRuntimeOptions, package: EnginePackage) -> dict[str, str]:
    """For the TensorRT provider: caches by package digest, so that a pod starts without building."""
    folder = (options.cache_dir or package.folder / "tensorrt") / package.digest[:16]
    return {
        "device_id": str(options.device),
        "trt_fp16_enable": str(package.precision == "fp16"),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(folder),
        "trt_dump_ep_context_model": "True",
        "trt_ep_context_file_path": str(folder),
    }


def _unavailable(provider: str, why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "PROVIDER_UNAVAILABLE",
        f"{provider} was asked for and cannot be had: {why}. Here are: {', '.join(ort.get_available_providers())}",
    )
