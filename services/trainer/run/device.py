"""What the machine has to train with, found out without importing torch."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import InvalidArgumentError

# A UNet of that many bytes of weights at most is small: the bundled one has 17 MB, Stable Diffusion 1.5's 1.7 GB.
_SMALL_BYTES = 256 << 20
# A process takes some half a gigabyte, whatever the machine has of CPUs, and a step has few rows to share out.
_MOST_PROCESSES = 4


def usable_cpus() -> int:
    """CPUs that this process may use: its affinity, and its control group's quota (Kubernetes' CPU limit)."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, round(int(quota) / int(period))))


@dataclass(frozen=True)
class Cores:
    """How a training uses its CPUs: so many processes, so many threads in each."""

    processes: int
    threads: int

    @classmethod
    def shared_out(cls, foundation: Path, count: int, device: str = "cpu") -> Cores:
        """As ``count`` CPUs are used best to train adapters of ``foundation``.

        A small UNet has many layers that take microseconds each, and threads that share each of them wait for each
        other longer than they work (docs/experiments.md): there each CPU has a process. A large one has one process,
        for its weights are not to be had twice. A folder without weights counts as small.
        """
        size = sum(file.stat().st_size for file in (foundation / "unet").glob("*.safetensors"))
        small = size <= _SMALL_BYTES and device == "cpu"
        return cls(min(count, _MOST_PROCESSES), 1) if small else cls(1, count)


def choose_device(wanted: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` takes CUDA where there is a card and a build of torch that can use it.

    Raises:
        InvalidArgumentError: SETTING_INVALID.
    """
    if wanted in ("cpu", "cuda"):
        return wanted
    if wanted != "auto":
        raise InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_TRAINER_DEVICE={wanted!r}: say auto, cpu or cuda")
    has_card = Path("/dev/nvidiactl").exists()
    return "cuda" if has_card and not importlib.metadata.version("torch").endswith("+cpu") else "cpu"
