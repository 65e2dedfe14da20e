"""Runs a package's engines of TensorRT for RTX, which were built ahead of time: here nothing is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headshots.diffusion.backends.graphs import GraphBackend, Graphs, bank_type
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.gpu import describe, load_driver
from headshots.diffusion.tensorrt.profiles import input_shapes
from headshots.diffusion.tensorrt.rtx.device import Device, DeviceBank
from headshots.diffusion.tensorrt.rtx.loading import Loader, check_target, check_version, read_engine
from headshots.diffusion.tensorrt.rtx.running import EngineGraph

PROVIDER = "tensorrt-rtx"


@dataclass(frozen=True)
class Libraries:
    """What this backend needs of the machine: the CUDA driver library, and what loads engines (a :class:`Loader`)."""

    driver: Callable[[], Any] = load_driver
    loader: Callable[[], Any] = Loader


class TensorRtRtxBackend(GraphBackend):
    """A :class:`~headshots.diffusion.backends.base.Backend`."""

    def __init__(self, package: EnginePackage, device: int = 0, libraries: Libraries | None = None) -> None:
        """Load every engine; ``device`` is the GPU's number.

        Raises:
            InvalidArgumentError: PROVIDER_UNAVAILABLE, ENGINE_TARGET_MISSING, ENGINE_VERSION, ENGINE_DAMAGED,
                ENGINE_OF_ANOTHER_PACKAGE, ENGINE_REFUSED.
            ResourceExhaustedError: GPU_MEMORY_FULL.
            InternalError: GPU_FAILED.
        """
        needed = libraries or Libraries()
        engines = check_version(package)
        driver = needed.driver()
        gpu = describe(driver, device)
        check_target(package, engines, gpu)
        memory = Device(driver, device)
        # It lives as long as its engines.
        self._loader = needed.loader()

        def opened(graph: str) -> EngineGraph:
            engine = self._loader.load(graph, read_engine(package, engines, graph))
            return EngineGraph(graph, engine, memory, package.graphs[graph], input_shapes(package, graph))

        graphs = Graphs(
            opened(package.unet),
            opened(package.vae_decoder),
            opened(package.vae_encoder),
            [opened(encoder.graph) for encoder in package.text_encoders],
        )
        bank = DeviceBank(memory, package.slots, package.layout.row_size, bank_type(package))
        weight_bytes = sum((package.folder / engine.file).stat().st_size for engine in engines.engines)
        super().__init__(package, f"{PROVIDER}:{gpu.target}", graphs, bank, weight_bytes)
