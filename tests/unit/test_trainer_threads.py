"""How many CPU threads a training takes."""

from __future__ import annotations

import os
from pathlib import Path

from headshots.settings import default_foundation
from services.trainer.device import usable_cpus, useful_threads
from services.trainer.settings import TrainerSettings


def _foundation(folder: Path, size: int) -> Path:
    (folder / "unet").mkdir(parents=True)
    with (folder / "unet" / "diffusion_pytorch_model.safetensors").open("wb") as file:
        os.truncate(file.fileno(), size)  # a hole: it takes no room
    return folder


def test_a_small_foundation_trains_on_one_thread_and_a_large_one_on_all(tmp_path: Path) -> None:
    assert useful_threads(default_foundation(), 8) == 1
    assert useful_threads(_foundation(tmp_path / "small", 256 << 20), 8) == 1
    assert useful_threads(_foundation(tmp_path / "large", 1720 << 20), 8) == 8


def test_the_cpus_are_shared_among_the_workers_unless_it_is_said(tmp_path: Path) -> None:
    environ = {
        "HEADSHOTS_HOME": str(tmp_path),
        "HEADSHOTS_FOUNDATION": str(_foundation(tmp_path / "large", 300 << 20)),
        "HEADSHOTS_TRAINER_DEVICE": "cpu",
    }
    assert TrainerSettings.from_environment(environ).threads_per_worker == usable_cpus()
    many = {**environ, "HEADSHOTS_TRAINER_WORKERS": "1000"}
    assert TrainerSettings.from_environment(many).threads_per_worker == 1
    said = {**environ, "HEADSHOTS_TRAINER_THREADS": "3", "HEADSHOTS_FOUNDATION": str(default_foundation())}
    assert TrainerSettings.from_environment(said).threads_per_worker == 3
