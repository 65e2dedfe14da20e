"""The number of processes and threads of a training."""

from __future__ import annotations

import os
from pathlib import Path

from headshots.processes.cpus import usable_cpus
from headshots.settings import default_foundation
from services.trainer.run.device import Cores
from services.trainer.settings import TrainerSettings


def _foundation(folder: Path, size: int) -> Path:
    (folder / "unet").mkdir(parents=True)
    with (folder / "unet" / "diffusion_pytorch_model.safetensors").open("wb") as file:
        os.truncate(file.fileno(), size)  # a hole: it takes no room
    return folder


def test_a_small_foundation_has_a_process_for_each_cpu_and_a_large_one_a_thread(tmp_path: Path) -> None:
    assert Cores.shared_out(default_foundation(), 3) == Cores(processes=3, threads=1)
    assert Cores.shared_out(_foundation(tmp_path / "small", 256 << 20), 64) == Cores(processes=4, threads=1)
    assert Cores.shared_out(_foundation(tmp_path / "large", 1720 << 20), 8) == Cores(processes=1, threads=8)
    assert Cores.shared_out(default_foundation(), 8, "cuda") == Cores(processes=1, threads=8)


def test_the_cpus_are_shared_among_the_workers_unless_threads_are_set(tmp_path: Path) -> None:
    environ = {
        "HEADSHOTS_HOME": str(tmp_path),
        "HEADSHOTS_FOUNDATION": str(_foundation(tmp_path / "large", 300 << 20)),
        "HEADSHOTS_TRAINER_DEVICE": "cpu",
    }
    assert TrainerSettings.from_environment(environ).cores == Cores(1, usable_cpus())
    many = {**environ, "HEADSHOTS_TRAINER_WORKERS": "1000"}
    assert TrainerSettings.from_environment(many).cores == Cores(1, 1)
    said = {**environ, "HEADSHOTS_TRAINER_THREADS": "3", "HEADSHOTS_FOUNDATION": str(default_foundation())}
    assert TrainerSettings.from_environment(said).cores == Cores(3, 1)
