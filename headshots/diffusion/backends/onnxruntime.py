"""Runs the package's graphs on ONNX Runtime: CPU, CUDA or TensorRT, with the bank resident on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import onnxruntime as ort

from headshots.diffusion.backends.bank import Bank
from headshots.diffusion.backends.base import FloatArray
from headshots.diffusion.backends.cores import Cores, Graph
from headshots.diffusion.backends.graphs import GraphBackend, Graphs, RunnableGraph, bank_type
from headshots.diffusion.backends.native import NativeUNet
from headshots.diffusion.backends.providers import (
    PROVIDERS,
    OnnxRuntimeOptions,
    check_provider,
    provider_list,
    provider_name,
    session_options_for,
    unavailable,
)
from headshots.diffusion.package import ENGINE_SUFFIX, EnginePackage
from headshots.diffusion.package_files import CONTEXT, NATIVE_STEP, SMALL_BYTES, check_digests
from headshots.diffusion.tensorrt import engines
from headshots.diffusion.tensorrt.gpu import read_gpu
from headshots.errors import InvalidArgumentError


class OnnxRuntimeBackend(GraphBackend):
    """A :class:`~headshots.diffusion.backends.base.Backend`."""

    def __init__(self, package: EnginePackage, options: OnnxRuntimeOptions) -> None:
        """Load every graph; with TensorRT build first what was not built before, which takes minutes.

        Raises:
            InvalidArgumentError: PROVIDER_UNKNOWN, PROVIDER_UNAVAILABLE.
        """
        provider = provider_name(options.provider)
        files = [name for name in package.files if not name.endswith(ENGINE_SUFFIX)]
        weight_bytes = sum((package.folder / name).stat().st_size for name in files)
        opened = _opener(package, options)
        if options.provider == "cpu" and (package.native_graphs or weight_bytes <= SMALL_BYTES):
            cores = Cores(options.threads)
            unet = _spread_unet(package, cores, options)
            decoder = cores.open(partial(_session, package.folder / package.vae_decoder), options, least_rows=1)
        else:
            unet, decoder = opened(package.unet), opened(package.vae_decoder)
        encoders = [opened(encoder.graph) for encoder in package.text_encoders]
        graphs = Graphs(unet, decoder, opened(package.vae_encoder), encoders)
        device = "cpu" if options.provider == "cpu" else "cuda"
        bank = Bank(package.slots, package.layout.row_size, bank_type(package), device=device, device_id=options.device)
        super().__init__(package, f"onnxruntime:{provider}", graphs, bank, weight_bytes)
        self._native = unet if isinstance(unet, NativeUNet) else None

    def write_slot(self, slot: int, row_P: FloatArray | None) -> None:
        super().write_slot(slot, row_P)
        if self._native is not None:
            self._native.forget(slot)


def _spread_unet(package: EnginePackage, cores: Cores, options: OnnxRuntimeOptions) -> RunnableGraph:
    """The UNet whose rows are spread over the cores; at the native size by graphs of its own, where there are any."""

    def opened(name: str) -> Graph:
        # The engine doubles a row that is alone.
        return cores.open(partial(_session, package.folder / name), options, least_rows=2)

    if not package.native_graphs:
        return opened(package.unet)
    factor = package.vae_scale_factor
    cells = package.native_height_px // factor, package.native_width_px // factor
    # Opened when it is needed, which would be late to find it damaged.
    check_digests(package.folder, {package.unet: package.files[package.unet]})
    # A context is projected once an image: no need for all cores.
    context = Graph(_session(package.folder / CONTEXT, replace(options, threads=1)))
    return NativeUNet(cells, context, opened(NATIVE_STEP), lambda: opened(package.unet))


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
