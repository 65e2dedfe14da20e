"""Asks the driver which GPU this is and which TensorRT: a built engine belongs to both. Imports no torch."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from typing import Any

from headshots.errors import InvalidArgumentError

_DRIVER = "libcuda.so.1"
_TENSORRT = ("libnvinfer.so.10", "libnvinfer.so.11")
_CAPABILITY = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
_NAME_BYTES = 256


@dataclass(frozen=True)
class Gpu:
    """A GPU by name and compute capability, and the version of TensorRT beside it, as it counts: 101500 is 10.15.

    TensorRT for RTX, which tells its version itself, leaves it 0.
    """

    name: str
    major: int
    minor: int
    tensorrt: int = 0

    @property
    def target(self) -> str:
        """As engines are built for it: ``sm89``."""
        return f"sm{self.major}{self.minor}"

    @property
    def slug(self) -> str:
        """For folder names."""
        name = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"{name}-sm{self.major}{self.minor}-trt{self.tensorrt}"


def read_gpu(device: int) -> Gpu:
    """GPU number ``device`` of those that this process may see.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE, naming the library that is missing or the GPU that is not there.
    """
    version = _load("TensorRT", *_TENSORRT).getInferLibVersion()
    return describe(load_driver(), device, version)


def load_driver() -> Any:
    """The CUDA driver library, which comes with the GPU's driver.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE.
    """
    return _load("NVIDIA's driver", _DRIVER)


def describe(driver: Any, device: int, tensorrt: int = 0) -> Gpu:
    """What the CUDA driver library tells of a GPU.

    Raises:
        InvalidArgumentError: PROVIDER_UNAVAILABLE.
    """
    handle, value, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    _ask(driver.cuInit(0), "cuInit")
    _ask(driver.cuDeviceGet(ctypes.byref(handle), device), f"GPU {device}")
    _ask(driver.cuDeviceGetName(name, _NAME_BYTES, handle), f"the name of GPU {device}")
    numbers = []
    for number in _CAPABILITY:
        _ask(driver.cuDeviceGetAttribute(ctypes.byref(value), number, handle), f"the capability of GPU {device}")
        numbers.append(value.value)
    return Gpu(name.value.decode("utf-8", "replace"), numbers[0], numbers[1], tensorrt)


def _ask(status: int, what: str) -> None:
    if status != 0:
        raise _unavailable(
            f"the CUDA driver answers {status} for {what}; `nvidia-smi` tells which GPUs there are, "
            "HEADSHOTS_GENERATOR_DEVICE is the number of one"
        )


def _load(what: str, *names: str) -> Any:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise _unavailable(f"{' or '.join(names)} cannot be loaded; install {what}, or add its folder to LD_LIBRARY_PATH")


def _unavailable(why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "PROVIDER_UNAVAILABLE",
        f"TensorRT was asked for and cannot be had: {why}. On a machine without a GPU set "
        "HEADSHOTS_GENERATOR_PROVIDER=cpu",
    )
