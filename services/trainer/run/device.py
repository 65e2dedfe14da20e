"""Finds out what the machine can train with, without importing torch."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import InvalidArgumentError

# A UNet of that many bytes of weights at most is small: the bundled one has 17 MB, Stable Diffusion 1.5's 1.7 GB.
_SMALL_BYTES = 256 << 20
# A process takes about half a gigabyte of memory, and a step has few rows to share among processes.
_MOST_PROCESSES = 4


@dataclass(frozen=True)
class Cores:
    """How a training uses its CPUs: so many processes, so many threads in each."""

    processes: int
    threads: int

    @classmethod
    def shared_out(cls, foundation: Path, count: int, device: str = "cpu") -> Cores:
        """The best use of ``count`` CPUs to train adapters of ``foundation``.

        The layers of a small UNet take microseconds each, and threads that share a layer wait for each other longer
        than they work (docs/experiments.md): there each CPU has a process. A large UNet has one process with a thread
        for each CPU, as a second copy of its weights takes too much memory. A folder without weights counts as small.
        """
        size = sum(file.stat().st_size for file in (foundation / "unet").glob("*.safetensors"))
        small = size <= _SMALL_BYTES and device == "cpu"
        return cls(min(count, _MOST_PROCESSES), 1) if small else cls(1, count)


def choose_device(wanted: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` takes CUDA where there is a GPU and a build of torch that can use it.

    Raises:
        InvalidArgumentError: SETTING_INVALID.
    """
    if wanted in ("cpu", "cuda"):
        return wanted
    if wanted != "auto":
        raise InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_TRAINER_DEVICE={wanted!r}: say auto, cpu or cuda")
    has_gpu = Path("/dev/nvidiactl").exists()
    return "cuda" if has_gpu and not importlib.metadata.version("torch").endswith("+cpu") else "cpu"
