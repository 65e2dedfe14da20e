"""Finds the engines of a package that this GPU can run, checks them, and loads them."""

from __future__ import annotations

import hashlib
from typing import Any

from headshots.diffusion.package import EnginePackage, RtxEngines
from headshots.diffusion.tensorrt.gpu import Gpu
from headshots.diffusion.tensorrt.rtx.building import source_of
from headshots.diffusion.tensorrt.rtx.targets import LISTED, elsewhere, installed_version
from headshots.errors import FailedPreconditionError, InvalidArgumentError


def check_version(package: EnginePackage) -> RtxEngines:
    """The package's engines, which the installed TensorRT for RTX must have built. Asks no GPU.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE, where it is not installed; ENGINE_TARGET_MISSING, where the package
            has no engines; ENGINE_VERSION.
    """
    try:
        installed = installed_version()
    except FailedPreconditionError as error:
        raise InvalidArgumentError("PROVIDER_UNAVAILABLE", error.message) from error
    engines = package.tensorrt_rtx
    if engines is None:
        raise InvalidArgumentError(
            "ENGINE_TARGET_MISSING",
            f"{package.folder} has no engines of TensorRT for RTX; {_export('TARGET')}, where TARGET is what your GPU "
            f"is: {LISTED}; or serve the package on another provider (HEADSHOTS_GENERATOR_PROVIDER=cpu)",
        )
    if engines.version != installed:
        raise InvalidArgumentError(
            "ENGINE_VERSION",
            f"{package.folder} has engines of TensorRT for RTX {engines.version}, and {installed} is installed, which "
            f"cannot run them: export again with the version that serves, or install {engines.version}",
        )
    return engines


def check_target(package: EnginePackage, engines: RtxEngines, gpu: Gpu) -> None:
    """Raise where the engines are for other GPUs than this one.

    Raises:
        InvalidArgumentError: ENGINE_TARGET_MISSING, saying which export would serve it.
    """
    if gpu.target in engines.targets:
        return
    why = elsewhere(gpu.target)
    cure = f"TensorRT for RTX has none for it: {why}" if why else _export(",".join((*engines.targets, gpu.target)))
    raise InvalidArgumentError(
        "ENGINE_TARGET_MISSING",
        f"this GPU ({gpu.name}) is {gpu.target}, and {package.folder} has engines for {', '.join(engines.targets)}; "
        f"{cure}",
    )


def read_engine(package: EnginePackage, engines: RtxEngines, graph: str) -> bytes:
    """The engine of a graph, which must be the one that was exported with this very package.

    Raises:
        InvalidArgumentError: ENGINE_DAMAGED; ENGINE_OF_ANOTHER_PACKAGE, where it was built from another graph or for
            other shapes.
    """
    engine = next((each for each in engines.engines if each.graph == graph), None)
    if engine is None:
        raise _damaged(package, f"{package.folder} has no engine of {graph}")
    if engine.source != source_of(package, graph):
        raise InvalidArgumentError(
            "ENGINE_OF_ANOTHER_PACKAGE",
            f"{engine.file} was not built from the {graph} beside it, or for other shapes; delete {package.folder} "
            "and export again",
        )
    data = (package.folder / engine.file).read_bytes()
    if hashlib.sha256(data).hexdigest() != package.files.get(engine.file):
        raise _damaged(package, f"{engine.file} is not what was exported ({len(data)} bytes are there)")
    return data


class Loader:
    """The run time of TensorRT for RTX; engines live no longer than it."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            InvalidArgumentError: PROVIDER_UNAVAILABLE.
        """
        try:
            # Here and nowhere else in serving: an extra that most installations have not.
            import tensorrt_rtx_bindings as trt
        except ImportError as error:
            raise InvalidArgumentError(
                "PROVIDER_UNAVAILABLE",
                f"TensorRT for RTX cannot be loaded ({error}); install the extra tensorrt-rtx again",
            ) from error

        self._runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))

    def load(self, name: str, data: bytes) -> Any:
        """The engine that ``data`` holds, on the current GPU.

        Raises:
            InvalidArgumentError: ENGINE_REFUSED.
        """
        engine = self._runtime.deserialize_cuda_engine(data)
        if engine is None:
            raise InvalidArgumentError(
                "ENGINE_REFUSED",
                f"TensorRT for RTX does not take the engine of {name}, and says why in the log: often an old driver, "
                "or no memory left on the GPU; update the one, free the other",
            )
        return engine


def _damaged(package: EnginePackage, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("ENGINE_DAMAGED", f"{why}; delete {package.folder} and export again")


def _export(targets: str) -> str:
    return f"make them with `headshots export --tensorrt-rtx {targets}` (HEADSHOTS_GENERATOR_EXPORT_TENSORRT_RTX)"
