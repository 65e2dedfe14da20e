"""Chooses ONNX Runtime's execution providers and their options, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from headshots.errors import InvalidArgumentError

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}

ProviderList = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True)
class OnnxRuntimeOptions:
    """How to run.

    Attributes:
        provider: ``cpu``, ``cuda`` or ``tensorrt``; what cannot be had is an error, never a silent fall-back. With
            ``tensorrt-rtx``, which is no provider of ONNX Runtime, :func:`headshots.diffusion.backends.open_package`
            takes that backend.
        threads: of the CPU provider; 0 takes one a core. A small package's rows are spread over them
            (:mod:`headshots.diffusion.backends.cores`).
        device: GPU number.
        cache_dir: where TensorRT keeps built engines and timings; None: ``tensorrt`` beside the package.
        arena: keep freed memory for the next call, on the CPU; without it each call asks the system anew, which is
            slower and leaves more to others.
        gpu_memory_bytes: that the CUDA provider's arena may take; 0: all.
    """

    provider: str = "cpu"
    threads: int = 0
    device: int = 0
    cache_dir: Path | None = None
    arena: bool = True
    gpu_memory_bytes: int = 0


def provider_name(name: str) -> str:
    """ONNX Runtime's name of a provider, if this installation has it.

    Raises:
        InvalidArgumentError: PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE.
    """
    if name not in PROVIDERS:
        raise InvalidArgumentError("PROVIDER_UNKNOWN", f"provider {name!r}; use {', '.join(PROVIDERS)} or tensorrt-rtx")
    wanted = PROVIDERS[name]
    if wanted not in ort.get_available_providers():
        raise unavailable(wanted, "this onnxruntime was built without it; install onnxruntime-gpu")
    return wanted


def check_provider(wanted: str, running: Sequence[str]) -> None:
    """What a session runs on must be what was asked for: a provider that fails to start is left out with a log line.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE.
    """
    if wanted not in running:
        raise unavailable(wanted, "it failed to start; the log above says why, often a missing library")


def unavailable(provider: str, why: str) -> InvalidArgumentError:
    """PROVIDER_UNAVAILABLE."""
    return InvalidArgumentError(
        "PROVIDER_UNAVAILABLE",
        f"{provider} was asked for and cannot be had: {why}. Here are: {', '.join(ort.get_available_providers())}",
    )


def session_options_for(options: OnnxRuntimeOptions) -> ort.SessionOptions:
    """Threads, memory and logging; all graph optimisations on."""
    made = ort.SessionOptions()
    made.intra_op_num_threads = options.threads
    made.inter_op_num_threads = 1
    # Threads of a graph that has nothing to do must not spin: they would take the cores from the other graphs.
    made.add_session_config_entry("session.force_spinning_stop", "1")
    made.enable_cpu_mem_arena = options.arena
    made.log_severity_level = 3
    made.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return made


def provider_list(options: OnnxRuntimeOptions, tensorrt: dict[str, str] | None = None) -> ProviderList:
    """Providers with their options, the wanted one first, then those for what it leaves.

    ``tensorrt``: the TensorRT provider's own, see :mod:`headshots.diffusion.tensorrt.engines`.
    """
    cpu: ProviderList = [(PROVIDERS["cpu"], {})]
    if options.provider == "cpu":
        return cpu
    cuda = [(PROVIDERS["cuda"], cuda_options(options)), *cpu]
    return cuda if tensorrt is None else [(PROVIDERS["tensorrt"], tensorrt), *cuda]


def cuda_options(options: OnnxRuntimeOptions) -> dict[str, str]:
    """For the CUDA provider."""
    made = {
        "device_id": str(options.device),
        # The count of rows changes as requests come and go, and an exhaustive search would run, while they wait, for
        # every convolution at every count that is new.
        "cudnn_conv_algo_search": "HEURISTIC",
        "cudnn_conv_use_max_workspace": "1",
        # Grow by what is asked for: doubling would take a GPU's second half for a last megabyte.
        "arena_extend_strategy": "kSameAsRequested",
        "do_copy_in_default_stream": "1",
        # fp32 means fp32, as on the CPU that checked the graph; fp16 packages are for speed.
        "use_tf32": "0",
    }
    if options.gpu_memory_bytes:
        made["gpu_mem_limit"] = str(options.gpu_memory_bytes)
    return made
