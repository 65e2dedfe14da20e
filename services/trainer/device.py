"""What the machine has to train with, found out without importing torch."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

from headshots.errors import InvalidArgumentError


def usable_cpus() -> int:
    """CPUs that this process may use: its affinity, and its control group's quota (Kubernetes' CPU limit)."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, round(int(quota) / int(period))))


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
